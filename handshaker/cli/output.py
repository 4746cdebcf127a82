"""What commands share: the instance they work on, whose token they use, and how they print and fail."""

from __future__ import annotations

import functools
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import click
from rich.console import Console
from rich.table import Table

from handshaker import logs
from handshaker.bootstrap import Handshaker, make_handshaker
from handshaker.errors import HandshakerError, InputInvalid, NotAuthenticated, NotFound
from handshaker.login_files import LoginFiles
from handshaker.messages import Acknowledgement, Event, Json
from handshaker.reasons import reason_of
from handshaker.settings import Settings, read_settings
from handshaker.token_files import TokenFiles
from handshaker.tokens import Credential


class _Paper(Console):
    """A console that tells us when its reader has gone, where its maker would end with a failure."""

    def on_broken_pipe(self) -> None:
        """Hand it on to ``failing``."""
        raise BrokenPipeError


console = _Paper(highlight=False)
complaints = Console(stderr=True, highlight=False)

_NARROW = 100
"""Columns of a terminal below which a table of ACKs is stacked."""

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for machines instead of text for people."
)
as_option = click.option(
    "--as",
    "person",
    metavar="NAME",
    help="Use the token in instance/tokens/NAME.token; otherwise HANDSHAKER_TOKEN counts.",
)


def failing(command: F) -> F:
    """Turn an expected failure of ``command`` into one line that names the mend, and exit code 1."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except HandshakerError as error:
            fail(error, as_json=bool(kwargs.get("as_json")))
        except BrokenPipeError:
            # The reader of our output has gone (`| head`): that is no failure, and nobody is left to tell.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except OSError as error:
            fail(_unusable(error), as_json=bool(kwargs.get("as_json")))

    return wrapped  # type: ignore[return-value]


def _unusable(error: OSError) -> InputInvalid:
    """Return what a refusal of the operating system means: a wrong path, missing rights, a full disk."""
    path, problem = str(error.filename or ""), error.strerror or str(error)
    message = f"{path or 'The operating system'}: {problem}. Check the path, the rights and the free space."
    return InputInvalid(message, path=path, problem=problem)


def fail(error: HandshakerError, *, as_json: bool, **more: Json) -> NoReturn:
    """Print an expected failure, as JSON together with ``more``, and exit with 1."""
    if as_json:
        print_json({**more, "error": error.to_json()})
    else:
        complaints.print(f"[bold red]{error.code}[/]: {_plain(error.message)}", soft_wrap=True)
        for problem in error.data.get("problems") or []:
            if not problem.get("line") and problem["problem"] in error.message:
                continue
            where = f"line {problem['line']}, " if problem.get("line") else ""
            complaints.print(
                f"  {where}{_plain(problem['path'] or 'the whole')}: {_plain(problem['problem'])}", soft_wrap=True
            )
        if error.mend:
            complaints.print(f"[dim]{_plain(error.mend)}[/]", soft_wrap=True)
    sys.exit(1)


def print_json(value: Json) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


@contextmanager
def opened(*, is_service: bool = False, **overrides: Any) -> Iterator[Handshaker]:
    """Open the instance that the settings name, and close it afterwards."""
    settings = usable_settings(is_service=is_service, **overrides)
    require_instance(settings)
    handshaker = make_handshaker(settings)
    try:
        yield handshaker
    finally:
        handshaker.close()


def require_instance(settings: Settings) -> None:
    """Raise ``InputInvalid`` unless there is an instance where the settings say."""
    if not (settings.instance / "keys" / "root.key").exists() and settings.root_key is None:
        raise InputInvalid(
            f"There is no instance in {settings.instance}: run `handshaker init` (or `handshaker up`) first.",
            path=str(settings.instance),
            problem="no instance",
        )


def usable_settings(*, is_service: bool = False, **overrides: Any) -> Settings:
    """Return the settings, and log as they say; raises ``SettingsInvalid``."""
    settings = read_settings(**overrides)
    logs.set_up(settings, is_service=is_service)
    return settings


def credential(handshaker: Handshaker, person: str | None) -> Credential:
    """Return who uses the command: ``--as``, else HANDSHAKER_TOKEN; raises ``NotAuthenticated``."""
    if person is None:
        if not handshaker.settings.token:
            raise NotAuthenticated("Nobody said who you are: use --as NAME, or set HANDSHAKER_TOKEN.")
        return handshaker.tokens.authenticate(handshaker.settings.token)
    files = token_files(handshaker.settings)
    token = files.find(person) if person in files.names() else None
    if token is None:
        raise NotFound(
            f"There is no token for {person!r} in {files.folder}; there are {', '.join(files.names()) or 'none'}.",
            what="token",
            id=person,
        )
    return handshaker.tokens.authenticate(token)


def token_files(settings: Settings) -> TokenFiles:
    """Return the tokens of an instance's own people."""
    return TokenFiles(settings.instance / "tokens")


