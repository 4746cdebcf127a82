"""Templates are added once, never changed, and found again by name, version and what they cover."""

from __future__ import annotations

import copy
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handshaker.commitments import canonical
from handshaker.errors import TemplateImmutable, TemplateInvalid, TemplateUnknown
from tests.handshaker.templates.fakes import MemoryTemplateStore, StandingClock, manager, ward


def test_a_template_that_was_added_is_found_by_name_and_by_version() -> None:
    templates = manager()
    added = templates.add(ward(), "0xaa")
    assert templates.get("open-ward") == added == templates.get("open-ward", 1)
    assert added.reference == "open-ward@1"
    assert added.digest == sha256(canonical(ward())).hexdigest()


def test_what_rests_in_the_store_is_the_canonical_document_and_who_added_it_when() -> None:
    store, clock = MemoryTemplateStore(), StandingClock()
    template = manager(store, clock).add(ward(), "0xaa")
    assert store.rows == [("open-ward", 1, template.digest, canonical(ward()).decode(), "0xaa", clock.now())]


def test_adding_the_same_document_again_changes_nothing() -> None:
    store = MemoryTemplateStore()
    templates = manager(store)
    assert templates.add(ward(), "0xaa") == templates.add(dict(reversed(ward().items())), "0xbb")
    assert len(store.rows) == 1


def test_another_content_under_a_version_that_exists_is_refused() -> None:
    store = MemoryTemplateStore()
    templates = manager(store)
    templates.add(ward(), "0xaa")
    with pytest.raises(TemplateImmutable) as refusal:
        templates.add(ward(title="Something else"), "0xaa")
    assert refusal.value.data == {"name": "open-ward", "version": 1, "next": 2}
    assert len(store.rows) == 1


@pytest.mark.parametrize("version", [3, 9])
def test_a_version_may_not_be_skipped(version: int) -> None:
    templates = manager()
    templates.add(ward(), "0xaa")
    with pytest.raises(TemplateInvalid) as refusal:
        templates.add(ward(version=version), "0xaa")
    assert refusal.value.data["problems"] == [
        {"path": "version", "problem": "must be 2, the next version of open-ward"}
    ]


def test_the_first_version_is_1() -> None:
    with pytest.raises(TemplateInvalid, match="version must be 1"):
        manager().add(ward(version=2), "0xaa")


def test_the_newest_version_is_found_and_the_older_one_stays() -> None:
    templates = manager()
    first = templates.add(ward(), "0xaa")
    second = templates.add(ward(version=2, lifetime=60), "0xaa")
    assert templates.get("open-ward") == second
    assert templates.get("open-ward", 1) == first
    assert templates.versions("open-ward") == (1, 2)
    assert templates.list() == (second,)
    assert templates.document("open-ward", 1) == ward()


@pytest.mark.parametrize(("name", "version"), [("nothing", None), ("open-ward", 2), ("open-ward", 0)])
def test_a_template_that_does_not_exist_is_unknown(name: str, version: int | None) -> None:
    templates = manager()
    templates.add(ward(), "0xaa")
    with pytest.raises(TemplateUnknown):
        templates.get(name, version)


def test_a_version_that_another_process_added_is_found_at_once_when_it_is_named() -> None:
    store = MemoryTemplateStore()
    mine, other = manager(store), manager(store)
    mine.add(ward(), "0xaa")
    assert mine.get("open-ward").version == 1
    other.add(ward(version=2), "0xbb")
    assert mine.get("open-ward", 2).version == 2


def test_the_newest_version_of_another_process_is_noticed_after_two_seconds() -> None:
    store, clock = MemoryTemplateStore(), StandingClock()
    mine, other = manager(store, clock), manager(store)
    mine.add(ward(), "0xaa")
    other.add(ward(version=2), "0xbb")
    assert mine.get("open-ward").version == 1
    clock.advance(2)
    assert mine.get("open-ward").version == 2


def test_a_template_is_parsed_once() -> None:
    templates = manager()
    templates.add(ward(), "0xaa")
    assert templates.get("open-ward") is templates.get("open-ward", 1)


def test_shipped_templates_can_be_installed_again_and_again() -> None:
    store = MemoryTemplateStore()
    names = [template.reference for template in manager(store).install_shipped()]
    rows = copy.deepcopy(store.rows)
    manager(store).install_shipped()
    assert store.rows == rows
    assert {row[4] for row in rows} == {"handshaker"}
    assert names == [
        "clinical-note@1",
        "consent-grant@1",
        "consent-revoke@1",
        "laboratory-report@1",
        "register-organisation@1",
        "register-patient@1",
        "register-practitioner@1",
        "vital-signs@1",
    ]


@pytest.mark.parametrize("code", ["85354-9", "55284-4", "8867-4", "8310-5", "2708-6", "59408-5", "9279-1", "8302-2"])
def test_an_observation_finds_the_template_that_covers_it(code: str) -> None:
    templates = manager()
    templates.install_shipped()
    found = templates.covering(code, "Observation")
    assert found is not None
    assert found.name == "vital-signs"


def test_what_no_template_covers_finds_none() -> None:
    templates = manager()
    templates.install_shipped()
    assert templates.covering("72166-2", "Observation") is None
    assert templates.covering("8867-4", "DiagnosticReport") is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.sampled_from(sorted(ward())), _JSON)
def test_any_document_is_either_a_template_or_refused_with_problems(name: str, value: object) -> None:
    document = ward() | {name: value}
    found: list[dict[str, object]] = []
    try:
        assert manager().parse(document).digest == sha256(canonical(document)).hexdigest()
    except TemplateInvalid as error:
        found = error.data["problems"]
    assert all(set(problem) == {"path", "problem"} for problem in found)
