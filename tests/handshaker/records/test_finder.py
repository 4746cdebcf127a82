"""Finding patients by what a person at the desk has: part of a name, a number, a date of birth."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.commitments import canonical
from handshaker.errors import NotFound
from handshaker.messages import Actor
from handshaker.records.access_log import AccessLog
from handshaker.records.finder import PatientFinder
from handshaker.records.identities import Identities, Identity
from handshaker.records.name_index import Indexed, NameIndex
from handshaker.records.search_terms import forms, read_terms
from handshaker.store.sql_store import SqlStore
from handshaker.vault.sql_vault import SqlVault
from handshaker.vocabulary import ActorKind
from tests.databases import Databases
from tests.instances import NOBODY, Instance, MovableClock

READER = NOBODY
"""At a desk without a hospital everybody is nobody."""


def finder_of(store: SqlStore, vault: SqlVault, clock: MovableClock) -> PatientFinder:
    return PatientFinder(store, Identities(store, vault), AccessLog(store, clock))


@dataclass
class Desk:
    """Store, vault and finder without a chain."""

    store: SqlStore
    vault: SqlVault
    clock: MovableClock
    finder: PatientFinder

    def admit(
        self, family: str, given: str = "", born: str = "", number: str = "", *, active: bool = True, **more: Any
    ) -> str:
        """Put a registered patient into the store."""
        patient_id = "0x" + secrets.token_hex(32)
        resource: dict[str, Any] = {"resourceType": "Patient", "name": [{"family": family, "given": given.split()}]}
        if born:
            resource["birthDate"] = born
        if number:
            resource["identifier"] = [{"system": "urn:test", "value": number}]
        self.vault.create_owner(patient_id)
        sealed = self.vault.seal(patient_id, canonical(resource | more), b"demographics")
        self.store.people.put_patient(patient_id, None, sealed, self.clock.now())
        actor = Actor(patient_id, ActorKind.PATIENT, "patient", "0x", "", None, None, active, True)
        self.store.people.put_actor(actor)
        return patient_id

    def find(self, text: str, limit: int = 20) -> list[str]:
        return [identity.patient_id for identity in self.finder.find(READER, text, limit)]


@pytest.fixture
def desk(databases: Databases, tmp_path: Path) -> Iterator[Desk]:
    clock = MovableClock()
    store = SqlStore.open(databases.store_url(tmp_path))
    vault = SqlVault.open(databases.vault_url(tmp_path), tmp_path / "root.key", clock=clock)
    yield Desk(store, vault, clock, finder_of(store, vault, clock))
    store.close()
    vault.close()
    databases.drop(tmp_path)


@pytest.fixture
def brimstad(desk: Desk) -> str:
    desk.admit("Marchetti-Roux", "Odile", "1987-11-19", "LH-100002")
    return desk.admit("Brimstad", "Halvard Ås", "1951-03-07", "LH-100001")


@pytest.mark.parametrize(
    "text",
    ["brimstad", "BRIM", "halvard brimstad", "Brimstad, Halvard", "brim hal", "ås", "aas", "as", "LH-100001",
     "lh100001", "100001", "1951-03-07", "7.3.1951", "07.03.1951", "07/03/1951", "03/07/1951", "7-3-1951", "7 Mar 1951",
     "7 march 1951", "March 7, 1951", "7th March 1951", "07.03.51", "07031951", "19510307", "1951", "brim 1951",
     "halvard 7 mar 1951", "  Brimstad  "],
)  # fmt: skip
def test_a_patient_is_found_by_what_people_type(desk: Desk, brimstad: str, text: str) -> None:
    assert desk.find(text) == [brimstad]


@pytest.mark.parametrize(
    "text", ["", "   ", "-", "!?", "brimstad odile", "8.3.1951", "31.2.1951", "radbrim", "LH-1000019"]
)
def test_what_does_not_all_fit_one_patient_finds_nobody(desk: Desk, brimstad: str, text: str) -> None:
    assert desk.find(text) == []


def test_a_name_with_a_hyphen_is_found_by_either_part_and_in_one_word(desk: Desk) -> None:
    odile = desk.admit("Marchetti-Roux", "Odile")
    for text in ("marchetti", "roux", "marchetti-roux", "Marchetti Roux", "marchettiroux", "roux odile"):
        assert desk.find(text) == [odile]


@pytest.mark.parametrize(("name", "text"), [("Müller", "mueller"), ("Mueller", "Müller"), ("Müller", "muller"),
    ("O’Brien", "obrien"), ("O'Brien", "o'brien"), ("Łukasz", "lukasz"), ("Straße", "strasse"), ("Ðorđe", "dorde"),
    ("Nguyễn", "nguyen"), ("Şükrü", "sukru"), ("Αλέξης", "αλεξης"), ("王", "王")])  # fmt: skip
def test_accents_and_marks_do_not_count(desk: Desk, name: str, text: str) -> None:
    found = desk.admit(name)
    assert desk.find(text) == [found]


def test_the_first_digits_of_the_pseudonym_are_enough(desk: Desk, brimstad: str) -> None:
    assert desk.find(brimstad) == desk.find(brimstad[:10]) == desk.find(brimstad[2:12].upper()) == [brimstad]


def test_the_number_comes_first_then_whole_words_then_beginnings(desk: Desk) -> None:
    beginning = desk.admit("Andersen", "Zoe")
    whole = desk.admit("Ander", "Yngve")
    number = desk.admit("Oduya", "Xenia", number="ANDER")
    assert desk.find("ander") == [number, whole, beginning]


def test_people_of_one_rank_are_ordered_by_name(desk: Desk) -> None:
    second, first = desk.admit("Berg", "Bo"), desk.admit("Berg", "Ada")
    assert desk.find("berg") == [first, second]


def test_no_more_are_returned_than_asked_for(desk: Desk) -> None:
    for _ in range(7):
        desk.admit("Same")
    assert len(desk.find("same", 3)) == 3
    assert len(desk.find("same")) == 7


def test_an_identity_says_who_it_is(desk: Desk, brimstad: str) -> None:
    identity = desk.finder.identity(READER, brimstad)
    assert identity == Identity(brimstad, "Brimstad", "Halvard Ås", date(1951, 3, 7), "", "LH-100001", True)
    assert identity.name == "BRIMSTAD, Halvard Ås"
    assert (identity.age(date(2026, 3, 6)), identity.age(date(2026, 3, 7))) == (74, 75)


def test_of_several_names_and_numbers_the_official_name_and_the_record_number_are_shown(desk: Desk) -> None:
    names = [{"use": "maiden", "family": "Ek"}, {"use": "official", "family": "Sundal", "given": ["Tuva"]}]
    record = {"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}}
    numbers = [{"system": "urn:tax", "value": "9-9-9"}, {**record, "value": "MR77"}]
    tuva = desk.admit("", name=names, identifier=numbers, gender="female")
    identity = desk.finder.identity(READER, tuva)
    assert (identity.name, identity.number, identity.sex) == ("SUNDAL, Tuva", "MR77", "female")
    assert desk.find("ek") == desk.find("999") == desk.find("mr77") == [tuva]


def test_demographics_of_a_strange_form_spoil_nothing(desk: Desk, brimstad: str) -> None:
    odd = desk.admit("", name="Nobody", identifier={"value": 7}, birthDate=1951, gender=[])
    assert desk.finder.identity(READER, odd) == Identity(odd, "", "", None, "", "", True)
    assert desk.find("brimstad") == [brimstad]


def test_an_erased_patient_is_not_there_any_more(desk: Desk, brimstad: str) -> None:
    assert desk.find("brimstad") == [brimstad]
    desk.vault.destroy_owner(brimstad)
    for text in ("brimstad", "LH-100001", "7.3.1951", brimstad[:12]):
        assert desk.find(text) == []
    with pytest.raises(NotFound):
        desk.finder.identity(READER, brimstad)
    assert finder_of(desk.store, desk.vault, desk.clock).find(READER, "brimstad") == []


def test_a_patient_whom_nobody_knows_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.finder.identity(READER, "0x" + "ab" * 32)


def test_somebody_who_was_registered_after_the_first_look_is_found(desk: Desk, brimstad: str) -> None:
    assert desk.find("sefa") == []
    sefa = desk.admit("Tuilagi", "Sefa")
    assert desk.find("sefa") == [sefa]


def test_somebody_whom_a_process_with_a_late_clock_registered_is_found_too(desk: Desk, brimstad: str) -> None:
    assert desk.find("brimstad") == [brimstad]
    desk.clock.offset = -timedelta(days=3)
    late = desk.admit("Tuilagi", "Sefa")
    assert desk.find("sefa") == [late]


def test_many_threads_may_search_while_patients_arrive(desk: Desk) -> None:
    known = {desk.admit("Brim", f"Nr{number}") for number in range(10)}

    def search(number: int) -> bool:
        if number % 5 == 0:
            known.add(desk.admit("Brim", f"New{number}"))
        return known.issuperset(desk.find("brim", 100)) or len(desk.find("brim", 100)) > 0

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(search, range(80)))
    assert set(desk.find("brim", 100)) == known


def test_one_who_was_refused_is_not_found_and_one_who_waits_is_marked(own_hospital: Instance) -> None:
    registrar, patients = own_hospital.handshaker.registrar, own_hospital.handshaker.patients

    def find(text: str) -> list[Identity]:
        return patients.find(own_hospital.nurse, text)

    resource = {"resourceType": "Patient", "name": [{"family": "Quernstein"}], "birthDate": "1969-01-12"}
    registered = registrar.register_patient(own_hospital.administrator, resource, "urn:test|quernstein")
    assert [(each.family, each.is_registered) for each in find("quernstein")] == [("Quernstein", False)]
    own_hospital.drain()
    assert [each.is_registered for each in find("quernstein")] == [True]
    assert patients.identity(own_hospital.nurse, registered.actor_id).is_registered
    registrar.register_patient(own_hospital.nurse, resource | {"name": [{"family": "Nowhere"}]}, "urn:test|nowhere")
    own_hospital.drain()
    assert find("nowhere") == []


# ---- for all names -------------------------------------------------------------------------------------------------

words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=12
)
days = st.dates(date(1850, 1, 1), date(2026, 1, 1))
numbers = st.from_regex(r"[A-Z]{0,3}-?[0-9]{4,8}", fullmatch=True)
people = st.lists(
    st.tuples(words, words, days, numbers),
    min_size=1,
    max_size=8,
)


@given(people, st.randoms(use_true_random=False))
def test_everybody_is_found_by_each_of_their_words_their_number_and_their_date_of_birth(
    those: list[tuple[str, str, date, str]], random: Any
) -> None:
    index = NameIndex()
    entries = [
        Indexed(f"0x{random.getrandbits(256):064x}", (f"{family} {given}",), (number,), born)
        for family, given, born, number in those
    ]
    half = len(entries) // 2
    index.add(entries[:half])
    index.add(entries[half:])
    for entry in entries:
        born = entry.born
        assert born is not None
        for text in (
            *entry.names[0].split(),
            *entry.numbers,
            born.isoformat(),
            f"{born.day}.{born.month}.{born.year}",
            f"{born:%d/%m/%Y}",
            f"{born.day} {born:%b} {born.year}",
        ):
            if forms(text):
                assert entry.patient_id in index.search(read_terms(text)), text
    index.remove(entries[0].patient_id)
    for text in (*entries[0].names[0].split(), *entries[0].numbers, str(entries[0].born), entries[0].patient_id):
        assert entries[0].patient_id not in index.search(read_terms(text))


@given(words, st.integers(1, 12))
def test_every_beginning_of_a_word_finds_it(word: str, length: int) -> None:
    index = NameIndex()
    index.add([Indexed("0x" + "12" * 32, (word,), (), None)])
    beginning = min(forms(word), default="")[:length]
    if beginning:
        assert index.search(read_terms(beginning)) == ["0x" + "12" * 32]


@given(st.text(max_size=60))
def test_whatever_is_typed_is_answered(text: str) -> None:
    index = NameIndex()
    index.add([Indexed("0x" + "12" * 32, ("Halvard Brimstad",), ("LH-1",), date(1951, 3, 7))])
    index.search(read_terms(text))
