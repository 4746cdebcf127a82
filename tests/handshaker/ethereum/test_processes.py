"""No node outlives what it was started for, however that ends."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from handshaker.errors import ChainUnreachable
from handshaker.ethereum.anvil import AnvilNode
from handshaker.ethereum.ganache import GanacheNode
from handshaker.ethereum.processes import ROOT, NodeFailed, NodeMissing, NodeProcess, ask

PARENT = """
import pathlib, signal, sys
from handshaker.ethereum.anvil import AnvilNode
from handshaker.ethereum.ganache import GanacheNode
node = AnvilNode() if sys.argv[1] == "anvil" else GanacheNode(pathlib.Path(sys.argv[2]), port=0)
# Whoever starts the tests in the background has SIGINT ignored, and so would this be.
signal.signal(signal.SIGINT, signal.default_int_handler)
node.start()
print(node.pid, node.url, flush=True)
signal.pause()
"""


def has_ended(pid: int, within: float = 20.0) -> bool:
    """Wait until a process, not necessarily a child of ours, has ended."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], within)[0])
    finally:
        os.close(watched)


def members(group: int) -> list[int]:
    """The living processes of a process group, its leader last."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if entry.name.isdigit() and int(fields[2]) == group and fields[0] != "Z":
            found.append(int(entry.name))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("kind", ["ganache", "anvil"])
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_node_dies_with_its_parent(kind: str, death: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, kind, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        leader, url = parent.stdout.readline().split()
        nodes = members(int(leader))
        assert nodes
        ask(url, "eth_chainId")
        parent.send_signal(death)
    assert all(has_ended(pid) for pid in nodes)


@pytest.mark.parametrize("kind", ["ganache", "anvil"])
def test_stopping_leaves_nothing_and_may_be_repeated(kind: str, tmp_path: Path) -> None:
    node = AnvilNode() if kind == "anvil" else GanacheNode(tmp_path, port=0)
    node.start()
    assert node.pid is not None
    nodes = members(node.pid)
    node.stop()
    node.stop()
    assert all(has_ended(pid) for pid in nodes)
    with pytest.raises(ChainUnreachable):
        ask(node.url, "eth_chainId")


def test_the_terminals_interrupt_does_not_reach_a_node(tmp_path: Path) -> None:
    with GanacheNode(tmp_path, port=0) as node:
        assert node.pid is not None
        assert os.getsid(node.pid) == os.getpgid(node.pid) == node.pid != os.getsid(0)


def test_a_node_that_ignores_every_request_to_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handshaker.ethereum.processes.PATIENCE", 0.2)
    deaf = NodeProcess(["sh", "-c", "trap '' TERM; echo 127.0.0.1:1; while :; do read line; done"])
    deaf.wait_until_listening(10)
    deaf.stop()
    assert not deaf.is_running


def test_a_node_that_says_nothing_in_time_is_stopped_and_told() -> None:
    mute = NodeProcess(["cat"])
    with pytest.raises(NodeFailed, match="cat did not start"):
        mute.wait_until_listening(0.05)
    assert not mute.is_running


def test_a_node_that_ends_at_once_is_told_with_its_last_words() -> None:
    broken = NodeProcess(["sh", "-c", "echo first >&2; echo the reason >&2; exit 7"])
    with pytest.raises(NodeFailed, match="the reason") as failed:
        broken.wait_until_listening(10)
    assert failed.value.data == {"program": "sh", "complaint": "the reason", "exit_code": 7}


def test_an_anvil_that_dies_takes_its_guard_along() -> None:
    with AnvilNode() as node:
        assert node.pid is not None
        nodes = members(node.pid)
        anvil = next(pid for pid in nodes if Path(f"/proc/{pid}/comm").read_text().strip() == "anvil")
        os.kill(anvil, signal.SIGKILL)
        assert all(has_ended(pid) for pid in nodes)


def test_an_anvil_that_is_not_installed_names_the_mend(tmp_path: Path) -> None:
    with pytest.raises(NodeMissing, match="npm ci"):
        AnvilNode(root=tmp_path).start()


def test_an_anvil_gives_out_accounts_that_nobody_else_knows(anvil_url: str) -> None:
    assert ask(anvil_url, "eth_accounts") == []


def test_a_port_where_nobody_listens_is_told_as_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ChainUnreachable):
            ask(f"http://127.0.0.1:{unused.getsockname()[1]}", "eth_chainId")


def test_a_refused_question_is_told_with_the_nodes_words(ganache_url: str) -> None:
    with pytest.raises(NodeFailed, match="eth_nothing"):
        ask(ganache_url, "eth_nothing")
