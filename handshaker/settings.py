"""Settings: the only reader of the environment. Every one is ``HANDSHAKER_`` and its name in capitals."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from handshaker.crash_points import parse
from handshaker.errors import SettingsInvalid


class Settings(BaseSettings):
    """What may differ between installations. Paths that are left out lie in ``instance``."""

    model_config = SettingsConfigDict(env_prefix="HANDSHAKER_", frozen=True, extra="forbid")

    instance: Path = Path("instance")
    """Folder of everything that is generated: databases, keys, the local chain. Never in git."""
    store_url: str = ""
    """SQLAlchemy URL of the audit database."""
    store_owner_url: str = ""
    """On PostgreSQL: the same database's URL for the role that owns the tables, needed only when they change.

    The role of ``store_url`` is then given what it needs and no more."""
    postgresql_tools: Path | None = None
    """Folder of ``pg_dump`` and ``pg_restore``; left out, they are looked for on the PATH and in the usual places."""
    vault_url: str = ""
    """SQLAlchemy URL of the vault's database."""
    root_key: Path | None = None
    """File of the vault's root key, mode 0600, outside both databases and their backups."""
    chain_url: str = "http://127.0.0.1:8545"
    chain_profile: Literal["auto", "ganache", "anvil", "eth-tester", "ethereum"] = "auto"
    ask_first: bool | None = None
    """Whether a batch is asked about before it is sent; left out, the chain's profile says."""
    private_node: bool | None = None
    """Whether what the node is asked stays in the house; otherwise a question discloses the signatures in it.

    Left out, the chain's profile says."""
    anchor_seconds: float | None = Field(default=None, gt=0)
    """How long an entry of the audit log waits at most before it is anchored; left out, the chain's profile says."""
    anchor_entries: int = Field(default=1_000, gt=0)
    """How many entries wait at most."""
    anchor_late_seconds: float | None = Field(default=None, gt=0)
    """After how long an entry that no final block covers is called late; left out, four times what it should wait."""
    head_stale_seconds: float = Field(default=180, gt=0)
    """After how long without a block the chain is said to stand still."""
    walk_late_seconds: float = Field(default=60, gt=0)
    """After how long a block that nobody has read is called late."""
    queue_late_seconds: float = Field(default=60, gt=0)
    """After how long a transaction that a worker could take is called late; ten times that is an outage."""
    demo: bool = False
    """Whether patients who register without a wallet get the demo hospital's consent at once (never in earnest)."""
    worker: str = "worker-1"
    """Name of this worker and its relayer; two workers need two names."""
    payload_limit: int = Field(default=1_000_000, gt=0)
    """Bytes of a request's body at most."""
    token: str = ""
    """Bearer token of the person who uses the command line."""
    web_host: str = "127.0.0.1"
    """Address that the web application listens on; in front of others stands a proxy that speaks HTTPS."""
    web_port: int = Field(default=8080, ge=0, le=65535)
    """Its port; 0 takes any free one."""
    web_proxies: int = Field(default=0, ge=0, le=5)
    """How many proxies stand before it, whose ``X-Forwarded-*`` headers are believed."""
    web_threads: int = Field(default=32, ge=4, le=512)
    """Requests that are answered at the same time; half of them at most may be open streams of events."""
    web_rate_limits: bool = True
    """Whether requests are counted; only load tests turn this off."""
    api_requests_per_minute: int = Field(default=1200, gt=0)
    """How many requests one token, and one address, may make of the API in a minute."""
    public_url: str = "http://localhost:8080"
    """What people type to reach the web application; ``https://…`` in earnest."""
    session_idle_minutes: int = Field(default=15, ge=1, le=240)
    """Minutes without anybody there after which a session locks itself."""
    session_hours: int = Field(default=12, ge=1, le=72)
    """Hours after which a session ends, whatever happens."""
    totp: Literal["administrators", "everyone"] = "administrators"
    """Who needs a second factor (RFC 6238) to log in; others may have one."""
    locale: str = Field(default="en", pattern=r"^[a-z]{2}(_[A-Z]{2})?$")
    """Language of the web application."""
    timezone: str = "UTC"
    """Time zone of what the web application shows and of what is typed into it, such as ``Europe/Zurich``."""
    crash_at: str = ""
    """Where this process kills itself, ``name`` or ``name:passing`` of ``crash_points``: for the kill campaign only."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    """Lines for people, or one JSON document a line for machines."""
    worker_metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Port on 127.0.0.1 where a worker offers its figures to Prometheus (0: any free one); left out, nowhere."""

    @field_validator("worker")
    @classmethod
    def _names_a_file(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", value):
            raise ValueError("1 to 64 letters, digits, dots, hyphens or underscores, beginning with a letter or digit")
        return value

    @field_validator("crash_at")
    @classmethod
    def _is_a_crash_point(cls, value: str) -> str:
        if value:
            parse(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("a name of the time zone database, such as Europe/Zurich") from None
        return value

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+", value):
            raise ValueError("http:// or https:// and a host, without a path")
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
