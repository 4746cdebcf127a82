"""A whole instance on a node: contracts deployed, organisations, staff with tokens, patients with and without consent.

``Instance.drain`` is the worker without its process: it works until nothing is left to do.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from handshaker.bootstrap import Handshaker, make_handshaker
from handshaker.ethereum.chain import EthereumChain
from handshaker.ethereum.deployer import deploy, fund
from handshaker.ethereum.nodes import ChainProfile
from handshaker.intake import Submission
from handshaker.messages import Acknowledgement, Actor, Json, Registration
from handshaker.settings import read_settings
from handshaker.tokens import Credential
from handshaker.vocabulary import ActorKind
from handshaker.worker import Worker
from tests.bodies import CONSENT_END as CONSENT_END
from tests.bodies import blood_pressure as blood_pressure
from tests.bodies import consent_payload as consent_payload
from tests.bodies import demographics as demographics
from tests.databases import HERE, Databases
from tests.nodes import Node, eth_tester

ETHER = 10**18
LICENCE = datetime(2031, 1, 1, tzinfo=UTC)
UNANCHORED: dict[str, Any] = {"anchor_seconds": 1e9, "anchor_entries": 10**9}
"""Most tests count nonces and gas: the log is anchored in those that ask for it."""


NOBODY = Credential(Actor("0x", ActorKind.PRACTITIONER, "doctor", "0x", "", None, None, False, False), "", (), b"")


class MovableClock:
    """The machine's time, and as much later as a test wants."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)


PEOPLE = ("doctor", "nurse", "pathologist", "consented", "silent")


