"""Nothing of a patient is opened but where it is known, and whoever shows it knows the access log."""

from __future__ import annotations

import ast
from pathlib import Path

import handshaker

LIBRARY = Path(handshaker.__file__).parent
OPENERS = {
    "records/bodies.py": "opens what was sealed of a record, for those below",
    "records/identities.py": "opens demographics, for those below",
    "intake.py": "compares a request with the one before it; its sender has both",
    "logins.py": "opens second factors",
    "verifying.py": "holds details against their commitments, and shows none",
}
SHOWERS = {"records/chart.py", "records/drafts.py", "records/finder.py", "records/submissions.py"}


def callers(*names: str) -> set[str]:
    """The files of the library, the vault aside, that call something of these names."""
    found = set()
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names:
                found.add(path.relative_to(LIBRARY).as_posix())
    return {name for name in found if not name.startswith("vault/")}


def test_nothing_is_opened_but_where_it_is_known() -> None:
    assert callers("unseal") == set(OPENERS)
    assert callers("open_body", "demographics") == SHOWERS | {"records/identities.py"}


def test_whoever_shows_what_was_opened_knows_the_access_log() -> None:
    for name in SHOWERS:
        assert "self._accesses." in (LIBRARY / name).read_text(), name
