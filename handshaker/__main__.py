"""``python -m handshaker``."""

from __future__ import annotations

from handshaker.cli import main

if __name__ == "__main__":
    main(prog_name="handshaker")
