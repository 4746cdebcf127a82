"""The command that serves the web application: ``serve``."""

from __future__ import annotations

import os
import sys

import click

from handshaker.cli.output import failing, json_option, usable_settings
from handshaker.settings import Settings


@click.command(short_help="Serve the web application and the REST API.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (0: any free one). [default: 8080]")
@json_option
@failing
def serve(port: int | None, as_json: bool) -> None:
    """Serve the web application and the REST API of this instance until Ctrl-C.

    Listens on loopback: put a proxy that speaks HTTPS before it, and set HANDSHAKER_PUBLIC_URL and
    HANDSHAKER_WEB_PROXIES. Says its address when it listens.
    """
    usable_settings()
    changes = {} if port is None else {"HANDSHAKER_WEB_PORT": str(port)}
    # The library knows no web framework, so the application takes this process over.
    command = [sys.executable, "-m", "webapp", *(["--json"] if as_json else [])]
    os.execve(sys.executable, command, Settings.environment(**changes))  # noqa: S606 no shell is wanted
