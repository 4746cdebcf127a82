"""What flows: frozen records, from the initial transaction to its acknowledgement.

Identifiers are lower-case ``0x`` hex (a patient's 32 bytes, a practitioner's and an administrator's 16); hashes are
``bytes``. Times are aware UTC datetimes off chain and whole seconds on chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from handshaker.vocabulary import AccessReason, ActCode, ActorKind, Purpose

Json = Any
"""A JSON value: ``None``, bool, int, float, str, list or dict of the same."""


# ---- people --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Organisation:
    """A hospital, laboratory or insurer."""

    organisation_id: int
    """Its number on chain, 1 to 2²⁴ − 1."""
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who signs statements."""

    actor_id: str
    """Practitioners and patients: their id on chain (16 and 32 bytes). Administrators: 16 random bytes of ours."""
    kind: ActorKind
    role: str
    """A code of ``vocabulary.Role`` for practitioners, else ``patient`` or ``administrator``."""
    address: str
    """The account whose signature the contracts accept."""
    name: str
    """Empty for patients: their names exist only as ciphertext."""
    organisation_id: int | None
    licence_until: datetime | None
    active: bool
    custodial: bool
    """Whether the vault keeps the key."""
    version: int = 1
    """Version of the last registration on chain."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient as the store knows them: a pseudonym, and demographics as ciphertext."""

    patient_id: str
    controller: str
    custodial: bool
    demographics: Sealed | None


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token as the store keeps it; the secret itself exists only with its owner."""

    token_id: str
    actor_id: str
    secret_hash: bytes
    """SHA-256 of the secret (which is 256 random bits, so no slow hash is needed)."""
    scopes: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    label: str = ""
    """What its owner calls it."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A payload as it rests: AES-256-GCM under a data key, the data key wrapped by the owner's key."""

    owner: str
    """A patient's pseudonym, or ``quarantine/…`` where no patient is known."""
    nonce: bytes
    ciphertext: bytes
    wrapped_key: bytes


# ---- templates -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlausibleRange:
    """What a living person can have for one LOINC code."""

    code: str
    display: str
    units: Mapping[str, tuple[float, float]]
    """Each UCUM code that is accepted → lowest and highest value in that unit, both included."""
    assumed: str | None = None
    """The unit of a quantity that names none, unless the number is plausible in another unit too; ``None``: refused."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What JSON Schema cannot say of a payload: one part held against another."""

    that: str
    """JMESPath over ``{"payload"}`` that must be true."""
    problem: str
    """The sentence for when it is not."""


@dataclass(frozen=True, slots=True)
class Template:
    """A predefined transaction, written by an administrator, immutable once added."""

    name: str
    version: int
    title: str
    contract: str
    function: str
    roles: tuple[str, ...]
    action: str
    """``write``, ``consent`` or ``administer``."""
    category: str | None
    purpose: Purpose | None
    payload_schema: Mapping[str, Json]
    statement: Mapping[str, str]
    """Field of the statement → JMESPath expression over ``{"payload", "context"}``."""
    sentence: str
    """What the person signs, as a Jinja2 template over the same two."""
    off_chain: tuple[str, ...]
    """JMESPath expressions of what never leaves the vault's ciphertext, for people to read."""
    lifetime: int
    """Seconds from preparation to the statement's deadline."""
    plausibility: tuple[PlausibleRange, ...] = ()
    covers: tuple[str, ...] = ()
    """LOINC codes of the resources that the import hands to this template; first, ``resourceType``."""
    resource_type: str | None = None
    """FHIR R4 resource type of the payload, if it is one."""
    rules: tuple[Rule, ...] = ()
    example: Mapping[str, Json] | None = None
    """A payload that passes; the template was tried with it when it was added."""
    digest: str = ""
    """SHA-256 of the canonical document."""

    @property
    def reference(self) -> str:
        """``name@version``."""
        return f"{self.name}@{self.version}"


# ---- from the initial transaction to the contract call -------------------------------------------------------------


class Origin(StrEnum):
    """Where an initial transaction came from."""

    API = "api"
    IMPORT = "import"
    CHAIN = "chain"


