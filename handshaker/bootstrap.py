"""The composition root: settings in, a working Handshaker out. Tests call the same function with their own parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from handshaker.audit.anchoring import Anchoring
from handshaker.clock import SystemClock
from handshaker.crash_points import arm
from handshaker.errors import NotDeployed
from handshaker.ethereum.chain import EthereumChain, connect
from handshaker.ethereum.nodes import ChainProfile, named
from handshaker.explorer import Explorer
from handshaker.following import Following
from handshaker.generator import TransactionGenerator
from handshaker.health import Health
from handshaker.indexer import Indexer
from handshaker.intake import Intake
from handshaker.logins import Logins
from handshaker.messages import Deployment
from handshaker.ports import Clock
from handshaker.records.chart import Charts
from handshaker.records.drafts import Drafts
from handshaker.records.finder import PatientFinder
from handshaker.records.gateway import Gateway
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
    intake: Intake
    registrar: Registrar
    patients: PatientFinder
    gateway: Gateway
    charts: Charts
    requests: ConsentRequests
    drafts: Drafts
    submissions: Submissions
    roster: Roster
    explorer: Explorer
    following: Following
    reviews: TemplateReviews
    health: Health
    staff: Staff

    def adopt(self, deployment: Deployment) -> None:
        """Remember where the contracts are."""
        self.store.catalogue.add_deployment(deployment, self.clock.now())
        self.chain.deployment = deployment

    def worker(self, name: str | None = None) -> Worker:
        """Return a worker with its own relayer, after checking that this is the right chain.

        Raises ``ChainUnreachable``, ``ChainMismatch`` and ``NotDeployed``.
        """
        self.chain.check_deployment()
        deployment = self.chain.deployment
        if deployment is None:
            raise NotDeployed("The contracts are not on this chain.")
        name = name or self.settings.worker
        self.vault.destroy_expired_owners()
        relayer = self.vault.create_relayer(name)
        self.chain.asker = relayer
        profile = self.chain.profile
        ask_first = profile.ask_first if self.settings.ask_first is None else self.settings.ask_first

        def sign(digest: bytes) -> bytes:
            return self.vault.sign_as_relayer(relayer, digest)

        validator = TransactionValidator(
            self.chain,
            self.clock,
            Policy(
                ask_first=ask_first,
                max_batch=profile.max_batch,
                batch_gas=profile.batch_gas,
                private_node=profile.private_node,
                depth=1 if profile.finality_tag else profile.finality_depth,
            ),
            relayer,
            sign,
        )
        anchoring = Anchoring(
            self.store.log,
            self.chain,
            self.clock,
            relayer,
            sign,
            after=timedelta(seconds=self.settings.anchor_seconds or profile.anchor_seconds),
            entries=self.settings.anchor_entries,
        )
        indexer = Indexer(self.chain, self.store, self.clock, deployment.block_number)
        return Worker(
            name,
            self.store,
            self.chain,
            validator,
            indexer,
            anchoring,
            self.clock,
            poll_interval=profile.poll_interval,
            max_pending=profile.max_pending,
            bump_after=profile.bump_after,
        )

    def close(self) -> None:
        """Close the databases."""
        self.store.close()
        self.vault.close()


def make_handshaker(
    settings: Settings,
    *,
    clock: Clock | None = None,
    chain: EthereumChain | None = None,
    profile: ChainProfile | None = None,
) -> Handshaker:
    """Open the databases of an instance, made if need be, and wire all parts. Asks no node for anything yet.

    Raises ``StoreUnavailable`` and ``RootKeyUnusable``.
    """
    if settings.crash_at:
        arm(settings.crash_at)
    clock = clock or SystemClock()
    settings.instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    vault = SqlVault.open(settings.vault, settings.root_key_path, clock=clock)
    store = SqlStore.open(settings.store, vault.seal_entry, owner_url=settings.store_owner_url)
    vault.sealed_from(store.log.size())
    if chain is None:
        profile = profile or (None if settings.chain_profile == "auto" else named(settings.chain_profile))
        chain = EthereumChain(connect(settings.chain_url), profile)
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
    intake = Intake(store, vault, lambda: reached, templates, generator, clock, settings.payload_limit)
    registrar = Registrar(store, vault, intake, tokens, clock)
    patients = PatientFinder(store, vault)
    gateway = Gateway(store, lambda: reached, clock)
    requests = ConsentRequests(store, gateway, clock)
    explorer = Explorer(store, clock)
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
        intake,
        registrar,
        patients,
        gateway,
        Charts(store, vault, templates, patients, gateway),
        requests,
        Drafts(store, vault, templates, patients, intake, gateway, requests, clock),
        submissions=Submissions(store, vault, templates),
        roster=Roster(store, patients, gateway),
        explorer=explorer,
        following=Following(store, explorer, clock),
        reviews=TemplateReviews(store, templates, generator, clock),
        health=Health(settings, store, vault, chain, clock),
        staff=Staff(store, clock),
    )
