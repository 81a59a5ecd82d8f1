# Two commands do all the set-up they need: `make demo` and `make test`.
VENV ?= .venv
BIN = $(VENV)/bin
PYTHON ?= python3

.PHONY: demo test slow full live torture soak parity benchmark lock check clean

demo: $(VENV)/.installed
	$(BIN)/python -m provision.sandbox.demo

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2

slow: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow

full: test slow
	$(BIN)/python -m pytest -n 2 -m full

# Against your own AWS account and LINE channel: costs money, asks first, deletes what it made.
live: $(VENV)/.installed
	LIVE_DOMAIN=$(DOMAIN) LIVE_VPC=$(VPC) $(BIN)/python -m pytest -s -m live tests/live

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

# The bot's packages, complete and with hashes. --upgrade: the newest that bot/requirements.in allows.
lock: $(VENV)/.installed
	$(BIN)/python -m piptools compile --quiet --generate-hashes --strip-extras --no-annotate \
	    --no-emit-index-url --no-emit-find-links --no-header $(LOCK) -o bot/requirements.txt bot/requirements.in

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
