"""Serving the application under waitress: one process, bounded threads, slow clients cost no thread."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from handshaker import HandshakerError, Settings
from webapp.api.streams import CLOSING

PROXY_HEADERS = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
STOP_SECONDS = 10.0
"""How long requests that were being answered may take when the application is told to stop."""
_TURN = 1.0
"""Seconds after which the loop looks up where nothing happens."""

log = logging.getLogger("webapp")


class PortTaken(HandshakerError):
    """Something else listens on the web application's port already. Data: ``host``, ``port``."""

    code = "port-taken"
    mend = "Stop what listens there, or set HANDSHAKER_WEB_PORT to another port (0 takes any free one)."


class Serving:
    """A socket that listens, and the application behind it."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        """Begin to listen; raises ``PortTaken``."""
        self._socket = _listen(settings.web_host, settings.web_port)
        self._map: dict[int, Any] = {}
        self._server: Any = create_server(app, map=self._map, sockets=[self._socket], **_adjustments(settings))
        self._streams_end: threading.Event = app.extensions[CLOSING]
        self._stop = threading.Event()

    @property
    def port(self) -> int:
        """The port that was taken."""
        port: int = self._socket.getsockname()[1]
        return port

    def run(self) -> None:
        """Answer requests until SIGTERM or Ctrl-C; those that are being answered are finished first.

        A second signal ends the process at once: what was answered is stored, and what was not can be sent again.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told)
        try:
            while not self._stop.is_set():
                self._turn(_TURN)
            self._finish(STOP_SECONDS)
        finally:
            self._server.close()

    def _told(self, number: int, *_: object) -> None:
        if self._stop.is_set():
            os._exit(128 + number)
        self._stop.set()
        self._server.pull_trigger()

    def _turn(self, seconds: float) -> None:
        """Let what happens on the sockets happen once, waiting ``seconds`` at most for something."""
        wasyncore.loop(timeout=seconds, map=self._map, count=1, use_poll=True)

    def _finish(self, seconds: float) -> None:
        """Accept nobody any more, end the streams, and answer who has asked, for ``seconds`` at most."""
        self._streams_end.set()
        self._turn(0)  # who knocked before the signal is let in
        wasyncore.dispatcher.close(self._server)
        until = time.monotonic() + seconds
        while (asking := self._asking()) and time.monotonic() < until:
            self._turn(0.05)
        if asking:
            log.warning("%d requests were not answered in %d seconds", asking, seconds)
        self._server.task_dispatcher.shutdown(timeout=1)

    def _asking(self) -> int:
        """Return how many clients wait for an answer or the rest of one; let go of the others."""
        asking = 0
        for channel in list(self._server.active_channels.values()):
            if channel.requests or channel.total_outbufs_len:
                asking += 1
            else:
                channel.will_close = True
        return asking


def _adjustments(settings: Settings) -> dict[str, Any]:
    adjustments: dict[str, Any] = {
        "threads": settings.web_threads,
        "ident": None,
        # Twice what the application takes: its own refusal says what to do, the server's would be a bare line.
        "max_request_body_size": 2 * (settings.payload_limit + 100_000),
        "channel_timeout": 60,
    }
    if settings.web_proxies:
        adjustments |= {
            "trusted_proxy": "*",
            "trusted_proxy_count": settings.web_proxies,
            "trusted_proxy_headers": PROXY_HEADERS,
        }
    return adjustments


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise PortTaken(f"The port {port} of {host} cannot be used.", host=host, port=port) from error
    return listening
