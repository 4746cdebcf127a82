"""``handshaker backup`` and ``handshaker restore``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from handshaker.backup import Reconciliation, accept_loss, look, make_backup, restore, revoke_tokens
from handshaker.cli.output import (
    complaints,
    console,
    credential,
    failing,
    json_option,
    opened,
    print_json,
    usable_settings,
)
from handshaker.cli.reconciliation import lines, reconciliation_json
from handshaker.errors import SettingsInvalid
from handshaker.messages import Json
from handshaker.settings import Settings
from handshaker.store.copies import Hear


@click.command(short_help="Copy both databases while everything runs.")
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
@failing
def backup(folder: Path, as_json: bool) -> None:
    """Copy both databases into FOLDER, which must not be there yet, while worker and web application go on.

    The copies are of one moment each, and checked. The vault's root key, tokens, logins and the chain's data are not
    among them: keep the root key in another place, for without it no backup opens.
    """
    with opened() as handshaker, _progress(quiet=as_json) as hear:
        manifest = make_backup(handshaker, folder, hear)
        root_key = handshaker.settings.root_key_path
    if as_json:
        print_json({"folder": str(folder), **manifest.to_json()})
        return
    mebibytes = (manifest.audit.size + manifest.vault.size) / (1 << 20)
    console.print(f"Backup in {folder}: {mebibytes:.1f} MiB, audit log of {manifest.log_size} entries.", soft_wrap=True)
    console.print(f"It opens only with the root key in {root_key}: keep that elsewhere.", soft_wrap=True)


@click.command("restore", short_help="Return to a backup, and reconcile it with the chain.")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--replace", "replacing", is_flag=True, help="Move aside what the instance holds; nothing is deleted.")
@click.option("--accept-loss", is_flag=True, help="Say in the audit log what is lost, and let it go on.")
@click.option("--revoke-tokens", "revoking", is_flag=True, help="End every token but the one that you use.")
@click.option("--as", "person", metavar="NAME", help="The administrator who accepts a loss or ends tokens.")
@json_option
@failing
def restore_command(
    folder: Path | None, replacing: bool, accept_loss: bool, revoking: bool, person: str | None, as_json: bool
) -> None:
    """Put the backup in FOLDER in the place of this instance's databases, and reconcile it with the chain.

    Worker and web application must be stopped, and the chain's node must answer. Where the chain has anchored more of
    the audit log than the backup holds, nothing can be appended until an administrator accepts the loss: with
    --accept-loss at once, or later without FOLDER. Without FOLDER and options it only says how things stand.
    """
    settings = usable_settings()
    found: Reconciliation | None = None
    aside: tuple[str, ...] = ()
    if folder is not None:
        with _progress(quiet=as_json) as hear:
            restored = restore(settings, folder, hear, replacing=replacing)
        found, aside = restored.reconciliation, restored.aside
    elif replacing:
        raise SettingsInvalid("--replace is about a backup: name its FOLDER.", setting="--replace")
    found = _decided(settings, found, person, accepting=accept_loss, revoking=revoking, quiet=as_json)
    if as_json:
        moved: list[Json] = list(aside)
        print_json({**reconciliation_json(found), "aside": moved})
        return
    for where in aside:
        console.print(f"What was there is now in {where}.", soft_wrap=True)
    for line in lines(found):
        console.print(line, soft_wrap=True)


def _decided(
    settings: Settings,
    found: Reconciliation | None,
    person: str | None,
    *,
    accepting: bool,
    revoking: bool,
    quiet: bool,
) -> Reconciliation:
    """Do what an administrator decided about what was found, or look where nothing was."""
    if found is not None and not (accepting and found.is_held) and not revoking:
        return found
    with opened() as handshaker, _progress(quiet=quiet) as hear:
        who = credential(handshaker, person) if accepting or revoking else None
        sessions = found.ended_sessions if found is not None else None
        if who is not None and accepting and (found is None or found.is_held):
            found = replace(accept_loss(handshaker, who, hear), ended_sessions=sessions)
        if found is None:
            found = look(handshaker)
        if who is not None and revoking and not found.is_held:
            found = replace(found, ended_tokens=revoke_tokens(handshaker, who))
    return found


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Hear]:
    """Show a bar for each thing that is done, one after the other."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        console=complaints,
        disable=quiet,
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=None)

        def hear(what: str, done: int, of: int) -> None:
            bar.update(task, description=what, completed=done, total=of)

        yield hear
