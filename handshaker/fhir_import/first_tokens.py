"""First tokens of patients under the demo profile, kept from registration until their consent is on the chain.

Only their own token opens a patient's vault-kept key. Without this, a run that was stopped between the two would leave
patients for whom nobody could ever sign. In earnest no token is kept: patients consent by themselves.
"""

from __future__ import annotations

import os
from pathlib import Path


class FirstTokens:
    """One file a patient, named by pseudonym, readable only by us."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, patient_id: str, token: str) -> None:
        """Write a token down."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path(patient_id), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(token)

    def find(self, patient_id: str) -> str | None:
        """Return a patient's token, if this or an earlier run registered them and they have not consented since."""
        path = self._path(patient_id)
        return path.read_text() if path.exists() else None

    def forget(self, patient_id: str) -> None:
        """Delete a token that has done its work."""
        self._path(patient_id).unlink(missing_ok=True)

    def _path(self, patient_id: str) -> Path:
        return self._folder / f"{patient_id}.token"
