"""The demo's logins: made once, kept in files of their owner, and never in the way of what people change."""

from __future__ import annotations

from pathlib import Path

import pytest

from handshaker.demo_logins import make_login, new_password
from handshaker.errors import LoginRefused
from handshaker.login_files import LoginFiles
from handshaker.passwords import require_strong
from tests.handshaker.accounts.people import code_of, session_of
from tests.instances import Instance


@pytest.fixture
def files(tmp_path: Path) -> LoginFiles:
    return LoginFiles(tmp_path / "logins")


def test_a_login_is_made_once_and_kept_for_its_owner_only(own_hospital: Instance, files: LoginFiles) -> None:
    for _ in range(2):
        make_login(own_hospital.handshaker, files, "nurse-1", own_hospital.tokens["nurse"])
    kept = files.find("nurse-1")
    assert kept is not None
    assert (kept.username, kept.totp_secret) == ("nurse-1", "")
    assert kept.password not in repr(kept)
    assert files.names() == ["nurse-1"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (files.folder, *files.folder.iterdir()))
    text = own_hospital.handshaker.logins.log_in("nurse-1", files.password("nurse-1"))
    assert own_hospital.measure(by=session_of(own_hospital, text).credential).refusal is None
    own_hospital.handshaker.tokens.authenticate(own_hospital.tokens["nurse"])


def test_an_administrator_has_a_second_factor_whose_present_code_is_not_used_up(
    own_hospital: Instance, files: LoginFiles
) -> None:
    make_login(own_hospital.handshaker, files, "administrator", own_hospital.tokens["administrator"])
    kept = files.find("administrator")
    assert kept is not None
    text = own_hospital.handshaker.logins.log_in(
        "administrator", kept.password, code_of(own_hospital, kept.totp_secret)
    )
    assert session_of(own_hospital, text).credential.scopes == ("submit", "read", "administer")
    assert len(own_hospital.handshaker.sessions.live(own_hospital.administrator.actor.actor_id)) == 1


def test_a_run_that_was_stopped_halfway_goes_on_with_the_same_password(
    own_hospital: Instance, files: LoginFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    token = own_hospital.tokens["administrator"]
    for name in ("accept", "confirm_totp"):
        with monkeypatch.context() as patch:
            patch.setattr(own_hospital.handshaker.logins, name, stopped)
            with pytest.raises(KeyboardInterrupt):
                make_login(own_hospital.handshaker, files, "administrator", token)
    before = files.find("administrator")
    make_login(own_hospital.handshaker, files, "administrator", token)
    assert files.find("administrator") == before
    assert own_hospital.handshaker.logins.has_totp(own_hospital.administrator.actor.actor_id)


def test_whoever_was_ended_or_changed_the_password_is_left_alone(own_hospital: Instance, files: LoginFiles) -> None:
    handshaker = own_hospital.handshaker
    make_login(handshaker, files, "nurse-1", own_hospital.tokens["nurse"])
    first = files.password("nurse-1")
    session = session_of(own_hospital, handshaker.logins.log_in("nurse-1", first))
    handshaker.logins.change_password(session, first, "seven lilac umbrellas")
    make_login(handshaker, files, "nurse-1", own_hospital.tokens["nurse"])
    handshaker.logins.log_in("nurse-1", "seven lilac umbrellas")
    handshaker.registrar.end_practitioner(own_hospital.administrator, own_hospital.nurse.actor.actor_id)
    make_login(handshaker, files, "nurse-1", own_hospital.tokens["nurse"])
    with pytest.raises(LoginRefused):
        handshaker.logins.log_in("nurse-1", first)


def test_made_up_passwords_are_strong_and_each_another() -> None:
    made = {new_password() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        require_strong(password, "nurse-1")
