"""Web app and worker are processes of their own on one vault."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from handshaker.errors import KeyUnknown
from handshaker.messages import Sealed
from handshaker.vault import SqlVault
from tests.handshaker.vault.place import VaultPlace

CONTEXT = b"ti"


def in_vault(place: VaultPlace, act: Callable[..., Any], *arguments: object) -> Any:
    vault = place.open()
    try:
        return act(vault, *arguments)
    finally:
        vault.close()


def start(vault: SqlVault, number: int) -> tuple[str, str, Sealed]:
    vault.create_owner("patient")
    vault.create_owner(f"own {number}")
    return vault.blind_index("national", "1"), vault.create_relayer("first"), vault.seal("patient", b"hello", CONTEXT)


def destroy(vault: SqlVault, owner: str) -> None:
    vault.destroy_owner(owner)


def rotate(vault: SqlVault, times: int) -> None:
    for _ in range(times):
        vault.rotate_root()


def write(vault: SqlVault, number: int) -> list[Sealed]:
    sealed = []
    for turn in range(15):
        vault.create_owner(f"p{number}-{turn}")
        sealed.append(vault.seal(f"p{number}-{turn}", b"hello", CONTEXT))
    return sealed


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("attempt", range(6))
def test_processes_that_start_a_new_vault_at_once_agree_on_its_keys(
    processes: ProcessPoolExecutor, place: VaultPlace, attempt: int
) -> None:
    started = [processes.submit(in_vault, place, start, number) for number in range(4)]
    results = [each.result(timeout=120) for each in started]

    assert len({(index, relayer) for index, relayer, _ in results}) == 1
    vault = place.open()
    assert [vault.unseal(sealed, CONTEXT) for _, _, sealed in results] == [b"hello"] * 4
    vault.close()
    assert place.files() == ["root.key"]


def test_an_erasure_in_the_worker_is_obeyed_in_the_web_app(
    processes: ProcessPoolExecutor, place: VaultPlace, vault: SqlVault
) -> None:
    vault.create_owner("gone")
    sealed = vault.seal("gone", b"hello", CONTEXT)
    [(salt,)] = place.query("SELECT wrapped_salt FROM owners")

    processes.submit(in_vault, place, destroy, "gone").result(timeout=120)

    with pytest.raises(KeyUnknown):
        vault.unseal(sealed, CONTEXT)
    assert salt not in place.stored()


def test_nothing_is_lost_while_processes_write_and_others_rotate_the_root_key(
    processes: ProcessPoolExecutor, place: VaultPlace, vault: SqlVault
) -> None:
    writers = [processes.submit(in_vault, place, write, number) for number in range(2)]
    rotators = [processes.submit(in_vault, place, rotate, 8) for _ in range(2)]
    sealed: list[Sealed] = [each for writer in writers for each in writer.result(timeout=120)]
    for rotator in rotators:
        rotator.result(timeout=120)

    assert [vault.unseal(each, CONTEXT) for each in sealed] == [b"hello"] * 30
    assert place.files() == ["root.key"]