@dataclass
class Instance:
    """One hospital on one node. ``consented`` allows organisation 1 to treat, ``silent`` has said nothing."""

    node: Node
    folder: Path
    clock: MovableClock
    handshaker: Handshaker
    administrator: Credential = field(repr=False)
    second_administrator: Credential = field(repr=False)
    doctor: Credential = field(default=NOBODY, repr=False)
    nurse: Credential = field(default=NOBODY, repr=False)
    pathologist: Credential = field(default=NOBODY, repr=False)
    consented: Credential = field(default=NOBODY, repr=False)
    silent: Credential = field(default=NOBODY, repr=False)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    """Bearer tokens by the name of the field."""
    snapshot: Any = None
    _worker: Worker | None = field(default=None, init=False)

    # ---- asking --------------------------------------------------------------------------------------------------

    def submit(self, credential: Credential, template: str, payload: Mapping[str, Json], **more: Any) -> Submission:
        request = {"template": template, "payload": payload, "idempotencyKey": secrets.token_hex(8), **more}
        return self.handshaker.intake.submit(request, credential)

    def measure(self, patient: Credential | None = None, by: Credential | None = None, **more: Any) -> Submission:
        """A blood pressure of ``patient`` (the one who consented)."""
        patient = patient or self.consented
        payload = more.pop("payload", None) or blood_pressure()
        return self.submit(by or self.nurse, "vital-signs", payload, patient=patient.actor.actor_id, **more)

    def consent(self, patient: Credential, **changes: Json) -> Submission:
        return self.submit(patient, "consent-grant", consent_payload(**changes))

    # ---- working -------------------------------------------------------------------------------------------------

    @property
    def worker(self) -> Worker:
        if self._worker is None:
            self._worker = self.handshaker.worker()
        return self._worker

    def restart(self) -> None:
        """Forget the worker as a crash would; the next one takes over what it held."""
        self._worker = None
        self.handshaker.store.queue.release_all(self.handshaker.settings.worker)

    def drain(self, passes: int = 200) -> None:
        """Let the worker work until every TI has its ACK."""
        for _ in range(passes):
            self.worker.step()
            if not self.handshaker.store.queue.counts():
                return
        raise AssertionError(f"still open: {self.handshaker.store.queue.counts()}")

    def steps(self, passes: int) -> None:
        for _ in range(passes):
            self.worker.step()

    def acknowledged(self, submission: Submission) -> Acknowledgement:
        """The ACK of ``submission``, after draining."""
        if self.ack(submission) is None:
            self.drain()
        found = self.ack(submission)
        assert found is not None
        return found

    def ack(self, submission: Submission) -> Acknowledgement | None:
        return self.handshaker.store.audit.acknowledgement(submission.ti_id)

    def kinds(self, submission: Submission) -> list[str]:
        """What happened to a TI, in order."""
        return [str(event.kind) for event in self.handshaker.store.audit.events(submission.ti_id)]

    # ---- people --------------------------------------------------------------------------------------------------

    def again(self, credential: Credential) -> Credential:
        """The same person as the directory's copy now has them."""
        actor = self.handshaker.store.people.actor(credential.actor.actor_id)
        assert actor is not None
        return Credential(actor, credential.token_id, credential.scopes, credential.secret)

    def hire(self, name: str, role: str, organisation: int = 1, licence_until: datetime = LICENCE) -> Credential:
        registrar, tokens = self.handshaker.registrar, self.handshaker.tokens
        found = registrar.register_practitioner(self.administrator, name, role, organisation, licence_until)
        self.drain()
        assert found.token is not None
        self.tokens[name] = found.token
        return tokens.authenticate(found.token)

    def admit(self, family: str, identifier: str | None = None) -> Credential:
        registrar, tokens = self.handshaker.registrar, self.handshaker.tokens
        found = registrar.register_patient(self.administrator, demographics(family), identifier)
        self.drain()
        assert found.token is not None
        self.tokens[family] = found.token
        return tokens.authenticate(found.token)

    def hire_with_wallet(self, account: LocalAccount | str, role: str = "nurse") -> Credential:
        """A practitioner who holds their own key (or whose key is the contract at an address)."""
        address = account if isinstance(account, str) else account.address
        actor_id = "0x" + secrets.token_hex(16)
        _, token = self.handshaker.tokens.enroll(actor_id)
        payload = {
            "name": "Own Key",
            "organisation": 1,
            "role": role,
            "licenceUntil": LICENCE.isoformat().replace("+00:00", "Z"),
            "active": True,
        }
        request = {"template": "register-practitioner", "payload": payload, "idempotencyKey": f"hire/{actor_id}"}
        registration = Registration(actor_id, address, custodial=False)
        submission = self.handshaker.intake.submit(request, self.administrator, registration=registration)
        assert self.acknowledged(submission).code == "effect"
        return self.handshaker.tokens.authenticate(token)

    def admit_with_wallet(self, account: LocalAccount) -> Credential:
        """A patient who holds their own key."""
        people, patient_id = self.handshaker.store.people, "0x" + secrets.token_hex(32)
        self.handshaker.vault.create_owner(patient_id)
        _, token = self.handshaker.tokens.enroll(patient_id)
        people.put_actor(
            Actor(patient_id, ActorKind.PATIENT, "patient", account.address, "", None, None, False, False, version=0)
        )
        people.put_patient(patient_id, None, None, self.clock.now())
        submission = self.submit(self.administrator, "register-patient", demographics("Wallet"), patient=patient_id)
        assert self.acknowledged(submission).code == "effect"
        return self.handshaker.tokens.authenticate(token)

    def sign_and_submit(
        self, account: LocalAccount, credential: Credential, template: str, payload: Mapping[str, Json], **more: Any
    ) -> Submission:
        """Prepare, sign with a wallet, submit."""
        request = self.signed_request(account, credential, template, payload, **more)
        return self.handshaker.intake.submit(request, credential)

    def signed_request(
        self, account: LocalAccount, credential: Credential, template: str, payload: Mapping[str, Json], **more: Any
    ) -> dict[str, Any]:
        request = {"template": template, "payload": payload, "idempotencyKey": secrets.token_hex(8), **more}
        prepared = self.handshaker.intake.prepare(request, credential)
        signed = Account.sign_typed_data(account.key, full_message=prepared["typedData"])
        return {**request, "preparation": prepared["preparation"], "signature": "0x" + signed.signature.hex()}

    # ---- processes of its own ------------------------------------------------------------------------------------

    def places(self) -> dict[str, str]:
        """The settings that lead another process to this instance, by name."""
        settings = self.handshaker.settings
        databases = {name: getattr(settings, name) for name in ("store_url", "store_owner_url", "vault_url")}
        return {"instance": str(settings.instance), **databases}

    # ---- time ----------------------------------------------------------------------------------------------------

    def travel(self, seconds: int) -> None:
        """Move the clock and the chain's time on; makes no block."""
        self.clock.advance(seconds)
        if self.node.kind == "eth-tester":
            tester: Any = self.node.provider
            tester.ethereum_tester.time_travel(int(self.clock.now().timestamp()))
        elif self.node.kind == "anvil":
            # An increase would be forgotten by the next fork.
            moment = max(int(self.clock.now().timestamp()), self.handshaker.chain.head().timestamp + 1)
            self.node.ask("evm_setNextBlockTimestamp", moment)
        else:
            self.node.ask("evm_increaseTime", seconds)

    def close(self) -> None:
        self.handshaker.close()
        HERE.drop(self.folder / "instance")


