"""The chain that the Handshaker brings along: its secret, its data, its port, and its errors that name the mend."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from eth_account import Account

from handshaker.errors import InputInvalid
from handshaker.ethereum.ganache import (
    DatabaseLocked,
    GanacheNode,
    MnemonicUnusable,
    funding_key,
    load_mnemonic,
    make_mnemonic,
    read_options,
)
from handshaker.ethereum.processes import ROOT, NodeFailed, NodeMissing, PortTaken, ask
from tests.nodes import Node


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def node_at(running: GanacheNode) -> Node:
    return Node("ganache", running.url, running.funding_key())


# ---- the secret ----------------------------------------------------------------------------------------------------


def test_the_mnemonic_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "mnemonic"
    first = load_mnemonic(path)
    assert load_mnemonic(path) == first
    assert len(first.split()) == 12
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_two_instances_have_two_mnemonics() -> None:
    assert make_mnemonic() != make_mnemonic()


def test_processes_that_come_first_together_get_the_same_mnemonic(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "mnemonic"
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: load_mnemonic(path), range(8)))
    assert len(found) == 1


def test_a_mnemonic_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mnemonic"
    load_mnemonic(path)
    path.chmod(0o640)
    with pytest.raises(MnemonicUnusable, match="0600"):
        load_mnemonic(path)


def test_a_file_without_a_mnemonic_is_refused_and_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "mnemonic"
    path.write_text("quite another secret\n")
    path.chmod(0o600)
    with pytest.raises(MnemonicUnusable) as refused:
        load_mnemonic(path)
    assert "another secret" not in str(refused.value)


def test_a_chain_whose_mnemonic_is_lost_is_not_given_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "chain").mkdir()
    (tmp_path / "chain" / "CURRENT").write_text("")
    with pytest.raises(MnemonicUnusable):
        GanacheNode(tmp_path, port=0).start()
    assert not (tmp_path / "keys").exists()


def test_neither_the_list_of_processes_nor_the_environment_shows_the_mnemonic(tmp_path: Path) -> None:
    with GanacheNode(tmp_path, port=0) as node:
        first_words = b" ".join(load_mnemonic(tmp_path / "keys" / "mnemonic").encode().split()[:2])
        shown = [Path(f"/proc/{node.pid}/{what}").read_bytes() for what in ("cmdline", "environ")]
    assert not any(first_words in text for text in shown)


def test_the_node_itself_signs_for_nobody(ganache_node: Node) -> None:
    address = Account.from_key(ganache_node.funded_private_key).address
    answer = ganache_node.request("eth_sendTransaction", {"from": address, "to": address, "value": "0x1"})
    assert "error" in answer


# ---- the chain and its data ----------------------------------------------------------------------------------------


def test_the_options_are_those_of_the_house() -> None:
    options = read_options()
    assert options["chain"] == {"chainId": 1337, "networkId": 1337, "hardfork": "shanghai"}
    assert options["server"] == {"host": "127.0.0.1", "port": 8545}
    assert "mnemonic" not in options["wallet"]


def test_the_chain_is_the_one_that_the_options_name(ganache_url: str) -> None:
    assert int(ask(ganache_url, "eth_chainId"), 16) == 1337
    assert ask(ganache_url, "net_version") == "1337"


def test_the_funded_account_is_the_mnemonics_first(ganache_node: Node) -> None:
    address = Account.from_key(ganache_node.funded_private_key).address
    assert [account.lower() for account in ganache_node.ask("eth_accounts")] == [address.lower()]
    assert len(funding_key(make_mnemonic())) == 32


def test_what_was_mined_survives_a_kill(tmp_path: Path) -> None:
    running = GanacheNode(tmp_path, port=0).start()
    node, to = node_at(running), Account.from_key(os.urandom(32)).address
    genesis = node.ask("eth_getBlockByNumber", "0x0", False)["hash"]
    sent = node.transfer(running.funding_key(), to, 7)
    assert running.pid is not None
    os.kill(running.pid, signal.SIGKILL)
    running.stop()

    with GanacheNode(tmp_path, port=0) as again:
        node = node_at(again)
        assert node.ask("eth_getBlockByNumber", "0x0", False)["hash"] == genesis
        assert node.ask("eth_getTransactionReceipt", "0x" + sent.hex())["status"] == "0x1"
        assert int(node.ask("eth_getBalance", to, "latest"), 16) == 7


# ---- errors that name the mend -------------------------------------------------------------------------------------


def test_a_second_node_on_the_same_chain_is_told_so(tmp_path: Path) -> None:
    with GanacheNode(tmp_path, port=0), pytest.raises(DatabaseLocked, match="Use the chain that runs"):
        GanacheNode(tmp_path, port=0).start()


def test_a_port_taken_by_our_own_chain_is_told_as_ours(tmp_path: Path) -> None:
    with GanacheNode(tmp_path, port=0) as node:
        with pytest.raises(PortTaken, match="runs on port") as taken:
            GanacheNode(tmp_path, port=port_of(node.url)).start()
        assert node.is_running
    assert taken.value.data["ours"] is True


def test_a_port_taken_by_another_chain_is_told_as_anothers(tmp_path: Path, ganache_url: str) -> None:
    with pytest.raises(PortTaken, match=r"Another chain \(id 1337\)") as taken:
        GanacheNode(tmp_path, port=port_of(ganache_url)).start()
    assert taken.value.data["ours"] is False


@contextmanager
def silent_service() -> Iterator[int]:
    """A server that hangs up on everybody; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            try:
                while True:
                    server.accept()[0].close()
            except OSError:
                pass

        thread = Thread(target=hang_up)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_port_taken_by_something_else_is_told_as_no_node(tmp_path: Path) -> None:
    with silent_service() as port, pytest.raises(PortTaken, match="no node") as taken:
        GanacheNode(tmp_path, port=port).start()
    assert taken.value.data == {"port": port, "ours": False}


def test_a_missing_node_names_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NodeMissing, match="npm ci"):
        GanacheNode(tmp_path, port=0).start()


def test_a_missing_package_names_the_mend(tmp_path: Path) -> None:
    with pytest.raises(NodeMissing, match="npm ci") as missing:
        GanacheNode(tmp_path, port=0, root=tmp_path).start()
    assert missing.value.data == {"missing": "ganache"}


def test_options_that_ganache_refuses_are_told_in_one_line(tmp_path: Path) -> None:
    options = read_options()
    options["chain"] = {**options["chain"], "hardfork": "cancun"}
    with pytest.raises(NodeFailed) as failed:
        GanacheNode(tmp_path, options=options, port=0).start()
    assert "cancun" in str(failed.value)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [("{", "cannot be read as JSON"), ("[]", "server.host is missing"), ('{"server": {"host": ""}}', "server.port")],
)
def test_faulty_options_are_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "ganache.json"
    path.write_text(text)
    with pytest.raises(InputInvalid, match=problem):
        read_options(path)


# ---- the script ----------------------------------------------------------------------------------------------------


def test_the_script_runs_the_chain_until_it_is_told_to_end(tmp_path: Path) -> None:
    command = [sys.executable, "scripts/ganache.py", "--instance", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as script:
        assert script.stdout is not None
        said = script.stdout.readline()
        url = next(word for word in said.split() if word.startswith("http")).rstrip(",")
        assert int(ask(url, "eth_chainId"), 16) == 1337
        script.terminate()
        assert script.wait(timeout=20) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port_of(url)))


def test_the_options_file_holds_no_secret() -> None:
    assert "mnemonic" not in json.dumps(json.loads((ROOT / "ganache.json").read_text()))
