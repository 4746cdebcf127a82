"""The proof of one acknowledgement, checked while one looks, and what one needs to check it elsewhere."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, render_template
from werkzeug.wrappers import Response as AnyResponse

from handshaker import Examination, reason_of
from webapp import live
from webapp.access import STAFF, credential, handshaker, open_to, passive
from webapp.proofs import words
from webapp.proofs.blueprint import below_proofs, proofs
from webapp.proofs.picture import BOX, CENTRE, WIDE, WIDTH, picture


@proofs.get("/<ti_id>")
@below_proofs
@open_to(*STAFF)
def proof(ti_id: str) -> str:
    """Show what is proven, and every check as it comes out now."""
    return render_template("proofs/proof.html", **_shown(ti_id))


@proofs.get("/<ti_id>/live")
@passive
@open_to(*STAFF)
def live_proof(ti_id: str) -> live.Answer:
    """Show the same again, where it comes out in another way."""
    return live.part("proofs/_proof.html", **_shown(ti_id))


@proofs.get("/<ti_id>/proof.json")
@open_to(*STAFF)
def proof_file(ti_id: str) -> AnyResponse:
    """Hand out the proof as a file, once every check of it holds."""
    return file(handshaker().proofs.proof(credential(), ti_id), f"proof-{ti_id[:8]}.json")


@proofs.get("/verifier")
@open_to(*STAFF)
def verifier() -> AnyResponse:
    """Hand out the program that checks proofs without us."""
    response = Response(handshaker().proofs.verifier(), mimetype="text/x-python")
    response.headers["Content-Disposition"] = "attachment; filename=check_proof.py"
    return response


def file(document: dict[str, Any], name: str) -> AnyResponse:
    """Return a document as a file to keep."""
    response = Response(json.dumps(document, indent=2, ensure_ascii=False) + "\n", mimetype="application/json")
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    return response


def shown(examined: Examination) -> dict[str, Any]:
    """Return what every page of an examination needs."""
    has_way = examined.document is not None and not examined.is_growth
    return {
        "examined": examined,
        "groups": words.groups(examined),
        "picture": picture(examined) if has_way else None,
        "sizes": {"width": WIDTH, "centre": CENTRE, "box": BOX, "wide": WIDE},
        "reached": (examined.rungs[-1].reached if examined.rungs else examined.leaf_hash) if has_way else b"",
    }


def _shown(ti_id: str) -> dict[str, Any]:
    examined = handshaker().proofs.examine(credential(), ti_id)
    acknowledgement = examined.acknowledgement
    return {
        **shown(examined),
        "ti_id": ti_id,
        "acknowledgement": acknowledgement,
        "reason": reason_of(acknowledgement) if acknowledgement else None,
        "held": handshaker().audit_log.held() if examined.waits else None,
        "is_moving": examined.waits is not None or not examined.is_reachable,
        "seen": live.mark(examined.verdict, examined.checks, examined.waits is None),
    }
