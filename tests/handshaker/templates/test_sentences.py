"""What people sign reads as a sentence, and tells nothing that it should not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.expressions import ExpressionInvalid
from handshaker.sentences import (
    category_words,
    date_words,
    protected_list_code,
    purpose_words,
    render,
    sentence_paths,
    sentence_problems,
)
from handshaker.vocabulary import CATEGORIES, Purpose, organisation_grantee
from tests.handshaker.templates.fakes import shipped

SALT = bytes(range(32))
REFERENCE = "QRSTUVWXYZ234567ABCDEFGHIJ"
NAMES = {"0x" + organisation_grantee(1).hex(): "Lakeside Hospital"}
CONTEXT = {"reference": REFERENCE, "names": NAMES}
SENSITIVE = [category for category in CATEGORIES if category.is_sensitive]
ENDING = f"This replaces what I chose before for the same purpose. Reference {REFERENCE}"


def consent(**payload: Any) -> str:
    base = {"grantee": "organisation/1", "purpose": "TREAT", "notAfter": "2027-03-01T00:00:00Z"}
    return render(shipped("consent-grant")["sentence"], base | payload, CONTEXT, SALT)


def withdrawal(**payload: Any) -> str:
    base = {"grantee": "organisation/1", "purpose": "TREAT"}
    return render(shipped("consent-revoke")["sentence"], base | payload, CONTEXT, SALT)


def test_a_consent_reads_as_a_sentence() -> None:
    both = ["vital-signs", "laboratory"]
    assert consent(read=both, write=both) == (
        "Allow Lakeside Hospital to read and write my vital signs and laboratory results for treatment until "
        f"1 March 2027. {ENDING}"
    )


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"read": ["notes"]}, "Allow Lakeside Hospital to read my notes of doctors and nurses for treatment until"),
        ({"write": ["notes"]}, "Allow Lakeside Hospital to write my notes of doctors and nurses for treatment until"),
        (
            {"read": ["all"], "write": ["vital-signs"]},
            "Allow Lakeside Hospital to read my general records of every kind and to write my vital signs for",
        ),
        ({"read": ["all", "imaging"]}, "to read my general records of every kind for treatment"),
        (
            {"read": ["laboratory", "vital-signs", "imaging"]},
            "to read my vital signs, laboratory results and images and scans for",
        ),
        ({"read": ["vital-signs"], "notBefore": "2026-12-05T00:00:00Z"}, "from 5 December 2026 until 1 March 2027."),
        ({"read": ["vital-signs"], "notAfter": "2027-03-01T14:30:00Z"}, "until 1 March 2027 at 14:30 UTC."),
        ({"read": ["vital-signs"], "purpose": "HRESCH"}, "my vital signs for research until"),
        (
            {"read": ["vital-signs"], "deny": ["imaging"]},
            "until 1 March 2027. Deny it access to my images and scans for this purpose until I change this. This",
        ),
        (
            {"deny": ["imaging"]},
            "Deny Lakeside Hospital access to my images and scans for treatment until I change this. This replaces",
        ),
    ],
)
def test_each_form_of_a_consent_has_its_words(payload: dict[str, Any], sentence: str) -> None:
    assert sentence in consent(**payload)
    assert consent(**payload).endswith(ENDING)


def test_a_withdrawal_reads_as_a_sentence() -> None:
    assert withdrawal() == f"Withdraw everything that I allowed Lakeside Hospital for treatment. Reference {REFERENCE}"
    assert withdrawal(deny=["imaging"]) == (
        "Withdraw everything that I allowed Lakeside Hospital for treatment, and deny access to my images and scans "
        f"until I change this. Reference {REFERENCE}"
    )


def test_a_withdrawal_works_also_when_the_name_is_not_known() -> None:
    assert "I allowed the organisation 9 for treatment" in withdrawal(grantee="organisation/9")


def test_a_consent_to_somebody_without_a_name_cannot_be_signed() -> None:
    with pytest.raises(ExpressionInvalid, match="name of a grantee that is not known"):
        consent(grantee="organisation/9", read=["vital-signs"])


@pytest.mark.parametrize("kind", ["read", "write", "deny"])
@pytest.mark.parametrize("category", SENSITIVE, ids=lambda category: category.code)
def test_a_sensitive_category_is_never_named(kind: str, category: Any) -> None:
    sentence = consent(**{kind: [category.code]})
    assert f"my specially protected records (list {protected_list_code([category.code], SALT)})" in sentence
    for word in {*category.display.split(), *category.code.split("-")} - {"records", "under", "about", "or", "and"}:
        assert word.lower() not in sentence.lower().replace("specially protected records", "").split()


@given(
    st.lists(st.sampled_from(SENSITIVE), min_size=1, unique=True),
    st.lists(st.sampled_from(SENSITIVE), min_size=1, unique=True),
)
def test_sentences_about_any_sensitive_lists_differ_only_in_the_code(one: list[Any], other: list[Any]) -> None:
    first, second = (consent(read=[category.code for category in codes]) for codes in (one, other))
    assert len(first) == len(second)
    first_code, second_code = (
        protected_list_code([category.code for category in codes], SALT) for codes in (one, other)
    )
    assert first.replace(first_code, "····") == second.replace(second_code, "····")


def test_the_code_of_a_list_depends_on_the_salt_and_not_on_the_order() -> None:
    codes = ["psychiatry", "restricted"]
    assert protected_list_code(codes, SALT) == protected_list_code(reversed(codes), SALT)
    assert len({protected_list_code(codes, bytes([byte]) * 32) for byte in range(50)}) > 45


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2027-03-01T00:00:00Z", "1 March 2027"),
        ("2027-03-01T23:59:59Z", "the end of 1 March 2027"),
        ("2027-12-31T23:30:00-01:00", "1 January 2028 at 00:30 UTC"),
        ("2027-03-01T14:30:05Z", "1 March 2027 at 14:30:05 UTC"),
    ],
)
def test_a_moment_is_written_out(moment: str, words: str) -> None:
    assert date_words(moment) == words


@given(st.datetimes())
def test_different_seconds_have_different_words(moment: Any) -> None:
    text = moment.replace(microsecond=0).isoformat() + "+00:00"
    assert str(moment.year) in date_words(text)
    assert ("UTC" in date_words(text)) == (text[11:19] not in ("00:00:00", "23:59:59"))


def test_every_purpose_has_words() -> None:
    assert [purpose_words(purpose.name) for purpose in Purpose] == [purpose.display for purpose in Purpose]
    with pytest.raises(ExpressionInvalid):
        purpose_words("FUN")


def test_no_categories_are_no_records() -> None:
    assert category_words([], SALT) == "no records"


@pytest.mark.parametrize("name", ["Lakeside\nHospital", "Lakeside\u202eHospital", "Lakeside {{ x }}; Hospital"])
def test_a_name_cannot_disguise_the_sentence_around_it(name: str) -> None:
    context = {"reference": REFERENCE, "names": {next(iter(NAMES)): name}}
    sentence = render("{{ payload.grantee | named }}.", {"grantee": "organisation/1"}, context, SALT)
    assert "\n" not in sentence
    assert set(sentence) <= set("Lakesid Hoptl .x")


@pytest.mark.parametrize(
    "sentence",
    [
        "{{ payload.x.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ payload.x * 100000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ payload.nothing }}",
        "{{ payload.x.y.z }}",
        "{{ payload.x | date }}",
        "{{ '%s' % payload.x }}",
        "   ",
    ],
)
def test_a_sentence_cannot_reach_out_of_its_payload(sentence: str) -> None:
    with pytest.raises(ExpressionInvalid) as refusal:
        render(sentence, {"x": "Zebedee"}, CONTEXT, SALT)
    assert "Zebedee" not in str(refusal.value)


def test_a_sentence_without_end_is_refused() -> None:
    with pytest.raises(ExpressionInvalid, match="1 to 2000 characters"):
        render("{{ payload.x }}", {"x": "word " * 1000}, CONTEXT, SALT)


def test_names_that_a_sentence_makes_itself_are_its_own() -> None:
    assert sentence_problems("{% set a = payload.x %}{% for b in a %}{{ b }}{% endfor %}", {}) == []


@pytest.mark.parametrize(
    "sentence", ["{{ self }}", "{{ namespace() }}", "{{ cycler }}", "{{ loop.index }}", "{{ lipsum() }}"]
)
def test_only_payload_and_context_are_known(sentence: str) -> None:
    assert "speaks of payload and context only" in sentence_problems(sentence, {})[0]


def test_the_paths_of_a_sentence_are_known() -> None:
    source = "{{ payload.a.b | default('') }} {{ payload['c'] }} {% if context.now %}{{ payload }}{% endif %}"
    assert sentence_paths(source) == {("payload", "a", "b"), ("payload", "c"), ("context", "now"), ("payload",)}
