"""Serving the application under waitress: one process, bounded threads, slow clients cost no thread."""

from __future__ import annotations

import signal
import socket
import sys
from types import FrameType
from typing import Any

from flask import Flask
from waitress.server import create_server

from handshaker import HandshakerError, Settings

PROXY_HEADERS = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}


class PortTaken(HandshakerError):
    """Something else listens on the web application's port already. Data: ``host``, ``port``."""

    code = "port-taken"
    mend = "Stop what listens there, or set HANDSHAKER_WEB_PORT to another port (0 takes any free one)."


class Serving:
    """A socket that listens, and the application behind it."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        """Begin to listen; raises ``PortTaken``."""
        self._socket = _listen(settings.web_host, settings.web_port)
        self._server: Any = create_server(app, sockets=[self._socket], **_adjustments(settings))

    @property
    def port(self) -> int:
        """The port that was taken."""
        port: int = self._socket.getsockname()[1]
        return port

    def run(self) -> None:
        """Answer requests until SIGTERM or Ctrl-C; those that are being answered are finished first."""
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGINT, _stop)
        try:
            self._server.run()
        finally:
            self._server.close()


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


def _stop(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
