from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handshaker.vault import SqlVault
from handshaker.vault.blind import normalised
from tests.handshaker.vault.place import VaultPlace


@pytest.mark.parametrize("same", ["943 476 5919", " 9434765919\n", "943\u00a0476\u00a05919", "９４３４７６５９１９"])
def test_an_identifier_is_found_however_it_was_typed(vault: SqlVault, same: str) -> None:
    assert vault.blind_index("national", same) == vault.blind_index("national", "9434765919")


def test_case_does_not_matter(vault: SqlVault) -> None:
    assert vault.blind_index("record", "ab-12C") == vault.blind_index("record", "AB-12c")


@given(one=st.text(), other=st.text())
@settings(max_examples=100, deadline=None)
def test_different_identifiers_have_different_indexes(shared_vault: SqlVault, one: str, other: str) -> None:
    indexes = [shared_vault.blind_index("national", value) for value in (one, other)]

    assert (indexes[0] == indexes[1]) == (normalised(one) == normalised(other))
    assert all(len(index) == 64 and set(index) <= set("0123456789abcdef") for index in indexes)


@given(value=st.text())
@settings(max_examples=100, deadline=None)
def test_normalising_twice_changes_nothing(value: str) -> None:
    assert normalised(normalised(value)) == normalised(value)


def test_the_same_value_of_another_kind_has_another_index(vault: SqlVault) -> None:
    assert vault.blind_index("ab", "c1") != vault.blind_index("a", "bc1")


def test_the_index_outlives_a_restart_and_a_rotation_and_belongs_to_this_vault_only(
    place: VaultPlace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    vault = place.open()
    index = vault.blind_index("national", "1")
    vault.rotate_root()
    vault.close()
    again = place.open()
    elsewhere = VaultPlace(tmp_path_factory.mktemp("elsewhere")).open()

    assert again.blind_index("national", "1") == index
    assert elsewhere.blind_index("national", "1") != index
    again.close()
    elsewhere.close()
