"""The sentences that people sign: Jinja2 in a sandbox, strict about names, with the few words that consents need.

In a sentence, sensitive categories appear only as "specially protected records" with the short code of their list
(``protected_list_code``): wallets send what they sign to their makers.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes, pass_context
from jinja2.exceptions import TemplateError, UndefinedError
from jinja2.runtime import Context as RenderContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from handshaker.commitments import canonical
from handshaker.expressions import ExpressionInvalid, grantee, parse_moment, unknown_in_context
from handshaker.messages import Json
from handshaker.vocabulary import CATEGORY_BY_CODE, Category, Purpose

LONGEST_SENTENCE = 2000
_SALT = "_salt"
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


class _SentenceSandbox(ImmutableSandboxedEnvironment):
    """No arithmetic that grows, no globals: a sentence has only its payload and its context."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: RenderContext, operator: str, left: Any, right: Any) -> Any:
        """Refuse the operators that can make a short template long."""
        raise ExpressionInvalid(f"the operator {operator} is not allowed in a sentence")


def date_words(moment: str) -> str:
    """Return an ISO 8601 moment in words and UTC: ``1 March 2027``, with the time where it is not midnight."""
    at = parse_moment(moment)
    day = f"{at.day} {_MONTHS[at.month - 1]} {at.year}"
    clock = at.strftime("%H:%M:%S")
    if clock == "00:00:00":
        return day
    if clock == "23:59:59":
        return f"the end of {day}"
    return f"{day} at {clock.removesuffix(':00') if at.second == 0 else clock} UTC"


def purpose_words(code: str) -> str:
    """Return the plain words of a purpose's code; raises ``ExpressionInvalid`` for another one."""
    try:
        return Purpose[code].display
    except KeyError:
        raise ExpressionInvalid("got something that is not a purpose") from None


def protected_list_code(codes: Iterable[str], salt: bytes) -> str:
    """Return the four characters that name a list of sensitive categories on the page that shows it.

    They are the start of a salted hash, so nobody who lacks the salt learns the list, and the same list has the same
    code within one statement.
    """
    listed = canonical(sorted(set(codes)))
    return base64.b32encode(sha256(b"protected list" + salt + listed).digest())[:4].decode()


def category_words(codes: Iterable[str], salt: bytes) -> str:
    """Return categories as people say them: ``vital signs and laboratory results``.

    Sensitive ones become ``specially protected records (list XXXX)``. Raises ``ExpressionInvalid`` for unknown codes.
    """
    named = set(codes)
    chosen = sorted((_category(code) for code in named - {"all"}), key=lambda category: category.bit)
    words = ["general records of every kind"] if "all" in named else []
    words += [category.display for category in chosen if not category.is_sensitive and "all" not in named]
    sensitive = [category.code for category in chosen if category.is_sensitive]
    if sensitive:
        words.append(f"specially protected records (list {protected_list_code(sensitive, salt)})")
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else "no records"


def render(source: str, payload: Mapping[str, Json], context: Mapping[str, Json], salt: bytes) -> str:
    """Return the sentence on one line; ``salt`` only colours the codes of protected lists.

    Raises ``ExpressionInvalid`` for a name that is not there or a sentence that is empty or too long.
    """
    values = {"payload": payload, "context": context, _SALT: salt}
    try:
        text = " ".join(_compiled(source).render(values).split())
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        if isinstance(error, ExpressionInvalid):
            raise
        raise ExpressionInvalid(f"the sentence needs {_absent(error, source)} that is not there") from None
    if not text or len(text) > LONGEST_SENTENCE:
        raise ExpressionInvalid(f"the sentence must have 1 to {LONGEST_SENTENCE} characters")
    return text


def sentence_problems(source: str, context: Mapping[str, Json]) -> list[str]:
    """Return what is wrong with a sentence before it is ever rendered."""
    try:
        tree = _ENVIRONMENT.parse(source)
        _compiled(source)
    except TemplateSyntaxError as error:
        return [f"does not compile: {error.message} (line {error.lineno} of the sentence)"]
    assigned = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    found = [
        f"`{name.name}` is not known here; a sentence speaks of payload and context only"
        for name in tree.find_all(nodes.Name)
        if name.ctx == "load" and name.name not in assigned | {"payload", "context"}
    ]
    for path in sentence_paths(source):
        if path[0] == "context":
            found += unknown_in_context(path[1:], context)
    return list(dict.fromkeys(found))


def sentence_paths(source: str) -> set[tuple[str, ...]]:
    """Return the paths that a sentence reads, for example ``("context", "reference")``."""
    return set(_attribute_paths(_ENVIRONMENT.parse(source)))


def _attribute_paths(tree: nodes.Node) -> Iterator[tuple[str, ...]]:
    inner = {id(getattr(node, "node", None)) for node in tree.find_all((nodes.Getattr, nodes.Getitem))}
    for node in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Name)):
        if id(node) in inner:
            continue
        steps: list[str] = []
        here: nodes.Node = node
        while isinstance(here, (nodes.Getattr, nodes.Getitem)):
            named = here.attr if isinstance(here, nodes.Getattr) else getattr(here.arg, "value", None)
            steps = [named, *steps] if isinstance(named, str) else []
            here = here.node
        if isinstance(here, nodes.Name) and here.name in ("payload", "context"):
            yield (here.name, *steps)


def _absent(error: Exception, source: str) -> str:
    """Name what is absent, but only in the author's own words: a payload's could be looked up too."""
    named = re.search(r"'(\w+)'(?: is undefined)?$", str(error)) if isinstance(error, UndefinedError) else None
    return f"`{named[1]}`" if named and named[1] in source else "a name or a value"


def _category(code: str) -> Category:
    if code not in CATEGORY_BY_CODE:
        raise ExpressionInvalid("got something that is not a category code")
    return CATEGORY_BY_CODE[code]


def _plain(name: str) -> str:
    """Put a display name on one line, without characters that could disguise the sentence around it."""
    return " ".join(re.sub(r"[^\w .,'’()&/-]", " ", name).split())


@pass_context
def _named(context: RenderContext, reference: str) -> str:
    names: Mapping[str, str] = context["context"]["names"]
    try:
        return _plain(names[grantee(reference)])
    except KeyError:
        raise ExpressionInvalid("the sentence needs the name of a grantee that is not known") from None


@pass_context
def _named_or_numbered(context: RenderContext, reference: str) -> str:
    names: Mapping[str, str] = context["context"]["names"]
    kind, _, identity = reference.partition("/")
    return _plain(names.get(grantee(reference), "")) or f"the {kind} {identity}"


@pass_context
def _categories(context: RenderContext, codes: Iterable[str]) -> str:
    return category_words(codes, context[_SALT])


_ENVIRONMENT = _SentenceSandbox(undefined=StrictUndefined, autoescape=False)  # plain text, never a page
_ENVIRONMENT.globals.clear()
_ENVIRONMENT.filters = {
    name: _ENVIRONMENT.filters[name]
    for name in ("default", "first", "join", "last", "length", "lower", "replace", "sort", "title", "trim", "unique")
}
_ENVIRONMENT.filters |= {
    "categories": _categories,
    "date": date_words,
    "named": _named,
    "named_or_numbered": _named_or_numbered,
    "purpose": purpose_words,
}


@lru_cache(maxsize=1024)
def _compiled(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)
