"""Pages of proofs: what holds is green, what was changed is red with why, what could not be asked is said to be."""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from handshaker.ethereum.chain import EthereumChain, connect
from handshaker.messages import Acknowledgement, Act, Head
from handshaker.vocabulary import ActCode
from tests.anchored import acknowledged, anchor, anchored, sizes
from tests.instances import Instance
from tests.tampering import ENTRY, change_leaf, tampered
from tests.webapp.administrators import words
from tests.webapp.web import Web, send
from webapp.application import make_app

__all__ = ["anchored"]

NOWHERE = "http://127.0.0.1:1"
CHECK = "/proofs/check"
AUDIT = "/administration/audit"


@pytest.fixture
def web(anchored: Instance) -> Web:
    handshaker = anchored.handshaker
    handshaker.settings = handshaker.settings.model_copy(update={"web_rate_limits": False})
    return Web(make_app(handshaker), anchored)


@pytest.fixture
def own(anchored: Instance) -> Acknowledgement:
    """The last one of the nurse's."""
    return [each for each in acknowledged(anchored) if each.actor_id == anchored.nurse.actor.actor_id][-1]


def outcomes(answer: TestResponse) -> dict[str, str]:
    """Check → how the page says that it came out; of checks with the same name the last."""
    items = re.findall(r'<li class="(\w+)">\s*<span class="sign".*?<strong>(.*?)</strong>', answer.text, re.S)
    return {title: kind for kind, title in items}


def silence(instance: Instance) -> None:
    """Let no node answer any more."""
    chain = instance.handshaker.chain
    instance.handshaker.proofs._chain = EthereumChain(connect(NOWHERE), chain.profile, chain.deployment)


# ---- one acknowledgement ---------------------------------------------------------------------------------------------


def test_author_and_administrator_see_every_check_green(web: Web, own: Acknowledgement) -> None:
    for who in ("nurse", "administrator"):
        page = web.client(who).get(f"/proofs/{own.ti_id}")
        assert page.status_code == 200
        assert set(outcomes(page).values()) == {"good"}
        assert len(outcomes(page)) == 8
        assert "Proven." in words(page)
        assert "hx-get" not in page.text.partition('id="proof"')[2]
        assert f"Entry {own.position}" in words(page)
        assert f"proof-{own.ti_id[:8]}.json" in words(page)
    assert f"/proofs/{own.ti_id}" in web.client("nurse").get(f"/sent/{own.ti_id}").text
    file = web.client("administrator").get(f"/administration/acknowledgements/{own.ti_id}")
    assert f"/proofs/{own.ti_id}" in file.text


def test_others_find_nothing(web: Web, own: Acknowledgement) -> None:
    for part in ("", "/live", "/proof.json"):
        assert web.client("doctor").get(f"/proofs/{own.ti_id}{part}").status_code == 404
        assert web.client("administrator").get(f"/proofs/{'0' * 36}{part}").status_code == 404


def test_proof_and_verifier_are_downloaded(web: Web, own: Acknowledgement) -> None:
    client = web.client("nurse")
    proof = client.get(f"/proofs/{own.ti_id}/proof.json")
    assert proof.headers["Content-Disposition"] == f"attachment; filename=proof-{own.ti_id[:8]}.json"
    assert json.loads(proof.data)["entry"]["position"] == own.position
    assert client.get("/proofs/verifier").data == web.hospital.handshaker.proofs.verifier()


def test_a_page_without_an_anchor_waits_and_then_turns_green(web: Web, anchored: Instance) -> None:
    submission = anchored.measure()
    anchored.drain()
    client = web.client("nurse")
    page = client.get(f"/proofs/{submission.ti_id}")
    assert "Not anchored yet." in words(page)
    assert outcomes(page) == {}
    found = re.search(r'hx-get="([^"]+)"', page.text.partition('id="proof"')[2])
    assert found is not None
    again = found[1].replace("&amp;", "&")
    assert client.get(again).status_code == 204
    assert client.get(f"/proofs/{submission.ti_id}/proof.json").status_code == 409
    anchor(anchored)
    news = client.get(again)
    assert "Proven." in words(news)
    assert set(outcomes(news).values()) == {"good"}
    assert "hx-get" not in news.text


def test_while_the_log_is_held_a_waiting_page_says_so(web: Web, anchored: Instance) -> None:
    submission = anchored.measure()
    anchored.drain()
    client = web.client("nurse")
    anchored.handshaker.store.log.hold("behind", 1, Head(9, b"\x01" * 32), anchored.clock.now())
    assert "The audit log is held." in words(client.get(f"/proofs/{submission.ti_id}"))


