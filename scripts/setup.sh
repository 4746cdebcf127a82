#!/usr/bin/env bash
# Bring `.venv` or `node_modules` up to their lock files (`make setup`). Called only when a lock has changed, and safe
# to repeat: a run that was interrupted leaves no mark, so the next one starts over.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

find_python() {
  local candidate candidates=${PYTHON:-python3.11 python3.12 python3.13 python3.14 python3 python}
  for candidate in $candidates; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer with its venv module is needed; none of these is it: $candidates" \
    "Install it (on Debian and Ubuntu: apt install python3 python3-venv), or name one: make PYTHON=python3.12"
}

setup_python() {
  if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    local python
    python=$(find_python)
    echo "Making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
  fi
  export PIP_DISABLE_PIP_VERSION_CHECK=1
  echo "Installing the Python packages of requirements.lock"
  .venv/bin/python -m pip install --quiet --requirement requirements.lock
  # The build backend is in the lock, so nothing unpinned is fetched to build. It warns of every editable install.
  PYTHONWARNINGS=ignore .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
}

setup_node() {
  local major
  major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || major=0
  if [ "$major" -lt 20 ] || ! command -v npm >/dev/null; then
    fail "Node 20 or newer with npm is needed, and $(node --version 2>/dev/null || echo none) was found." \
      "Install it from your system's packages or with a version manager, then run make again."
  fi
  echo "Installing the Node packages of package-lock.json"
  npm ci --silent
}

case "${1:-}" in
  python) setup_python ;;
  node) setup_node ;;
  *) fail "usage: scripts/setup.sh python|node" ;;
esac
