"""Settings: the only reader of the environment. Every one is ``HANDSHAKER_`` and its name in capitals."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from handshaker.errors import SettingsInvalid


class Settings(BaseSettings):
    """What may differ between installations. Paths that are left out lie in ``instance``."""

    model_config = SettingsConfigDict(env_prefix="HANDSHAKER_", frozen=True, extra="forbid")

    instance: Path = Path("instance")
    """Folder of everything that is generated: databases, keys, the local chain. Never in git."""
    store_url: str = ""
    """SQLAlchemy URL of the audit database."""
    vault_url: str = ""
    """SQLAlchemy URL of the vault's database."""
    root_key: Path | None = None
    """File of the vault's root key, mode 0600, outside both databases and their backups."""
    chain_url: str = "http://127.0.0.1:8545"
    chain_profile: Literal["auto", "ganache", "anvil", "eth-tester", "ethereum"] = "auto"
    ask_first: bool | None = None
    """Whether a batch is asked about before it is sent; left out, the chain's profile says."""
    demo: bool = False
    """Whether patients who register without a wallet get the demo hospital's consent at once (never in earnest)."""
    worker: str = "worker-1"
    """Name of this worker and its relayer; two workers need two names."""
    payload_limit: int = Field(default=1_000_000, gt=0)
    """Bytes of a request's body at most."""
    token: str = ""
    """Bearer token of the person who uses the command line."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("worker")
    @classmethod
    def _names_a_file(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", value):
            raise ValueError("1 to 64 letters, digits, dots, hyphens or underscores, beginning with a letter or digit")
        return value

    @staticmethod
    def environment(**changes: str) -> dict[str, str]:
        """Return this process's environment for a child, with ``changes``."""
        return {**os.environ, **changes}

    @property
    def store(self) -> str:
        """URL of the audit database."""
        return self.store_url or f"sqlite:///{self.instance.resolve() / 'handshaker.db'}"

    @property
    def vault(self) -> str:
        """URL of the vault's database."""
        return self.vault_url or f"sqlite:///{self.instance.resolve() / 'vault.db'}"

    @property
    def root_key_path(self) -> Path:
        """File of the root key."""
        return self.root_key or self.instance.resolve() / "keys" / "root.key"


def read_settings(**overrides: Any) -> Settings:
    """Return the settings from the environment, with ``overrides`` on top; raises ``SettingsInvalid``."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "HANDSHAKER_" + "_".join(str(part) for part in first["loc"]).upper()
        problem = first["msg"].removeprefix("Value error, ")
        raise SettingsInvalid(f"The setting {name} is not usable: {problem}.", setting=name) from error
