"""Every entry of a bundle becomes one thing: a record, the patient, or a reason why not."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.fhir_import.bundles import Bundle
from handshaker.fhir_import.sorting import Person, Record, Skipped, sort_entries
from handshaker.messages import Template
from handshaker.template_manager import shipped_documents
from tests.handshaker.fhir_import.making import Family, coded, posted, read, written
from tests.handshaker.payloads import JSON

COVERED = next(document for document in shipped_documents() if document["name"] == "vital-signs")["covers"]
VITAL_SIGNS = Template(
    name="vital-signs",
    version=1,
    title="Vital signs",
    contract="HealthRecords",
    function="record",
    roles=("nurse",),
    action="write",
    category="vital-signs",
    purpose=None,
    payload_schema={},
    statement={},
    sentence="",
    off_chain=(),
    lifetime=1,
)
FAMILY = Family()


def covering(code: str) -> Template | None:
    return VITAL_SIGNS if code in COVERED else None


def sorted_entry(tmp_path: Path, entry: Any) -> Record | Skipped | Person:
    first, second = sort_entries(read(written(tmp_path / "a.json", [FAMILY.patient, entry])), covering)
    assert first == Person()
    return second


def changed(entry: dict[str, Any], **changes: Any) -> dict[str, Any]:
    entry = copy.deepcopy(entry)
    entry["resource"] |= changes
    return entry


@pytest.mark.parametrize("code", COVERED)
def test_an_observation_with_a_covered_code_is_a_record_as_it_came(tmp_path: Path, code: str) -> None:
    entry = FAMILY.observation(code)
    found = sorted_entry(tmp_path, entry)
    assert isinstance(found, Record)
    assert found.template is VITAL_SIGNS
    assert found.resource == entry["resource"]


def test_any_of_several_codings_may_be_the_covered_one(tmp_path: Path) -> None:
    codings = [{"system": "http://snomed.info/sct", "code": "8302-2"}, *coded("8302-2")["coding"]]
    assert isinstance(sorted_entry(tmp_path, FAMILY.observation(code={"coding": codings})), Record)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({}, "entry without a resource"),
        ({"resource": 7}, "entry without a resource"),
        (FAMILY.other("Encounter"), "no template for Encounter"),
        (FAMILY.other("Quibble"), "no template for a resource of no known type"),
        (posted("x", {"resourceType": 7}), "no template for a resource of no known type"),
        (FAMILY.observation("72166-2"), "no template for Observation 72166-2"),
        (FAMILY.observation(code={"text": "Quibble"}), "no template for Observation without a LOINC code"),
        (FAMILY.observation(code=coded("Quibble")), "no template for Observation without a LOINC code"),
        (FAMILY.observation(code={"coding": [{"code": "8302-2"}]}), "no template for Observation without a LOINC code"),
        (changed(FAMILY.observation(), subject=None), "Observation of nobody"),
        (changed(FAMILY.observation(), subject={"display": "Quibble"}), "Observation of nobody"),
        (changed(FAMILY.observation(), subject={"reference": "Group/1"}), "Observation of somebody or something else"),
        (
            changed(FAMILY.observation(), subject={"reference": Family().url}),
            "Observation of somebody or something else",
        ),
        (FAMILY.observation() | {"request": {"method": "DELETE"}}, "entry that asks for something else than to add"),
    ],
)
def test_what_is_not_for_us_is_skipped_by_a_reason_without_its_words(tmp_path: Path, entry: Any, reason: str) -> None:
    assert sorted_entry(tmp_path, entry) == Skipped(reason)


def test_a_record_has_the_same_key_in_each_run_and_another_for_each_patient_and_entry(tmp_path: Path) -> None:
    one, two = FAMILY.observation(), FAMILY.observation()
    first, second = (sorted_entry(tmp_path, entry) for entry in (one, two))
    again = sorted_entry(tmp_path, one)
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert isinstance(again, Record)
    assert first.key("0xaa") == again.key("0xaa")
    assert len({first.key("0xaa"), first.key("0xbb"), second.key("0xaa")}) == 3
    assert FAMILY.id not in first.key("0xaa")


def test_a_record_without_url_is_known_by_its_id_and_without_both_by_its_content(tmp_path: Path) -> None:
    entry = FAMILY.observation()
    by_id = sorted_entry(tmp_path, {"resource": entry["resource"]})
    nameless = {name: value for name, value in entry["resource"].items() if name != "id"}
    by_content = sorted_entry(tmp_path, {"resource": nameless})
    other = sorted_entry(tmp_path, {"resource": nameless | {"status": "amended"}})
    assert isinstance(by_id, Record)
    assert by_id.name == entry["resource"]["id"]
    assert isinstance(by_content, Record)
    assert isinstance(other, Record)
    assert by_content.name != other.name


ANYTHING = st.sampled_from(
    [FAMILY.observation(code) for code in ("8302-2", "72166-2", "55284-4")] + [FAMILY.other(), {}]
)
MUDDLED = st.builds(
    lambda entry, place, junk: changed(entry, **{place: junk}) if "resource" in entry else entry | {place: junk},
    ANYTHING,
    st.sampled_from(["subject", "code", "resourceType", "request", "resource", "id"]),
    JSON,
)


@given(entries=st.lists(ANYTHING | MUDDLED | st.dictionaries(st.sampled_from(["resource", "fullUrl"]), JSON)))
def test_every_entry_is_counted_once_whatever_it_holds(entries: list[Any]) -> None:
    bundle = Bundle(FAMILY.resource, "s|1", FAMILY.url, (FAMILY.patient, *entries))
    answers = list(sort_entries(bundle, covering))
    assert len(answers) == len(entries) + 1
    assert answers.count(Person()) == 1
    assert all(isinstance(answer, (Record, Skipped)) for answer in answers[1:])
