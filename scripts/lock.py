"""Write ``requirements.lock`` from ``pyproject.toml`` (``make lock``).

The lock names every Python package, the development extra and the build backend included, as ``name==version`` and
nothing else: no addresses, so that any registry or mirror can serve it. pip's own resolver decides; run it with the
oldest Python that the project supports, because newer ones only ever need fewer backports.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
OLDEST = (3, 11)
HEADER = "# Exact versions of all Python packages, resolved for Python 3.11. Made by `make lock`; not edited by hand.\n"


def wanted() -> list[str]:
    """Return the requirements of ``pyproject.toml``: to build, to run and to develop."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = document["project"]
    return [*document["build-system"]["requires"], *project["dependencies"], *project["optional-dependencies"]["dev"]]


def resolve(requirements: list[str]) -> dict[str, str]:
    """Return package name → version, as pip would install ``requirements`` into an empty environment.

    Raises ``subprocess.CalledProcessError`` when pip finds no solution; pip says why on standard error.
    """
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    answer = subprocess.run([*command, *requirements], check=True, stdout=subprocess.PIPE, text=True)
    packages = [entry["metadata"] for entry in json.loads(answer.stdout)["install"]]
    return {package["name"].lower().replace("_", "-"): package["version"] for package in packages}


def main() -> None:
    """Resolve and write the lock."""
    if sys.version_info[:2] != OLDEST:
        sys.exit(f"The lock is resolved for Python {OLDEST[0]}.{OLDEST[1]}; this is {sys.version.split()[0]}.")
    locked = resolve(wanted())
    LOCK.write_text(HEADER + "".join(f"{name}=={version}\n" for name, version in sorted(locked.items())))
    print(f"{len(locked)} packages in {LOCK.name}")


if __name__ == "__main__":
    main()
