"""``AuditAnchor.tree``, branch by branch."""

from __future__ import annotations

from eth_abi.abi import encode

from handshaker.ethereum.contracts import functions
from handshaker.vocabulary import Duty
from tests.contracts import drafts
from tests.contracts.harness import Receipt, assert_emitted, assert_reverts
from tests.contracts.hospital import Hospital
from tests.contracts.people import ADMINISTRATOR, CO_ADMINISTRATOR, OPERATOR, address_of, key_of

FARTHEST = 2**32
ROOT, LATER_ROOT = b"\xaa" * 32, b"\xbb" * 32


def anchor(hospital: Hospital, size: int, root: bytes, sender: str) -> Receipt:
    item = functions("AuditAnchor")["anchor"]
    return hospital.evm.transact(
        hospital.addresses["AuditAnchor"], item.selector + encode(item.input_types, (size, root)), sender
    )


class TestAnchor:
    def test_when_the_sender_is_not_an_operator_it_reverts(self, hospital: Hospital) -> None:
        for key in (key_of("stranger"), ADMINISTRATOR):
            receipt = anchor(hospital, 1, ROOT, address_of(key))
            assert_reverts(receipt, "NotOperator", account=address_of(key))
        assert hospital.read("AuditAnchor", "head") == (0, bytes(32))

    def test_when_the_sender_is_an_operator_no_more_it_reverts(self, hospital: Hospital) -> None:
        leaving = drafts.appointment(address_of(OPERATOR), 0, version=2)
        hospital.must("Directory", "appointOfficer", leaving, ADMINISTRATOR, CO_ADMINISTRATOR)
        receipt = anchor(hospital, 1, ROOT, address_of(OPERATOR))
        assert_reverts(receipt, "NotOperator", account=address_of(OPERATOR))

    def test_when_the_size_does_not_grow_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(anchor(hospital, 0, ROOT, address_of(OPERATOR)), "SizeNotGrowing", current=0, size=0)
        assert anchor(hospital, 5, ROOT, address_of(OPERATOR)).status == 1
        for size in (4, 5):
            receipt = anchor(hospital, size, LATER_ROOT, address_of(OPERATOR))
            assert_reverts(receipt, "SizeNotGrowing", current=5, size=size)
        assert hospital.read("AuditAnchor", "head") == (5, ROOT)

    def test_when_the_size_grows_too_far_it_reverts(self, hospital: Hospital) -> None:
        assert anchor(hospital, 7, ROOT, address_of(OPERATOR)).status == 1
        for size in (7 + FARTHEST + 1, 2**64 - 1):
            receipt = anchor(hospital, size, LATER_ROOT, address_of(OPERATOR))
            assert_reverts(receipt, "GrowthTooLarge", current=7, size=size)
        assert anchor(hospital, 7 + FARTHEST, LATER_ROOT, address_of(OPERATOR)).status == 1

    def test_when_the_size_grows_it_stores_the_head(self, hospital: Hospital) -> None:
        new_operator = address_of(key_of("new operator"))
        appointed = drafts.appointment(new_operator, int(Duty.OPERATOR))
        hospital.must("Directory", "appointOfficer", appointed, ADMINISTRATOR, CO_ADMINISTRATOR)
        for size, root, operator in ((1, ROOT, address_of(OPERATOR)), (1 + FARTHEST, LATER_ROOT, new_operator)):
            receipt = anchor(hospital, size, root, operator)
            assert_emitted(receipt, "AuditAnchor", "Anchored", size=size, root=root, operator=operator)
            assert hospital.read("AuditAnchor", "head") == (size, root)


class TestHead:
    def test_given_nothing_was_anchored_it_returns_zeros(self, hospital: Hospital) -> None:
        assert hospital.read("AuditAnchor", "head") == (0, bytes(32))
