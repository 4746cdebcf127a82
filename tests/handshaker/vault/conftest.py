from __future__ import annotations

from collections.abc import Iterator

import pytest

from handshaker.vault import SqlVault
from tests.databases import Databases
from tests.handshaker.vault.place import VaultPlace


@pytest.fixture
def place(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultPlace]:
    found = VaultPlace(tmp_path_factory.mktemp("vault"))
    yield found
    databases.drop(found.folder)


@pytest.fixture
def vault(place: VaultPlace) -> Iterator[SqlVault]:
    opened = place.open()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_vault(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlVault]:
    """One vault for all examples of a property."""
    opened = VaultPlace(tmp_path_factory.mktemp("shared-vault")).open()
    yield opened
    opened.close()
