# Everything a fresh machine needs: `make demo` and `make test`. Both make their own virtual environment first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check lint types imports unit format clean

demo: $(VENV)/.installed
	@$(BIN)/switchboard demo

test: $(VENV)/.tools
	$(BIN)/ruff check bot integrations flows tests
	$(BIN)/ruff format --check bot integrations flows tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/switchboard check --strict
	$(BIN)/switchboard test
	$(BIN)/python -m pytest -n 2 --dist loadfile

format: $(VENV)/.tools
	$(BIN)/ruff check --fix bot integrations flows tests
	$(BIN)/ruff format bot integrations flows tests

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	@echo "Installing Switchboard into $(VENV) (a minute or two the first time) ..."
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.tools: $(VENV)/.installed pyproject.toml
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
