"""What people and contracts write is kept by both databases, also what one of them has no place for."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from handshaker.messages import Conclusion, Organisation, Verdict, VerdictKind
from handshaker.postgresql import without_nul
from handshaker.store.found import Criteria
from tests.instances import Instance

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
"""Anything but halves of surrogate pairs, which are no text."""
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1)
"""What JSON holds exactly; larger numbers of a contract arrive as text (`refusals.plain`)."""
HERE = settings(suppress_health_check=list(HealthCheck), deadline=None)


@HERE
@given(TEXTS)
@example("a\0b")
@example("Straße 'x' \\u0000 %s :name ?")
def test_a_name_comes_back_as_it_was_given(hospital: Instance, name: str) -> None:
    people = hospital.handshaker.store.people
    people.put_organisation(Organisation(9, name, True), 1)
    (found,) = [each.name for each in people.organisations() if each.organisation_id == 9]
    assert found in (name, without_nul(name))


@HERE
@given(TEXTS)
@example("a\0b")
def test_a_question_for_any_text_has_an_answer(hospital: Instance, text: str) -> None:
    store = hospital.handshaker.store
    assert store.logins.by_username(text) is None
    assert store.explorer.search(Criteria(template=text), None, 10) == []
    assert store.explorer.search(Criteria(code=text, error=text), None, 10) == []
    assert store.audit.acknowledgement_like(text.ljust(8, "x")) is None


@HERE
@given(st.recursive(st.none() | st.booleans() | NUMBERS | TEXTS, lambda inner: st.lists(inner), max_leaves=5))
@example("a\0b \\u0000 \\\\u0000")
def test_whatever_a_contract_says_is_acknowledged_and_found(hospital: Instance, said: object) -> None:
    store, now = hospital.handshaker.store, hospital.clock.now()
    submission = hospital.measure()
    verdict = Verdict(VerdictKind.INVALID, "not-permitted", {"said": said})
    (written,) = store.audit.conclude([Conclusion(submission.ti_id, verdict)], now)
    found = store.audit.acknowledgement_like(written.ti_id[:13].upper())
    assert found is not None
    assert found.arguments == {"said": without_nul(said)}


def test_names_of_workers_that_differ_in_capitals_are_two(own_hospital: Instance) -> None:
    own_hospital.measure()
    queue, now = own_hospital.handshaker.store.queue, own_hospital.clock.now()
    queue.take("Ward/aa", now, 10)
    queue.release_all("ward")
    assert queue.take("another", now, 10) == []
