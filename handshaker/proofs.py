"""Proofs for those who may read what is proven: made from the database, held against the chain, then handed out.

Nothing is remembered between two questions: what is shown is what database and node say at that moment.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from handshaker.audit import check_proof
from handshaker.audit.check_proof import Check
from handshaker.audit.errors import LogDoesNotVerify, NotAnchoredYet
from handshaker.audit.merkle import TiledTree
from handshaker.audit.proofs import (
    Rung,
    anchor_document,
    growth_document,
    head_document,
    ladder,
    proof_document,
    tells_of,
    told,
)
from handshaker.errors import ChainError, NotDeployed, NotFound
from handshaker.ethereum.chain import EthereumChain
from handshaker.following import Following
from handshaker.messages import Acknowledgement, Anchor, Deployment, Json, SignedHead
from handshaker.patience import Patience
from handshaker.store.log_reading import AnchoredHead
from handshaker.store.sql_store import SqlStore
from handshaker.tokens import Credential

__all__ = ["AnchoredHead", "Check", "Examination", "Proofs", "Rung"]

log = logging.getLogger(__name__)

Document = dict[str, Any]
"""A proof as JSON."""
LARGEST = 1_000_000
"""Bytes of a document that somebody wants to have examined."""
ON_CHAIN = ("chain", "block", "anchor", "operator")
"""The checks that a node is asked for."""
VERIFIER = "check_proof.py"


@dataclass(frozen=True, slots=True)
class Examination:
    """What was checked just now, and how it came out."""

    document: Document | None
    """The proof; ``None`` where there is none yet, or none can be made."""
    checks: tuple[Check, ...] = ()
    """In the order in which they build on each other; ``ok`` is ``None`` for what could not or need not be asked."""
    is_reachable: bool = True
    """Whether the node answered."""
    waits: NotAnchoredYet | None = None
    """Set while no final anchor covers the entry."""
    acknowledgement: Acknowledgement | None = None
    """What is proven, where that was the question."""
    author: str = ""
    """Name of who handed it in, where they are of the staff."""

    @property
    def verdict(self) -> bool | None:
        """``False`` if any check failed; ``True`` if all was asked and is well; else ``None``."""
        if any(check.ok is False for check in self.checks):
            return False
        return True if self.checks and self.is_reachable else None

    @property
    def is_growth(self) -> bool:
        """Whether it is about two heads, not about an entry."""
        return self.document is not None and self.document.get("kind") == "audit-consistency"

    @property
    def entry(self) -> dict[str, Any]:
        """What the proven entry says of itself; empty where there is none."""
        return {} if self.document is None or self.is_growth else told(self.document["entry"]["leaf"])

    @property
    def leaf_hash(self) -> bytes:
        """Where the way up begins; empty where there is no entry."""
        if self.document is None or self.is_growth:
            return b""
        return check_proof.leaf_hash(self.document["entry"]["leaf"].encode())

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The way from the entry up to the root, as the proof has it."""
        return () if self.document is None or self.is_growth else ladder(self.document)


