"""What administrators read and decide on their pages: templates, transactions, the network."""

from __future__ import annotations

import re
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from handshaker.template_files import as_yaml
from handshaker.worker_lock import claim
from tests.handshaker.templates.fakes import ward
from tests.instances import blood_pressure
from tests.webapp.administrators import HOME, words
from tests.webapp.web import Web, send

# ---- templates -------------------------------------------------------------------------------------------------------


def test_a_template_is_checked_tried_and_proposed_and_a_second_administrator_approves(own_web: Web) -> None:
    first, second = own_web.client("administrator"), own_web.client("second_administrator")
    text = as_yaml(ward())
    checked = send(first, f"{HOME}/templates/new", {"text": text, "do": "check"})
    assert "open-ward@1 fits Directory.registerOrganisation" in words(checked)
    tried = send(first, f"{HOME}/templates/new", {"text": text, "do": "dry-run"})
    for told in ("Open ward 7.", "organisationId", "Calldata"):
        assert told in words(tried)
    assert own_web.hospital.handshaker.reviews.open() == []
    proposed = send(first, f"{HOME}/templates/new", {"text": text, "do": "propose"})
    assert proposed.status_code == 303
    own = first.get(proposed.location)
    assert "This is your own proposal" in words(own)
    assert "/approve" not in own.text
    assert send(first, f"{proposed.location}/approve").status_code == 403
    page = second.get(proposed.location)
    assert "Open ward 7." in words(page)
    approved = send(second, f"{proposed.location}/approve")
    assert approved.location.endswith("/templates/open-ward/1")
    assert "is approved and can be used" in words(second.get(approved.location))
    assert send(second, f"{proposed.location}/approve").status_code == 409


def test_a_proposal_is_rejected_by_another_or_withdrawn_by_its_author(own_web: Web) -> None:
    hospital = own_web.hospital
    first, second = own_web.client("administrator"), own_web.client("second_administrator")
    for client, act, told in ((second, "reject", "Rejected"), (first, "withdraw", "Withdrawn")):
        proposal = hospital.handshaker.reviews.propose(hospital.administrator, ward())
        assert send(client, f"{HOME}/proposals/{proposal.proposal_id}/{act}").status_code == 303
        assert told in words(client.get(f"{HOME}/templates"))
    assert hospital.handshaker.templates.versions("open-ward") == ()


def test_problems_stand_beside_their_lines_and_the_text_stays(web: Web) -> None:
    text = as_yaml(ward(lifetime="long", roles=["docter"]))
    answer = send(web.client("administrator"), f"{HOME}/templates/new", {"text": text, "do": "propose"})
    assert answer.status_code == 422
    number = text.splitlines().index("lifetime: long") + 1
    assert f'id="line-{number}"' in answer.text
    assert f"line {number}" in words(answer)
    assert "must be a whole number" in words(answer)
    assert "lifetime: long" in unescape(answer.text.partition("<textarea")[2])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must be one document"),
        ("name: a\nname: b", "written twice"),
        ("- a list", "must be one document"),
        ("{", "line 1"),
        ("name: *alias", "aliases"),
    ],
)
def test_text_that_is_no_template_is_answered_with_the_place(web: Web, text: str, told: str) -> None:
    answer = send(web.client("administrator"), f"{HOME}/templates/new", {"text": text, "do": "check"})
    assert answer.status_code == 422
    assert told in words(answer)


def test_a_file_takes_the_place_of_the_text(web: Web) -> None:
    def sent(raw: bytes) -> TestResponse:
        data: dict[str, Any] = {"text": "name: nothing", "do": "check", "file": (BytesIO(raw), "ward.yaml")}
        return send(web.client("administrator"), f"{HOME}/templates/new", data)

    good = sent(as_yaml(ward()).encode())
    assert "open-ward@1 fits" in words(good)
    assert "name: open-ward" in good.text
    bad = sent(b"\xff\xfe\x00")
    assert bad.status_code == 422
    assert "not UTF-8" in words(bad)


def test_the_next_version_begins_with_the_newest_and_differs_by_what_was_changed(own_web: Web) -> None:
    client, hospital = own_web.client("administrator"), own_web.hospital
    begun = client.get(f"{HOME}/templates/new?from=clinical-note")
    assert "version: 2" in begun.text
    document = {**hospital.handshaker.templates.document("clinical-note"), "version": 2, "title": "Another title"}
    proposal = hospital.handshaker.reviews.propose(hospital.administrator, document)
    page = words(client.get(f"{HOME}/proposals/{proposal.proposal_id}"))
    assert "Difference to version 1" in page
    assert "+ title: Another title" in page
    hospital.handshaker.reviews.approve(hospital.second_administrator, proposal.proposal_id)
    difference = words(client.get(f"{HOME}/templates/clinical-note/difference?before=1&after=2"))
    assert "+ title: Another title" in difference
    same = client.get(f"{HOME}/templates/clinical-note/difference?before=2&after=2")
    assert "word for word" in words(same)
    assert "Version 1" in words(client.get(f"{HOME}/templates/clinical-note"))
    assert client.get(f"{HOME}/templates/clinical-note/difference?before=9").status_code == 404
    assert client.get(f"{HOME}/templates/nothing").status_code == 404


