"""The network: node, relayers, queue and contracts. The page refreshes itself."""

from __future__ import annotations

from typing import Any

from flask import render_template

from webapp import live
from webapp.access import ADMINISTRATOR, handshaker, open_to, passive
from webapp.administration.blueprint import administration, below


@administration.get("/network")
@open_to(ADMINISTRATOR)
def network() -> str:
    """Show everything at one look."""
    shown = _shown()
    return render_template("administration/network.html", **shown)


@administration.get("/network/live")
@below("network")
@passive
@open_to(ADMINISTRATOR)
def live_network() -> live.Answer:
    """Show the part of the page that changes, if it did."""
    return live.part("administration/_network.html", **_shown())


def _shown() -> dict[str, Any]:
    status, checks = handshaker().health.network(), handshaker().health.ready()
    # How long the oldest waits is told to the minute.
    minute = handshaker().clock.now().minute if status.oldest_open else 0
    return {"network": status, "checks": checks, "seen": live.mark(status, checks, minute)}
