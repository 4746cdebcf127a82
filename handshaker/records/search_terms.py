"""What somebody types to find a patient, as terms that all must match: words, numbers, dates of birth."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

_SPLIT = re.compile(r"[\W_]+")
_APART = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})
_GERMANIC = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
"""Letters that people also write as two, where no accent can be typed."""

_MONTH_NAMES = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTHS = {name[:length]: number for number, name in enumerate(_MONTH_NAMES, 1) for length in range(3, len(name) + 1)}
_NAME = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WRITTEN = re.compile(
    rf"\b(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[.\s-]*(?P<month>{_NAME})|"
    rf"(?P<month2>{_NAME})\.?\s*(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?),?\.?[\s-]*(?P<year>\d{{4}})\b",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_EIGHT = re.compile(r"\d{8}")


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that must match; each of its meanings is enough."""

    spellings: frozenset[str] = frozenset()
    """Folded forms of the whole word."""
    parts: tuple[frozenset[str], ...] = ()
    """Folded forms of each part of a word with hyphens, which must all match."""
    born: frozenset[date] = frozenset()
    year: int | None = field(default=None)
    """Year of birth."""


def read_terms(text: str) -> list[Term]:
    """Return the terms of a search; empty when nothing in it can be searched for."""
    found = [Term(born=_written(match)) for match in _WRITTEN.finditer(text)]
    rest = _WRITTEN.sub(" ", text)
    for word in rest.split():
        parts = tuple(forms(part) for part in _SPLIT.split(word) if forms(part))
        spellings = forms(word)
        if spellings:
            found.append(Term(spellings, parts, frozenset(_numeric(word.strip(",;"))), _year(word)))
    return found


def forms(word: str) -> frozenset[str]:
    """Return how a word may be spelled without accents, case and marks: ``Müller`` is ``muller`` and ``mueller``."""
    lower = unicodedata.normalize("NFC", word.casefold())
    return frozenset(filter(None, (_fold(lower), _fold(lower.translate(_GERMANIC)))))


def name_words(name: str) -> Iterator[str]:
    """Yield every spelling under which a word of ``name`` is found, the parts of words with hyphens included."""
    for word in name.split():
        yield from forms(word)
        for part in _SPLIT.split(word):
            yield from forms(part)


def _fold(word: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", word).casefold()).translate(_APART)
    return "".join(letter for letter in plain if letter.isalnum())


def _written(match: re.Match[str]) -> frozenset[date]:
    month = _MONTHS[(match["month"] or match["month2"]).lower()]
    return frozenset(_dates(int(match["year"]), month, int(match["day"] or match["day2"])))


def _numeric(word: str) -> Iterator[date]:
    """Yield what a date in figures can mean: the day first, and both orders where slashes or hyphens leave it open."""
    if match := _YEAR_FIRST.fullmatch(word):
        yield from _dates(int(match[1]), int(match[3]), int(match[4]))
    elif match := _YEAR_LAST.fullmatch(word):
        for year in _years(match[4]):
            yield from _dates(year, int(match[3]), int(match[1]))
            if match[2] != ".":
                yield from _dates(year, int(match[1]), int(match[3]))
    elif _EIGHT.fullmatch(word):
        yield from _dates(int(word[:4]), int(word[4:6]), int(word[6:]))
        yield from _dates(int(word[4:]), int(word[2:4]), int(word[:2]))


def _years(figures: str) -> tuple[int, ...]:
    return (int(figures),) if len(figures) == 4 else (1900 + int(figures), 2000 + int(figures))


def _year(word: str) -> int | None:
    return int(word) if re.fullmatch(r"(?:18|19|20)\d\d", word) else None


def _dates(year: int, month: int, day: int) -> Iterator[date]:
    try:
        yield date(year, month, day)
    except ValueError:
        return
