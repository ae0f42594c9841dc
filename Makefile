# Two commands matter: `make run` and `make test`. Everything they need is put into .venv beside this file.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# Containers often forbid Python to keep what it compiled. Here hundreds of processes would compile the same again.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
# What `make run` hands to the console, such as ARGS="--port 8080", and `make bench` to the comparison: ARGS=--quick.
ARGS ?=
# What `make test` hands to pytest, such as TESTS="tests/nodes -k queue".
TESTS ?= tests
# Processes that run tests: four on two processors, since much of a test is waiting.
WORKERS ?= 4

.PHONY: run test lint types unit bench reference translations screens clean

run: $(VENV)/.installed
	@$(BIN)/pacs-sandbox up $(ARGS)

test: lint types unit

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

unit: $(VENV)/.installed-dev
	$(BIN)/python -m tests.run $(TESTS) -n $(WORKERS) --dist loadfile --no-loadscope-reorder -rs --durations=15

bench: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench $(ARGS)

reference: $(VENV)/.installed-dev
	$(BIN)/pacs-sandbox reference docs/reference
	$(BIN)/pacs-sandbox archive conformance --out docs/conformance-statement.md

translations: $(VENV)/.installed-dev
	$(BIN)/python -m web.translating

screens: $(VENV)/.installed-dev
	$(BIN)/python -m tests.browser.screens

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later was not found. Install it (Debian: apt install python3 python3-venv) and try again."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make an environment. On Debian: apt install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing what the sandbox needs into $(VENV) (once; about a minute) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo "Installing what the tests need into $(VENV) (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.installed
