"""What the outside must offer, as Protocols; the adapters live in ``ethereum/``, ``store/`` and ``vault/``."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time comes from here and from nowhere else."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...
