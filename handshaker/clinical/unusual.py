"""Values that are possible and rare enough to ask once whether they were typed as they were read.

For blood pressure, pulse, respiration, oxygen saturation and temperature these are the values that score three in the
Royal College of Physicians' *National Early Warning Score (NEWS) 2* (2017, chart 1; for high temperature the highest
score there is), for glucose the level 2 hypoglycaemia and the marked hyperglycaemia of the American Diabetes
Association's *Standards of Care*. Weight and height are ours. A question, never a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping

UNUSUAL: Mapping[str, tuple[float, float]] = {
    "systolic": (91, 219),
    "diastolic": (40, 119),
    "heart-rate": (41, 130),
    "temperature": (35.1, 39.0),
    "oxygen-saturation": (92, 100),
    "respiratory-rate": (9, 24),
    "glucose": (54, 250),
    "weight": (30, 200),
    "height": (120, 210),
}
"""Key of a vital sign → lowest and highest value, in its own unit, that nobody asks about."""


def is_unusual(key: str, value: float) -> bool:
    """Tell whether a value of the vital sign ``key`` is worth a second look."""
    low, high = UNUSUAL.get(key, (float("-inf"), float("inf")))
    return not low <= value <= high
