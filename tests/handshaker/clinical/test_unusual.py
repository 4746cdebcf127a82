"""Values that are asked about once."""

from __future__ import annotations

import pytest

from handshaker.clinical.measurements import VITAL_SIGNS
from handshaker.clinical.unusual import UNUSUAL, is_unusual


def test_every_vital_sign_of_the_form_has_its_limits() -> None:
    assert set(UNUSUAL) == {sign.key for sign in VITAL_SIGNS}


@pytest.mark.parametrize("sign", VITAL_SIGNS, ids=lambda sign: sign.key)
def test_what_is_usual_is_never_asked_about(sign: object) -> None:
    low, high, key = (getattr(sign, name) for name in ("low", "high", "key"))
    assert not any(is_unusual(key, value) for value in (low, high) if value is not None and key != "systolic")


@pytest.mark.parametrize(
    ("key", "value", "asked"),
    [("heart-rate", 40, True), ("heart-rate", 41, False), ("heart-rate", 130, False), ("heart-rate", 131, True),
     ("temperature", 35.0, True), ("temperature", 39.0, False), ("temperature", 39.1, True),
     ("oxygen-saturation", 91, True), ("oxygen-saturation", 92, False), ("systolic", 220, True),
     ("systolic", 90, True), ("something-else", 1e9, False)],
)  # fmt: skip
def test_the_limits_are_those_of_the_early_warning_score(key: str, value: float, asked: bool) -> None:
    assert is_unusual(key, value) is asked
