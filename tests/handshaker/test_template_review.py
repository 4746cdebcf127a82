"""A template is added by four eyes: one administrator proposes, another one approves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.differences import DiffLine, difference
from handshaker.errors import (
    HandshakerError,
    Implausible,
    InputInvalid,
    NotFound,
    NotYourProposal,
    ProposalDecided,
    ProposalExists,
    RoleNotAllowed,
    SchemaViolated,
    SecondAdministratorNeeded,
    TemplateImmutable,
    TemplateInvalid,
)
from handshaker.ethereum.statements import statement_type
from handshaker.template_files import as_yaml
from handshaker.template_manager import shipped_documents
from handshaker.template_review import TemplateReviews
from tests.handshaker.templates.fakes import ward
from tests.instances import Instance, blood_pressure, hospital, own_hospital, pattern_hospital

__all__ = ["hospital", "own_hospital", "pattern_hospital"]


def reviews(instance: Instance) -> TemplateReviews:
    return instance.handshaker.reviews


def test_a_proposal_becomes_a_template_only_when_a_second_administrator_approves(own_hospital: Instance) -> None:
    proposal = reviews(own_hospital).propose(own_hospital.administrator, ward())
    assert [each.proposal_id for each in reviews(own_hospital).open()] == [proposal.proposal_id]
    assert own_hospital.handshaker.templates.versions("open-ward") == ()
    assert proposal.proposer_name == "First Administrator"
    template = reviews(own_hospital).approve(own_hospital.second_administrator, proposal.proposal_id)
    assert template.reference == "open-ward@1"
    assert own_hospital.handshaker.templates.get("open-ward").digest == proposal.digest
    assert reviews(own_hospital).open() == []
    decided = reviews(own_hospital).decided()[0]
    assert (decided.decision, decided.decider_name) == ("approved", "Second Administrator")
    assert decided.decided_at is not None


def test_nobody_decides_on_their_own_proposal_but_may_withdraw_it(own_hospital: Instance) -> None:
    proposal = reviews(own_hospital).propose(own_hospital.administrator, ward())
    for decide in (reviews(own_hospital).approve, reviews(own_hospital).reject):
        with pytest.raises(SecondAdministratorNeeded) as refusal:
            decide(own_hospital.administrator, proposal.proposal_id)
        assert refusal.value.data == {"proposal_id": proposal.proposal_id}
    with pytest.raises(NotYourProposal):
        reviews(own_hospital).withdraw(own_hospital.second_administrator, proposal.proposal_id)
    assert reviews(own_hospital).withdraw(own_hospital.administrator, proposal.proposal_id).decision == "withdrawn"
    assert own_hospital.handshaker.templates.versions("open-ward") == ()


@pytest.mark.parametrize("first", ["approve", "reject"])
@pytest.mark.parametrize("second", ["approve", "reject"])
def test_a_proposal_is_decided_once(own_hospital: Instance, first: str, second: str) -> None:
    proposal = reviews(own_hospital).propose(own_hospital.administrator, ward())
    getattr(reviews(own_hospital), first)(own_hospital.second_administrator, proposal.proposal_id)
    for who, act in ((own_hospital.second_administrator, second), (own_hospital.administrator, "withdraw")):
        with pytest.raises(ProposalDecided) as refusal:
            getattr(reviews(own_hospital), act)(who, proposal.proposal_id)
        assert refusal.value.data["decision"] == {"approve": "approved", "reject": "rejected"}[first]


def test_a_version_is_proposed_by_one_at_a_time_and_again_once_it_was_turned_down(own_hospital: Instance) -> None:
    proposal = reviews(own_hospital).propose(own_hospital.administrator, ward())
    with pytest.raises(ProposalExists) as refusal:
        reviews(own_hospital).propose(own_hospital.second_administrator, ward(title="Another"))
    assert refusal.value.data == {"proposal_id": proposal.proposal_id, "name": "open-ward", "version": 1}
    reviews(own_hospital).reject(own_hospital.second_administrator, proposal.proposal_id)
    again = reviews(own_hospital).propose(own_hospital.second_administrator, ward(title="Another"))
    assert reviews(own_hospital).approve(own_hospital.administrator, again.proposal_id).title == "Another"


def test_only_the_next_version_of_a_sound_template_can_be_proposed(hospital: Instance) -> None:
    with pytest.raises(TemplateInvalid) as skipped:
        reviews(hospital).propose(hospital.administrator, ward(version=2))
    assert skipped.value.data["problems"][0]["path"] == "version"
    existing = hospital.handshaker.templates.document("vital-signs")
    for document in (existing, existing | {"title": "Something else"}):
        with pytest.raises(TemplateImmutable) as exists:
            reviews(hospital).propose(hospital.administrator, document)
        assert exists.value.data["next"] == existing["version"] + 1
    with pytest.raises(TemplateInvalid) as unsound:
        reviews(hospital).propose(hospital.administrator, ward(function="nothing"))
    assert unsound.value.data["problems"][0]["path"] == "function"
    assert reviews(hospital).open() == []


def test_a_proposal_that_another_way_overtook_is_not_approved(own_hospital: Instance) -> None:
    proposal = reviews(own_hospital).propose(own_hospital.administrator, ward())
    own_hospital.handshaker.templates.add(ward(title="Shipped meanwhile"), "handshaker")
    with pytest.raises(TemplateImmutable):
        reviews(own_hospital).approve(own_hospital.second_administrator, proposal.proposal_id)
    assert reviews(own_hospital).get(proposal.proposal_id).decision is None
    assert own_hospital.handshaker.templates.get("open-ward").title == "Shipped meanwhile"


def test_a_version_that_comes_between_check_and_approval_is_never_replaced(
    own_hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = reviews(own_hospital).propose(own_hospital.administrator, ward())
    templates = own_hospital.handshaker.templates
    check = templates.check_next

    def overtaken(document: object) -> object:
        found = check(document)  # type: ignore[arg-type]
        monkeypatch.setattr(templates, "check_next", check)
        templates.add(ward(title="Shipped meanwhile"), "handshaker")
        return found

    monkeypatch.setattr(templates, "check_next", overtaken)
    with pytest.raises(TemplateImmutable):
        reviews(own_hospital).approve(own_hospital.second_administrator, proposal.proposal_id)
    assert reviews(own_hospital).get(proposal.proposal_id).decision is None


def test_only_active_administrators_with_the_scope_take_part(hospital: Instance) -> None:
    administrator = hospital.administrator
    ended = replace(administrator, actor=replace(administrator.actor, active=False))
    narrow = replace(administrator, scopes=("submit", "read"))
    for who in (hospital.nurse, hospital.consented, ended, narrow):
        for act in (
            lambda: reviews(hospital).propose(who, ward()),  # noqa: B023
            lambda: reviews(hospital).approve(who, "x"),  # noqa: B023
            lambda: reviews(hospital).reject(who, "x"),  # noqa: B023
            lambda: reviews(hospital).withdraw(who, "x"),  # noqa: B023
        ):
            with pytest.raises(RoleNotAllowed):
                act()


def test_a_proposal_that_is_not_here_is_said_to_be(hospital: Instance) -> None:
    for act in (reviews(hospital).approve, reviews(hospital).reject, reviews(hospital).withdraw):
        with pytest.raises(NotFound):
            act(hospital.administrator, "11111111-1111-4111-8111-111111111111")
    with pytest.raises(NotFound):
        reviews(hospital).get("no")
    with pytest.raises(NotFound):
        reviews(hospital).find("open-ward@1")


def test_pasted_text_is_checked_with_the_line_of_each_problem(hospital: Instance) -> None:
    text = as_yaml(ward(lifetime="long"))
    with pytest.raises(TemplateInvalid) as refusal:
        reviews(hospital).check(text)
    (problem,) = refusal.value.data["problems"]
    assert text.splitlines()[problem["line"] - 1].startswith("lifetime:")
    with pytest.raises(InputInvalid) as malformed:
        reviews(hospital).check("name: a\nname: b")
    assert malformed.value.data["line"] == 2
    document, template = reviews(hospital).check(as_yaml(ward()))
    assert (document, template.reference) == (ward(), "open-ward@1")


@pytest.mark.parametrize("document", shipped_documents(), ids=lambda document: str(document["name"]))
def test_a_dry_run_shows_the_call_of_the_example(hospital: Instance, document: dict[str, object]) -> None:
    found = reviews(hospital).dry_run(document)
    kind = statement_type(found.contract, found.function)
    values = {field.name: field.value for field in found.fields}
    assert [(field.name, field.type) for field in found.fields] == list(kind.fields)
    words = kind.words(values)
    assert found.statement_hash == kind.struct_hash(words)
    assert found.calldata == kind.calldata(words, bytes(65))
    assert found.sentence
    assert found.role in document["roles"]  # type: ignore[operator]


def test_a_dry_run_takes_another_payload_and_passes_the_same_gates(hospital: Instance) -> None:
    document = hospital.handshaker.templates.document("vital-signs")
    one, other = (reviews(hospital).dry_run(document, blood_pressure(systolic)) for systolic in (110, 111))
    assert one.statement_hash != other.statement_hash
    with pytest.raises(Implausible):
        reviews(hospital).dry_run(document, blood_pressure(systolic=9000))
    with pytest.raises(SchemaViolated):
        reviews(hospital).dry_run(document, {"resourceType": "Patient"})
    with pytest.raises(TemplateInvalid, match="a dry run needs a payload"):
        reviews(hospital).dry_run(ward(example=None))
    assert reviews(hospital).dry_run(ward(example=None), {"number": 3, "open": False}).sentence == "Open ward 3."


def test_a_difference_names_what_came_and_went_and_leaves_the_rest_out(hospital: Instance) -> None:
    lines = reviews(hospital).difference(ward(version=2, lifetime=60), ward())
    changed = [(line.kind, line.text) for line in lines if line.kind in "+-"]
    assert changed == [("-", "version: 1"), ("+", "version: 2"), ("-", "lifetime: 600"), ("+", "lifetime: 60")]
    assert "@" in {line.kind for line in lines}
    assert reviews(hospital).difference(ward(), ward()) == []
    assert {line.kind for line in reviews(hospital).difference(ward(), None)} == {"+"}


@given(before=st.lists(st.sampled_from("abcdef"), max_size=30), after=st.lists(st.sampled_from("abcdef"), max_size=30))
def test_every_line_of_a_difference_stands_where_it_says(before: list[str], after: list[str]) -> None:
    lines = list(difference(before, after))
    shown = [line for line in lines if line.kind != "@"]
    for line in shown:
        assert line.old_no is None or before[line.old_no - 1] == line.text
        assert line.new_no is None or after[line.new_no - 1] == line.text
    assert applied(before, lines) == after


@given(before=st.lists(st.sampled_from("ab"), max_size=9), after=st.lists(st.sampled_from("ab"), max_size=9))
def test_a_difference_of_long_texts_is_coarse_and_true(before: list[str], after: list[str]) -> None:
    head, tail = ["same"] * 300, ["equal"] * 300
    old, new = head + before + tail, head + after + tail
    lines = list(difference(old, new))
    assert applied(old, lines) == new
    assert len(lines) <= len(before) + len(after) + 8
    assert bool(lines) is (before != after)


def test_texts_of_many_equal_lines_are_compared_without_comparing_each_with_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("difflib.SequenceMatcher")
    old, new = [str(number % 7) for number in range(8_000)], [str(number % 5) for number in range(8_000)]
    assert applied(old, list(difference(old, new))) == new


def applied(before: list[str], lines: list[DiffLine]) -> list[str]:
    """What ``before`` becomes when what is gone is left out and what is new put in."""
    gone = {line.old_no for line in lines if line.kind == "-"}
    rest = iter([text for number, text in enumerate(before, 1) if number not in gone])
    new = {line.new_no: line.text for line in lines if line.kind == "+"}
    total = len(before) - len(gone) + len(new)
    return [new[number] if number in new else next(rest) for number in range(1, total + 1)]


def test_a_refusal_never_shows_the_document(hospital: Instance, tmp_path: Path) -> None:
    with pytest.raises(HandshakerError) as refusal:
        reviews(hospital).propose(hospital.administrator, ward(motto="S3CRET"))
    assert "S3CRET" not in str(refusal.value) + repr(refusal.value.data)
