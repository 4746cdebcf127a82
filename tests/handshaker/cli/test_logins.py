"""``handshaker invite`` and ``handshaker code``."""

from __future__ import annotations

from pathlib import Path

import pytest

from handshaker.errors import NotAuthenticated
from handshaker.login_files import KeptLogin, LoginFiles
from handshaker.totp import code_at
from tests.handshaker.accounts.people import PASSWORD, session_of
from tests.handshaker.cli.conftest import Shell, shell_of
from tests.instances import Instance

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def test_whoever_has_a_token_here_is_invited_to_choose_a_password(ward: Shell, hospital: Instance) -> None:
    answer = ward.json("invite", "nurse", "--as", "administrator", public_url="https://ward.example")
    assert answer["address"] == f"https://ward.example/welcome#{answer['code']}"
    hospital.handshaker.logins.accept(answer["code"], "nurse", PASSWORD)
    session = session_of(hospital, hospital.handshaker.logins.log_in("nurse", PASSWORD))
    assert hospital.measure(by=session.credential).refusal is None, "it is the key that they had"
    words = ward.run("invite", "nurse").stdout
    assert "/welcome#hsk_" in words
    assert "once" in words
    with pytest.raises(NotAuthenticated):
        hospital.handshaker.tokens.authenticate(words.rpartition("#")[2].strip())


def test_only_administrators_invite_again_and_only_practitioners(ward: Shell, hospital: Instance) -> None:
    nurse_id = hospital.nurse.actor.actor_id
    ward.fails("invite", nurse_id, "--as", "doctor", code="role-not-allowed", says="administrator")
    ward.fails("invite", "nobody", "--as", "administrator", code="not-found", says="neither a label")
    ward.fails("invite", nurse_id, code="not-authenticated", says="who you are")
    ward.fails("invite", "silent", code="not-authenticated", says="token")
    assert hospital.measure().refusal is None, "nothing was done to the nurse"


def test_whoever_is_invited_again_is_out_at_once_even_without_a_chain(own_hospital: Instance) -> None:
    shell = shell_of(own_hospital)
    shell.settings["token"] = own_hospital.tokens["administrator"]
    shell.fails("invite", own_hospital.nurse.actor.actor_id, code="chain-unreachable", says="node")
    with pytest.raises(NotAuthenticated):
        own_hospital.handshaker.tokens.authenticate(own_hospital.tokens["nurse"])


def test_the_present_code_of_a_demo_login_is_printed(shell: Shell, hospital: Instance) -> None:
    files = LoginFiles(Path(shell.settings["instance"]) / "logins")
    files.keep("administrator", KeptLogin("administrator", "unused", SECRET))
    files.keep("nurse-1", KeptLogin("nurse-1", "unused"))
    before = hospital.clock.now()
    digits = shell.run("code", "administrator").stdout.strip()
    after = hospital.clock.now()
    assert digits in {code_at(SECRET, before), code_at(SECRET, after)}
    assert shell.json("code", "administrator")["username"] == "administrator"
    for label in ("nurse-1", "nobody", "../administrator"):
        shell.fails("code", label, code="not-found", says="administrator")
