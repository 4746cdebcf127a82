"""Every failure that is expected, as a type with data.

``code`` is for machines and never changes; the message says what, where and what to do, and never repeats a payload,
a name or a key. Errors of libraries are mapped to these at the edge where they arise.
"""

from __future__ import annotations

from typing import Any, ClassVar


class HandshakerError(Exception):
    """The root. ``data`` holds what a machine may want to know of the case."""

    code: ClassVar[str] = "handshaker"
    mend: ClassVar[str] = ""
    """What the reader can do about it, as a sentence."""

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data = data

    def __str__(self) -> str:
        return f"{self.message} {self.mend}".strip()

    def to_json(self) -> dict[str, Any]:
        """Return ``{"code", "message", "mend", "data"}`` for ``--json`` and the API."""
        return {"code": self.code, "message": self.message, "mend": self.mend, "data": self.data}


# ---- refusals at the gates of intake -------------------------------------------------------------------------------


class IntakeRefused(HandshakerError):
    """A gate of intake said no. ``gate`` names it."""

    gate: ClassVar[str] = "envelope"


class EnvelopeInvalid(IntakeRefused):
    """The request is not a well-formed initial transaction."""

    code = "envelope-invalid"


class PayloadTooLarge(EnvelopeInvalid):
    """The payload is over the limit. Data: ``size``, ``limit`` in bytes."""

    code = "payload-too-large"
    mend = "Send attachments through the attachment store and keep the resource small."


class TemplateUnknown(EnvelopeInvalid):
    """No template has that name and version. Data: ``name``, ``version``."""

    code = "template-unknown"
    mend = "`handshaker template list` shows the templates."


class IdempotencyConflict(EnvelopeInvalid):
    """The idempotency key was used with another body. Data: ``ti_id`` of the first use."""

    code = "idempotency-conflict"
    mend = "Use a new key for a new request, or send the first body again."


class NotAuthenticated(IntakeRefused):
    """No token, or one that is unknown, revoked or expired; the message is the same for all of them."""

    code = "not-authenticated"
    gate = "identity"
    mend = "Ask an administrator for a new token."


class LoginRefused(HandshakerError):
    """Somebody could not log in, unlock or say the password; the message is the same whatever was wrong."""

    code = "login-refused"
    mend = "Try again. After several failures the login rests for some minutes; an administrator can invite you again."


class UsernameTaken(HandshakerError):
    """Another person has that username. Data: ``username``."""

    code = "username-taken"
    mend = "Choose another one."


class UsernameRefused(HandshakerError):
    """That cannot be a username."""

    code = "username-refused"
    mend = "Choose another one, such as the beginning of your e-mail address."


class PasswordRefused(HandshakerError):
    """The password is too weak. Data: ``problem``: ``too-short``, ``too-long``, ``username`` or ``obvious``."""

    code = "password-refused"
    mend = "Take several words that belong together for you alone."


class CodeRefused(HandshakerError):
    """The one-time password does not fit the second factor that is being enrolled."""

    code = "code-refused"
    mend = "Check that the phone's clock is right, and type the newest code."


class ActorUnknown(IntakeRefused):
    """The token's actor is not in the directory. Data: ``actor_id``."""

    code = "actor-unknown"
    gate = "identity"
    mend = "An administrator registers practitioners and patients."


class ActorInactive(IntakeRefused):
    """The actor was ended or their licence has run out. Data: ``actor_id``, ``licence_until``."""

    code = "actor-inactive"
    gate = "identity"
    mend = "An administrator can renew the licence."


class RoleNotAllowed(IntakeRefused):
    """The template is not for this role. Data: ``role``, ``allowed``."""

    code = "role-not-allowed"
    gate = "identity"


class PatientUnknown(IntakeRefused):
    """No patient has that pseudonym here. Data: ``patient_id``."""

    code = "patient-unknown"
    gate = "identity"
    mend = "Register the patient first, or check the pseudonym."


class SchemaViolated(IntakeRefused):
    """The payload does not match the template. Data: ``problems``: list of ``{"path", "problem"}``."""

    code = "schema-violated"
    gate = "schema"


class Implausible(IntakeRefused):
    """A value is outside what a living person can have. Data: ``problems``."""

    code = "implausible"
    gate = "plausibility"
    mend = "Check the value and its unit, and enter it again."


class SignatureRefused(IntakeRefused):
    """The signature is not the actor's for this statement. Data: ``signer``."""

    code = "signature-refused"
    gate = "signature"
    mend = "Sign exactly what `prepare` returned, with the key of the actor."


class DeadlinePassed(IntakeRefused):
    """The statement's deadline is over. Data: ``deadline``, ``now`` in seconds since the epoch."""

    code = "deadline-passed"
    gate = "signature"
    mend = "Prepare and sign the statement again."


