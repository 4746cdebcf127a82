"""Mapping expressions: JMESPath over ``{"payload", "context"}``, with the functions that statements need.

No message of this module repeats a value: expressions run over payloads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import jmespath
from eth_utils.address import is_hex_address, to_checksum_address
from jmespath import exceptions, functions

from handshaker.ethereum.statements import FieldValue
from handshaker.messages import Json
from handshaker.schemas import kind_of
from handshaker.vocabulary import (
    CATEGORY_BY_CODE,
    EmergencyLevel,
    Purpose,
    Role,
    mask_of,
    organisation_grantee,
    practitioner_grantee,
)

LARGEST_ORGANISATION = 2**24 - 1


class ExpressionInvalid(ValueError):
    """An expression cannot be read, or cannot work on what it was given; the message is a sentence's end."""


_Method = TypeVar("_Method", bound=Callable[..., Json])


def _takes(*kinds: str) -> Callable[[_Method], _Method]:
    """Declare the JMESPath kinds of a function's one argument, where the library's metaclass looks for them."""

    def declare(method: _Method) -> _Method:
        method.signature = ({"types": list(kinds)},)  # type: ignore[attr-defined]
        return method

    return declare


class _StatementFunctions(functions.Functions):  # type: ignore[misc]  # the library has no types
    """What expressions may call besides JMESPath's own functions; ``docs/templates.md`` lists them."""

    @_takes("array", "null")
    def _func_mask(self, codes: list[Json] | None) -> int:
        return _known(lambda: mask_of(codes or []), "a category code")

    @_takes("string")
    def _func_category_number(self, code: str) -> int:
        return _known(lambda: CATEGORY_BY_CODE[code].bit, "a category code")

    @_takes("string")
    def _func_purpose_number(self, code: str) -> int:
        return _known(lambda: int(Purpose[code]), "a purpose")

    @_takes("string")
    def _func_role_number(self, code: str) -> int:
        return _known(lambda: int({role.code: role for role in Role}[code]), "a role")

    @_takes("string")
    def _func_emergency_number(self, code: str) -> int:
        return _known(lambda: int(EmergencyLevel[code.upper().replace("-", "_")]), "an emergency level")

    @_takes("string", "null")
    def _func_seconds(self, moment: str | None) -> int | None:
        return None if moment is None else int(parse_moment(moment).timestamp())

    @_takes("string")
    def _func_grantee(self, reference: str) -> str:
        return grantee(reference)


_OPTIONS = jmespath.Options(custom_functions=_StatementFunctions())


