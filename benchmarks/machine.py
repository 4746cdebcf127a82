"""Where and with what a run was made."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("web3", "eth-abi", "coincurve", "cryptography", "SQLAlchemy", "fhirclient", "jsonschema", "py-evm")
_NODE_PACKAGES = ("ganache", "@foundry-rs/anvil", "solc", "@openzeppelin/contracts")


def machine() -> dict[str, Any]:
    """Return cores, processor, memory in GiB and operating system."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Return the versions of what the figures depend on, by name."""
    found = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    found |= {name: version(name) for name in _PACKAGES}
    found["Node"] = _said_by(["node", "--version"]).removeprefix("v")
    for name in _NODE_PACKAGES:
        package = ROOT / "node_modules" / name / "package.json"
        if package.is_file():
            found[name] = json.loads(package.read_text())["version"]
    return found


def commit() -> str:
    """Return the commit, with ``+`` where tracked files differ from it; ``unknown`` outside a repository."""
    found = _said_by(["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"])
    changed = _said_by(["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no"])
    return (found or "unknown") + ("+" if changed else "")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or "unknown"


def _said_by(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
