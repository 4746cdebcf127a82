"""Whatever becomes of patients, consents and records: every entry is in exactly one count."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.errors import RoleNotAllowed
from handshaker.fhir_import import Importer, ImportSummary
from handshaker.fhir_import import inbox as inbox_module
from handshaker.vocabulary import ActorKind, Purpose
from tests.handshaker.fhir_import.fakes import House, credential
from tests.handshaker.fhir_import.making import Family, written

ADMINISTRATOR = credential(ActorKind.ADMINISTRATOR, "administrator")
NURSE = credential(ActorKind.PRACTITIONER, "nurse")
CODES = st.sampled_from(["8302-2", "55284-4", "72166-2"])


class Steps:
    """Counts an import's steps."""

    def __init__(self) -> None:
        self.expected = 0
        self.done = 0
        self.words: set[str] = set()

    def total(self, count: int) -> None:
        self.expected = count

    def advance(self, done: int, what: str) -> None:
        self.done += done
        self.words.add(what)


@st.composite
def folders(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Bundles by file name, of a few families that may each have several."""
    families = [Family(), Family()]
    files: dict[str, list[Any]] = {}
    for number in range(draw(st.integers(1, 5))):
        family = draw(st.sampled_from([*families, Family(), None]))
        if family is None:
            files[f"{number}.json"] = [Family().other("Organization")]
            continue
        entries = [family.observation(draw(CODES)) for _ in range(draw(st.integers(0, 6)))]
        entries += draw(st.lists(st.sampled_from(entries), max_size=3)) if entries else []
        others = [family.other() for _ in range(draw(st.integers(0, 2)))]
        files[f"{number}.json"] = [family.patient, *entries, *others]
    return files


def imported(house: House, folder: Path) -> tuple[ImportSummary, Steps]:
    steps = Steps()
    return Importer(cast(Any, house), ADMINISTRATOR, NURSE, steps).run(folder), steps


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "_PAUSE", 0.0)


@given(files=folders(), seed=st.integers(), demo=st.booleans())
def test_every_entry_is_in_exactly_one_count(files: dict[str, list[Any]], seed: int, demo: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = House(Random(seed), demo=demo, instance=Path(folder))
        for name, entries in files.items():
            written(Path(folder) / name, entries)
        for _ in range(2):
            there = len(house.log)
            summary, steps = imported(house, Path(folder))
            failed = {line.partition(":")[0] for line in summary.failed_files}
            readable = [entries for name, entries in files.items() if name not in failed]
            assert summary.files == len(files)
            assert summary.entries == sum(map(len, readable))
            assert summary.accounted == summary.entries
            assert summary.transactions == len(house.log) - there
            assert summary.accepted <= summary.valid + sum(summary.invalid.values())
            assert steps.words <= {"patients", "records"}
            if not failed:
                assert steps.done == steps.expected
            assert json.loads(json.dumps(summary.to_json()))["entries"] == summary.entries


@given(files=folders(), seed=st.integers())
def test_without_the_demo_profile_nobody_signs_for_a_patient(files: dict[str, list[Any]], seed: int) -> None:
    house = House(Random(seed), demo=False)
    with tempfile.TemporaryDirectory() as folder:
        for name, entries in files.items():
            written(Path(folder) / name, entries)
        summary, _ = imported(house, Path(folder))
    assert summary.consents == 0
    assert all(wish[2:] == (["vital-signs"], ["vital-signs"], Purpose.TREAT) for wish in house.wishes)


def test_roles_are_checked_before_anything_is_read() -> None:
    house = House(Random(0), demo=True)
    pathologist = credential(ActorKind.PRACTITIONER, "pathologist")
    for administrator, author in ((NURSE, NURSE), (ADMINISTRATOR, ADMINISTRATOR)):
        with pytest.raises(RoleNotAllowed):
            Importer(cast(Any, house), administrator, author).run(Path("nowhere"))
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "a.json", Family().usual())
        with pytest.raises(RoleNotAllowed, match="Vital signs is not for the role pathologist; it is for nurse"):
            Importer(cast(Any, house), ADMINISTRATOR, pathologist).run(path)
    assert house.log == []
