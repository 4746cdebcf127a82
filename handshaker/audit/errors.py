"""What can be wrong with the audit log; branches of the tree in ``handshaker/errors.py``."""

from __future__ import annotations

from handshaker.errors import HandshakerError, StoreUnavailable


class LogHeld(StoreUnavailable):
    """Nothing may be appended: the chain has anchored more than the log holds, or something else.

    Data: ``reason`` (``behind`` or ``different``), ``size``, ``anchored_size``, ``anchored_root``.
    """

    code = "log-held"
    mend = "Restore a newer backup, or let an administrator accept the loss with `handshaker restore --accept-loss`."


class NotAnchoredYet(HandshakerError):
    """There is no proof yet: no final anchor covers the entry. Data: ``position``, ``anchored``."""

    code = "not-anchored-yet"
    mend = "Ask again in a moment: heads are anchored at short intervals while a worker runs."


class LogDoesNotVerify(HandshakerError):
    """What the database holds of the log is not what was signed and anchored, so there is no proof to hand out.

    Data: ``position`` or ``sizes``, and ``failed``: the names of the checks.
    """

    code = "log-does-not-verify"
    mend = "Somebody or something has changed the database. Run `handshaker verify`, which names the entry."


class NotText(StoreUnavailable):
    """A text in the audit database is no UTF-8: somebody has written there by other means than this program."""

    code = "not-text"
    mend = "The database was tampered with or is damaged: run `handshaker verify`, and restore a backup beside it."


class Unreadable(StoreUnavailable):
    """Somebody has put values into the audit database that are of another form than its columns; SQLite lets them."""

    code = "unreadable"
    mend = "The database was tampered with: restore a backup beside it, and compare."