@dataclass(frozen=True, slots=True)
class InitialTransaction:
    """TI: what a user app asks."""

    ti_id: str
    template: str
    template_version: int
    actor_id: str
    patient_id: str | None
    payload: Mapping[str, Json]
    idempotency_key: str
    received_at: datetime
    origin: Origin = Origin.API
    supersedes: str | None = None
    """Record id that this one amends."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """The freedoms of a statement, fixed before it is signed, so that anybody can build the same statement again."""

    salt: bytes
    """32 random bytes of the commitment; kept only inside ciphertext."""
    reference: str
    """128 random bits in base 32 that end a consent's sentence."""
    deadline: int
    version: int
    epoch: int

    def to_json(self) -> dict[str, Json]:
        """Return it for a client that signs elsewhere and sends it back."""
        return {
            "salt": self.salt.hex(),
            "reference": self.reference,
            "deadline": self.deadline,
            "version": self.version,
            "epoch": self.epoch,
        }


@dataclass(frozen=True, slots=True)
class Registration:
    """The practitioner's id and key that a registration binds, settled before the statement is built."""

    actor_id: str
    address: str
    custodial: bool


@dataclass(frozen=True, slots=True)
class Context:
    """All that the Generator may know besides the TI and its template; it reads nothing itself."""

    actor: Actor
    patient: Patient | None
    preparation: Preparation
    names: Mapping[str, str] = field(default_factory=dict)
    """Display names by grantee (0x hex of 32 bytes) for the sentence."""
    controller_is_signer: bool = True
    """Whether a consent is signed by the patient's controller; else the actor signs, as a delegate."""
    registration: Registration | None = None
    """Only for ``register-practitioner``; ``register-patient`` takes id, controller and custody from ``patient``."""


@dataclass(frozen=True, slots=True)
class ContractCall:
    """TC: the statement and the function that takes it."""

    contract: str
    function: str
    words: bytes
    """The statement's ABI encoding, 32 bytes a field."""
    statement_hash: bytes
    signer: str
    deadline: int | None
    """Seconds since the epoch; ``None`` for revocations and denials."""
    terms: str | None
    """The exact sentence that was signed, for statements that carry one."""
    sentence: str
    """The same in words for a page, also where the statement carries no ``terms``."""
    commitment: bytes
    """SHA-256(salt ‖ canonical payload)."""
    patient_id: str | None


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A TC with its signature, as the Validator carries it."""

    ti_id: str
    contract: str
    function: str
    words: bytes
    statement_hash: bytes
    signature: bytes
    patient_id: str | None
    deadline: int | None
    custodial: bool
    """Whether the vault signed it: only then can an unsent signature be destroyed."""
    alone: bool = False
    """Whether it must travel without neighbours (ERC-1271 author, or an unknown failure before)."""
    sent: bool = False
    """Whether its bytes ever left for a node."""


# ---- the network ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """What tells one chain from another."""

    chain_id: int
    genesis: bytes
    """Hash of block 0."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the contracts are."""

    identity: ChainIdentity
    addresses: Mapping[str, str]
    """Contract name → checksummed address."""
    block_number: int
    """The first block that can hold an effect."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header as far as the indexer needs it."""

    number: int
    hash: bytes
    parent: bytes
    timestamp: int


@dataclass(frozen=True, slots=True)
class Effect:
    """An event with which a contract told that a statement took effect."""

    statement_hash: bytes
    contract: str
    event: str
    arguments: Mapping[str, Json]
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the network said no, decoded."""

    error: str
    """Name of the custom error, ``Panic``, ``Error`` or ``Unknown``."""
    arguments: Mapping[str, Json] = field(default_factory=dict)

    @property
    def is_unknown(self) -> bool:
        """Out of gas or a bare revert: says nothing about the statement."""
        return self.error == "Unknown"

    @property
    def is_terminal(self) -> bool:
        """Whether the statement is superseded or consumed: no later state can let it take effect."""
        if self.error == "VersionOutOfRange":
            return int(self.arguments["version"]) <= int(self.arguments["current"])
        if self.error == "EpochStale":
            return int(self.arguments["epoch"]) < int(self.arguments["current"])
        if self.error == "RecordNotCurrent":
            return int(self.arguments["status"]) != 0
        return self.error in ("AlreadyRecorded", "PatientAlreadyRegistered")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A statement in the queue."""

    call: SignedCall
    refusal: Refusal | None
    """Why the network refused it last time, if it did."""
    checks: int = 0
    """How often it was refused so far."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed form of a network transaction; all attempts of one share relayer and nonce."""

    hash: bytes
    raw: bytes
    max_fee: int
    priority_fee: int
    """Both in wei a unit of gas."""


@dataclass(frozen=True, slots=True)
class Fees:
    """What a unit of gas may cost, in wei (EIP-1559)."""

    max_fee: int
    priority_fee: int


