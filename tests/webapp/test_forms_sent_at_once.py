"""The same form, sent several times before the first answer came."""

from __future__ import annotations

import threading

import pytest
from flask.testing import FlaskClient

from tests.webapp.web import Web, csrf_token

_PERSON = {"name": "Dr Noor Twin", "role": "nurse", "organisation": "1", "licence_until": "2029-01-01"}
_PATIENT = {"family": "Doubled", "given": "Ana", "born": "1980-01-01", "sex": "female", "number": ""}


def send_at_once(web: Web, client: FlaskClient, page: str, form: dict[str, str]) -> list[int]:
    """Send a form from six windows of one browser; return the statuses, lowest first."""
    form = {**form, "once": "0" * 16, "csrf_token": csrf_token(client, page)}
    with client.session_transaction() as cookie:
        kept = dict(cookie)
    statuses: list[int] = []
    together = threading.Barrier(6)

    def send(window: FlaskClient) -> None:
        together.wait()
        statuses.append(window.post(page, data=form).status_code)

    clicks = []
    for _ in range(6):
        window = web.app.test_client()
        with window.session_transaction() as cookie:
            cookie.update(kept)
        clicks.append(threading.Thread(target=send, args=(window,)))
        clicks[-1].start()
    for click in clicks:
        click.join()
    return sorted(statuses)


def test_a_person_who_is_sent_six_times_is_one_person(own_web: Web) -> None:
    staff, client = own_web.hospital.handshaker.staff, own_web.client("administrator")
    assert send_at_once(own_web, client, "/administration/people/new", _PERSON) == [200] + [303] * 5
    assert len(staff.members(text="Twin")) == 1


def test_a_patient_without_a_number_who_is_sent_six_times_is_one_patient(own_web: Web) -> None:
    client = own_web.client("administrator")
    assert send_at_once(own_web, client, "/administration/patients/new", _PATIENT) == [200] + [303] * 5
    own_web.hospital.drain()
    assert len(own_web.hospital.handshaker.patients.find(own_web.hospital.nurse, "doubled")) == 1


def test_a_form_that_was_refused_can_be_sent_again(own_web: Web) -> None:
    client = own_web.client("administrator")
    page = "/administration/patients/new"
    form = {**_PATIENT, "number": "T-1", "csrf_token": csrf_token(client, page)}
    assert client.post(page, data={**form, "once": "1" * 16}).status_code == 200
    assert client.post(page, data={**form, "once": "2" * 16}).status_code == 422
    assert client.post(page, data={**form, "once": "2" * 16, "number": "T-2"}).status_code == 200


def test_a_form_that_broke_on_the_way_can_be_sent_again(own_web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    client, page = own_web.client("administrator"), "/administration/patients/new"
    form = {**_PATIENT, "once": "3" * 16, "csrf_token": csrf_token(client, page)}
    with monkeypatch.context() as broken:
        broken.setattr(own_web.hospital.handshaker.registrar, "register_patient", None)
        assert client.post(page, data=form).status_code == 500
    assert client.post(page, data=form).status_code == 200
    assert client.post(page, data=form).status_code == 303
