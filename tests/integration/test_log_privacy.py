"""No leaf of the audit log tells a name, a username, a number, a date of birth, a text, an address or a reading."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handshaker.clinical.writing import note
from handshaker.demo import ADMINISTRATORS, ORGANISATIONS, PATIENTS, PRACTITIONERS, make_demo
from handshaker.login_files import LoginFiles
from handshaker.store.log import LogEntry
from handshaker.token_files import TokenFiles
from handshaker.totp import STEP, code_at
from tests.databases import Databases
from tests.instances import Instance, bare_instance
from tests.nodes import eth_tester
from tests.webapp.entering import log_in
from tests.webapp.web import Web, send

ADDRESS = "203.0.113.77"
USERNAME, MAIL = "q.zanzibar", "q.zanzibar@lakeside.example"
NEWCOMER, RENAMED, LABEL = "Quirine Zanzibar", "Quirine Zonneveld", "for the bedside monitor"
TEXT = "wandering melancholia of the left knee"
READING = "37.91"
WORDS_OF_CODES = {"administrator", "doctor", "nurse", "pathologist", "patient"}
"""Roles; two usernames of the demo hospital begin with one of them."""


@pytest.fixture(scope="module")
def lived(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Instance, list[LogEntry]]]:
    """The demo hospital, made and used, and every entry that came of it."""
    instance = bare_instance(eth_tester(), tmp_path_factory.mktemp("lived"))
    tokens = TokenFiles(instance.handshaker.settings.instance / "tokens")
    for label, who in (("administrator", "administrator"), ("second-administrator", "second_administrator")):
        tokens.keep(label, instance.tokens[who])
    demo = make_demo(instance.handshaker, instance.administrator, tokens, lambda _: None, lambda: instance.steps(1))
    instance.drain()
    live(instance, tokens, demo.patients)
    instance.drain()
    log = instance.handshaker.store.log
    yield instance, log.entries(0, log.size())
    instance.close()


def live(instance: Instance, tokens: TokenFiles, patients: dict[str, str]) -> None:
    """A day on the pages: searches, charts, records, refusals, people who come, change and go."""
    from webapp.application import make_app

    parts = instance.handshaker
    parts.settings = parts.settings.model_copy(update={"web_rate_limits": False})
    web = Web(make_app(parts), instance)
    logins = LoginFiles(parts.settings.instance / "logins")
    nurse = enter(web, logins, "nurse-1", instance)
    for text in ("Brimstad", "LH-100002", "07.03.1951", "nobody at all"):
        assert send(nurse, "/patients/search", {"text": text}, page="/patients").status_code == 200
    for patient in patients.values():
        assert nurse.get(f"/patients/{patient}").status_code == 200
        assert nurse.get(f"/patients/{patient}/vital-signs").status_code == 200
    nurse_token = parts.tokens.authenticate(tokens.find("nurse-1") or "")
    for patient in patients.values():
        about: dict[str, Any] = {"patient": patient}
        instance.submit(nurse_token, "clinical-note", note(TEXT, "34746-8", instance.clock.now()), **about)
        instance.submit(nurse_token, "vital-signs", {"status": TEXT, "value": READING}, **about)
    instance.drain()
    for page in ("/today", "/sent", "/drafts", "/requests"):
        assert nurse.get(page).status_code == 200
    send(nurse, "/account/tokens/new", {"label": LABEL, "scopes": "read", "days": "90"}, page="/account/tokens/new")
    administrator = enter(web, logins, "administrator", instance)
    assert administrator.get("/administration").status_code == 200
    by = instance.administrator
    parts.tokens.issue(by, ("read",), label=MAIL)
    newcomer = parts.registrar.register_practitioner(
        by, NEWCOMER, "nurse", 1, instance.clock.now().replace(year=2031, microsecond=0), invite=True
    )
    instance.drain()
    parts.logins.accept(newcomer.token or "", USERNAME, "a cage of forty wrens")
    parts.registrar.change_practitioner(by, newcomer.actor_id, name=RENAMED)
    parts.registrar.invite_again(by, newcomer.actor_id)
    parts.registrar.register_organisation(by, 2, "Northgate Laboratories Ltd")
    parts.erasures.erase("quarantine/2026-W01", "expired")


def enter(web: Web, logins: LoginFiles, label: str, instance: Instance) -> Any:
    kept = logins.find(label)
    assert kept is not None
    client = web.app.test_client()
    client.environ_base["REMOTE_ADDR"] = ADDRESS
    instance.clock.advance(2 * STEP)
    code = code_at(kept.totp_secret, instance.clock.now()) if kept.totp_secret else ""
    assert log_in(client, kept.username, kept.password, code).status_code in (200, 303)
    assert client.get("/account").status_code == 200
    return client


def telling() -> list[str]:
    """All that would tell who somebody is, or what is the matter with them."""
    found = [
        ADDRESS,
        USERNAME,
        MAIL,
        LABEL,
        TEXT,
        READING,
        "lakeside.example",
        "urn:demo",
        "LH-",
        "melancholia",
        "wrens",
    ]
    found += [part for _, name in ORGANISATIONS for part in (name, name.split()[0])]
    found += [word for _, name, *_ in PRACTITIONERS for word in name.split()]
    found += [*NEWCOMER.split(), *RENAMED.split()]
    for label, given, family, _, born, _ in PATIENTS:
        found += [label, given, family, born, *family.split("-")]
    found += [label for label, *_ in PRACTITIONERS] + ["second-administrator", "Second Administrator"]
    return [word for word in found if len(word) > 3 and word.lower() not in WORDS_OF_CODES]


def test_the_run_wrote_every_usual_kind_of_entry(lived: tuple[Instance, list[LogEntry]]) -> None:
    _, entries = lived
    assert {entry.kind for entry in entries} == {"acknowledgement", "access", "act", "erasure"}
    said = [json.loads(entry.leaf) for entry in entries]
    views = {each["view"] for each in said if each["kind"] == "access"}
    assert views >= {"search", "chart", "vital-signs", "home", "submissions", "drafts"}
    reasons = {each["reason"] for each in said if each["kind"] == "access"}
    assert reasons == {"consent", "denied", "identification", "own-submission"}
    done = {each["act"] for each in said if each["kind"] == "act"}
    assert done >= {"logged-in", "login-made", "token-made", "practitioner-reset", "organisation-changed"}
    assert len(ADMINISTRATORS) == 2


def test_no_leaf_tells_who_somebody_is_or_what_was_written(lived: tuple[Instance, list[LogEntry]]) -> None:
    _, entries = lived
    words = telling()
    assert len(words) > 30
    everything = "\n".join(entry.leaf.decode() for entry in entries).lower()
    assert [word for word in words if word.lower() in everything] == []


def test_every_value_of_an_access_or_an_act_is_an_id_a_code_or_a_number(
    lived: tuple[Instance, list[LogEntry]],
) -> None:
    shapes = {
        "an id": r"0x[0-9a-fA-F]{1,64}",
        "a random id": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{64}",
        "a code": r"[a-z]+(-[a-z]+)*|TREAT|HOPERAT|PATRQT",
        "a template, an organisation, a quarantine": r"[a-z-]+@\d+|organisation/\d+|quarantine/\d{4}-W\d\d",
        "a moment": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
    }
    shape = re.compile("|".join(f"(?:{each})" for each in shapes.values()))
    strange = {
        value
        for entry in lived[1]
        if entry.kind in ("access", "act", "erasure")
        for value in leaves_of(json.loads(entry.leaf))
        if not (value is None or isinstance(value, int) or shape.fullmatch(value))
    }
    assert strange == set()


def leaves_of(part: Any) -> Iterator[Any]:
    if isinstance(part, dict):
        for each in part.values():
            yield from leaves_of(each)
    elif isinstance(part, list):
        for each in part:
            yield from leaves_of(each)
    else:
        yield part


def test_the_search_for_words_finds_what_is_there(lived: tuple[Instance, list[LogEntry]]) -> None:
    instance, _ = lived
    people = instance.handshaker.store.people
    kept = " ".join(actor.name for actor in people.actors()) + " ".join(each.name for each in people.organisations())
    assert "zonneveld" in kept.lower()
    assert "northgate laboratories" in kept.lower()
    assert instance.handshaker.logins.username(instance.administrator.actor.actor_id) == "administrator"
    assert Path(instance.handshaker.settings.instance, "logins", "nurse-1.json").exists()
