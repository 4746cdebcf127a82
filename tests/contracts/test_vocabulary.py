"""``contracts/Vocabulary.sol`` and ``handshaker/vocabulary.py`` hold the same numbers, and the contracts keep them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handshaker.vocabulary import (
    ALL_CATEGORIES,
    CATEGORIES,
    CATEGORY_BITS,
    KNOWN_CATEGORIES,
    SENSITIVE_CATEGORIES,
    WRITABLE,
    Action,
    Duty,
    EmergencyLevel,
    Purpose,
    Role,
)
from tests.contracts import drafts
from tests.contracts.harness import assert_reverts
from tests.contracts.hospital import Hospital
from tests.contracts.people import ADMINISTRATOR, ALICE, LAKESIDE, Practitioner

SOURCE = (Path(__file__).parent.parent.parent / "contracts" / "Vocabulary.sol").read_text()


def constants() -> dict[str, int]:
    """Return the constants of the library by name, worked out from their expressions."""
    found: dict[str, int] = {}
    for name, expression in re.findall(r"uint\d+ internal constant (\w+) =\s*([^;]+);", SOURCE):
        # Numbers, names, shifts, ors, one minus and casts: the same in both languages.
        assert re.fullmatch(r"[\w\s()<|-]+", expression), expression
        found[name] = eval(re.sub(r"uint\d+\(", "(", expression), {"__builtins__": {}}, found)
    return found


def expected() -> dict[str, int]:
    """Return what Python says, under the names of Solidity."""
    said = {category.code.upper().replace("-", "_"): category.bit for category in CATEGORIES}
    for numbers in (Action, Purpose, Role, Duty):
        said |= {number.name: int(number) for number in numbers}
    said |= {f"EMERGENCY_{level.name}": int(level) for level in EmergencyLevel}
    said |= {f"{role.name}_WRITES": mask for role, mask in WRITABLE.items() if mask}
    return said | {
        "ALL_CATEGORIES": ALL_CATEGORIES,
        "SENSITIVE_CATEGORIES": SENSITIVE_CATEGORIES,
        "KNOWN_CATEGORIES": KNOWN_CATEGORIES,
        "KNOWN_DUTIES": sum(Duty),
        "PURPOSE_COUNT": len(Purpose),
        "ROLE_COUNT": max(Role) + 1,
    }


def test_solidity_and_python_say_the_same_numbers() -> None:
    assert constants() == expected()


def test_all_never_covers_a_sensitive_category() -> None:
    assert ALL_CATEGORIES & SENSITIVE_CATEGORIES == 0
    assert sum(1 << category.bit for category in CATEGORIES) == ALL_CATEGORIES | SENSITIVE_CATEGORIES
    assert KNOWN_CATEGORIES < 1 << CATEGORY_BITS


def test_every_number_of_a_kind_is_used_once() -> None:
    assert [int(purpose) for purpose in Purpose] == list(range(len(Purpose)))
    assert sorted(Role) == list(range(1, len(Role) + 1))
    assert len({category.bit for category in CATEGORIES}) == len({category.code for category in CATEGORIES})
    assert set(WRITABLE) == set(Role)


@pytest.mark.parametrize("role", Role)
def test_a_role_writes_its_categories_and_no_other(role: Role, hospital: Hospital) -> None:
    author = Practitioner(f"a {role.code}", LAKESIDE, role)
    hospital.must("Directory", "registerPractitioner", drafts.practitioner(author), ADMINISTRATOR)
    hospital.must("ConsentRegistry", "grant", drafts.grant(to=author, writeMask=KNOWN_CATEGORIES), ALICE.key)
    for category in CATEGORIES:
        receipt = hospital.submit("HealthRecords", "record", drafts.record(author, category=category.bit), author.key)
        if WRITABLE[role] & category.mask:
            assert receipt.status == 1
        else:
            assert_reverts(receipt, "RoleMayNotWrite", role=int(role), category=category.bit)
