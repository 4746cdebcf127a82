"""How the log looks: lines for people or JSON for machines, and in neither what a library quotes.

A line about something that happened has ``event`` and the ids of what it happened to (``ti``, or ``tis`` for what
travels together), so that one id finds the whole story of a transaction in the logs of all processes.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from handshaker.settings import Settings

QUIET = ("alembic", "asyncio", "urllib3", "waitress", "web3", "werkzeug")
"""Libraries whose chatter may hold addresses and paths; their warnings are heard."""

REQUEST: ContextVar[str] = ContextVar("request", default="")
"""The number of the request that is being answered; in every line that is written meanwhile."""

_OWN = {"event", "at", "request"}
_RESERVED = frozenset(RESERVED_ATTRS)


def set_up(settings: Settings, *, is_service: bool = True) -> None:
    """Write the log to stderr as the settings say, unless whoever runs us has seen to it.

    A command that answers a person says what it does by itself: of it only warnings are heard, unless somebody has set
    a level.
    """
    level = settings.log_level if is_service or "log_level" in settings.model_fields_set else "WARNING"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(AsJson() if settings.log_format == "json" else AsText())
    logging.basicConfig(level=level, handlers=[handler])
    for noisy in QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def place_of(error: BaseException) -> str:
    """Return where an error arose, as file and line; its words may quote what it was given."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"


class AsText(logging.Formatter):
    """``time level logger what key=value …``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a line."""
        words = [_moment(record), record.levelname, record.name, record.getMessage()]
        words += [f"{name}={_short(value)}" for name, value in fields(record).items()]
        if record.exc_info:
            words.append(_told(record.exc_info))
        return " ".join(words)


class AsJson(JsonFormatter):
    """One JSON document a line: ``time``, ``level``, ``logger``, ``event`` or ``message``, and the fields."""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Fill the document."""
        event = getattr(record, "event", None)
        log_data |= {"time": _moment(record), "level": record.levelname, "logger": record.name}
        log_data |= {"event": event} if event else {"message": record.getMessage()}
        log_data |= fields(record)
        if record.exc_info:
            log_data["error"] = _told(record.exc_info)

    def formatException(self, ei: Any) -> str:  # noqa: N802 the name is logging's
        """Return nothing: `add_fields` tells what may be told."""
        return ""


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a line says besides its words."""
    found = {name: value for name, value in record.__dict__.items() if name not in _RESERVED and name not in _OWN}
    request = REQUEST.get()
    return {**found, "request": request} if request else found


def _moment(record: logging.LogRecord) -> str:
    """Return when it happened: what is written down first is told a moment later."""
    at = getattr(record, "at", None) or datetime.fromtimestamp(record.created, UTC)
    return str(at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"))


def _short(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _told(exc_info: Any) -> str:
    """Return the type and the place of an exception."""
    error = exc_info[1]
    return f"{type(error).__name__} at {place_of(error)}" if error is not None else ""
