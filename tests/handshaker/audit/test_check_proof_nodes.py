"""The verifier survives any node, asks only the one that it is told, and none where none is named."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.audit import check_proof
from handshaker.audit.check_proof import NoAnswer, Unusable, check, main, node_at
from tests.handshaker.audit.anchored import AnchoredLog
from tests.handshaker.audit.kept import json_values, leaves

NOBODY = "http://127.0.0.1:9"
LOG = AnchoredLog(leaves(40))
PROOF = LOG.proof(17, 20)


@pytest.fixture
def proof(tmp_path: Path) -> str:
    """The name of a file with ``PROOF``."""
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(PROOF))
    return str(file)


@given(st.data())
def test_no_answer_of_a_node_makes_it_fail_or_green(data: st.DataObject) -> None:
    likely = st.sampled_from(["0x", "0x1", "0x" + "00" * 31 + "01", [], {}, {"logs": [{"topics": [1]}]}, 1, b"\x01"])
    found = check(PROOF, lambda method, params: data.draw(json_values | likely))
    assert {each.name for each in found if each.ok is False} >= {"chain", "block", "anchor"}


@contextmanager
def server(status: int, body: bytes, **headers: str) -> Iterator[str]:
    """A node that answers everything alike; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"<html>"),
        (200, b"\xff"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b"[" * 100_000),
        (200, b'{"result": 1, "result": 2}'),
        (200, b'{"error": {"code": -32000, "message": "\x1b[2J"}}'),
        (200, b'{"result": "' + b"x" * check_proof.LARGEST + b'"}'),
        (403, b'{"result": "0x1"}'),
        (500, b""),
        (302, b""),
    ],
)
def test_a_node_that_answers_nonsense_is_no_traceback(
    proof: str, capsys: pytest.CaptureFixture[str], status: int, body: bytes
) -> None:
    with server(status, body, Location="file:///etc/hostname") as url:
        assert main([proof, "--rpc", url]) == 2
    said = capsys.readouterr().out
    assert said.startswith("Not checked: the node")
    assert "\x1b" not in said


def test_a_node_elsewhere_is_not_asked_on_the_word_of_this_one(anvil_url: str) -> None:
    with server(302, b"", Location=anvil_url) as url, pytest.raises(NoAnswer, match="302"):
        node_at(url)("eth_chainId", [])


def test_a_node_that_keeps_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_proof, "TIME_OUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NoAnswer, match="timed out"):
        node_at(f"http://127.0.0.1:{silent.getsockname()[1]}")("eth_chainId", [])


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/", "127.0.0.1:8545", "http:", "http://", ""])
def test_only_http_is_spoken(url: str) -> None:
    with pytest.raises(Unusable, match="http"):
        node_at(url)


@pytest.mark.parametrize("url", [NOBODY, "http://[", "http://127.0.0.1:port", "http://a b/", "http://\x7f/"])
def test_a_node_that_is_not_there_is_said(proof: str, capsys: pytest.CaptureFixture[str], url: str) -> None:
    assert main([proof, "--rpc", url]) == 2
    assert capsys.readouterr().out.startswith("Not checked: the node")


def test_nothing_is_asked_without_a_node(proof: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "head.json").write_text(json.dumps(LOG.head(20)))

    def forbidden(*arguments: Any, **named: Any) -> Any:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    assert main([proof, "--head", str(tmp_path / "head.json")]) == 0
