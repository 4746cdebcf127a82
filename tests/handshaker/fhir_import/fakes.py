"""A house in memory whose every answer is drawn: what the importer must account for whatever happens."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

from handshaker.errors import ChainUnreachable, IdempotencyConflict, PayloadTooLarge, SchemaViolated
from handshaker.intake import Submission
from handshaker.messages import Acknowledgement, Actor, Json, Origin, Template, VerdictKind
from handshaker.registrar import KeepToken, Registered
from handshaker.tokens import Credential
from handshaker.vocabulary import ActorKind, Purpose

NOW = datetime(2026, 11, 21, tzinfo=UTC)
COVERED = ("8302-2", "55284-4", "29463-7")


def credential(kind: ActorKind, role: str) -> Credential:
    actor = Actor("0x" + "ab" * 16, kind, role, "0x" + "11" * 20, "", 1, None, True, True)
    return Credential(actor, "t", ("submit",), bytes(32))


VITAL_SIGNS = Template(
    "vital-signs", 1, "Vital signs", "HealthRecords", "record", ("nurse",), "write", "vital-signs", Purpose.TREAT,
    {}, {}, "", (), 1,
)  # fmt: skip


class House:
    """Stands for a Handshaker; ``log`` is what was acknowledged, in order."""

    def __init__(self, random: Random, *, demo: bool, instance: Path = Path("nowhere")) -> None:
        self._random = random
        self._ids = (f"ti-{number}" for number in itertools.count())
        self._keys: dict[str, tuple[str, Any]] = {}
        self._patients: dict[str, tuple[str, str]] = {}
        self._pending: list[Acknowledgement] = []
        self.log: list[Acknowledgement] = []
        self.active: set[str] = set()
        self.wishes: list[tuple[Any, ...]] = []
        self.settings = SimpleNamespace(demo=demo, instance=instance)
        self.clock = SimpleNamespace(now=lambda: NOW)
        self.chain = SimpleNamespace(
            profile=SimpleNamespace(finality_depth=0, finality_tag=None),
        )
        self.gateway = SimpleNamespace(inquiry=self._inquiry)
        self.requests = SimpleNamespace(ask=lambda *wish: self.wishes.append(wish))
        self.templates = SimpleNamespace(covering=lambda code, _: VITAL_SIGNS if code in COVERED else None)
        self.tokens = SimpleNamespace(authenticate=lambda text: credential(ActorKind.PATIENT, "patient"))
        self.registrar = self
        self.intake = self
        people = SimpleNamespace(actor=self._actor)
        self.store = SimpleNamespace(
            audit=self, chain_view=SimpleNamespace(tip=lambda: None), people=people, intake=self
        )

    # ---- the registrar and intake ----------------------------------------------------------------------------------

    def register_patient(
        self,
        _: Credential,
        patient: Mapping[str, Json],
        identifier: str,
        keep: KeepToken = lambda actor_id, token: None,
    ) -> Registered:
        if identifier in self._patients:
            patient_id, ti_id = self._patients[identifier]
            return Registered(patient_id, Submission(ti_id, None, None, known=True), None)
        fate = self._draw("valid", "valid", "invalid", "gate", "earlier", "unsendable")
        patient_id = f"0x{len(self._patients):064x}"
        if fate == "unsendable":
            raise PayloadTooLarge("too large", size=2, limit=1)
        if fate == "earlier":
            self.active.add(patient_id)
            self._patients[identifier] = patient_id, ""
            return Registered(patient_id, Submission("", None, None, known=True), None)
        keep(patient_id, "token")
        submission = self._submitted(fate, lambda: self.active.add(patient_id))
        self._patients[identifier] = patient_id, submission.ti_id
        return Registered(patient_id, submission, "token")

    def submit(self, request: Mapping[str, Json], _: Credential, *, origin: Origin) -> Submission:
        assert origin is Origin.IMPORT
        if request["template"] == "consent-grant":
            if self._draw(True, False, False):
                raise ChainUnreachable("no node")
            return self._submitted(self._draw("valid", "valid", "invalid", "gate"))
        assert request["patient"] in self.active
        key, body = request["idempotencyKey"], request["payload"]
        if key in self._keys:
            if self._keys[key][1] != body:
                raise IdempotencyConflict("another body")
            return Submission(self._keys[key][0], None, None, known=True)
        fate = self._draw("valid", "valid", "invalid", "gate", "unsendable")
        if fate == "unsendable":
            raise PayloadTooLarge("too large", size=2, limit=1)
        submission = self._submitted(fate)
        self._keys[key] = submission.ti_id, body
        return submission

    def known(self, _: str, key: str) -> tuple[str, bytes] | None:
        return (self._keys[key][0], b"") if key in self._keys else None

    # ---- the store -------------------------------------------------------------------------------------------------

    def latest(self, limit: int) -> Sequence[Acknowledgement]:
        return self.log[-limit:]

    def acknowledgement(self, ti_id: str) -> Acknowledgement | None:
        return next((found for found in self.log if found.ti_id == ti_id), None)

    def acknowledgements(self, after: int, limit: int) -> Sequence[Acknowledgement]:
        """Some of what is pending was acknowledged meanwhile, in any order."""
        for _ in range(self._random.randint(1, 3)):
            if self._pending:
                self.log.append(self._pending.pop(self._random.randrange(len(self._pending))))
        for position, found in enumerate(self.log):
            if found.position is None:
                self.log[position] = replace(found, position=position)
        return self.log[after + 1 : after + 1 + limit]

    def _actor(self, actor_id: str) -> Any:
        return SimpleNamespace(active=actor_id in self.active)

    def _inquiry(self) -> Any:
        answer = self._draw(True, False, None)
        return SimpleNamespace(permits_all=lambda *_: bool(answer), reachable=answer is not None)

    def _draw(self, *choices: Any) -> Any:
        return self._random.choice(choices)

    def _submitted(self, fate: str, then: Any = lambda: None) -> Submission:
        ti_id = next(self._ids)
        valid = fate == "valid"
        if valid:
            then()
        self._pending.append(_ack(ti_id, VerdictKind.VALID if valid else VerdictKind.INVALID, fate))
        return Submission(ti_id, SchemaViolated("no") if fate == "gate" else None, None)


def _ack(ti_id: str, kind: VerdictKind, code: str) -> Acknowledgement:
    return Acknowledgement(
        ti_id, None, kind, code, {}, "x@1", "", None, Origin.IMPORT, None, None, None, None, None, NOW
    )
