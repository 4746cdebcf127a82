"""One's own bearer tokens."""

from __future__ import annotations

from datetime import timedelta

from handshaker import errors
from webapp.api import representations
from webapp.api.calls import Answer, Call
from webapp.refusals import ScopeMissing


def list_tokens(call: Call) -> Answer:
    """Answer those that can still be used."""
    who = call.credential
    found = call.handshaker.tokens.of(who.actor.actor_id)
    return Answer({"tokens": [representations.token(each, who.token_id) for each in found]})


def issue_token(call: Call) -> Answer:
    """Make one; raises ``ScopeMissing`` for more than the asker has."""
    tokens, who, asked = call.handshaker.tokens, call.credential, call.body
    beyond = [scope for scope in asked["scopes"] if scope not in who.scopes]
    if beyond:
        raise ScopeMissing(f"This token has not the scope {beyond[0]} itself.", scope=beyond[0])
    lifetime = timedelta(days=int(asked.get("days", 90)))
    text = tokens.issue(who, tuple(asked["scopes"]), label=asked["label"], lifetime=lifetime)
    made = next(each for each in tokens.of(who.actor.actor_id) if each.token_id == text.split("_")[1])
    return Answer({"token": representations.token(made, who.token_id), "text": text}, 201)


def revoke_token(call: Call) -> Answer:
    """End one; raises ``NotFound`` for one that is not the asker's."""
    tokens, actor_id, token_id = call.handshaker.tokens, call.credential.actor.actor_id, call.parameters["token"]
    if all(each.token_id != token_id for each in tokens.of(actor_id)):
        raise errors.NotFound("You have no such token.", what="token")
    tokens.revoke(actor_id, token_id)
    return Answer(None, 204)
