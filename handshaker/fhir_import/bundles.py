"""Bundle files: found, read one at a time, and refused with a sentence that names the mend."""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from handshaker.clinical.fhir import is_resource_type
from handshaker.errors import InputInvalid
from handshaker.messages import Json
from handshaker.nesting import text_is_too_deep

LARGEST_FILE = 256 * 2**20
"""Bytes. A bundle is held in memory as a whole."""

_ABSOLUTE = re.compile(r"(urn:(uuid|oid):|https?://)\S+", re.ASCII)
_PERSON_THEN_ID = re.compile(r"(.+?)_([0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12})")


class PatientMissing(InputInvalid):
    """A sound bundle, but of nobody: Synthea writes such files on hospitals. Data: ``path``, ``problem``, ``kinds``."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle of one patient."""

    patient: Mapping[str, Json]
    """The FHIR R4 Patient as it came."""
    identifier: str
    """What recognises the patient in another run or file: ``system|value``, or a URN that is theirs alone."""
    patient_url: str | None
    """The ``fullUrl`` of the patient's entry, which references inside the bundle use."""
    entries: tuple[Mapping[str, Json], ...]
    """Every entry, the patient's included, in the file's order."""

    def is_patient(self, reference: str) -> bool:
        """Tell whether a FHIR reference means this bundle's patient."""
        if reference == self.patient_url:
            return True
        if reference.startswith("Patient?identifier="):
            return reference.partition("=")[2] in _identifiers(self.patient)
        patient_id = self.patient.get("id")
        return isinstance(patient_id, str) and reference == f"Patient/{patient_id}"


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file that should hold a bundle; nothing was read yet."""

    path: Path

    @property
    def shown(self) -> str:
        """The file's name without the person whom Synthea puts into it: ``*_<id>.json``; other names as they are."""
        match = _PERSON_THEN_ID.fullmatch(self.path.stem)
        return f"*_{match[2]}{self.path.suffix}" if match else self.path.name

    def read(self) -> Bundle:
        """Read the file; raises ``InputInvalid`` naming path, problem and mend, ``PatientMissing`` among them."""
        document = _parse(self.path)
        if not isinstance(document, dict) or document.get("resourceType") != "Bundle":
            raise invalid(self.path, "it is no FHIR Bundle", "Give a JSON file whose resourceType is Bundle.")
        entries = document.get("entry")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise invalid(self.path, "its entries are no list of objects", "Export the bundle again as FHIR R4.")
        patients = [entry for entry in entries if resource_type(entry.get("resource")) == "Patient"]
        if not patients:
            error = invalid(self.path, "it holds no Patient", "Give bundles that hold one patient each.")
            kinds = Counter(resource_type(entry.get("resource")) for entry in entries)
            raise PatientMissing(error.message, **error.data, kinds=dict(kinds))
        if len(patients) > 1:
            raise invalid(
                self.path, f"it holds {len(patients)} Patients", "Split it, so that each bundle is one patient's."
            )
        patient, url = patients[0]["resource"], patients[0].get("fullUrl")
        url = url if isinstance(url, str) else None
        identifier = _identity(patient, url)
        if identifier is None:
            raise invalid(
                self.path,
                "nothing in its Patient is sure to be theirs alone",
                "Give the Patient an identifier with system and value.",
            )
        return Bundle(patient, identifier, url, tuple(entries))


def read_bundles(path: Path) -> list[BundleFile]:
    """Return the file ``path``, or every ``*.json`` in the folder ``path``, sorted; none of them is read yet.

    Raises ``InputInvalid`` when there is nothing to read.
    """
    if path.is_dir():
        try:
            found = sorted(each for each in path.glob("*.json") if not each.is_dir())
        except OSError as error:
            raise invalid(path, error.strerror or "it cannot be read", "Check the folder's permissions.") from None
        if not found:
            raise invalid(path, "no file in it ends in .json", "Give a folder of FHIR bundles, or one bundle.")
        return [BundleFile(each) for each in found]
    if not path.exists():
        raise invalid(path, "it does not exist", "Check the path.")
    return [BundleFile(path)]


def resource_type(resource: Json) -> str:
    """Return the type of a resource, or in words that it has none; never what the file made up."""
    if not isinstance(resource, Mapping):
        return "nothing"
    name = resource.get("resourceType")
    return name if isinstance(name, str) and is_resource_type(name) else "a resource of no known type"


def invalid(path: Path, problem: str, mend: str) -> InputInvalid:
    """Return the error for a file. Data: ``path``, ``problem``, ``mend``."""
    return InputInvalid(f"{path} cannot be imported: {problem}. {mend}", path=str(path), problem=problem, mend=mend)


def _parse(path: Path) -> Json:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise invalid(path, f"it is larger than {LARGEST_FILE} bytes", "Split the bundle.")
        raw = path.read_bytes()
    except OSError as error:
        raise invalid(path, error.strerror or "it cannot be read", "Check the file and its permissions.") from None
    try:
        text = raw.decode("utf-8-sig").rstrip()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise invalid(path, f"line {line} is not UTF-8", "Save or export the file as UTF-8.") from None
    if not text:
        raise invalid(path, "it is empty", "Export the bundle again.")
    if text_is_too_deep(text):
        raise invalid(path, "it is nested too deeply", "Export the bundle again.")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if text[0] == "{" and (text[-1] != "}" or error.pos >= len(text)):
            raise invalid(path, "it ends in the middle: it is truncated", "Copy or export it again.") from None
        place = f"line {error.lineno}, column {error.colno}"
        raise invalid(path, f"it is not JSON ({place}: {error.msg})", "Export the bundle again.") from None
    except (_Ambiguous, RecursionError, ValueError) as error:
        problem = "one object names the same thing twice" if isinstance(error, _Ambiguous) else "it is not JSON"
        raise invalid(path, problem, "Export the bundle again.") from None


class _Ambiguous(ValueError):
    """An object with the same key twice: which of the two values is meant, nobody knows."""


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise _Ambiguous
    return document


def _no_constant(name: str) -> Json:
    raise ValueError(name)


def _identity(patient: Mapping[str, Json], url: str | None) -> str | None:
    """Return what only this patient has: an id such as "1" without its system could be two people's."""
    for identifier in _identifiers(patient):
        return identifier
    if url is not None and _ABSOLUTE.fullmatch(url):
        return url
    try:
        return uuid.UUID(patient["id"]).urn
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _identifiers(patient: Mapping[str, Json]) -> list[str]:
    found = patient.get("identifier")
    return [
        f"{each['system']}|{each['value']}"
        for each in (found if isinstance(found, list) else [])
        if isinstance(each, Mapping)
        and all(isinstance(each.get(part), str) and each[part].strip() for part in ("system", "value"))
        and each.get("use") not in ("temp", "old")
    ]