def parse_moment(text: str) -> datetime:
    """Return an ISO 8601 moment in UTC; raises ``ExpressionInvalid`` for anything else and for one without a zone."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ExpressionInvalid("got text that is no moment such as 2027-03-01T00:00:00Z") from None
    raise ExpressionInvalid("got a moment without a time zone")


def grantee(reference: str) -> str:
    """Return the 32 bytes (0x hex) of ``organisation/<number>`` or ``practitioner/0x<16 bytes>``.

    Raises ``ExpressionInvalid`` for any other text.
    """
    kind, _, identity = reference.partition("/")
    digits = identity.removeprefix("0x")
    if kind == "organisation" and identity.isascii() and identity.isdigit():
        number = int(identity) if len(identity) < 10 else 0
        if 1 <= number <= LARGEST_ORGANISATION:
            return "0x" + organisation_grantee(number).hex()
    elif kind == "practitioner" and identity.startswith("0x") and len(digits) == 32 and _is_hex(digits):
        return "0x" + practitioner_grantee(bytes.fromhex(digits)).hex()
    raise ExpressionInvalid("got text that is neither organisation/<number> nor practitioner/0x<32 hex digits>")


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> Any:
    """Return the compiled expression; raises ``ExpressionInvalid`` with the position of what cannot be read."""
    try:
        return jmespath.compile(source)
    except exceptions.IncompleteExpressionError:
        raise ExpressionInvalid("does not compile: the expression ends too early") from None
    except exceptions.EmptyExpressionError:
        raise ExpressionInvalid("does not compile: the expression is empty") from None
    except exceptions.LexerError as error:
        raise ExpressionInvalid(f"does not compile: character {error.lexer_position + 1} is not expected") from None
    except exceptions.ParseError as error:
        raise ExpressionInvalid(
            f"does not compile: {error.token_value!r} at character {error.lex_position + 1} is not expected"
        ) from None


def evaluate(source: str, values: Mapping[str, Json]) -> Json:
    """Return what ``source`` gives over ``{"payload", "context"}``; raises ``ExpressionInvalid``."""
    try:
        return compile_expression(source).search(values, options=_OPTIONS)
    except exceptions.JMESPathTypeError as error:
        raise ExpressionInvalid(
            f"{error.function_name}() got {_JMESPATH_KINDS.get(error.actual_type, 'another kind')}"
        ) from None
    except exceptions.JMESPathError:
        raise ExpressionInvalid("calls a function that does not exist or with the wrong number of arguments") from None
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        if isinstance(error, ExpressionInvalid):
            raise
        raise ExpressionInvalid("cannot work with what it got") from None


def coerce(value: Json, abi_type: str) -> FieldValue:
    """Return ``value`` as the ABI type wants it, or raise ``ExpressionInvalid`` naming the kind that it is instead."""
    if abi_type.startswith("uint"):
        limit = 2 ** int(abi_type.removeprefix("uint") or 256)
        if isinstance(value, int) and not isinstance(value, bool):
            if 0 <= value < limit:
                return value
            raise ExpressionInvalid("gives a whole number that is out of range")
    elif abi_type == "bool":
        if isinstance(value, bool):
            return value
    elif abi_type == "address":
        if isinstance(value, str) and value.startswith("0x") and is_hex_address(value):
            return to_checksum_address(value)
    elif abi_type == "string":
        if isinstance(value, str) and value:
            return value
    elif isinstance(value, str) and value.startswith("0x"):
        size = int(abi_type.removeprefix("bytes"))
        if len(value) == 2 + 2 * size and _is_hex(value[2:]):
            return bytes.fromhex(value[2:])
        raise ExpressionInvalid(f"gives hex digits that are not {size} bytes")
    raise ExpressionInvalid(f"gives {kind_of(value)}")


def expected(abi_type: str) -> str:
    """Say in words what an ABI type takes."""
    if abi_type.startswith("uint"):
        return f"a whole number from 0 to {2 ** int(abi_type.removeprefix('uint') or 256) - 1} ({abi_type})"
    if abi_type.startswith("bytes"):
        return f"{abi_type.removeprefix('bytes')} bytes as 0x and hex digits ({abi_type})"
    return {"bool": "true or false (bool)", "address": "0x and 40 hex digits (address)"}.get(abi_type, "text (string)")


def expression_problems(source: str, context: Mapping[str, Json], scopes: tuple[str, ...]) -> list[str]:
    """Return what is wrong with ``source`` before it ever runs: syntax, functions, and names that do not exist.

    ``context`` is a sample of the context; ``scopes`` are the names that may start a path.
    """
    try:
        tree = compile_expression(source).parsed
    except ExpressionInvalid as error:
        return [str(error)]
    found = list(_call_problems(tree))
    for path in _paths(tree, rooted=True):
        if not path or path[0] not in scopes:
            named = f"`{path[0]}`" if path else "`@`"
            found.append(f"{named} is not known here; paths start with {' or '.join(scopes)}")
        elif path[0] == "context":
            found.extend(unknown_in_context(path[1:], context))
    for path in _paths(tree, rooted=False):
        if path[0] == "context" and (len(path) == 1 or unknown_in_context(path[1:], context)):
            continue  # FHIR has elements of that name too
        found.append(f"`{path[0]}` is out of reach inside a projection or after a pipe; put the part in parentheses")
    return list(dict.fromkeys(found))


def unknown_in_context(steps: tuple[str, ...], context: Mapping[str, Json]) -> list[str]:
    """Return a problem if ``context.<steps>`` is nothing that the generator offers."""
    here: Json = context
    for depth, step in enumerate(steps):
        if not isinstance(here, Mapping) or (depth and steps[0] == "names"):
            return []
        if step not in here:
            path = ".".join(("context", *steps[: depth + 1]))
            return [f"{path} does not exist; there are {', '.join(sorted(here))}"]
        here = here[step]
    return []


def paths_read(source: str) -> set[tuple[str, ...]]:
    """Return the paths that ``source`` reads from the top, for example ``("payload", "notAfter")``."""
    return set(_paths(compile_expression(source).parsed, rooted=True))


def _known(find: Callable[[], int], what: str) -> int:
    try:
        return find()
    except (KeyError, TypeError):
        raise ExpressionInvalid(f"got something that is not {what}") from None


def _is_hex(digits: str) -> bool:
    return all(digit in "0123456789abcdefABCDEF" for digit in digits)


_JMESPATH_KINDS = {
    "null": "nothing",
    "string": "text",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
_ONLY_FIRST_IS_ROOTED = {"projection", "value_projection", "filter_projection", "flatten", "pipe", "subexpression"}


def _paths(node: Mapping[str, Any], rooted: bool, at_root: bool = True) -> Iterator[tuple[str, ...]]:
    """Yield the paths of an expression tree: those from the top, or those that wrongly think they are."""
    kind, children = node["type"], node["children"]
    chain = children if kind == "subexpression" else [node]
    if chain[0]["type"] in ("field", "current"):
        steps = tuple(_steps(chain))
        if at_root == rooted and (rooted or steps[:1] in (("payload",), ("context",))):
            yield steps
        children = [child for child in chain[1:] if child["type"] != "field"]
        at_root = False
    for position, child in enumerate(children):
        reachable = kind != "expref" and (position == 0 or kind not in _ONLY_FIRST_IS_ROOTED)
        yield from _paths(child, rooted, at_root and reachable)


def _steps(nodes: list[Mapping[str, Any]]) -> Iterator[str]:
    for node in nodes:
        if node["type"] == "field":
            yield node["value"]
        elif node["type"] != "current":
            return


def _call_problems(node: Mapping[str, Any]) -> Iterator[str]:
    if node["type"] == "function_expression":
        name = node["value"]
        entry = _OPTIONS.custom_functions.FUNCTION_TABLE.get(name)
        if entry is None:
            yield f"{name}() is not a function that expressions have"
        else:
            wanted, given = len(entry["signature"]), len(node["children"])
            variadic = bool(entry["signature"]) and bool(entry["signature"][-1].get("variadic"))
            if given < wanted or (given > wanted and not variadic):
                yield f"{name}() takes {wanted} argument{'s' * (wanted != 1)}, not {given}"
    for child in node["children"]:
        if isinstance(child, Mapping):
            yield from _call_problems(child)
