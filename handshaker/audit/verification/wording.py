"""What is said of an entry that is not where or what it was."""

from __future__ import annotations

from handshaker.audit.verification.places import Misplaced
from handshaker.audit.verification.report import What
from handshaker.audit.verification.standing import Interval


def misplaced(found: Misplaced) -> str:
    """Return a sentence about an entry that is not where, or not what, its seal says."""
    position, many = found.position, found.count
    if found.what is What.REMOVED:
        return _removed(found)
    if found.what is What.INSERTED:
        copy = "" if found.belongs is None else f" It is a copy of entry {found.belongs}."
        if found.is_seal_missing:
            return f"{_these(position, many, 'Entry')} {_was(many)} put in, or the seal was taken away: there is none."
        return f"{_these(position, many, 'Entry')} {_was(many)} put in: the vault never sealed {_it(many)}.{copy}"
    if found.what is What.REORDERED:
        if found.belongs is None:
            return f"Entry {position} was moved: it stands at position {found.stands}."
        if found.stands is None:
            return f"At position {position} stands the entry that belongs at {found.belongs}."
        place = f"and the one of {position} stands at {found.stands}"
        return f"At position {position} stands the entry that belongs at {found.belongs}, {place}."
    if found.what is What.SEAL_CHANGED:
        seals = _these(position, many, "The seal of entry")
        return f"{seals} {_was(many)} changed or moved; the leaf is as it was sealed."
    return _changed(found)


def seal_taken(found: Misplaced, *, is_proven: bool) -> str:
    """Return a sentence about entries whose seals are not theirs, or are gone, where an anchor proves the leaves."""
    act = "taken away" if found.is_seal_missing else "changed"
    rest = (
        "What was anchored is as it was."
        if is_proven
        else "Whether anything else was changed cannot be told before it is anchored."
    )
    return f"{_these(found.position, found.count, 'The seal of entry')} {_was(found.count)} {act}. {rest}"


def interval(doubtful: Interval, *, are_seals_gone: bool = False) -> str:
    """Return a sentence about entries among which something is not as it was, and nothing tells which."""
    one = doubtful.last - doubtful.first == 1
    which = f"Entry {doubtful.first}" if one else f"One or more of entries {doubtful.first} to {doubtful.last - 1}"
    act = f"{which} {'is' if one else 'are'} not as {doubtful.witness} says: changed, removed or put in."
    if are_seals_gone:
        return f"{act} The seals, which would tell which, were taken away."
    return f"{act} The seals tell nothing of it: whoever did it could use the vault, or they are older than seals."


def _removed(found: Misplaced) -> str:
    position, many = found.position, found.count
    if found.is_entry_missing:
        return f"{_these(position, many, 'Entry')} {_was(many)} removed: only the position is left."
    if found.is_place_missing:
        return f"{_these(position, many, 'Entry')} {_was(many)} removed: there is no such position any more."
    if found.belongs is None:
        return (
            f"{_these(position, many, 'Entry')} {_was(many)} removed: what stands there was sealed for no such place."
        )
    moved = f"At position {position} stands what belongs at {found.belongs}"
    return f"{_these(position, many, 'Entry')} {_was(many)} removed. {moved}."


def _changed(found: Misplaced) -> str:
    these = f"{_these(found.position, found.count, 'Entry')} {_was(found.count)} changed"
    if found.is_hash_alone:
        return f"{_these(found.position, found.count, 'The stored hash of entry')} {_was(found.count)} changed."
    if found.is_leaf_alone:
        return f"{these}: the leaf does not have the hash that was sealed."
    if found.belongs is not None:
        return f"{these}: it was written over with a copy of entry {found.belongs}."
    if found.is_seal_missing:
        return f"{these}, and the seal was taken away."
    return f"{these}: the vault never sealed such a leaf at this position."


def _these(position: int, many: int, noun: str) -> str:
    if many == 1:
        return f"{noun} {position}"
    plural = noun.replace("Entry", "Entries").replace("entry", "entries").replace("seal of", "seals of")
    return f"{plural.replace('hash of', 'hashes of')} {position} to {position + many - 1}"


def _was(many: int) -> str:
    return "was" if many == 1 else "were"


def _it(many: int) -> str:
    return "it" if many == 1 else "them"
