# Two commands do all the set-up they need: `make demo` and `make test`.
VENV ?= .venv
BIN = $(VENV)/bin
PYTHON ?= python3

.PHONY: demo test sandbox golden docs pictures site mutate slow full fuzz oldest live torture soak parity benchmark lock check clean

demo: $(VENV)/.installed
	$(BIN)/python -m provision.sandbox.demo

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 --dist worksteal

# AWS, DNS, a registrar and LINE, emulated on this computer, until Ctrl-C.
sandbox: $(VENV)/.installed
	@$(BIN)/provision sandbox

# Writes tests/golden/*.json anew; read the difference before you commit it.
golden: $(VENV)/.installed
	$(BIN)/python -m pytest tests/golden --update-golden
	git diff --stat -- tests/golden

# Writes the tables in the READMEs anew, from the code, and compiles the translation of click's sentences.
DOCS = README.md README.ja.md
docs: $(VENV)/.installed
	$(BIN)/cog -r $(DOCS)
	$(BIN)/pybabel compile -d provision/i18n

# Makes docs/pictures anew, from stacks in sandboxes: the page in Chromium, and setup in a terminal.
pictures: $(VENV)/.installed
	$(BIN)/python -m tests.browser.screenshot

# Builds the documentation in docs/, in English and Japanese, into site/.
site: $(VENV)/.installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Changes the code in one place at a time and sees whether a test fails; takes an hour. SAMPLE: how many.
SAMPLE ?= 200
mutate: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,mutate]'
	$(BIN)/python -m tests.mutation --sample $(SAMPLE)

slow: $(VENV)/.installed
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "slow and not full"

full: test slow parity
	$(BIN)/python -m pytest -n 2 -m full
	$(MAKE) soak MINUTES=1
	$(MAKE) torture TORTURE=--short

# Damaged webhooks, files, feeds and answers, other ones in each run; `make full` tries a few. INPUTS: how many.
INPUTS ?= 100000
fuzz: $(VENV)/.installed
	FUZZ_INPUTS=$(INPUTS) $(BIN)/python -m pytest -n 2 --dist worksteal -m full tests/fuzz

# The demo and the sandbox's tests on the system's Python, where that is another one than `make` uses.
OLDEST ?= /usr/bin/python3
oldest:
	@if ! [ -x $(OLDEST) ] || ! $(OLDEST) .ci/check_python.py $(OLDEST) $@; then \
	    echo "make oldest: there is no other Python here that it could use; nothing was run"; \
	elif [ "$$($(OLDEST) -V)" = "$$($(PYTHON) -V)" ]; then \
	    echo "make oldest: $(OLDEST) is the $$($(PYTHON) -V) that make uses anyway; nothing was run"; \
	else \
	    $(MAKE) demo VENV=.venv-oldest PYTHON=$(OLDEST) && \
	    .venv-oldest/bin/python -m pytest -n 2 tests/sandbox; \
	fi

# Against your own AWS account and LINE channel: costs money, asks first, deletes what it made.
live: $(VENV)/.installed
	LIVE_DOMAIN=$(DOMAIN) LIVE_VPC=$(VPC) $(BIN)/python -m pytest -s -m live tests/live

# TORTURE=--short: a sample.
torture: $(VENV)/.installed
	$(BIN)/python -m tests.torture $(TORTURE)

# Bots that are stopped and killed under load, and a LINE that delivers again.
MINUTES ?= 5
soak: $(VENV)/.installed
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES)

parity: $(VENV)/.installed
	$(BIN)/python -m tests.sandbox.parity
	$(BIN)/python -m pytest -n 2 tests/sandbox --plain-moto

benchmark: $(VENV)/.installed
	$(BIN)/python -m benchmarks.sandbox
	$(BIN)/python -m benchmarks.startup

# The command's packages and the bot's, complete and with hashes, and the list of what is in the image.
# LOCK=--upgrade: the newest that setup.py and bot/requirements.in allow.
COMPILE = $(BIN)/python -m piptools compile --quiet --generate-hashes --strip-extras --no-annotate \
    --no-emit-index-url --no-emit-find-links --no-header $(LOCK)
lock: $(VENV)/.installed
	$(COMPILE) -o bot/requirements.txt bot/requirements.in
	$(COMPILE) --allow-unsafe -c bot/requirements.txt -o requirements.txt setup.py
	sed -n 's/^\([a-z0-9].*\) \\$$/\1/p' bot/requirements.txt | \
	    $(BIN)/cyclonedx-py requirements --output-reproducible --short-PURLs -o bot/sbom.cdx.json -

check: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/cog --check $(DOCS)
	$(BIN)/python .ci/audit.py

$(VENV)/.installed: setup.py
	@command -v $(PYTHON) >/dev/null || { echo "provision needs Python 3.11 or newer; $(PYTHON) is not here" >&2; exit 1; }
	@$(PYTHON) .ci/check_python.py $(PYTHON) $(MAKECMDGOALS)
	@echo "Installing what provision needs into $(VENV), the first time only: a minute or two."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .venv-oldest
