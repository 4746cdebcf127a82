"""LOINC codes and their check digit (LOINC Users' Guide, appendix on the mod 10 algorithm)."""

from __future__ import annotations

import re

from stdnum import luhn

LOINC_SYSTEM = "http://loinc.org"
_FORM = re.compile(r"[1-9][0-9]{0,6}-[0-9]", re.ASCII)


def is_loinc(code: str) -> bool:
    """Tell whether ``code`` has the form of a LOINC code and its check digit is right."""
    return bool(_FORM.fullmatch(code)) and bool(luhn.is_valid(code.replace("-", "")))
