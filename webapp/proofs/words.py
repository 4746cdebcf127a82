"""What a check looked at and how it came out, in words for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from handshaker import Examination, ProofCheck

_FAILED = _l("This did not come out as it must.")
_UNASKED = _l("No node answers at the moment, so this could not be asked. The rest was checked without it.")

TITLES: dict[str, Any] = {
    "entry": _l("The entry"),
    "form": _l("The form"),
    "inclusion": _l("The way up to the root"),
    "consistency": _l("The log only grew"),
    "signature": _l("The signature of the head"),
    "contract": _l("The contract"),
    "chain": _l("The chain"),
    "block": _l("The block"),
    "anchor": _l("The anchor"),
    "operator": _l("Who signed may sign"),
    "head": _l("The head that you know"),
}
WHY: dict[tuple[str, bool | None], Any] = {
    ("entry", True): _l("Its bytes have the hash that was written with them, and say what the acknowledgement says."),
    ("entry", False): _l("Somebody changed the database: the entry, or the acknowledgement, is not what was written."),
    ("form", False): _l(
        "What the database holds cannot be made into a proof: a value is not of the form it must have."
    ),
    ("inclusion", True): _l(
        "From the entry's hash, those beside its way lead to exactly the root that the head names."
    ),
    ("inclusion", False): _l(
        "The entry and the hashes beside its way lead to another root than the one that was signed: the entry, or one "
        "beside it, is not what it was."
    ),
    ("consistency", True): _l("The larger log begins with the smaller one, entry for entry."),
    ("consistency", False): _l(
        "The larger log does not begin with the smaller one: entries were changed, exchanged or taken out."
    ),
    ("signature", True): _l("Size, root and time carry the signature of the account that the head names."),
    ("signature", False): _l("Size, root and time were not signed by the account that the head names."),
    ("contract", True): _l("It is anchored in the contract of this hospital."),
    ("contract", False): _l("It names another contract than that of this hospital: another house's proof, or made up."),
    ("contract", None): _l(
        "The contract was believed because the proof names it: compare its address with one you trust."
    ),
    ("chain", True): _l("The node that was asked has the chain that the proof names, from its first block on."),
    ("chain", False): _l("The node that was asked has another chain than the one that the proof names."),
    ("block", True): _l("The chain has this block, with this hash, at this number."),
    ("block", False): _l("The chain has another block at this number, or none."),
    ("anchor", True): _l("In that block the contract announced exactly this size and this root."),
    ("anchor", False): _l("The chain tells of no such size and root in this place."),
    ("operator", True): _l("The Directory on the chain has the signer among its operators."),
    ("operator", False): _l("The Directory on the chain does not know the signer as an operator."),
    ("operator", None): _l("The signer was an operator when it was anchored, and has been dismissed since."),
    ("head", True): _l("The proof's head is the one that you brought, or grew into it or out of it."),
    ("head", False): _l("The proof's head is not the one that you brought, and does not belong to the same log."),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A check as a page tells it."""

    title: str
    kind: str
    """``good``, ``bad`` or ``plain``."""
    sign: str
    outcome: str
    """The sign in words."""
    why: str
    detail: str
    """What exactly was compared, in the verifier's own words (English)."""


def told(examined: Examination) -> list[Told]:
    """Return every check in words."""
    return [_told(check, examined) for check in examined.checks]


def groups(examined: Examination) -> list[tuple[str, list[Told]]]:
    """Return the checks under headings: those of two heads stand apart."""
    found: list[tuple[str, list[Told]]] = [("", [])]
    names = iter((_("The smaller head"), _("The larger head")))
    for check, words in zip(examined.checks, told(examined), strict=True):
        if examined.is_growth and check.name == "signature":
            found.append((next(names, ""), []))
        if not examined.is_reachable and examined.is_growth and check.name == "chain":
            found.append((_("Both on the chain"), []))
        found[-1][1].append(words)
    return found


def _told(check: ProofCheck, examined: Examination) -> Told:
    kind, sign, outcome = {
        True: ("good", "✓", _("holds")),
        False: ("bad", "✗", _("does not hold")),
        None: ("plain", "–", _("not checked")),
    }[check.ok]
    is_unasked = check.ok is None and not examined.is_reachable
    why = _UNASKED if is_unasked else WHY.get((check.name, check.ok), _FAILED if check.ok is False else "")
    return Told(str(TITLES.get(check.name, check.name)), kind, sign, outcome, str(why), check.words)