class _Broken(Exception):
    """No proof can be made of what the database holds; ``check`` says why."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(words)
        self.check = Check(name, False, words)


class Proofs:
    """Makes proofs and examines them; changes nothing."""

    def __init__(self, store: SqlStore, following: Following, chain: EthereumChain) -> None:
        self._store = store
        self._following = following
        self._chain = chain
        self._patience = Patience("proofs")

    # ---- entries -----------------------------------------------------------------------------------------------------

    def proof(self, credential: Credential, ti_id: str) -> Document:
        """Return the proof of a TI's ACK, which the node was asked about.

        Raises ``NotFound`` as reading the ACK does, ``NotAnchoredYet``, ``LogDoesNotVerify`` and ``ChainUnreachable``.
        """
        return self.prove(self._following.acknowledgement(credential, ti_id))

    def prove(self, acknowledgement: Acknowledgement) -> Document:
        """Return the proof of an ACK; raises as ``proof`` does, ``NotFound`` aside."""
        final = self._patience.ask(self._final_number)
        return self._handed_out(lambda: self._document(acknowledgement, final), position=acknowledgement.position)

    def examine(self, credential: Credential, ti_id: str) -> Examination:
        """Return every check of a TI's proof as it comes out now; raises ``NotFound``.

        Where no node answers, the rest is checked all the same.
        """
        acknowledgement = self._following.acknowledgement(credential, ti_id)
        final, is_reachable = self._final_number_or_walked()
        try:
            found = self._examination(lambda: self._document(acknowledgement, final), is_reachable)
        except NotAnchoredYet as waits:
            return Examination(None, (), is_reachable, waits, acknowledgement, self._author(acknowledgement))
        entry = [Check("entry", True, "the entry says what the acknowledgement says")] if found.document else []
        author = self._author(acknowledgement)
        return replace(found, checks=(*entry, *found.checks), acknowledgement=acknowledgement, author=author)

    def _author(self, acknowledgement: Acknowledgement) -> str:
        actor = self._store.people.actor(acknowledgement.actor_id)
        return actor.name if actor else ""

    def _document(self, acknowledgement: Acknowledgement, final: int) -> Document:
        """Return the proof of an ACK, not yet checked; raises ``NotAnchoredYet`` and ``_Broken``."""
        position, log = acknowledgement.position or 0, self._store.log
        entry = log.entry_at(position)
        if entry is None or entry.leaf_hash != check_proof.leaf_hash(entry.leaf):
            raise _Broken("entry", f"entry {position} does not have the hash that was written with it")
        if not tells_of(entry.leaf, entry.entry_id, acknowledgement):
            raise _Broken("entry", f"entry {position} says something else than the acknowledgement")
        anchor = log.anchor_over(position, final)
        if anchor is None:
            raise self._missing(position, final)
        (signed,) = log.heads([anchor.head.size])
        try:
            path = TiledTree(log).inclusion_path(position, anchor.head.size)
            return proof_document(position, entry.leaf, path, signed, anchor, self._deployment())
        except ValueError as problem:
            raise _Broken("inclusion", f"no path can be made: {problem}") from None

    def _missing(self, position: int, final: int) -> Exception:
        """Return why there is no anchor over an entry: it is too early, or a head is not the one that was anchored."""
        if self._store.log_reading.is_contradicted(position, final):
            return _Broken("anchor", "the chain has another root for a head that was signed here")
        anchored = self._store.log.anchored_size()
        return NotAnchoredYet(
            f"Entry {position} is not under a final anchor yet.", position=position, anchored=anchored
        )

    # ---- two heads ---------------------------------------------------------------------------------------------------

    def consistency(self, first: int, second: int) -> Document:
        """Return the proof that the log only grew between two anchored heads, named by size in either order.

        Raises ``NotFound``, ``NotAnchoredYet``, ``LogDoesNotVerify`` and ``ChainUnreachable``.
        """
        sizes = sorted((first, second))
        final = self._patience.ask(self._final_number)
        return self._handed_out(lambda: self._growth(sizes[0], sizes[1], final), sizes=sizes)

    def examine_growth(self, first: int, second: int) -> Examination:
        """Return every check between two anchored heads; raises ``NotFound`` and ``NotAnchoredYet``."""
        sizes = sorted((first, second))
        final, is_reachable = self._final_number_or_walked()
        return self._examination(lambda: self._growth(sizes[0], sizes[1], final), is_reachable)

    def _growth(self, first: int, second: int, final: int) -> Document:
        pairs = [self._anchored(size, final) for size in (first, second)]
        (one, first_anchor), (other, second_anchor) = pairs
        try:
            path = TiledTree(self._store.log).consistency_path(first, second)
        except ValueError as problem:
            raise _Broken("consistency", f"no path can be made: {problem}") from None
        return growth_document((one, other), (first_anchor, second_anchor), path, self._deployment())

    def _anchored(self, size: int, final: int) -> tuple[SignedHead, Anchor]:
        known = self._store.log.heads([size])
        if not known:
            raise NotFound("No head of that size was signed here.", what="head", id=str(size))
        anchor = self._store.log.anchor_of(size, final)
        if anchor is None:
            raise NotAnchoredYet(f"The head of {size} entries is not in a final block yet.", size=size)
        if anchor.head != known[0].head:
            raise _Broken("anchor", f"the chain has another root for the head of {size} entries")
        return known[0], anchor

    # ---- documents from elsewhere ------------------------------------------------------------------------------------

    def examine_document(self, proof: Json, known: Json = None) -> Examination:
        """Return every check of a proof of either kind, asking our node.

        ``known`` is a head that is known from elsewhere, or a consistency proof that leads to another head. Raises
        ``check_proof.Unusable``, a ``ValueError`` that says what is wrong with the form.
        """
        if not isinstance(proof, dict):
            raise check_proof.Unusable("this is no proof: it must be a JSON object")
        joined: list[Check] = []
        if isinstance(known, dict) and known.get("kind") == "audit-consistency":
            joined = check_proof.check_known(proof, known.get("second"), known)
        elif known is not None:
            joined = check_proof.check_known(proof, known)
        checks, is_reachable = self._examined(proof, True)
        return Examination(proof, (*checks, *joined), is_reachable)

    # ---- lists -------------------------------------------------------------------------------------------------------

    def heads(self, after: int = 0, limit: int = 100) -> list[AnchoredHead]:
        """Return signed heads by size, from the first one larger than ``after``, with their final anchors."""
        return self._store.log_reading.heads_after(after, self._final_number_or_walked()[0], limit)

    def newest_heads(self, limit: int = 20, before: int | None = None) -> list[AnchoredHead]:
        """Return signed heads, the largest first, with their final anchors."""
        return self._store.log_reading.newest_heads(self._final_number_or_walked()[0], limit, before)

    def described(self, head: AnchoredHead) -> Document:
        """Return a head as JSON, as proofs name it, with its ``anchor`` or ``None``."""
        anchor = head.anchor and anchor_document(head.anchor, self._deployment())
        return {**head_document(head.signed), "anchor": anchor}

    @staticmethod
    def verifier() -> bytes:
        """Return the source of the verifier that needs neither us nor our software."""
        return files("handshaker.audit").joinpath(VERIFIER).read_bytes()

    # ---- checking ----------------------------------------------------------------------------------------------------

    def _handed_out(self, make: Callable[[], Document], **data: Json) -> Document:
        """Return what ``make`` makes, once every check of it is well; raises ``LogDoesNotVerify``."""
        try:
            document = make()
            failed = [check for check in self._asked(document) if check.ok is False]
        except _Broken as broken:
            failed = [broken.check]
        except check_proof.Unusable as problem:
            failed = [Check("form", False, str(problem))]
        if any(check.name == "chain" for check in failed):
            self._chain.check_deployment()
        if not failed:
            return document
        names = [check.name for check in failed]
        log.error("the audit log does not verify: %s", json.dumps({"failed": names, **data}))
        raise LogDoesNotVerify("The audit log does not verify: there is no proof to hand out.", failed=names, **data)

    def _examination(self, make: Callable[[], Document], is_reachable: bool) -> Examination:
        """Return the checks of what ``make`` makes, also where it cannot be made."""
        try:
            document = make()
        except _Broken as broken:
            return Examination(None, (broken.check,), is_reachable)
        try:
            checks, is_reachable = self._examined(document, is_reachable)
        except check_proof.Unusable as problem:
            return Examination(None, (Check("form", False, str(problem)),), is_reachable)
        return Examination(document, tuple(checks), is_reachable)

    def _examined(self, document: Document, is_reachable: bool) -> tuple[list[Check], bool]:
        """Return the checks of a document, and whether a node answered; raises ``check_proof.Unusable``."""
        if is_reachable:
            try:
                return self._asked(document), True
            except ChainError:
                pass
        contract = self._deployment().addresses["AuditAnchor"] if self._chain.deployment else None
        alone = [check for check in _check(document, None, contract) if check.name != "chain"]
        unasked = [Check(name, None, "the node could not be asked") for name in ON_CHAIN]
        return [*alone, *unasked], False

    def _asked(self, document: Document) -> list[Check]:
        """Return the checks of a document, the node's included; raises ``ChainError`` where it does not answer."""
        contract = self._deployment().addresses["AuditAnchor"]
        try:
            return self._patience.ask(lambda: _check(document, self._ask_node, contract))
        except check_proof.NoAnswer as error:
            raise ChainError("The node refuses to say what a proof needs.") from error

    def _ask_node(self, method: str, params: list[Any]) -> Any:
        """Answer a question of ``check_proof``; that a node refuses one is an answer too."""
        try:
            return self._chain.answer(method, params)
        except ChainError as error:
            if error.code == ChainError.code:
                raise check_proof.Refused(error.message) from error
            raise

    # ---- what the node says ------------------------------------------------------------------------------------------

    def _final_number(self) -> int:
        return self._chain.final_number(self._chain.head())

    def _final_number_or_walked(self) -> tuple[int, bool]:
        """Return the highest final block and ``True``; or, where no node answers, the highest one that was walked."""
        try:
            return self._patience.ask(self._final_number), True
        except ChainError:
            tip = self._store.chain_view.tip()
            return (tip.number if tip else -1), False

    def _deployment(self) -> Deployment:
        """Return where the contracts are, also where another process deployed them; raises ``NotDeployed``."""
        if self._chain.deployment is None:
            self._chain.deployment = self._store.catalogue.deployment()
        if self._chain.deployment is None:
            raise NotDeployed("The contracts are not on this chain.")
        return self._chain.deployment


def _check(document: Document, ask: check_proof.Ask | None, contract: str | None) -> list[Check]:
    """Return the checks of a document of either kind; raises ``check_proof.Unusable``."""
    is_growth = document.get("kind") == "audit-consistency"
    return (check_proof.check_growth if is_growth else check_proof.check)(document, ask, contract)
