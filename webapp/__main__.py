"""``python -m webapp``: serve one instance's web application until Ctrl-C (``handshaker serve`` runs this)."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading

from handshaker import HandshakerError, logs, make_handshaker, read_settings
from webapp.application import make_app
from webapp.serving import Serving

log = logging.getLogger("webapp")

_PATIENCE = 3.0
"""Seconds that the audit log's comparison with the chain may keep the web application from starting or ending."""


def main() -> int:
    """Serve; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m webapp", description=__doc__)
    parser.add_argument("--attached", action="store_true", help="stop when standard input ends")
    parser.add_argument("--json", action="store_true", help="say the address as JSON")
    arguments = parser.parse_args()
    try:
        settings = read_settings()
        logs.set_up(settings)
        handshaker = make_handshaker(settings)
        serving = Serving(make_app(handshaker), settings)
    except HandshakerError as error:
        print(str(error), file=sys.stderr)
        return 1
    if arguments.attached:
        threading.Thread(target=_stop_when_input_ends, daemon=True).start()
    address = f"http://localhost:{serving.port}"
    if "public_url" not in settings.model_fields_set:
        # Invitations name the address that people can reach, also on another port than the usual one.
        handshaker.settings = settings.model_copy(update={"public_url": address})
    said = json.dumps({"url": address}) if arguments.json else f"The web application is at {address}. Ctrl-C stops it."
    print(said, flush=True)
    stop = threading.Event()
    sweeping = threading.Thread(target=handshaker.sessions.keep_sweeping, args=(stop,), daemon=True)
    checking = threading.Thread(target=handshaker.keep_checking, args=(stop,), daemon=True)
    sweeping.start()
    checking.start()
    # An old copy of the log should be known before anybody adds to it; a node that is silent keeps nobody waiting.
    checking.join(_PATIENCE)
    try:
        serving.run()
    finally:
        stop.set()
        sweeping.join()
        checking.join(_PATIENCE)
        handshaker.close()
    log.info("the web application has stopped")
    return 0


def _stop_when_input_ends() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
