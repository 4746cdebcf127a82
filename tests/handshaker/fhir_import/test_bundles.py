"""Bundle files: what is wrong with one is said with its path and the mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from handshaker.errors import InputInvalid
from handshaker.fhir_import import PatientMissing, read_bundles
from tests.handshaker.fhir_import.making import Family, bundle_of, read, written

SOUND = json.dumps(bundle_of(Family().usual()))


def refusal(path: Path) -> InputInvalid:
    with pytest.raises(InputInvalid) as caught:
        read(path)
    assert caught.value.data["path"] == str(path)
    assert str(path) in str(caught.value)
    assert caught.value.data["mend"] in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (SOUND[: len(SOUND) // 2].encode(), "truncated"),
        (SOUND[:-1].encode(), "truncated"),
        (SOUND[: SOUND.index("Quibble") + 3].encode(), "truncated"),
        (SOUND.replace(":", ";", 1).encode(), "it is not JSON (line 1, column 16"),
        (SOUND.encode().replace(b"Quibble", b"Quibbl\xe9"), "line 1 is not UTF-8"),
        (b'{"resourceType": "Bundle", "entry": [], "entry": []}', "names the same thing twice"),
        (b'{"resourceType": "Bundle", "entry": [NaN]}', "it is not JSON"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "it is nested too deeply"),
        (b"[]", "it is no FHIR Bundle"),
        (b'{"resourceType": "Patient", "id": "x"}', "it is no FHIR Bundle"),
        (b'{"resourceType": "Bundle"}', "its entries are no list of objects"),
        (b'{"resourceType": "Bundle", "entry": [1]}', "its entries are no list of objects"),
        (b'{"resourceType": "Bundle", "entry": []}', "it holds no Patient"),
    ],
)
def test_a_file_that_is_no_bundle_is_refused_by_path_problem_and_mend(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "given.json"
    path.write_bytes(content)
    error = refusal(path)
    assert problem in error.data["problem"]
    assert "Quibbl" not in str(error).replace(str(path), "")


def test_a_bundle_of_nobody_is_told_apart_with_what_it_holds(tmp_path: Path) -> None:
    family = Family()
    path = written(tmp_path / "hospitals.json", [family.other("Organization"), family.other("Organization"), {}])
    error = refusal(path)
    assert isinstance(error, PatientMissing)
    assert error.data["kinds"] == {"Organization": 2, "nothing": 1}


def test_a_bundle_of_two_patients_is_refused(tmp_path: Path) -> None:
    error = refusal(written(tmp_path / "two.json", [Family().patient, Family().patient]))
    assert error.data["problem"] == "it holds 2 Patients"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "bom.json"
    path.write_text(SOUND, encoding="utf-8-sig")
    assert len(read(path).entries) == len(json.loads(SOUND)["entry"])


def test_what_is_read_is_what_came(tmp_path: Path) -> None:
    entries = Family().usual()
    bundle = read(written(tmp_path / "a.json", entries))
    assert list(bundle.entries) == entries
    assert bundle.patient == entries[0]["resource"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "https://example.org/patients|{id}"),
        ({"identifier": [{"value": "7"}, {"system": "urn:s", "value": "8"}, {"system": "z", "value": "9"}]}, "urn:s|8"),
        ({"identifier": [{"system": "s", "value": "1", "use": "temp"}, {"system": "s", "value": "2"}]}, "s|2"),
        ({"identifier": [{"system": "s", "value": " "}]}, "{url}"),
        ({"identifier": "7"}, "{url}"),
    ],
)
def test_a_patient_is_known_by_their_first_stable_identifier(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    family = Family(**changes)
    bundle = read(written(tmp_path / "a.json", [family.patient]))
    assert bundle.identifier == expected.format(id=family.id, url=family.url)


def test_a_patient_without_identifier_or_url_is_known_by_an_id_that_is_unique_in_the_world(tmp_path: Path) -> None:
    family = Family(identifier=[])
    assert read(written(tmp_path / "a.json", [{"resource": family.resource}])).identifier == family.url


def test_a_patient_who_could_be_mistaken_for_another_is_refused(tmp_path: Path) -> None:
    family = Family(identifier=[], id="1")
    error = refusal(written(tmp_path / "a.json", [{"resource": family.resource, "fullUrl": "Patient/1"}]))
    assert error.data["problem"] == "nothing in its Patient is sure to be theirs alone"


def test_a_reference_may_name_the_patient_by_url_id_or_identifier(tmp_path: Path) -> None:
    family = Family()
    bundle = read(written(tmp_path / "a.json", [family.patient]))
    assert bundle.is_patient(family.url)
    assert bundle.is_patient(f"Patient/{family.id}")
    assert bundle.is_patient(f"Patient?identifier=https://example.org/patients|{family.id}")
    assert not bundle.is_patient(Family().url)
    assert not bundle.is_patient("Patient/1")
    assert not bundle.is_patient("Patient?identifier=https://example.org/patients|1")


def test_a_folder_is_its_json_files_by_name(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", "LICENSE", "c.JSON.txt"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "d.json").mkdir()
    assert [file.path.name for file in read_bundles(tmp_path)] == ["a.json", "b.json"]


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    for path, problem in ((tmp_path, "no file in it ends in .json"), (tmp_path / "gone.json", "it does not exist")):
        with pytest.raises(InputInvalid) as caught:
            read_bundles(path)
        assert caught.value.data["problem"] == problem


def test_a_file_that_is_not_there_any_more_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone.json").data["problem"] == "No such file or directory"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ottoline_Quibble_0b1e9f0c-8a3e-4bd1-9d1c-6f2e6d3a9b10.json", "*_0b1e9f0c-8a3e-4bd1-9d1c-6f2e6d3a9b10.json"),
        ("ward-7.json", "ward-7.json"),
    ],
)
def test_the_person_in_a_file_name_is_not_shown(tmp_path: Path, name: str, shown: str) -> None:
    (tmp_path / name).write_text("{}")
    assert [file.shown for file in read_bundles(tmp_path)] == [shown]
