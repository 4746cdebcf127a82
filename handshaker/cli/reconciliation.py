"""What a restore found, as sentences for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime

from handshaker.backup import Reconciliation
from handshaker.messages import Json

ACCEPT = "handshaker restore --accept-loss --as ADMINISTRATOR"


def reconciliation_json(found: Reconciliation) -> dict[str, Json]:
    """Return it for ``--json``."""
    log = found.log
    return {
        "held": found.is_held,
        "log": {
            "state": log.state,
            "kept": log.kept,
            "common": log.common,
            "anchored": {"size": log.anchored.size, "root": "0x" + log.anchored.root.hex()},
            "lost": {"first": log.kept, "last": log.anchored.size - 1} if log.missing else None,
            "lastKeptAt": _time(log.last_kept_at),
            "anchoredAt": _time(log.anchored_at),
            "declaredAt": found.declared_at,
        },
        "nonces": [asdict(each) | {"lost": each.lost} for each in found.nonces],
        "effects": None
        if found.effects is None
        else {"known": dict(found.effects.known), "unknown": dict(found.effects.unknown)},
        "recordsWithoutPayload": found.records_without_payload,
        "acknowledged": found.acknowledged,
        "isOlder": found.is_older,
        "openWork": {
            "withheld": found.open_work.withheld,
            "until": _time(found.open_work.until),
            "goingOn": found.open_work.going_on,
        },
        "endedSessions": found.ended_sessions,
        "endedTokens": found.ended_tokens,
        "liveTokens": found.live_tokens,
    }


def lines(found: Reconciliation) -> Iterator[str]:
    """Yield it as sentences."""
    yield "[bold]The audit log[/]"
    yield from (f"  {line}" for line in _log(found))
    yield "[bold]The chain[/]"
    yield from (f"  {line}" for line in _chain(found))
    yield "[bold]What waits[/]"
    yield from (f"  {line}" for line in _waiting(found))
    if found.ended_sessions is not None or found.ended_tokens:
        yield "[bold]Who may come in[/]"
        yield from (f"  {line}" for line in _people(found))


def _log(found: Reconciliation) -> Iterator[str]:
    log = found.log
    yield f"It has {log.kept} entries, and the first {log.common} are proven by an anchor."
    if log.state == "whole":
        yield f"All that the chain has anchored is here ({log.anchored.size} entries)."
    if log.state == "unanchored":
        yield "The chain has anchored nothing of it."
    if log.state == "different":
        yield f"The chain has anchored other entries than some of those from position {log.common} on."
    if log.missing:
        yield (
            f"Lost: positions {log.kept} to {log.anchored.size - 1}, which the chain has anchored"
            f"{_on(log.anchored_at)}; the last entry that is here is{_on(log.last_kept_at)}."
        )
        yield f"Their head was size {log.anchored.size}, root 0x{log.anchored.root.hex()}."
    if found.declared_at is not None:
        yield f"The loss is declared in the log at position {found.declared_at}; anchoring goes on from there."
    if found.is_held:
        yield "[bold red]Nothing can be appended[/] before an administrator accepts the loss:"
        yield f"  {ACCEPT}"
    if found.is_older:
        yield "Entries that no anchor covered are lost without a trace."
        yield f"Let every system that follows the log read again from position {log.kept} on."


def _chain(found: Reconciliation) -> Iterator[str]:
    for each in found.nonces:
        if each.lost:
            yield (
                f"{each.relayer} used nonces {each.first} to {each.used - 1} for what the backup does not know; "
                f"{'they will be' if found.is_held else 'they are'} written as lost."
            )
    if found.effects is None:
        yield "A fork took away what was acknowledged; what took effect is counted when the loss is accepted."
    else:
        yield from _counted("took effect of what was open in the backup", found.effects.known)
        yield from _counted("took effect that the backup has never seen", found.effects.unknown)
        if not found.effects.known and not found.effects.unknown:
            yield "Nothing took effect that the backup has not acknowledged."
    if found.records_without_payload:
        yield f"The text of {found.records_without_payload} records on the chain is lost; their commitments stay."
    yield (
        "All of it is acknowledged from the chain when the loss is accepted."
        if found.is_held
        else f"{found.acknowledged} acknowledgements were written from the chain."
    )


def _waiting(found: Reconciliation) -> Iterator[str]:
    work = found.open_work
    if not found.is_older or not work.withheld:
        yield f"{work.withheld + work.going_on} transactions are open, and go on."
        return
    yield (
        f"{work.withheld} transactions are open and are not carried: they may have been acknowledged as invalid since. "
        f"Each is invalid when its deadline has passed, the last one{_on(work.until)}, unless it took effect."
    )
    if work.going_on:
        yield f"{work.going_on} revocations and denials go on at once."


def _people(found: Reconciliation) -> Iterator[str]:
    if found.ended_sessions is not None:
        yield f"Every session is over ({found.ended_sessions} ended)."
    if found.ended_tokens:
        yield f"{found.ended_tokens} tokens are ended."
        return
    yield f"{found.live_tokens} tokens of the backup are valid: also those that were revoked after it was made."
    later = ", together with --accept-loss" if found.is_held else ""
    yield f"Tokens that were made after it are gone. --revoke-tokens ends all{later}."


def _counted(what: str, counts: Mapping[str, int]) -> Iterator[str]:
    for name, count in sorted(counts.items()):
        yield f"{count} × {name} {what}"


def _on(moment: datetime | None) -> str:
    return f" of {moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
