# Two commands do all the set-up they need: `make demo` and `make test`.
VENV ?= .venv
BIN = $(VENV)/bin
PYTHON ?= python3

.PHONY: demo test slow full torture soak parity benchmark check clean

demo: $(VENV)/.installed
	$(BIN)/python -m provision.sandbox.demo

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2

slow: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 -m slow

full: test slow
	$(BIN)/python -m pytest -m full

# TORTURE=--short: a sample.
torture: $(VENV)/.installed
	$(BIN)/python -m tests.torture $(TORTURE)

# Bots that are stopped and killed under load, and a LINE that delivers again; CI runs a minute of it.
MINUTES ?= 5
soak: $(VENV)/.installed
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES)

parity: $(VENV)/.installed
	$(BIN)/python -m tests.sandbox.parity
	$(BIN)/python -m pytest -n 2 tests/sandbox --plain-moto

benchmark: $(VENV)/.installed
	$(BIN)/python -m benchmarks.sandbox
	$(BIN)/python -m benchmarks.startup

check: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(VENV)/.installed: setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV)
