"""Run this instance's Ganache until Ctrl-C (``handshaker chain start`` does the same)."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import NoReturn

from handshaker.errors import HandshakerError
from handshaker.ethereum.ganache import OPTIONS, GanacheNode, read_options


def interrupt(*_: object) -> NoReturn:
    """End like Ctrl-C when the system says so."""
    raise KeyboardInterrupt


def main() -> int:
    """Start the node, say where it is, and wait."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instance", type=Path, default=Path("instance"), help="folder of the database and the key")
    parser.add_argument("--options", type=Path, default=OPTIONS, help="Ganache's options as JSON")
    parser.add_argument("--port", type=int, help="instead of the port in the options; 0 means any free one")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupt)
    try:
        with GanacheNode(arguments.instance, options=read_options(arguments.options), port=arguments.port) as node:
            print(f"Ganache listens on {node.url}, chain id {node.chain_id}. Ctrl-C stops it.", flush=True)
            signal.pause()
    except HandshakerError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
