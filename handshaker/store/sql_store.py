"""The store as one thing: a database, and one part for each subject."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import as_file, files

from handshaker.store.accesses import AccessStore
from handshaker.store.audit import AuditStore
from handshaker.store.catalogue import CatalogueStore
from handshaker.store.chain_view import ChainViewStore
from handshaker.store.claims import Claim, held
from handshaker.store.database import Database
from handshaker.store.explorer import ExplorerStore
from handshaker.store.figures import FigureStore
from handshaker.store.intake import IntakeStore
from handshaker.store.log import LogStore
from handshaker.store.log_reading import LogReading
from handshaker.store.logins import LoginStore
from handshaker.store.network import NetworkStore
from handshaker.store.people import PeopleStore
from handshaker.store.proposals import ProposalStore
from handshaker.store.queue import QueueStore
from handshaker.store.records import RecordStore
from handshaker.store.restoring import RestoringStore
from handshaker.store.sequencer import Seal, Sequencer


class SqlStore:
    """The audit database at a SQLAlchemy URL."""

    def __init__(self, database: Database, seal: Seal | None = None) -> None:
        self._database = database
        sequencer = Sequencer(seal)
        self.people = PeopleStore(database, sequencer)
        self.logins = LoginStore(database, sequencer)
        self.catalogue = CatalogueStore(database, sequencer)
        self.intake = IntakeStore(database, sequencer)
        self.queue = QueueStore(database)
        self.network = NetworkStore(database, sequencer)
        self.chain_view = ChainViewStore(database, sequencer)
        self.audit = AuditStore(database, sequencer)
        self.log = LogStore(database, sequencer)
        self.accesses = AccessStore(database, sequencer)
        self.log_reading = LogReading(database)
        self.records = RecordStore(database)
        self.explorer = ExplorerStore(database)
        self.proposals = ProposalStore(database, sequencer)
        self.figures = FigureStore(database)
        self.restoring = RestoringStore(database, sequencer)

    @classmethod
    def open(cls, url: str, seal: Seal | None = None, *, owner_url: str = "") -> SqlStore:
        """Open the database at ``url`` and bring its schema up to date; raises ``StoreUnavailable``.

        With ``owner_url`` the owner of the tables does that, see ``Database.migrate``.
        ``seal`` is the vault's, for entries of the audit log; without it they are proven by anchors alone.
        """
        with as_file(files("handshaker.store").joinpath("migrations")) as migrations:
            database = Database(url, migrations)
            database.migrate(owner_url)
        return cls(database, seal)

    def claim(self, name: str) -> Claim:
        """Return the claim to a worker's name, not taken yet."""
        return Claim(self._database, name)

    def claims(self) -> frozenset[int]:
        """Return the numbers (``claims.key_of``) of the names that workers hold, on whatever machine."""
        return held(self._database)

    def observe(self, observe: Callable[[str, float], None]) -> None:
        """From here on tell ``observe`` of every SQL transaction: ``read`` or ``write``, and the seconds it took."""
        self._database.observe = observe

    def close(self) -> None:
        """Close every connection."""
        self._database.close()
