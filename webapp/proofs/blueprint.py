"""The blueprint, and the word with which its pages say where they belong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint

View = TypeVar("View", bound=Callable[..., Any])

proofs = Blueprint("proofs", __name__, url_prefix="/proofs")


def below_proofs(view: View) -> View:
    """Declare that a page stands below the place of proofs in the navigation."""
    view.place = "proofs.check"  # type: ignore[attr-defined]
    return view
