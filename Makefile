# make demo | test | lint | readme | bench-parser | bench-engine | stop: everything they need is installed into .venv first.

PYTHON ?= python3
BIN := .venv/bin
QUESTION ?= How many days are there in three weeks and four days?

.PHONY: demo test lint readme stop bench-parser bench-engine

demo: .venv/ready
	$(BIN)/python -m engine.model_files > /dev/null
	$(BIN)/python cluster/local.py up
	$(BIN)/python -m client "$(QUESTION)"
	@echo
	@echo 'Still running: API http://127.0.0.1:8000, dashboard http://127.0.0.1:8265. make stop ends it.'
	@echo 'Ask more: .venv/bin/python -m client "your question"'

test: .venv/ready
	$(BIN)/python -m engine.model_files > /dev/null
	$(BIN)/python -m pytest

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

readme: .venv/ready
	$(BIN)/python -m gateway.reasoning.table

stop: .venv/ready
	$(BIN)/python cluster/local.py down

bench-parser: .venv/ready
	$(BIN)/python -m bench.parser

bench-engine: .venv/ready
	$(BIN)/python cluster/local.py up
	$(BIN)/python -m bench.engine

.venv/ready: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -c requirements.lock -e '.[dev]'
	touch $@