@dataclass(frozen=True, slots=True)
class Head:
    """What the audit log is at a size: the Merkle root over its first ``size`` entries (RFC 9162 section 2.1.1)."""

    size: int
    root: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head as an operator signed it (EIP-712 ``AuditHead``)."""

    head: Head
    made_at: datetime
    """In whole seconds: that is what is signed."""
    signer: str
    """Checksummed address."""
    signature: bytes
    """r ‖ s ‖ v, v in {27, 28}."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head as the chain tells it: the event ``Anchored`` of `AuditAnchor`."""

    head: Head
    operator: str
    """Checksummed address of who sent it."""
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody asked to read about a patient: what becomes an entry of the audit log before anything is shown."""

    actor_id: str
    role: str
    organisation_id: int | None
    patient_id: str | None
    """``None`` where it was not exactly one: a search, or a list."""
    view: str
    """What was asked for, as a code: ``chart``, ``older``, ``search``, a page such as ``today``."""
    purpose: str
    """Code of v3-ActReason."""
    asked: int
    """Category bits."""
    granted: int
    """Category bits of what was shown; who a patient is (``demographics``) needs no consent."""
    reason: AccessReason
    patients: int = 1
    """How many patients were shown."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that an administrator, or the system at an administrator's word, did off the chain."""

    code: ActCode
    actor_id: str
    """Who did it; ``system`` where nobody in particular did."""
    subject: str
    """What it was done to: a random id, the number of an organisation, or the name of a template."""
    details: Mapping[str, Json] = field(default_factory=dict)
    """Codes, numbers and random ids, never anything about a person."""


@dataclass(frozen=True, slots=True)
class NetworkTransaction:
    """A transaction on the wire: one relayer nonce, carrying one or more TCs (or none: a no-op)."""

    network_id: int
    relayer: str
    nonce: int
    statements: tuple[bytes, ...]
    """Statement hashes by position in the batch; empty for a no-op."""
    gas: int
    attempts: tuple[Attempt, ...] = ()
    head: Head | None = None
    """What it anchors, if it carries no statements but a head of the audit log."""


class SendOutcome(StrEnum):
    """What a node said to raw bytes."""

    ACCEPTED = "accepted"
    """It has them (also: it had them already)."""
    REJECTED = "rejected"
    """It will not take them now; nothing is concluded about the nonce."""
    UNKNOWN = "unknown"
    """No answer, or one that says nothing: the same bytes go again."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction that was mined."""

    transaction_hash: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    rejections: Mapping[int, Refusal] = field(default_factory=dict)
    """Position in the batch → why the Relay rejected it."""


# ---- the verdict ---------------------------------------------------------------------------------------------------


class VerdictKind(StrEnum):
    """Valid or invalid; there is no third."""

    VALID = "valid"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Verdict:
    """TV: what the network (or a gate) said, with the evidence."""

    kind: VerdictKind
    code: str
    """Machine code: ``effect`` for valid, else the gate's or the contract's."""
    arguments: Mapping[str, Json] = field(default_factory=dict)
    """Data of the reason, for the sentence; never a name or a reading."""
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A verdict on its way to becoming the ACK of ``ti_id``."""

    ti_id: str
    verdict: Verdict
    detail: Sealed | None = None
    """What may be readable about a person, sealed under their key."""
    detail_commitment: bytes | None = None
    """SHA-256(salt ‖ canonical detail), for the leaf; the salt is inside ``detail``."""
    destroy_signature: bool = False
    """Whether the signature, which never left, is deleted with the same commit."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """ACK: one for each TI, permanent."""

    ti_id: str
    position: int | None
    """Index of its leaf in the audit log; ``None`` until the sequencer has given it."""
    kind: VerdictKind
    code: str
    arguments: Mapping[str, Json]
    template: str
    actor_id: str
    patient_id: str | None
    origin: Origin
    statement_hash: bytes | None
    block_number: int | None
    block_hash: bytes | None
    transaction_hash: bytes | None
    log_index: int | None
    acknowledged_at: datetime


class EventKind(StrEnum):
    """What can happen to a TI, in the order in which it usually does; its status is the last one."""

    RECEIVED = "received"
    REFUSED = "refused"
    """A gate refused it, or the network would: the ACK follows when it can no longer take effect."""
    DEFERRED = "deferred"
    SENT = "sent"
    MINED = "mined"
    REJECTED = "rejected"
    """Mined, and the Relay reported its refusal."""
    REQUEUED = "requeued"
    VALID = "valid"
    INVALID = "invalid"
    CONTRADICTED = "contradicted"
    """A fork deeper than the finality depth took the evidence away."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a TI's history."""

    ti_id: str
    kind: EventKind
    at: datetime
    data: Mapping[str, Json] = field(default_factory=dict)