@pytest.mark.parametrize("is_leaf", [True, False])
def test_after_the_database_was_changed_the_page_is_red_and_says_why(
    web: Web, anchored: Instance, own: Acknowledgement, is_leaf: bool
) -> None:
    assert own.position is not None
    if is_leaf:
        change_leaf(anchored, own.position)
    else:
        tampered(anchored, f"UPDATE audit_entries SET leaf_hash = :hash {ENTRY}", hash=b"\x01" * 32, position=0)
        assert own.position > 0
    page = web.client("nurse").get(f"/proofs/{own.ti_id}")
    assert page.status_code == 200
    assert "Not proven." in words(page)
    if is_leaf:
        assert outcomes(page) == {"The entry": "bad"}
        assert "Somebody changed the database" in words(page)
    elif sizes(anchored)[0] <= own.position:
        # The path of a later entry goes by a hash over the changed one.
        assert outcomes(page)["The way up to the root"] == "bad"
        assert "another root" in words(page)
        assert "≠" in page.text
    refused = web.client("nurse").get(f"/proofs/{own.ti_id}/proof.json")
    assert refused.status_code == 500
    assert "does not verify" in words(refused)


def test_an_entry_that_is_no_text_any_more_breaks_no_page(web: Web, anchored: Instance, own: Acknowledgement) -> None:
    tampered(anchored, f"UPDATE audit_entries SET leaf = :leaf {ENTRY}", leaf=b"\xff\xfe{", position=own.position)
    assert outcomes(web.client("nurse").get(f"/proofs/{own.ti_id}")) == {"The entry": "bad"}
    for where in (AUDIT, f"/administration/acknowledgements/{own.ti_id}"):
        assert web.client("administrator").get(where).status_code == 200


def test_where_no_node_answers_what_it_was_to_say_is_grey(web: Web, anchored: Instance, own: Acknowledgement) -> None:
    silence(anchored)
    page = web.client("nurse").get(f"/proofs/{own.ti_id}")
    assert page.status_code == 200
    told = outcomes(page)
    assert {name for name, kind in told.items() if kind == "plain"} == {
        "The chain",
        "The block",
        "The anchor",
        "Who signed may sign",
    }
    assert set(told.values()) == {"good", "plain"}
    assert "No node answers at the moment" in words(page)
    assert "Not fully checked." in words(page)
    assert f"/proofs/{own.ti_id}/live" in page.text
    assert web.client("nurse").get(f"/proofs/{own.ti_id}/proof.json").status_code == 503


# ---- what somebody brings --------------------------------------------------------------------------------------------


def check(web: Web, who: str = "nurse", **fields: Any) -> TestResponse:
    return send(web.client(who), CHECK, {name: value for name, value in fields.items()}, page=CHECK)


def test_a_proof_is_pasted_or_sent_as_a_file(web: Web, anchored: Instance, own: Acknowledgement) -> None:
    proof = json.dumps(anchored.handshaker.proofs.prove(own))
    for who in ("nurse", "auditor", "insurer"):
        page = check(web, who, proof=proof)
        assert page.status_code == 200
        assert set(outcomes(page).values()) == {"good"}
    page = check(web, proof="not this", proof_file=(BytesIO(proof.encode()), "proof.json"))
    assert set(outcomes(page).values()) == {"good"}
    assert own.ti_id in words(page)


def test_a_proof_that_was_changed_is_red(web: Web, anchored: Instance, own: Acknowledgement) -> None:
    proof = anchored.handshaker.proofs.prove(own)
    proof["entry"]["leaf"] = proof["entry"]["leaf"].replace("valid", "wrong")
    page = check(web, proof=json.dumps(proof))
    assert page.status_code == 200
    assert outcomes(page)["The way up to the root"] == "bad"
    assert "Not proven." in words(page)


@pytest.mark.parametrize("leaf", ["", "[]", "7", "[" * 5_000, '{"a": "\\ud800"}', '{"a": 1e999}', "\0", "1" * 5_000])
def test_whatever_stands_in_the_place_of_an_entry_is_shown_or_left_out(
    web: Web, anchored: Instance, own: Acknowledgement, leaf: str
) -> None:
    proof = anchored.handshaker.proofs.prove(own)
    proof["entry"]["leaf"] = leaf
    page = check(web, proof=json.dumps(proof))
    assert page.status_code == 200
    assert outcomes(page)["The way up to the root"] == "bad"


def test_a_proof_is_held_against_what_is_known_from_elsewhere(
    web: Web, anchored: Instance, own: Acknowledgement
) -> None:
    first, second = sizes(anchored)
    proofs = anchored.handshaker.proofs
    proof, growth = proofs.prove(own), proofs.consistency(first, second)
    page = check(web, proof=json.dumps(proof), known=json.dumps(growth))
    assert outcomes(page)["The head that you know"] == "good"
    other = {**proof["head"], "root": "0x" + "00" * 32}
    assert outcomes(check(web, proof=json.dumps(proof), known=json.dumps(other)))["The head that you know"] == "bad"
    alone = check(web, proof=json.dumps(growth))
    assert set(outcomes(alone).values()) == {"good"}
    assert "The smaller head" in words(alone)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "choose its file"),
        ({"proof": "{"}, "not JSON"),
        ({"proof": "[]"}, "no proof"),
        ({"proof": "{}"}, "no audit-proof"),
        ({"proof": "[" * 100_000}, "nested too deeply"),
        ({"proof": '{"v": 1, "kind": "audit-proof"}'}, "must be an object"),
        ({"proof": "1" * 200_001}, "larger than any proof"),
        ({"proof": '"\\ud800"'}, "no proof"),
        ({"proof_file": (BytesIO(b"\xff\xfe\x00"), "proof.json")}, "UTF-8"),
    ],
)
def test_what_is_no_proof_is_answered_in_words(web: Web, fields: dict[str, Any], told: str) -> None:
    answer = check(web, **fields)
    assert answer.status_code == 422
    assert told in words(answer)


