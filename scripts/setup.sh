#!/usr/bin/env bash
# Bring `.venv` or `node_modules` up to their lock files (`make setup`), or see to a browser (`make browser`). Safe to
# repeat: a run that was interrupted leaves no mark, so the next one starts over.
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

# The same order as in scripts/browser.py.
has_browser() {
  if [ -n "${HANDSHAKER_TEST_BROWSER:-}" ]; then
    command -v "$HANDSHAKER_TEST_BROWSER" >/dev/null ||
      fail "HANDSHAKER_TEST_BROWSER names $HANDSHAKER_TEST_BROWSER, which is no program here." \
        "Let it name Chromium or Chrome, or unset it to have one found."
    return 0
  fi
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
    .venv/bin/python scripts/browser.py >/dev/null 2>&1
}

setup_browser() {
  has_browser && return
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium and its fonts with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || echo "setup: apt-get update failed; trying with the lists that are here" >&2
    apt-get install -qq -y --no-install-recommends chromium fonts-liberation >/dev/null
    has_browser && return
  fi
  fail "A browser is needed to test the web application, and neither chromium nor google-chrome is on the PATH." \
    "Install it from your system's packages (Debian: apt install chromium fonts-liberation), let Playwright bring" \
    "its own (.venv/bin/playwright install chromium), or name one: make HANDSHAKER_TEST_BROWSER=/path/to/chrome test"
}

case "${1:-}" in
  python) setup_python ;;
  node) setup_node ;;
  browser) setup_browser ;;
  *) fail "usage: scripts/setup.sh python|node|browser" ;;
esac