def login_files(settings: Settings) -> LoginFiles:
    """Return the logins of the demo hospital's staff."""
    return LoginFiles(settings.instance / "logins")


def patient_id(handshaker: Handshaker, text: str) -> str:
    """Return the pseudonym that ``text`` is, or the only one that begins so; raises ``NotFound``."""
    text = text.lower()
    if re.fullmatch(r"0x[0-9a-f]{64}", text):
        return text
    found = [
        patient.patient_id for patient in handshaker.store.people.patients() if patient.patient_id.startswith(text)
    ]
    if len(found) != 1 or not text.startswith("0x") or len(text) < 6:
        problem = "several pseudonyms begin so" if len(found) > 1 else "no pseudonym begins so"
        raise NotFound(
            f"{text[:70]!r} names no patient: {problem} (4 hex digits after 0x at least). "
            "`handshaker ack list --template register-patient` shows pseudonyms.",
            what="patient",
            id=text,
        )
    return found[0]


def acknowledgement_json(acknowledgement: Acknowledgement) -> dict[str, Json]:
    """Return an ACK for ``--json``."""
    reason = reason_of(acknowledgement)
    return {
        "ti": acknowledgement.ti_id,
        "position": acknowledgement.position,
        "verdict": str(acknowledgement.kind),
        "code": acknowledgement.code,
        "reason": reason.sentence,
        "nextStep": reason.next_step,
        "arguments": dict(acknowledgement.arguments),
        "template": acknowledgement.template,
        "actor": acknowledgement.actor_id,
        "patient": acknowledgement.patient_id,
        "origin": str(acknowledgement.origin),
        "statement": _hex(acknowledgement.statement_hash),
        "block": acknowledgement.block_number,
        "blockHash": _hex(acknowledgement.block_hash),
        "transaction": _hex(acknowledgement.transaction_hash),
        "logIndex": acknowledgement.log_index,
        "acknowledgedAt": acknowledgement.acknowledged_at.isoformat(),
    }


def event_json(event: Event) -> dict[str, Json]:
    """Return one entry of a history for ``--json``."""
    return {"kind": str(event.kind), "at": event.at.isoformat(), "data": dict(event.data)}


def acknowledgement_table(acknowledgements: list[Acknowledgement], labels: dict[str, str] | None = None) -> Table:
    """Return ACKs as a table; ``labels`` names patients that the reader knows (by pseudonym)."""
    table = Table(header_style="bold", show_lines=True)
    narrow = console.width < _NARROW
    table.add_column("TI\nposition", no_wrap=True)
    table.add_column("verdict\nblock\ntransaction" if narrow else "verdict", no_wrap=True)
    table.add_column("what\nabout whom", no_wrap=True)
    if not narrow:
        table.add_column("block\ntransaction", no_wrap=True)
    table.add_column("reason", overflow="fold")
    for acknowledgement in acknowledgements:
        reason = reason_of(acknowledgement)
        patient = acknowledgement.patient_id or ""
        block = "" if acknowledgement.block_number is None else f"block {acknowledgement.block_number}"
        carried = f"{block}\n{short(_hex(acknowledgement.transaction_hash) or '')}".strip()
        verdict = verdict_text(acknowledgement)
        table.add_row(
            f"{acknowledgement.ti_id[:8]}\n[dim]log {acknowledgement.position}[/]",
            *([f"{verdict}\n{carried}"] if narrow else [verdict]),
            f"{acknowledgement.template}\n{(labels or {}).get(patient, short(patient))}",
            *([] if narrow else [carried]),
            f"{reason.sentence} {reason.next_step}".strip(),
        )
    return table


def verdict_text(acknowledgement: Acknowledgement) -> str:
    """Return the verdict in colour and with a sign, for eyes that see no colour."""
    return "[green]✔ valid[/]" if str(acknowledgement.kind) == "valid" else "[red]✘ invalid[/]"


def short(text: str) -> str:
    """Return a hash as its beginning."""
    return text if len(text) <= 14 else f"{text[:12]}…"


def _hex(value: bytes | None) -> str | None:
    return None if value is None else "0x" + value.hex()


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
