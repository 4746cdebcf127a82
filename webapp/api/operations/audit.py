"""Proofs of entries, and what they hang from: the heads of the audit log."""

from __future__ import annotations

from flask import Response

from webapp.api.calls import Answer, Call
from webapp.api.pages import next_link


def read_proof(call: Call) -> Answer:
    """Answer the proof of one acknowledgement."""
    return Answer(call.handshaker.proofs.proof(call.credential, call.parameters["id"]))


def list_heads(call: Call) -> Answer:
    """Answer a page of heads, by size."""
    asked, proofs = call.parameters, call.handshaker.proofs
    found = proofs.heads(asked["after"], asked["limit"] + 1)
    page = [proofs.described(head) for head in found[: asked["limit"]]]
    last = page[-1]["size"] if page else asked["after"] or None
    headers = next_link(after=last) if len(found) > len(page) else {}
    return Answer({"heads": page, "last": last}, headers=headers)


def prove_consistency(call: Call) -> Answer:
    """Answer the proof that the log only grew between two heads."""
    return Answer(call.handshaker.proofs.consistency(call.parameters["first"], call.parameters["second"]))


def read_verifier(call: Call) -> Response:
    """Answer the standalone verifier."""
    response = Response(call.handshaker.proofs.verifier(), mimetype="text/x-python")
    response.headers["Content-Disposition"] = "attachment; filename=check_proof.py"
    return response