def refusal_kinds() -> dict[str, type[IntakeRefused]]:
    """Return every kind of refusal by its code."""
    kinds: list[type[IntakeRefused]] = [IntakeRefused]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    return {kind.code: kind for kind in kinds}


# ---- templates -----------------------------------------------------------------------------------------------------


class TemplateInvalid(HandshakerError):
    """A template does not fit itself or the ABI. Data: ``problems``: list of ``{"path", "problem"}``."""

    code = "template-invalid"
    mend = "Mend the named places; `handshaker template check FILE` tries it without adding."


class TemplateImmutable(HandshakerError):
    """That name and version exist with another content. Data: ``name``, ``version``."""

    code = "template-immutable"
    mend = "Give the changed template the next version number."


class SecondAdministratorNeeded(HandshakerError):
    """Nobody approves or turns down what they proposed themselves. Data: ``proposal_id``."""

    code = "second-administrator-needed"
    mend = "Ask another administrator; your own proposal you can only withdraw."


class NotYourProposal(HandshakerError):
    """Only who made a proposal can withdraw it. Data: ``proposal_id``."""

    code = "not-your-proposal"
    mend = "As another administrator you can approve it or turn it down."


class ProposalDecided(HandshakerError):
    """The proposal was decided before. Data: ``proposal_id``, ``decision``."""

    code = "proposal-decided"
    mend = "Propose it again if it is still wanted."


class ProposalExists(HandshakerError):
    """That version is proposed already and waits. Data: ``proposal_id``, ``name``, ``version``."""

    code = "proposal-exists"
    mend = "Decide or withdraw that proposal first."


class MappingFailed(HandshakerError):
    """A mapping expression gave no value or one of a wrong type. Data: ``field``, ``expected``, ``expression``."""

    code = "mapping-failed"


# ---- the chain -----------------------------------------------------------------------------------------------------


class ChainError(HandshakerError):
    """The chain could not do what was asked."""

    code = "chain"


class ChainUnreachable(ChainError):
    """No node answers. Data: ``url``."""

    code = "chain-unreachable"
    mend = "Start the node (`handshaker chain start`) or correct HANDSHAKER_CHAIN_URL; nothing is lost meanwhile."


class ChainMismatch(ChainError):
    """The chain is not the one that this instance was deployed on. Data: ``expected``, ``found``."""

    code = "chain-mismatch"
    mend = "Start the node on its own database again, or make a fresh instance in an empty folder."


class NotDeployed(ChainError):
    """The contracts are not on the chain yet."""

    code = "not-deployed"
    mend = "Run `handshaker deploy`."


class RelayerUnfunded(ChainError):
    """An account of ours cannot pay for gas. Data: ``addresses``, and ``balance`` in wei where it is one."""

    code = "relayer-unfunded"
    mend = "Send ether to it."


# ---- the store and the vault ---------------------------------------------------------------------------------------


class StoreError(HandshakerError):
    """The database could not do what was asked."""

    code = "store"


class StoreUnavailable(StoreError):
    """The database does not answer or cannot write (disk full, locked, read-only)."""

    code = "store-unavailable"
    mend = "Free disk space or start the database, then send the same request again: it is safe to repeat."


class NotFound(HandshakerError):
    """What was asked for is not here. Data: ``what``, ``id``."""

    code = "not-found"


class CursorInvalid(HandshakerError):
    """A cursor is none that this list gave out."""

    code = "cursor-invalid"
    mend = "Begin again without a cursor."


class VaultError(HandshakerError):
    """The vault could not do what was asked."""

    code = "vault"


class RootKeyUnusable(VaultError):
    """The root key's file is missing, readable by others, or does not fit the vault. Data: ``path``."""

    code = "root-key-unusable"
    mend = "Put the right key file back with mode 0600; without it nothing in the vault can be opened."


class KeyUnknown(VaultError):
    """The vault holds no such key (or it was destroyed). Data: ``owner``."""

    code = "key-unknown"


class KeyLocked(VaultError):
    """The secret does not open the key. Data: ``owner``."""

    code = "key-locked"
    mend = "Only the owner's own session or token opens their key."


class CiphertextInvalid(VaultError):
    """A ciphertext, its key or its place was altered. Data: ``owner``."""

    code = "ciphertext-invalid"
    mend = "Restore the row from a backup and find out who changed it."


class KeyAlreadyExists(VaultError):
    """The vault holds a key in that place already, and keeps it. Data: ``owner``, for a secret also ``secret_id``."""

    code = "key-already-exists"
    mend = "Open the key that is there with a secret of its owner, or destroy it first."


# ---- settings and files --------------------------------------------------------------------------------------------


class SettingsInvalid(HandshakerError):
    """A setting is missing or wrong. Data: ``setting``."""

    code = "settings-invalid"


class InputInvalid(HandshakerError):
    """A file that was given cannot be read as what it should be. Data: ``path``, ``problem``."""

    code = "input-invalid"
