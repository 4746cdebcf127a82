# One verb a task. Each sets up what it needs first; when nothing has changed that takes no time.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PY := .venv/bin/python
PYTHON_READY := .venv/.ready
NODE_READY := node_modules/.ready

.PHONY: help setup browser run test soak bench lint format compile messages screenshots lock clean

help: ## Show the verbs
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: $(PYTHON_READY) $(NODE_READY) ## Install the Python and Node packages that the locks name
	@:

# Asked each time, for a browser may go as it came; that takes some milliseconds.
browser: $(PYTHON_READY) ## Find Chromium for the tests of the web application, or install it
	@scripts/setup.sh browser

# `exec` leaves one process to hear Ctrl-C: the program, which stops what it started.
run: setup ## Start chain, contracts, demo hospital and worker; Ctrl-C stops everything
	@exec .venv/bin/handshaker up

test: setup browser ## Run all tests on all cores, and those with a database on PostgreSQL too
	@$(PY) -m pytest -n auto --dist loadgroup
	@$(PY) -m pytest -n auto --dist loadgroup --database postgresql

MINUTES ?= 30

soak: setup ## Kill every part at every step, MINUTES=30 in all; count what is lost (0)
	@exec $(PY) -m tests.campaign --minutes $(MINUTES)

bench: setup ## Measure throughput and gas
	@exec $(PY) -m benchmarks

lint: $(PYTHON_READY) ## Check style, types and the direction of imports
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

format: $(PYTHON_READY) ## Mend what style can be mended by machine
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

compile: setup ## Compile the contracts into handshaker/artifacts
	@$(PY) scripts/compile.py

messages: $(PYTHON_READY) ## Bring the catalogues of translations up to the sources
	@$(PY) scripts/catalogues.py

screenshots: setup browser ## Photograph the main pages into docs/screenshots
	@$(PY) -m scripts.screenshots

lock: $(PYTHON_READY) ## Resolve requirements.lock and package-lock.json again
	@$(PY) scripts/lock.py
	@npm install --package-lock-only --silent

clean: ## Remove all that the other verbs can make again; instance/ stays
	rm -rf .venv node_modules build dist *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-results
	find . -name __pycache__ -type d -not -path './instance/*' -prune -exec rm -rf {} +

# The marks hold what was installed. They are compared by content, so that a switch of branches and back costs nothing,
# and a broken .venv (its Python was removed) is made again.
ifeq ($(shell test -x $(PY) || echo broken),broken)
.PHONY: $(PYTHON_READY)
endif

$(PYTHON_READY): requirements.lock pyproject.toml scripts/setup.sh
	@if [ -x $(PY) ] && cat requirements.lock pyproject.toml | cmp -s - $@; then touch $@; else \
	  rm -f $@; scripts/setup.sh python; cat requirements.lock pyproject.toml > $@; fi

$(NODE_READY): package-lock.json package.json scripts/setup.sh
	@if cat package-lock.json package.json | cmp -s - $@; then touch $@; else \
	  rm -f $@; scripts/setup.sh node; cat package-lock.json package.json > $@; fi
