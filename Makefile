# Two commands do all the set-up they need: `make demo` and `make test`.
VENV ?= .venv
BIN = $(VENV)/bin
PYTHON ?= python3


# Writes tests/golden/*.json anew; read the difference before you commit it.
golden: $(VENV)/.installed
	$(BIN)/python -m pytest tests/golden --update-golden
	git diff --stat -- tests/golden