@pytest.fixture(scope="module")
def hospital(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A hospital on eth-tester that the tests of a module share: none may end or spoil what others use."""
    instance = make_instance(tmp_path_factory.mktemp("hospital"))
    yield instance
    instance.close()


@pytest.fixture(scope="session")
def pattern_hospital(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """What ``own_hospital`` is copied from."""
    instance = make_instance(tmp_path_factory.mktemp("pattern"))
    instance.handshaker.close()
    return instance


@pytest.fixture
def own_hospital(pattern_hospital: Instance, tmp_path: Path) -> Iterator[Instance]:
    """A hospital on eth-tester for one test alone."""
    instance = copied(pattern_hospital, tmp_path)
    yield instance
    instance.close()


def copied(pattern: Instance, folder: Path, **settings: Any) -> Instance:
    """A copy of ``pattern`` as it was when it was made, its chain included; ends the copy before it."""
    tester: Any = pattern.node.provider
    if pattern.snapshot is None:
        pattern.snapshot = tester.ethereum_tester.take_snapshot()
    tester.ethereum_tester.revert_to_snapshot(pattern.snapshot)
    shutil.copytree(pattern.folder / "instance", folder / "instance")
    settings |= HERE.of(folder / "instance", pattern.folder / "instance")
    # The tables are there, with the rights of the role that works in them.
    settings.pop("store_owner_url", None)
    chain, clock = EthereumChain(pattern.node.provider), MovableClock()
    handshaker = make_handshaker(
        read_settings(instance=folder / "instance", **(UNANCHORED | settings)), clock=clock, chain=chain
    )
    chain.asker = handshaker.vault.create_relayer(handshaker.settings.worker)
    people = {name: getattr(pattern, name) for name in PEOPLE}
    return replace(pattern, folder=folder, clock=clock, handshaker=handshaker, tokens=dict(pattern.tokens), **people)


def make_instance(
    folder: Path,
    node: Node | None = None,
    *,
    profile: ChainProfile | None = None,
    workers: Sequence[str] = (),
    **settings: Any,
) -> Instance:
    """A hospital in ``folder`` on ``node`` (eth-tester of its own); ``settings`` are those of the Handshaker.

    ``workers`` beside the one of the settings get relayers that may anchor.
    """
    node = node or eth_tester()
    instance = bare_instance(node, folder, profile=profile, workers=workers, **settings)
    for number, name in ((1, "Lakeside Hospital"), (2, "Hillside Laboratory")):
        instance.handshaker.registrar.register_organisation(instance.administrator, number, name)
    instance.drain()
    instance.doctor = instance.hire("doctor", "doctor")
    instance.nurse = instance.hire("nurse", "nurse")
    instance.pathologist = instance.hire("pathologist", "pathologist", 2)
    instance.consented = instance.admit("consented", "urn:test|1")
    instance.silent = instance.admit("silent", "urn:test|2")
    assert instance.acknowledged(instance.consent(instance.consented)).code == "effect"
    return instance


def bare_instance(
    node: Node,
    folder: Path,
    *,
    profile: ChainProfile | None = None,
    clock: MovableClock | None = None,
    workers: Sequence[str] = (),
    **settings: Any,
) -> Instance:
    """Contracts, templates, two administrators and a funded relayer; nobody else yet."""
    clock = clock or MovableClock()
    chain = EthereumChain(node.provider, profile)
    settings |= HERE.of(folder / "instance")
    handshaker = make_handshaker(
        read_settings(instance=folder / "instance", **(UNANCHORED | settings)), clock=clock, chain=chain
    )
    handshaker.templates.install_shipped()
    first, first_token = handshaker.registrar.enroll_administrator("First Administrator")
    second, second_token = handshaker.registrar.enroll_administrator("Second Administrator")
    deployer = handshaker.vault.create_relayer("deployer")
    relayer = handshaker.vault.create_relayer(handshaker.settings.worker)
    operators = [relayer, *(handshaker.vault.create_relayer(name) for name in workers)]
    key = node.fund()
    for account in (deployer, *operators):
        fund(chain, key, account, 100 * ETHER)
    chain.asker = relayer
    sign = handshaker.vault.sign_as_relayer
    deployment = deploy(
        chain, deployer, lambda digest: sign(deployer, digest), [first.address, second.address], operators
    )
    handshaker.adopt(deployment)
    authenticate = handshaker.tokens.authenticate
    instance = Instance(node, folder, clock, handshaker, authenticate(first_token), authenticate(second_token))
    instance.tokens.update(administrator=first_token, second_administrator=second_token)
    return instance
