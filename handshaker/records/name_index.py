"""The index of names in memory: sorted words and binary search."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from handshaker.records.search_terms import Term, forms, name_words

NUMBER, EXACT, PREFIX = 0, 1, 2
_LAST = "\U0010ffff"
_FEW = 64
"""New patients up to which inserting is faster than sorting again."""
_SHORTEST_PSEUDONYM = 6
"""Digits of a pseudonym that mean one; fewer could be the beginning of a name (``abe``)."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What of a patient can be searched for."""

    patient_id: str
    names: tuple[str, ...]
    numbers: tuple[str, ...]
    born: date | None


class NameIndex:
    """Words, numbers and dates of birth → patients. Not safe to share between threads by itself."""

    def __init__(self) -> None:
        self._words: list[tuple[str, str]] = []
        self._numbers: list[tuple[str, str]] = []
        self._pseudonyms: list[tuple[str, str]] = []
        self._born: dict[date, set[str]] = {}
        self._years: dict[int, set[str]] = {}
        self._order: dict[str, tuple[str, ...]] = {}

    def __contains__(self, patient_id: str) -> bool:
        return patient_id in self._order

    def __len__(self) -> int:
        return len(self._order)

    def add(self, patients: Iterable[Indexed]) -> None:
        """Add patients; one who is here already must not come again."""
        words, numbers, pseudonyms = [], [], []
        for patient in patients:
            mine = patient.patient_id
            words += [(word, mine) for word in {word for name in patient.names for word in name_words(name)}]
            numbers += [(number, mine) for number in _number_forms(patient.numbers)]
            pseudonyms.append((mine.removeprefix("0x"), mine))
            if patient.born is not None:
                self._born.setdefault(patient.born, set()).add(mine)
                self._years.setdefault(patient.born.year, set()).add(mine)
            self._order[mine] = tuple(min(forms(name), default="") for name in patient.names)
        for new, kept in ((words, self._words), (numbers, self._numbers), (pseudonyms, self._pseudonyms)):
            _merge(new, kept)

    def remove(self, patient_id: str) -> None:
        """Forget a patient."""
        for kept in (self._words, self._numbers, self._pseudonyms):
            kept[:] = [entry for entry in kept if entry[1] != patient_id]
        for found in (*self._born.values(), *self._years.values()):
            found.discard(patient_id)
        self._order.pop(patient_id, None)

    def search(self, terms: list[Term]) -> list[str]:
        """Return the patients whom every term means: by number first, then whole words, then beginnings, by name."""
        ranks: dict[str, int] | None = None
        for term in terms:
            matched = self._matches(term)
            if ranks is None:
                ranks = matched
            else:
                ranks = {each: _both(ranks[each], matched[each]) for each in ranks.keys() & matched.keys()}
        found = ranks or {}
        return sorted(found, key=lambda each: (found[each], self._order[each], each))

    def _matches(self, term: Term) -> dict[str, int]:
        found = dict.fromkeys((each for day in term.born for each in self._born.get(day, ())), EXACT)
        if term.year is not None:
            found |= dict.fromkeys(self._years.get(term.year, ()), EXACT)
        self._match_words(term, found)
        for spelling in term.spellings:
            for number, each in _beginning(self._numbers, spelling):
                _better(found, each, NUMBER if number == spelling else PREFIX)
            digits = spelling.removeprefix("0x")
            if len(digits) >= _SHORTEST_PSEUDONYM or digits != spelling:
                for _, each in _beginning(self._pseudonyms, digits):
                    _better(found, each, NUMBER)
        return found

    def _match_words(self, term: Term, found: dict[str, int]) -> None:
        for spelling in term.spellings:
            for word, each in _beginning(self._words, spelling):
                _better(found, each, EXACT if word == spelling else PREFIX)
        if len(term.parts) > 1:
            by_part = [self._having(part) for part in term.parts]
            for each in set.intersection(*by_part):
                _better(found, each, PREFIX)

    def _having(self, spellings: frozenset[str]) -> set[str]:
        return {each for spelling in spellings for _, each in _beginning(self._words, spelling)}


def _beginning(kept: list[tuple[str, str]], spelling: str) -> list[tuple[str, str]]:
    return kept[bisect_left(kept, (spelling, "")) : bisect_left(kept, (spelling + _LAST, ""))]


def _better(found: dict[str, int], each: str, rank: int) -> None:
    found[each] = min(rank, found.get(each, rank))


def _both(one: int, other: int) -> int:
    """Return the rank of two terms together: a number decides, else the weaker one."""
    return NUMBER if NUMBER in (one, other) else max(one, other)


def _number_forms(numbers: Iterable[str]) -> set[str]:
    """Return a number as it is, and its digits alone: ``LH-100001`` is also found as 100001."""
    found = {form for number in numbers for form in forms(number)}
    return found | {digits for number in found if len(digits := "".join(filter(str.isdigit, number))) >= 3}


def _merge(new: list[tuple[str, str]], kept: list[tuple[str, str]]) -> None:
    if len(new) > _FEW:
        kept += new
        kept.sort()
        return
    for entry in new:
        insort(kept, entry)
