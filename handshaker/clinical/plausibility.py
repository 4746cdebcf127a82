"""LOINC codings, UCUM units and plausible values, wherever they stand in a resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from handshaker.clinical.loinc import LOINC_SYSTEM, is_loinc
from handshaker.clinical.ucum import UCUM_SYSTEM, is_ucum
from handshaker.messages import Json, PlausibleRange
from handshaker.schemas import Problem, path_of

Path = tuple[str | int, ...]


def coding_problems(resource: Json) -> list[Problem]:
    """Return every LOINC coding whose code has a wrong form or check digit."""
    found = []
    for path, node in _objects(resource, ()):
        code = node.get("code")
        if node.get("system") == LOINC_SYSTEM and code is not None and not (isinstance(code, str) and is_loinc(code)):
            found.append({"path": path_of((*path, "code")), "problem": "is no LOINC code: its check digit is wrong"})
    return found


def loinc_codes(resource: Json) -> tuple[str, ...]:
    """Return the LOINC codes of a resource's own ``code``."""
    concept = resource.get("code") if isinstance(resource, Mapping) else None
    codings = concept.get("coding") if isinstance(concept, Mapping) else None
    return tuple(
        coding["code"]
        for coding in (codings if isinstance(codings, list) else [])
        if isinstance(coding, Mapping) and coding.get("system") == LOINC_SYSTEM and isinstance(coding.get("code"), str)
    )


def plausibility_problems(resource: Json, ranges: Sequence[PlausibleRange]) -> list[Problem]:
    """Return every measured quantity whose unit is unknown or not meant for its code, or whose value nobody alive has.

    A quantity is measured where it is the ``valueQuantity`` beside a ``code``: an Observation's own, a component's, or
    one of a contained Observation. Codes for which ``ranges`` has nothing are held to UCUM only.
    """
    by_code = {known.code: known for known in ranges}
    found: list[Problem] = []
    for path, node in _objects(resource, ()):
        quantity = node.get("valueQuantity")
        if not isinstance(quantity, Mapping):
            continue
        known = next((by_code[code] for code in loinc_codes(node) if code in by_code), None)
        found.extend(_quantity_problems((*path, "valueQuantity"), quantity, known))
    return found


def _quantity_problems(path: Path, quantity: Mapping[str, Json], known: PlausibleRange | None) -> Iterator[Problem]:
    unit = quantity.get("code")
    value = quantity.get("value")
    if unit is None and known is not None and quantity.get("unit") is None:
        unit = _assumed(value, known)
    if unit is None:
        yield {"path": path_of((*path, "code")), "problem": "is missing: a measured value needs its UCUM unit"}
    elif quantity.get("system") != UCUM_SYSTEM:
        yield {"path": path_of((*path, "system")), "problem": f"must be {UCUM_SYSTEM}, for the unit is a UCUM code"}
    elif not isinstance(unit, str) or not is_ucum(unit):
        yield {"path": path_of((*path, "code")), "problem": "is not a UCUM unit", "data": {"unit": unit}}
    elif known is not None:
        yield from _value_problems(path, value, unit, known)


def _assumed(value: Json, known: PlausibleRange) -> str | None:
    """Return the unit to assume where none is named, unless the number would be plausible in another unit too."""
    for unit, (low, high) in known.units.items():
        if unit != known.assumed and isinstance(value, (int, float)) and low <= value <= high:
            return None
    return known.assumed


def _value_problems(path: Path, value: Json, unit: str, known: PlausibleRange) -> Iterator[Problem]:
    data = {"code": known.code, "display": known.display, "value": value, "unit": unit}
    if unit not in known.units:
        accepted = list(known.units)
        yield {
            "path": path_of((*path, "code")),
            "problem": f"is not a unit for {known.display} ({known.code}), which takes {' or '.join(accepted)}",
            "data": data | {"accepted": accepted},
        }
        return
    low, high = known.units[unit]
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        yield {"path": path_of((*path, "value")), "problem": "is missing or is no number", "data": data}
    elif not low <= value <= high:
        yield {
            "path": path_of((*path, "value")),
            "problem": f"is not plausible for {known.display} ({known.code}): "
            f"a living person has {low:g} to {high:g} {unit}",
            "data": data | {"low": low, "high": high},
        }


def _objects(node: Json, path: Path) -> Iterator[tuple[Path, Mapping[str, Json]]]:
    """Yield every object of a document with its path, outermost first."""
    if isinstance(node, Mapping):
        yield path, node
        for key, value in node.items():
            yield from _objects(value, (*path, key))
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from _objects(value, (*path, position))