# ---- acknowledgements and network ------------------------------------------------------------------------------------


def test_the_explorer_narrows_by_its_address_and_walks_by_cursor(own_web: Web) -> None:
    client, hospital = own_web.client("administrator"), own_web.hospital
    for number in range(45):
        hospital.measure(payload=blood_pressure(9000 + number))
    hospital.acknowledged(hospital.measure(hospital.silent))
    address = f"{HOME}/acknowledgements?status=invalid&reason=implausible&template=vital-signs"
    page = client.get(address)
    assert page.text.count('data-label="Reason"') == 40
    older = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert older is not None
    following = client.get(unescape(older[1]))
    assert following.text.count('data-label="Reason"') == 5
    assert "To the newest" in words(following)
    assert "not-permitted" not in re.sub(r"<option.*?</option>", "", page.text)
    found = words(client.get(f"{HOME}/acknowledgements?patient={hospital.silent.actor.actor_id[:10]}&status=invalid"))
    assert "not-permitted" in found
    assert "Nothing fits that search" in words(client.get(f"{HOME}/acknowledgements?until=2000-01-01"))
    assert client.get(f"{HOME}/acknowledgements?before=nonsense").status_code == 400
    assert client.get(f"{HOME}/acknowledgements?since=nonsense&status=nonsense").status_code == 200


def test_the_file_of_a_transaction_refreshes_itself_until_it_is_settled(own_web: Web) -> None:
    client, hospital = own_web.client("administrator"), own_web.hospital
    submission = hospital.measure()
    page = f"{HOME}/acknowledgements/{submission.ti_id}"
    waiting = client.get(page)
    polled = re.search(rf'hx-get="({page}/live[^"]*)"', waiting.text)
    assert polled is not None
    assert client.get(unescape(polled[1])).status_code == 204
    hospital.drain()
    settled = client.get(unescape(polled[1]))
    assert "hx-get" not in settled.text
    acknowledgement = hospital.ack(submission)
    assert acknowledgement is not None
    assert acknowledgement.transaction_hash is not None
    position = f"position {acknowledgement.position}"
    for told in ("Acknowledged as valid", "Vital signs", "Effect: Recorded", position):
        assert told in words(settled)
    assert "0x" + acknowledgement.transaction_hash.hex() in settled.text
    assert client.get(f"{HOME}/acknowledgements/{submission.ti_id[:8]}").status_code == 200


def test_no_page_of_the_explorer_shows_a_patients_name_or_a_reading(own_web: Web) -> None:
    client, hospital = own_web.client("administrator"), own_web.hospital
    submission = hospital.measure(payload=blood_pressure(systolic=157.25))
    hospital.drain()
    shown = "".join(
        client.get(address).text
        for address in (f"{HOME}/acknowledgements", f"{HOME}/acknowledgements/{submission.ti_id}", HOME)
    )
    for hidden in ("consented", "Zed", "157.25"):
        assert hidden not in shown


def test_an_auditor_reads_acknowledgements_and_nothing_else(web: Web) -> None:
    client = web.client("auditor")
    assert client.get(f"{HOME}/acknowledgements").status_code == 200
    row = web.hospital.handshaker.explorer.search(limit=1).rows[0]
    page = client.get(f"{HOME}/acknowledgements/{row.ti_id}")
    assert page.status_code == 200
    assert f'href="{HOME}/people' not in page.text
    for path in ("", "/people", "/templates", "/network", f"/acts/{row.ti_id}"):
        assert client.get(HOME + path).status_code == 403


def test_the_network_page_says_of_every_part_how_it_is_and_what_to_do(own_web: Web) -> None:
    parts = own_web.hospital.handshaker
    client = own_web.client("administrator")
    ill = client.get(f"{HOME}/network")
    assert '<span class="badge bad">Worker: ill</span>' in ill.text
    assert "Start one: `handshaker work`." in words(ill)
    for name in ("Audit database", "Vault", "Node", "Contracts", "Blocks", "Gas", "Queue", "Anchor", "Audit log"):
        assert f'<span class="badge good">{name}: well</span>' in ill.text
    assert "Not ready" in words(client.get(HOME))
    own_web.hospital.measure()
    with claim(parts.settings.instance, parts.settings.worker, parts.store):
        assert "Ready" in words(client.get(HOME))
        own_web.hospital.clock.advance(parts.settings.queue_late_seconds + 1)
        late = client.get(f"{HOME}/network").text
        assert '<span class="badge way">Queue: degraded</span>' in late
        assert "Degraded" in words(client.get(HOME))


def test_the_network_page_refreshes_itself_without_keeping_a_session_awake(own_web: Web) -> None:
    client, hospital = own_web.client("administrator"), own_web.hospital
    page = client.get(f"{HOME}/network")
    polled = re.search(rf'hx-get="({HOME}/network/live[^"]*)"', page.text)
    assert polled is not None
    assert client.get(unescape(polled[1])).status_code == 204
    for told in ("EthereumTester", "worker-1", "ConsentRegistry", "No worker is at work"):
        assert told in words(page)
    limit = hospital.handshaker.settings.session_idle_minutes
    for _ in range(limit + 2):
        hospital.clock.advance(60)
        answer = client.get(f"{HOME}/network/live", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].startswith("/")
