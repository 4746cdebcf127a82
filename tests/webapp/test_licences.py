"""Somebody whose licence has run out keeps their account, and opens no page that their role has."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.webapp.addresses import address, arguments, declared, pages, verbs
from tests.webapp.web import Web, send
from webapp.access import STAFF


def let_the_licence_run_out(web: Web, role: str) -> None:
    people, actor_id = web.hospital.handshaker.store.people, web.person(role).actor.actor_id
    actor = people.actor(actor_id)
    assert actor is not None
    people.put_actor(replace(actor, licence_until=web.hospital.clock.now() - timedelta(days=1)))


@pytest.mark.parametrize("role", ["nurse", "auditor"])
def test_a_licence_that_ran_out_closes_every_page_of_the_role(own_web: Web, role: str) -> None:
    client, people = own_web.client(role), own_web.hospital
    values = arguments(people.consented.actor.actor_id, people.nurse.actor.actor_id, people.measure().ti_id)
    let_the_licence_run_out(own_web, role)
    wrong = {}
    for rule in pages(own_web.app):
        roles, where = declared(own_web.app, rule), address(own_web.app, rule, values)
        for verb in verbs(rule):
            if role in roles and roles != STAFF:
                answer = client.get(where) if verb == "GET" else send(client, where)
                if answer.status_code != 403:
                    wrong[verb, where] = answer.status
    assert wrong == {}


def test_the_page_says_that_it_is_the_licence_and_the_account_stays(own_web: Web) -> None:
    client = own_web.client("nurse")
    let_the_licence_run_out(own_web, "nurse")
    assert "the licence has run out" in client.get("/patients").text
    assert client.get("/account").status_code == 200
