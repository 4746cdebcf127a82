"""What both databases want of a PostgreSQL: which driver, how many connections, and how long anything may wait."""

from __future__ import annotations

import json
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


def without_nul(value: Any) -> Any:
    """Return parameters of a statement whose texts have U+FFFD for every NUL, which PostgreSQL keeps in no text."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {without_nul(name): without_nul(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(without_nul(each) for each in value)
    return value


def to_json(value: Any) -> str:
    """Return JSON for a column, without NUL too: a document that has one cannot be searched."""
    return json.dumps(without_nul(value))


def forget_values(context: Any) -> None:
    """Take out of an error what the server quotes of a row ("Failing row contains …"): it may be a name or worse.

    A listener for SQLAlchemy's ``handle_error``; what other drivers say is left alone.
    """
    error = context.original_exception
    diagnosis = getattr(error, "diag", None)
    if diagnosis is None or diagnosis.message_primary is None:
        return
    # Class 22 is about values, and quotes them even in its first sentence.
    is_about_a_value = (error.sqlstate or "").startswith("22")
    words = f"a value cannot be stored ({error.sqlstate})" if is_about_a_value else diagnosis.message_primary
    error.args = (words,)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({type(error).__name__}) {words}",)
