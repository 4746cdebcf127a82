"""One of each act off the chain, and what the audit log calls it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from handshaker.errors import LoginRefused
from handshaker.logins import FREE_FAILURES
from handshaker.messages import Deployment
from handshaker.template_manager import shipped_documents
from handshaker.totp import code_at
from handshaker.vocabulary import ActCode
from tests.instances import LICENCE, Instance, demographics

PASSWORD, OTHER = "correct horse battery staple", "a cage of forty wrens"


class Deeds:
    """One of each, done by the administrator of a hospital."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.by = instance.administrator
        self.parts = instance.handshaker

    # ---- registrar

    def enroll_administrator(self) -> None:
        self.parts.registrar.enroll_administrator("Third")

    def register_organisation(self) -> None:
        self.parts.registrar.register_organisation(self.by, 9, "Ninth")

    def rename_organisation(self) -> None:
        self.parts.registrar.register_organisation(self.by, 1, "Lakeside & Sons")

    def register_practitioner(self) -> None:
        self.parts.registrar.register_practitioner(self.by, "Somebody", "nurse", 1, LICENCE)

    def change_practitioner(self) -> None:
        self.parts.registrar.change_practitioner(self.by, self.instance.nurse.actor.actor_id, name="Renamed")

    def end_practitioner(self) -> None:
        self.parts.registrar.end_practitioner(self.by, self.instance.doctor.actor.actor_id)

    def invite_again(self) -> None:
        self.parts.registrar.invite_again(self.by, self.instance.pathologist.actor.actor_id)

    def register_patient(self) -> None:
        self.parts.registrar.register_patient(self.by, demographics("Newcomer"))

    # ---- tokens

    def enroll(self) -> None:
        self.parts.tokens.enroll("0x" + "ab" * 16, by=self.by.actor.actor_id)

    def issue(self) -> None:
        self.parts.tokens.issue(self.by, ("read",), label="for the monitor")

    def invite(self) -> None:
        self.parts.tokens.invite(self.by)

    def revoke(self) -> None:
        self.parts.tokens.revoke(self.by.actor.actor_id, self._issued())

    def revoke_all(self) -> None:
        nurse = self.instance.nurse.actor.actor_id
        self.parts.tokens.revoke_all(nurse)

    # ---- templates

    def propose(self) -> None:
        self._proposed()

    def approve(self) -> None:
        self.parts.reviews.approve(self.instance.second_administrator, self._proposed())

    def reject(self) -> None:
        self.parts.reviews.reject(self.instance.second_administrator, self._proposed())

    def withdraw(self) -> None:
        self.parts.reviews.withdraw(self.by, self._proposed())

    # ---- logins

    def accept(self) -> None:
        self.parts.logins.accept(self.parts.tokens.invite(self.by), "administrator", PASSWORD)

    def log_in(self) -> None:
        self.accept()
        self.parts.logins.log_in("administrator", PASSWORD)

    def rest(self) -> None:
        self.accept()
        for _ in range(FREE_FAILURES):
            with pytest.raises(LoginRefused):
                self.parts.logins.log_in("administrator", "not the password")

    def change_password(self) -> None:
        session, secret = self.session()
        self.parts.logins.confirm_totp(session, secret, code_at(secret, self.instance.clock.now()))
        session = self.parts.sessions.authenticate(self.text)
        self.parts.logins.change_password(session, PASSWORD, OTHER)

    def confirm_totp(self) -> None:
        session, secret = self.session()
        self.parts.logins.confirm_totp(session, secret, code_at(secret, self.instance.clock.now()))

    # ---- the rest

    def rotate_root(self) -> None:
        self.parts.erasures.rotate_root(self.by.actor.actor_id)

    def adopt(self) -> None:
        known = self.parts.chain.deployment
        assert known is not None
        self.parts.adopt(Deployment(known.identity, known.addresses, known.block_number))

    def install(self) -> None:
        self.parts.templates.add(_next_version(), self.by.actor.actor_id)

    def _issued(self) -> str:
        return self.parts.tokens.issue(self.by, ("read",)).split("_")[1]

    def _proposed(self) -> str:
        return self.parts.reviews.propose(self.by, _next_version()).proposal_id

    def session(self) -> tuple[Any, str]:
        self.accept()
        self.text = self.parts.logins.log_in("administrator", PASSWORD)
        session = self.parts.sessions.authenticate(self.text)
        return session, self.parts.logins.begin_totp(session).secret


EXPECTED = {
    "enroll_administrator": {ActCode.TOKEN_MADE, ActCode.ADMINISTRATOR_ENROLLED},
    "register_organisation": {ActCode.ORGANISATION_ADDED},
    "rename_organisation": {ActCode.ORGANISATION_CHANGED},
    "register_practitioner": {ActCode.TOKEN_MADE, ActCode.PRACTITIONER_ADDED},
    "change_practitioner": {ActCode.PRACTITIONER_CHANGED},
    "end_practitioner": {ActCode.PRACTITIONER_ENDED},
    "invite_again": {ActCode.PRACTITIONER_RESET, ActCode.INVITATION_MADE},
    "register_patient": {ActCode.PATIENT_ADDED, ActCode.TOKEN_MADE},
    "enroll": {ActCode.TOKEN_MADE},
    "issue": {ActCode.TOKEN_MADE},
    "invite": {ActCode.INVITATION_MADE},
    "revoke": {ActCode.TOKEN_MADE, ActCode.TOKEN_REVOKED},
    "revoke_all": {ActCode.TOKEN_REVOKED},
    "propose": {ActCode.TEMPLATE_PROPOSED},
    "approve": {ActCode.TEMPLATE_PROPOSED, ActCode.TEMPLATE_APPROVED},
    "reject": {ActCode.TEMPLATE_PROPOSED, ActCode.TEMPLATE_REJECTED},
    "withdraw": {ActCode.TEMPLATE_PROPOSED, ActCode.TEMPLATE_WITHDRAWN},
    "accept": {ActCode.INVITATION_MADE, ActCode.LOGIN_MADE},
    "log_in": {ActCode.INVITATION_MADE, ActCode.LOGIN_MADE, ActCode.LOGGED_IN},
    "rest": {ActCode.INVITATION_MADE, ActCode.LOGIN_MADE, ActCode.LOGIN_RESTS},
    "confirm_totp": {ActCode.INVITATION_MADE, ActCode.LOGIN_MADE, ActCode.LOGGED_IN, ActCode.SECOND_FACTOR_SET},
    "change_password": {
        ActCode.INVITATION_MADE,
        ActCode.LOGIN_MADE,
        ActCode.LOGGED_IN,
        ActCode.SECOND_FACTOR_SET,
        ActCode.PASSWORD_CHANGED,
    },
    "rotate_root": {ActCode.ROOT_KEY_ROTATED},
    "adopt": {ActCode.DEPLOYMENT_ADOPTED},
    "install": {ActCode.TEMPLATE_INSTALLED},
}


def _next_version() -> dict[str, Any]:
    document = deepcopy(next(each for each in shipped_documents() if each["name"] == "clinical-note"))
    return document | {"version": document["version"] + 1, "title": "A clinical note, differently"}
