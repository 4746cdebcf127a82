"""What both databases want of a PostgreSQL: which driver, how many connections, and how long anything may wait."""

from __future__ import annotations

from typing import Any, Final

WAIT_SECONDS: Final = 30
"""How long a statement waits for a lock, as on SQLite; and a request for a connection."""

_SESSION: Final = {
    "lock_timeout": f"{WAIT_SECONDS}s",
    # A process that was stopped in the middle of a transaction must not hold up all others for ever.
    "idle_in_transaction_session_timeout": "60s",
}
_CONNECTION: Final = {
    "connect_timeout": 10,
    # A peer that is gone without a word is noticed within a minute, also by a connection that only waits.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


def with_driver(url: str) -> str:
    """Return a URL with the driver that is installed, where it names PostgreSQL and no driver."""
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url


def engine_options(options: str | None) -> dict[str, Any]:
    """Return the arguments of SQLAlchemy's engine; ``options`` are the URL's own, which outweigh ours.

    Up to 50 connections for each process, 10 of which stay open: the web application answers 32 requests at a time. A
    connection that was lost while it lay idle is replaced before it is used.
    """
    ours = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    return {
        "connect_args": {**_CONNECTION, "options": f"{ours} {options or ''}".strip()},
        "pool_size": 10,
        "max_overflow": 40,
        "pool_timeout": WAIT_SECONDS,
        "pool_pre_ping": True,
        "pool_recycle": 1800,
    }
