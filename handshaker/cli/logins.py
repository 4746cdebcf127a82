"""``handshaker invite`` and ``handshaker code``: how people come to a login on this machine."""

from __future__ import annotations

import click

from handshaker.bootstrap import Handshaker
from handshaker.cli.output import (
    as_option,
    console,
    credential,
    failing,
    json_option,
    login_files,
    opened,
    print_json,
    token_files,
    usable_settings,
)
from handshaker.clock import SystemClock
from handshaker.errors import NotFound
from handshaker.totp import code_at
from handshaker.vocabulary import ActorKind


@click.command(short_help="Invite somebody to choose a username and a password.")
@click.argument("who", metavar="LABEL_OR_ID")
@as_option
@json_option
@failing
def invite(who: str, person: str | None, as_json: bool) -> None:
    """Print an address with a code that serves once, within 7 days, to choose a username and a password.

    LABEL is somebody whose token lies in instance/tokens: the code opens the key that they have. ID is a practitioner,
    whom an administrator (--as) invites again: their key, tokens, sessions and login end at once, and they get new
    ones.
    """
    with opened() as handshaker:
        code = _code_for(handshaker, who, person)
        address = f"{handshaker.settings.public_url}/welcome"
    if as_json:
        print_json({"who": who, "code": code, "address": f"{address}#{code}"})
    else:
        console.print(f"Give this to {who}, and to nobody else. It serves once, within 7 days:", soft_wrap=True)
        console.print(f"  {address}#{code}", soft_wrap=True)


@click.command(short_help="Print the present 6-digit code of a demo login.")
@click.argument("label")
@json_option
@failing
def code(label: str, as_json: bool) -> None:
    """Print the present one-time password of a login of the demo hospital (instance/logins/LABEL.json)."""
    files = login_files(usable_settings())
    kept = files.find(label) if label in files.names() else None
    if kept is None or not kept.totp_secret:
        raise NotFound(
            f"No demo login with a second factor is called {label!r}; there are {', '.join(files.names()) or 'none'}.",
            what="login",
            id=label,
        )
    digits = code_at(kept.totp_secret, SystemClock().now())
    if as_json:
        print_json({"username": kept.username, "code": digits})
    else:
        click.echo(digits)


def _code_for(handshaker: Handshaker, who: str, person: str | None) -> str:
    if who in token_files(handshaker.settings).names():
        return handshaker.tokens.invite(credential(handshaker, who))
    administrator = credential(handshaker, person)
    known = {actor.actor_id for actor in handshaker.store.people.actors(ActorKind.PRACTITIONER)}
    if who not in known:
        raise NotFound(f"{who!r} is neither a label in instance/tokens nor a practitioner's id.", what="person", id=who)
    invited = handshaker.registrar.invite_again(administrator, who)
    assert invited.token is not None
    return invited.token
