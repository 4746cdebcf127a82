"""No name and no value of a patient stands in an address, a title, a cookie or a log."""

from __future__ import annotations

import base64
import logging
import re

import pytest

from tests.webapp.care.ward import LIVE, Ward, title
from tests.webapp.web import Web

SECRETS = ("silent", "consented", "228.25", "37.91", "anaemic", "zed")
"""Nothing that ids and hashes, which are digits and a to f, can hold by chance."""


def told(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text.lower()]


def test_a_whole_shift_leaves_no_trace_of_names_and_values(own_web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ward, pages, addresses = Ward(own_web), list[str](), list[str]()
    hospital = own_web.hospital
    hospital.acknowledged(hospital.consent(hospital.consented, write=["notes", "vital-signs"]))

    def look(address: str) -> None:
        addresses.append(address)
        pages.append(ward.see(address))

    ward.find("consented", headers=LIVE)
    ward.find("silent")
    pages.append(ward.find("zed"))
    look(ward.measure(temperature="37.91"))
    answer = ward.fill(ward.vital_signs(ward.silent), systolic="228.25", diastolic="112")
    pages.append(answer.text)
    ti_id = ward.refused(temperature="37.91")
    look(ward.fill(f"/patients/{ward.consented}/note", text="Looks anaemic.", kind="34746-8").location)
    ward.press(f"/drafts/{ti_id}/ask")
    hospital.drain()
    for address in (
        *("/today", "/patients", "/drafts", "/requests", "/sent"),
        *(f"/sent/{ti_id}", f"/drafts/{ti_id}/discard", f"/patients/{ward.consented}", f"/patients/{ward.silent}"),
        *(ward.vital_signs(), f"/patients/{ward.consented}/note", f"/patients/{ward.silent}/consent"),
    ):
        look(address)
    assert set(told("".join(pages))) == set(SECRETS), "or the pages were not those that tell"
    for page in pages:
        assert told(title(page)) == []
        addresses += re.findall(r'(?:href|action|hx-get|hx-post)="([^"]*)"', page)
    assert [address for address in addresses if told(address)] == []
    assert told(caplog.text) == []
    cookie = ward.client.get_cookie("__Host-handshaker")
    assert cookie is not None
    body = cookie.value.lstrip(".").split(".")[0]
    assert told(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode("utf-8", "replace")) == []
