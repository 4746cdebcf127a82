"""FHIR bundles through the whole pipeline on a real Ganache.

The first bundle is one of Synthea's where they lie beside the project, else one of ours in the same shape: the tests
are the same, and what they expect is counted from the file by code of their own.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hexbytes import HexBytes
from web3 import Web3

from handshaker.errors import InputInvalid
from handshaker.ethereum.contracts import events
from handshaker.fhir_import import Importer, ImportStalled, ImportSummary
from handshaker.messages import Acknowledgement
from handshaker.tokens import Credential
from handshaker.worker_lock import working
from tests.databases import Databases
from tests.handshaker.fhir_import.making import Family, posted, quantity, written
from tests.handshaker.fhir_import.test_accounting import Steps
from tests.instances import Instance, make_instance
from tests.nodes import Node

pytestmark = pytest.mark.ganache

SYNTHEA = Path(__file__).resolve().parents[3] / "shared" / "data" / "synthea"
MEASURED = {"85354-9", "55284-4", "8867-4", "8310-5", "59408-5", "2708-6", "9279-1", "2339-0", "29463-7", "8302-2"}
"""What vital signs are, written down here a second time."""


@dataclass
class Told:
    """One import of one file, and all that was said meanwhile."""

    path: Path
    summary: ImportSummary
    steps: Steps
    log: str


@pytest.fixture(scope="module")
def hospital(databases: Databases, ganache_node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A demo hospital on Ganache."""
    instance = make_instance(tmp_path_factory.mktemp("import"), ganache_node, demo=True)
    yield instance
    instance.close()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with blood pressures, weights, heights and glucose."""
    candidates = sorted(SYNTHEA.glob("*.json"), key=lambda path: path.stat().st_size)
    for path in candidates:
        if {"55284-4", "29463-7", "8302-2", "2339-0"} <= set(codes_of(path)):
            return path
    family = Family()
    entries = [entry for _ in range(5) for entry in family.usual()[1:]]
    entries += [family.observation("2339-0") for _ in range(5)]
    return written(tmp_path_factory.mktemp("bundle") / "bundle.json", [family.patient, *entries])


def observations_of(path: Path) -> list[dict[str, Any]]:
    entries = json.loads(path.read_text()).get("entry", [])
    return [entry["resource"] for entry in entries if entry["resource"]["resourceType"] == "Observation"]


def codes_of(path: Path) -> Counter[str]:
    return Counter(resource["code"]["coding"][0]["code"] for resource in observations_of(path))


def run(instance: Instance, path: Path, *, author: Credential | None = None, patience: float = 60) -> Told:
    steps, records = Steps(), _Lines()
    root = logging.getLogger()
    level = root.level
    root.addHandler(records)
    root.setLevel(logging.DEBUG)
    try:
        with working(instance.handshaker):
            importer = Importer(
                instance.handshaker, instance.administrator, author or instance.nurse, steps, patience=patience
            )
            return Told(path, importer.run(path), steps, "\n".join(records.lines))
    finally:
        root.setLevel(level)
        root.removeHandler(records)


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(scope="module")
def first(hospital: Instance, source: Path) -> Told:
    """The first import of the bundle."""
    return run(hospital, source)


def records_of(instance: Instance) -> list[Acknowledgement]:
    """The ACKs of all imported records."""
    found = instance.handshaker.store.audit.acknowledgements(limit=100_000, template="vital-signs")
    return [each for each in found if str(each.origin) == "import"]


def recorded_on_chain(instance: Instance, patient_id: str) -> list[bytes]:
    """The statements in the ``Recorded`` events of a patient, asked from the node itself."""
    topic = next(topic for topic, item in events("HealthRecords").items() if item.name == "Recorded")
    logs = Web3(instance.node.provider).eth.get_logs(
        {
            "address": Web3.to_checksum_address(instance.handshaker.chain.address("HealthRecords")),
            "fromBlock": 0,
            "topics": [HexBytes(topic), None, HexBytes(patient_id)],
        }
    )
    return [bytes(log["topics"][1]) for log in logs]


def opened(instance: Instance, acknowledgement: Acknowledgement) -> Any:
    """What the store keeps of a TI, decrypted."""
    sealed = instance.handshaker.store.intake.payload(acknowledgement.ti_id)
    assert sealed is not None
    return json.loads(instance.handshaker.vault.unseal(sealed, acknowledgement.ti_id.encode()))["payload"]


def test_every_observation_that_a_template_covers_becomes_a_valid_record(first: Told) -> None:
    codes = codes_of(first.path)
    covered = sum(count for code, count in codes.items() if code in MEASURED)
    summary = first.summary
    assert covered > 0
    assert (summary.accepted, summary.valid, summary.invalid, summary.already_there) == (covered, covered, {}, 0)
    assert (summary.files, summary.patients_new, summary.consents, summary.failed_files) == (1, 1, 1, ())
    assert summary.transactions == covered + 2
    assert summary.observations == sum(codes.values())
    assert (first.steps.done, first.steps.expected) == (covered + 1, covered + 1)


def test_every_entry_that_is_not_submitted_is_counted_by_its_kind(first: Told) -> None:
    kinds = Counter(entry["resource"]["resourceType"] for entry in json.loads(first.path.read_text())["entry"])
    expected = {f"no template for {kind}": n for kind, n in kinds.items() if kind not in ("Patient", "Observation")}
    expected |= {f"no template for Observation {c}": n for c, n in codes_of(first.path).items() if c not in MEASURED}
    assert first.summary.skipped == expected
    assert first.summary.entries == first.summary.accounted == sum(kinds.values())


def test_the_chain_holds_one_record_for_each_valid_acknowledgement(hospital: Instance, first: Told) -> None:
    acknowledged = records_of(hospital)
    (patient_id,) = {each.patient_id for each in acknowledged}
    assert patient_id is not None
    assert len(acknowledged) == first.summary.valid
    assert sorted(recorded_on_chain(hospital, patient_id)) == sorted(
        each.statement_hash for each in acknowledged if each.statement_hash
    )


def test_what_is_kept_is_what_came(hospital: Instance, first: Told) -> None:
    kept = [opened(hospital, each) for each in records_of(hospital)]
    came = [each for each in observations_of(first.path) if each["code"]["coding"][0]["code"] in MEASURED]

    def in_order(resources: list[Any]) -> list[Any]:
        return sorted(resources, key=lambda resource: str(resource["id"]))

    assert in_order(kept) == in_order(came)
    assert {each["subject"]["reference"][:9] for each in kept} == {"urn:uuid:"}


def test_the_patients_consent_is_marked_custodial_on_the_chain(hospital: Instance, first: Told) -> None:
    chain = hospital.handshaker.chain
    patient_id = records_of(hospital)[0].patient_id
    assert patient_id is not None
    patient = hospital.handshaker.store.people.patient(patient_id)
    assert patient is not None
    assert patient.custodial
    ((controller, custodial, *_),) = chain.view("Directory", "patient", bytes.fromhex(patient_id[2:]))
    assert (controller.lower(), custodial) == (patient.controller.lower(), True)


def test_neither_name_nor_reading_is_said_anywhere(first: Told) -> None:
    assert first.log, "what libraries say to themselves is heard too"
    entries = json.loads(first.path.read_text())["entry"]
    patient = next(e["resource"] for e in entries if e["resource"]["resourceType"] == "Patient")
    said = "\n".join([first.log, *first.steps.words, json.dumps(first.summary.to_json())])
    secrets = [patient["name"][0]["family"], *patient["name"][0]["given"], patient["birthDate"], patient["id"]]
    secrets += [
        str(each["valueQuantity"]["value"])
        for each in observations_of(first.path)
        if len(str(each.get("valueQuantity", {}).get("value", ""))) > 6
    ]
    assert [secret for secret in secrets if secret in said] == []


def test_a_second_run_adds_nothing(hospital: Instance, first: Told) -> None:
    leaves = len(hospital.handshaker.store.log.entries(0, 10**9))
    again = run(hospital, first.path).summary
    assert len(hospital.handshaker.store.log.entries(0, 10**9)) == leaves
    assert (again.patients_new, again.patients_known, again.consents) == (0, 1, 0)
    assert (again.accepted, again.valid, again.already_there) == (0, 0, first.summary.valid)
    assert again.skipped == first.summary.skipped
    assert (again.transactions, again.rate) == (0, 0.0)
    assert again.accounted == again.entries == first.summary.entries


# ---- bundles of our own ---------------------------------------------------------------------------------------------


def test_a_folder_is_imported_whatever_else_lies_in_it(hospital: Instance, tmp_path: Path) -> None:
    sound = [Family(), Family(), Family()]
    for number, family in enumerate(sound):
        written(tmp_path / f"{number}.json", family.usual())
    written(tmp_path / "more-of-the-first.json", [sound[0].patient, sound[0].observation()])
    written(tmp_path / "hospitals.json", [sound[0].other("Organization")])
    written(tmp_path / "two.json", [Family().patient, Family().patient])
    (tmp_path / "torn.json").write_text((tmp_path / "0.json").read_text()[:-40])
    told = run(hospital, tmp_path)
    summary = told.summary
    assert (summary.files, summary.files_without_patient) == (7, 1)
    assert [line.partition(":")[0] for line in summary.failed_files] == ["torn.json", "two.json"]
    assert (summary.patients_new, summary.patients_known, summary.consents) == (3, 1, 3)
    assert (summary.valid, summary.accounted) == (10, summary.entries)
    assert summary.skipped["Organization in a file without a patient"] == 1


def test_a_single_bad_file_is_the_error(hospital: Instance, tmp_path: Path) -> None:
    (tmp_path / "torn.json").write_text("{")
    for path in (tmp_path / "torn.json", written(tmp_path / "hospitals.json", [Family().other("Organization")])):
        with pytest.raises(InputInvalid, match=path.name):
            run(hospital, path)


def test_implausible_and_ill_formed_observations_are_acknowledged_as_invalid(
    hospital: Instance, tmp_path: Path
) -> None:
    family = Family()
    entries = [
        family.observation("8302-2"),
        family.observation("8302-2", valueQuantity=quantity(17_000, "cm")),
        family.observation("29463-7", valueQuantity=quantity(70, "stone")),
        family.observation("29463-7", status="entered-in-error"),
        family.observation("55284-4", component=[]),
    ]
    summary = run(hospital, written(tmp_path / "odd.json", [family.patient, *entries])).summary
    assert (summary.accepted, summary.valid) == (1, 1)
    assert summary.invalid == {"implausible": 2, "schema-violated": 2}
    assert summary.accounted == summary.entries


def test_an_observation_that_changed_since_is_not_recorded_a_second_time(hospital: Instance, tmp_path: Path) -> None:
    family = Family()
    entry = family.observation()
    path = written(tmp_path / "a.json", [family.patient, entry, entry])
    summary = run(hospital, path).summary
    assert (summary.valid, summary.already_there) == (1, 1)
    changed = posted(entry["fullUrl"], entry["resource"] | {"status": "amended"})
    summary = run(hospital, written(path, [family.patient, changed])).summary
    assert (summary.accepted, summary.skipped) == (0, {"changed since it was imported": 1})


def test_a_patient_whom_the_directory_refuses_is_told_by_code_and_so_are_their_records(
    hospital: Instance, tmp_path: Path
) -> None:
    family = Family(gender=7)
    path = written(tmp_path / "a.json", [family.patient, family.observation()])
    for _ in range(2):
        summary = run(hospital, path).summary
        assert summary.patients_refused == {"schema-violated": 1}
        assert list((hospital.handshaker.settings.instance / "tokens" / "imported").iterdir()) == []
        assert summary.skipped == {"patient was not registered: schema-violated": 1}
        assert summary.accounted == summary.entries


def test_without_the_demo_profile_the_patient_is_asked_and_the_records_wait(hospital: Instance, tmp_path: Path) -> None:
    family = Family()
    path = written(tmp_path / "a.json", family.usual())
    settings, people = hospital.handshaker.settings, hospital.handshaker.store.people
    hospital.handshaker.settings = settings.model_copy(update={"demo": False})
    try:
        summaries = [run(hospital, path).summary for _ in range(2)]
    finally:
        hospital.handshaker.settings = settings
    for summary in summaries:
        assert (summary.accepted, summary.consents, summary.waiting_for_consent) == (0, 0, 1)
        assert summary.skipped["waits for consent"] == 3
        assert summary.accounted == summary.entries
    patient_id = people.patients()[-1].patient_id
    (wish,) = hospital.handshaker.requests.waiting_for(patient_id)
    assert (wish.grantee, wish.write, wish.requested_by) == (
        "organisation/1",
        ("vital-signs",),
        hospital.nurse.actor.actor_id,
    )
    # Nobody holds their first token any more, so the demo profile cannot sign for them either.
    summary = run(hospital, path).summary
    assert (summary.waiting_for_consent, summary.consents) == (1, 0)


def test_a_demo_import_that_was_stopped_before_the_consents_signs_them_when_it_is_run_again(
    hospital: Instance, tmp_path: Path
) -> None:
    family = Family()
    path = written(tmp_path / "a.json", family.usual())
    importer = Importer(hospital.handshaker, hospital.administrator, hospital.nurse, patience=0.2)
    with pytest.raises(ImportStalled):
        importer.run(path)
    kept = hospital.handshaker.settings.instance / "tokens" / "imported"
    (token,) = kept.iterdir()
    assert (token.stat().st_mode & 0o777, kept.stat().st_mode & 0o777) == (0o600, 0o700)
    summary = run(hospital, path).summary
    assert (summary.patients_known, summary.consents, summary.valid) == (1, 1, 3)
    assert list(kept.iterdir()) == []


def test_a_patient_who_consented_by_themselves_is_imported_without_the_demo_profile(
    hospital: Instance, tmp_path: Path
) -> None:
    family = Family()
    patient = hospital.admit("Herself", f"https://example.org/patients|{family.id}")
    assert hospital.acknowledged(hospital.consent(patient)).code == "effect"
    settings = hospital.handshaker.settings
    hospital.handshaker.settings = settings.model_copy(update={"demo": False})
    try:
        summary = run(hospital, written(tmp_path / "a.json", family.usual())).summary
    finally:
        hospital.handshaker.settings = settings
    assert (summary.patients_known, summary.valid, summary.waiting_for_consent) == (1, 3, 0)


def test_when_no_worker_works_the_import_ends_and_a_later_one_finishes_it(hospital: Instance, tmp_path: Path) -> None:
    family = Family()
    patient = hospital.admit("Patient", f"https://example.org/patients|{family.id}")
    assert hospital.acknowledged(hospital.consent(patient)).code == "effect"
    path = written(tmp_path / "a.json", family.usual())
    importer = Importer(hospital.handshaker, hospital.administrator, hospital.nurse, patience=0.2)
    with pytest.raises(ImportStalled, match="Nothing is lost"):
        importer.run(path)
    summary = run(hospital, path).summary
    assert (summary.already_there, summary.accepted) == (3, 0)
    assert hospital.handshaker.store.queue.counts() == {}
    assert len(recorded_on_chain(hospital, patient.actor.actor_id)) == 3
