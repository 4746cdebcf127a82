"""The composition root: settings in, a working Handshaker out. Tests call the same function with their own parts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from handshaker.audit.anchoring import Anchoring
from handshaker.audit.errors import LogHeld
from handshaker.audit_log import AuditLog
from handshaker.clock import SystemClock
from handshaker.crash_points import arm
from handshaker.errors import HandshakerError, NotDeployed
from handshaker.ethereum.chain import EthereumChain, connect
from handshaker.ethereum.nodes import ChainProfile, named
from handshaker.explorer import Explorer
from handshaker.file_lock import Share
from handshaker.following import Following
from handshaker.generator import TransactionGenerator
from handshaker.health import Health
from handshaker.health.judging import anchor_limit
from handshaker.indexer import Indexer
from handshaker.intake import Intake
from handshaker.journal import Journal
from handshaker.logins import Logins
from handshaker.messages import Deployment
from handshaker.occupancy import share
from handshaker.ports import Clock
from handshaker.proofs import Proofs
from handshaker.records.access_log import AccessLog
from handshaker.records.chart import Charts
from handshaker.records.drafts import Drafts
from handshaker.records.erasures import Erasures
from handshaker.records.finder import PatientFinder
from handshaker.records.gateway import Gateway
from handshaker.records.identities import Identities
from handshaker.records.requests import ConsentRequests
from handshaker.records.roster import Roster
from handshaker.records.submissions import Submissions
from handshaker.registrar import Registrar
from handshaker.sessions import Sessions
from handshaker.settings import Settings
from handshaker.staff import Staff
from handshaker.store.sql_store import SqlStore
from handshaker.template_manager import TemplateManager
from handshaker.template_review import TemplateReviews
from handshaker.tokens import Tokens
from handshaker.validator import Policy, TransactionValidator
from handshaker.vault.sql_vault import SqlVault
from handshaker.worker import Worker

_CHECK_SECONDS = 5

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Handshaker:
    """All parts of one instance, wired."""

    settings: Settings
    clock: Clock
    store: SqlStore
    vault: SqlVault
    chain: EthereumChain
    templates: TemplateManager
    generator: TransactionGenerator
    tokens: Tokens
    sessions: Sessions
    logins: Logins
    journal: Journal
    intake: Intake
    registrar: Registrar
    accesses: AccessLog
    erasures: Erasures
    patients: PatientFinder
    gateway: Gateway
    charts: Charts
    requests: ConsentRequests
    drafts: Drafts
    submissions: Submissions
    roster: Roster
    explorer: Explorer
    following: Following
    proofs: Proofs
    audit_log: AuditLog
    reviews: TemplateReviews
    health: Health
    staff: Staff
    shared: Share | None = None
    """Keeps off a restore until this is closed; absent for the restore itself."""

    def adopt(self, deployment: Deployment) -> None:
        """Remember where the contracts are."""
        self.store.catalogue.add_deployment(deployment, self.clock.now())
        self.chain.deployment = deployment

    def worker(self, name: str | None = None) -> Worker:
        """Return a worker with its own relayer, after checking that this is the right chain.

        Raises ``ChainUnreachable``, ``ChainMismatch`` and ``NotDeployed``.
        """
        self.chain.check_deployment()
        name = name or self.settings.worker
        # While the log is held nothing is erased either; the next start makes up for it.
        with suppress(LogHeld):
            self.erasures.erase_expired()
        relayer = self.vault.create_relayer(name)
        self.chain.asker = relayer
        profile = self.chain.profile
        ask_first = profile.ask_first if self.settings.ask_first is None else self.settings.ask_first
        private_node = profile.private_node if self.settings.private_node is None else self.settings.private_node

        def sign(digest: bytes) -> bytes:
            return self.vault.sign_as_relayer(relayer, digest)

        validator = TransactionValidator(
            self.chain,
            self.clock,
            Policy(
                ask_first=ask_first,
                max_batch=profile.max_batch,
                batch_gas=profile.batch_gas,
                private_node=private_node,
                depth=1 if profile.finality_tag else profile.finality_depth,
            ),
            relayer,
            sign,
        )
        return Worker(
            name,
            self.store,
            self.chain,
            validator,
            self.indexer(),
            self._anchoring(relayer, sign),
            self.clock,
            poll_interval=profile.poll_interval,
            max_pending=profile.max_pending,
            bump_after=profile.bump_after,
            journal=self.journal,
        )

    def indexer(self) -> Indexer:
        """Return what walks the chain for this instance; raises ``NotDeployed``."""
        if self.chain.deployment is None:
            raise NotDeployed("The contracts are not on this chain.")
        return Indexer(self.chain, self.store, self.clock, self.chain.deployment.block_number, self.journal)

    def check_log(self) -> None:
        """Raise ``LogHeld`` unless the log is what the chain has anchored of it; from then on it is held.

        Raises ``ChainUnreachable`` and ``ChainError`` where nobody can say. Nothing to check before the contracts are
        on the chain.
        """
        if self.chain.deployment is not None:
            self.chain.check_deployment()
            self._anchoring("", lambda digest: b"").check()

    def keep_checking(self, stop: threading.Event) -> None:
        """Do `check_log` once, and again every few seconds while the node does not answer, until ``stop`` is set."""
        while not stop.is_set():
            try:
                self.check_log()
                return
            except LogHeld as error:
                log.error("[%s] %s", error.code, error)
                return
            except HandshakerError as error:
                log.warning("the audit log cannot be compared with the chain yet: [%s]", error.code)
                stop.wait(_CHECK_SECONDS)

    def _anchoring(self, operator: str, sign: Callable[[bytes], bytes]) -> Anchoring:
        return Anchoring(
            self.store.log,
            self.chain,
            self.clock,
            operator,
            sign,
            after=timedelta(seconds=self.settings.anchor_seconds or self.chain.profile.anchor_seconds),
            entries=self.settings.anchor_entries,
        )

    def close(self) -> None:
        """Close the databases."""
        self.store.close()
        self.vault.close()
        if self.shared is not None:
            self.shared.close()


def make_chain(settings: Settings, profile: ChainProfile | None = None) -> EthereumChain:
    """Return the node that the settings name; it is not asked for anything yet."""
    profile = profile or (None if settings.chain_profile == "auto" else named(settings.chain_profile))
    return EthereumChain(connect(settings.chain_url), profile)


def make_handshaker(
    settings: Settings,
    *,
    clock: Clock | None = None,
    chain: EthereumChain | None = None,
    profile: ChainProfile | None = None,
    alone: bool = False,
) -> Handshaker:
    """Open the databases of an instance, made if need be, and wire all parts. Asks no node for anything yet.

    ``alone`` says that the caller has the instance alone, for a restore. Raises ``StoreUnavailable``, which
    ``InstanceInUse`` and ``RestoreUnfinished`` are, and ``RootKeyUnusable``.
    """
    if settings.crash_at:
        arm(settings.crash_at)
    clock = clock or SystemClock()
    settings.instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    shared = None if alone else share(settings.instance)
    vault = SqlVault.open(settings.vault, settings.root_key_path, clock=clock)
    store = SqlStore.open(settings.store, vault.seal_entry, owner_url=settings.store_owner_url)
    vault.sealed_from(store.log.size())
    chain = chain or make_chain(settings, profile)
    chain.deployment = chain.deployment or store.catalogue.deployment()
    templates = TemplateManager(store.catalogue, clock)
    generator = TransactionGenerator()
    tokens = Tokens(store.people, vault, clock)
    sessions = Sessions(
        store.logins,
        store.people,
        vault,
        clock,
        idle=timedelta(minutes=settings.session_idle_minutes),
        longest=timedelta(hours=settings.session_hours),
    )
    logins = Logins(
        store.logins,
        store.people,
        vault,
        tokens,
        sessions,
        clock,
        totp_for_everyone=settings.totp == "everyone",
    )
    reached = chain
    journal = Journal(clock, store.figures.moments)
    store.observe(journal.measures.database_answered)
    chain.observe(journal.measures.node_answered)
    intake = Intake(store, vault, lambda: reached, templates, generator, clock, settings.payload_limit, journal)
    registrar = Registrar(store, vault, intake, tokens, clock)
    accesses, identities = AccessLog(store, clock), Identities(store, vault)
    patients = PatientFinder(store, identities, accesses)
    gateway = Gateway(store, lambda: reached, clock)
    requests = ConsentRequests(store, gateway, clock)
    explorer = Explorer(store, clock)
    following = Following(store, explorer, clock)
    proofs = Proofs(store, following, chain)
    return Handshaker(
        settings,
        clock,
        store,
        vault,
        chain,
        templates,
        generator,
        tokens,
        sessions,
        logins,
        journal,
        intake,
        registrar,
        accesses,
        Erasures(store, vault, clock),
        patients,
        gateway,
        Charts(store, vault, templates, identities, gateway, accesses),
        requests,
        Drafts(store, vault, templates, identities, intake, gateway, requests, accesses, clock),
        submissions=Submissions(store, vault, templates, accesses),
        roster=Roster(store, patients, gateway, accesses),
        explorer=explorer,
        following=following,
        proofs=proofs,
        audit_log=AuditLog(store, proofs, clock, lambda: anchor_limit(settings, reached.profile)),
        reviews=TemplateReviews(store, templates, generator, clock),
        health=Health(settings, store, vault, chain, clock),
        staff=Staff(store, clock),
        shared=shared,
    )
