"""The network: node, relayers, queue and contracts. The page refreshes itself."""

from __future__ import annotations

from flask import render_template

from webapp.access import ADMINISTRATOR, handshaker, open_to, passive
from webapp.administration.blueprint import administration, below


@administration.get("/network")
@open_to(ADMINISTRATOR)
def network() -> str:
    """Everything at one look."""
    return _page("administration/network.html")


@administration.get("/network/live")
@below("network")
@passive
@open_to(ADMINISTRATOR)
def live_network() -> str:
    """Show the part of the page that changes."""
    return _page("administration/_network.html")


def _page(template: str) -> str:
    health = handshaker().health
    return render_template(template, network=health.network(), checks=health.ready(), now=handshaker().clock.now())
