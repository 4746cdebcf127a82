"""The blueprint, and the words with which its pages say where they belong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint

View = TypeVar("View", bound=Callable[..., Any])

administration = Blueprint("administration", __name__, url_prefix="/administration")


def below(place: str) -> Callable[[View], View]:
    """Declare that a page stands below a place of the navigation."""

    def mark(view: View) -> View:
        view.place = f"administration.{place}"  # type: ignore[attr-defined]
        return view

    return mark
