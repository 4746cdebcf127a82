"""Another language reaches every word: on the main pages nothing is left of English but names and codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from typing import Any

import pytest
from babel.messages import Catalog

from handshaker.clinical import writing
from handshaker.errors import HandshakerError
from handshaker.vocabulary import AccessReason, ActCode, Purpose
from scripts.catalogues import compile_catalogue, extract
from tests.instances import Instance
from tests.webapp.addresses import address, arguments, declared, pages
from tests.webapp.sources import TOLD
from tests.webapp.web import ROLES, Web

OPEN, CLOSE = "⟦", "⟧"
LANGUAGE = "de"
"""Stands for any language: its catalogue puts each text into brackets, and dates and plurals follow its rules."""
NAMES = {"Handshaker", "Blockchain", "Ethereum", "ETH", "YAML", "TOTP", "gwei", "Jan", "Nov", "Sample"}
"""Words that are the same in every language."""
_WORD = re.compile(r"(?<!0x)(?<![^\W_])[^\W\d_]{3,}")


class Shown(HTMLParser):
    """The words of a page that stand outside of brackets, as people read or hear them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.bare: list[str] = []
        self._inside: list[str] = []
        self._depth = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Times are written by CLDR; code, names of people and what people wrote are marked as such.
        marked = {("data-verbatim", None), ("class", "same")} & set(attrs)
        is_nested = self._inside[-1:] == [tag]
        if tag in {"script", "style", "code", "time", "pre", "textarea", "ins", "del"} or marked or is_nested:
            self._inside.append(tag)
        for name, value in attrs:
            if name in TOLD and tag != "time" and "code" not in self._inside[-1:] and tag != "code":
                self._read(value or "")

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self._read(data)

    def _read(self, text: str) -> None:
        bare = ""
        for letter in text:
            self._depth += (letter == OPEN) - (letter == CLOSE)
            bare += " " if self._depth or letter == CLOSE else letter
        self.bare += _WORD.findall(bare)


@pytest.fixture(scope="module")
def foreign(hospital: Instance, tmp_path_factory: pytest.TempPathFactory) -> Web:
    """The application in a language whose every text stands in brackets."""
    from webapp.application import make_app

    folder = tmp_path_factory.mktemp("translations")
    compile_catalogue(bracketed(extract()), folder / LANGUAGE / "LC_MESSAGES" / "messages.mo")
    changes = {"locale": LANGUAGE, "web_rate_limits": False}
    hospital.handshaker.settings = hospital.handshaker.settings.model_copy(update=changes)
    app = make_app(hospital.handshaker)
    app.extensions["babel"].translation_directories = [str(folder)]
    return Web(app, hospital)


def bracketed(texts: Catalog) -> Catalog:
    catalogue = Catalog(LANGUAGE)
    for message in texts:
        if isinstance(message.id, tuple):
            catalogue.add(message.id, tuple(f"{OPEN}{text}{CLOSE}" for text in message.id))
        elif message.id:
            catalogue.add(message.id, f"{OPEN}{message.id}{CLOSE}", context=message.context)
    return catalogue


def given_by_the_library(instance: Instance) -> Iterator[str]:
    """What pages show as they got it: names, what people signed, terms of LOINC, what the library reports of itself."""
    parts = instance.handshaker
    yield from (actor.name for actor in parts.store.people.actors())
    yield from (organisation.name for organisation in parts.staff.organisations())
    for patient in (instance.consented, instance.silent):
        yield parts.patients.identity(instance.nurse, patient.actor.actor_id).name
    for template in parts.templates.list():
        yield from (template.name, template.title, str(template.sentence))
    for panel in writing.PANELS:
        yield from (panel.name, *(analyte.name for analyte in panel.analytes))
    yield from (f"{sign.name} {sign.unit}" for sign in writing.VITAL_SIGNS)
    yield from ("Blood pressure", Purpose.TREAT.display)
    yield from (each.sentence for each in (*ActCode, *AccessReason))
    yield from (f"{check.name} {check.detail} {check.mend}" for check in parts.health.ready())
    yield str(parts.health.network())
    for not_yet in (
        partial(parts.proofs.consistency, 1, 2),
        partial(parts.proofs.prove, parts.store.audit.latest(1)[0]),
    ):
        with pytest.raises(HandshakerError) as refused:
            not_yet()
        yield f"{refused.value} {refused.value.mend}"
    for row in parts.explorer.search(limit=100).rows:
        reason = parts.explorer.status(row.ti_id).reason
        yield f"{row.code} {reason.sentence} {reason.next_step}" if reason else str(row.code)


def known_words(instance: Instance) -> set[str]:
    """The words that no catalogue of the web application has to change."""
    return {word for text in given_by_the_library(instance) for word in _WORD.findall(text)} | NAMES | set(ROLES)


def proposed(instance: Instance) -> str:
    """The id of a template that waits for the second administrator."""
    document = instance.handshaker.templates.document("clinical-note")
    reviews = instance.handshaker.reviews
    return reviews.propose(instance.administrator, document | {"version": 2, "lifetime": 3600}).proposal_id


def main_pages(web: Web, values: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Every page with somebody who may open it."""
    for rule in pages(web.app):
        allowed = declared(web.app, rule)
        if "GET" in (rule.methods or ()):
            yield address(web.app, rule, values), next((role for role in ("nurse", *ROLES) if role in allowed), None)


def test_pages_speak_the_language_of_the_hospital(foreign: Web) -> None:
    hospital = foreign.hospital
    reading, refused = hospital.measure(), hospital.measure(hospital.silent)
    hospital.drain()
    values = arguments(
        hospital.consented.actor.actor_id,
        hospital.nurse.actor.actor_id,
        reading.ti_id,
        proposal_id=proposed(hospital),
        **{"care.discard.ti_id": refused.ti_id},
    )
    known = known_words(hospital)
    left = {}
    for where, role in main_pages(foreign, values):
        answer = foreign.client(role).get(where, follow_redirects=True)
        if answer.mimetype != "text/html":
            continue
        bare = [word for word in Shown(answer.text).bare if word not in known]
        if bare:
            left[where] = bare
    assert left == {}


def test_the_document_names_its_language(foreign: Web) -> None:
    assert f'<html lang="{LANGUAGE}"' in foreign.client().get("/login").text


def test_the_reader_of_pages_notices_what_was_not_translated() -> None:
    page = f'<p title="Close it">{OPEN}Fine <b>here</b>{CLOSE} and not <code>there</code></p>'
    assert Shown(page).bare == ["Close", "and", "not"]