def test_a_head_of_the_end_of_time_breaks_nothing(web: Web, anchored: Instance) -> None:
    growth = anchored.handshaker.proofs.consistency(*sizes(anchored))
    growth["second"]["madeAt"] = 253_402_300_799
    growth["anchors"]["second"]["blockNumber"] = 2**64 - 1
    page = check(web, proof=json.dumps(growth))
    assert page.status_code == 200
    assert "bad" in outcomes(page).values()


# ---- the audit log ---------------------------------------------------------------------------------------------------


def test_the_log_tells_its_size_its_anchors_and_its_entries(web: Web, anchored: Instance) -> None:
    log = anchored.handshaker.store.log
    act = Act(ActCode.TEMPLATE_APPROVED, anchored.administrator.actor.actor_id, "vital-signs")
    log.add_act(act, anchored.clock.now())
    for who in ("administrator", "auditor"):
        page = web.client(who).get(AUDIT)
        told = words(page)
        assert page.status_code == 200
        assert "In time" in told
        assert "First Administrator" in told
        assert "template-approved" in told
        assert f"block {log.anchors()[0].block_number}" in told
    only = web.client("administrator").get(f"{AUDIT}?kind=act").text
    assert "template-approved" in only
    assert "/proofs/" not in only.partition('id="entries"')[2].partition("<table")[2]


def test_entries_are_paged_to_the_first_one(web: Web, anchored: Instance) -> None:
    client, where, seen = web.client("administrator"), AUDIT, list[int]()
    while where:
        page = client.get(where).text
        part = page.partition('id="entries"')[2]
        seen += map(int, re.findall(r'<th scope="row" class="number">(\d+)</th>', part))
        found = re.search(r'rel="next" href="([^"]+)"', part)
        where = found[1].replace("&amp;", "&") if found else ""
    assert seen == list(range(anchored.handshaker.store.log.size()))[::-1]


def test_a_log_that_waits_too_long_is_late_and_one_that_is_held_says_the_mend(web: Web, anchored: Instance) -> None:
    client = web.client("administrator")
    anchored.measure()
    anchored.drain()
    assert "In time" in words(client.get(AUDIT))
    anchored.clock.advance(5 * 60)
    client = web.client("administrator")
    assert "Late" in words(client.get(AUDIT))
    size = anchored.handshaker.store.log.size()
    anchored.handshaker.store.log.hold("behind", size, Head(size + 3, b"\x01" * 32), anchored.clock.now())
    told = words(client.get(AUDIT))
    assert "The audit log is held" in told
    assert "handshaker restore" in told


def test_the_part_that_changes_is_sent_when_it_has(web: Web, anchored: Instance) -> None:
    client = web.client("administrator")
    found = re.search(r'hx-get="(/administration/audit/live[^"]+)"', client.get(AUDIT).text)
    assert found is not None
    anchored.measure()
    anchored.drain()
    assert client.get(found[1].replace("&amp;", "&")).status_code == 200


def test_between_two_heads_the_log_only_grew_or_it_says_why_not(web: Web, anchored: Instance) -> None:
    first, second = sizes(anchored)
    client, where = web.client("administrator"), f"{AUDIT}/consistency"
    chosen = client.get(f"{where}?first={second}&second={first}")
    assert chosen.location == f"{where}/{first}/{second}"
    page = client.get(chosen.location)
    assert set(outcomes(page).values()) == {"good"}
    assert "the log only grew" in words(page)
    file = client.get(f"{where}/{first}/{second}/proof.json")
    assert json.loads(file.data)["kind"] == "audit-consistency"
    tampered(anchored, f"UPDATE audit_entries SET leaf_hash = :hash {ENTRY}", hash=b"\x01" * 32, position=0)
    broken = client.get(f"{where}/{first}/{second}")
    assert broken.status_code == 200
    assert outcomes(broken)["The log only grew"] == "bad"
    assert client.get(f"{where}/{first}/{second}/proof.json").status_code == 500


def test_consistency_says_where_no_node_answers_and_where_there_is_no_such_head(web: Web, anchored: Instance) -> None:
    first, second = sizes(anchored)
    client, where = web.client("auditor"), f"{AUDIT}/consistency"
    assert client.get(f"{where}/1/{second}").status_code == 404
    assert client.get(f"{where}/{first}/{10**30}").status_code == 404
    assert client.get(f"{where}?first=x&second={second}").location == AUDIT
    silence(anchored)
    page = client.get(f"{where}/{first}/{second}")
    assert page.status_code == 200
    assert outcomes(page)["The chain"] == "plain"


def test_an_instance_without_a_single_head_has_a_page_too(own_web: Web) -> None:
    assert "No head yet" in words(own_web.client("administrator").get(AUDIT))
