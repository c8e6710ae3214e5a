# One line a target; CONTRIBUTING.md explains them. The locks in requirements/ are hashed and name no index.
.PHONY: setup demo test unit coverage lint audit bench chaos mutation lab lab-down docs lock
PYTHON ?= python3
BIN := .venv/bin

setup: .venv/.done
.venv/.done: requirements/dev.txt requirements/boot.txt src/ci_buildkit/__init__.py
	$(PYTHON) bin/setup.py

# What only measuring needs, in the same environment.
.venv/.bench: requirements/bench.txt .venv/.done
	$(BIN)/uv pip install --quiet --require-hashes --python $(BIN)/python -r requirements/bench.txt
	touch $@

# What asks for known weaknesses, in an environment of its own.
.venv/audit/.done: requirements/audit.txt .venv/.done
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv/audit
	$(BIN)/uv pip sync --quiet --require-hashes --python .venv/audit/bin/python requirements/audit.txt
	touch $@

demo: setup
	$(BIN)/python bin/demo.py

test: setup
	$(BIN)/python bin/test.py

unit: setup
	$(BIN)/python bin/test_tools.py
	$(BIN)/python -m pytest -q -n 2 tests/unit tests/contract

coverage: .venv/.bench
	$(BIN)/python bin/test_tools.py
	$(BIN)/python bin/branches.py

lint: setup
	$(BIN)/python bin/lint.py

audit: .venv/audit/.done
	$(BIN)/python bin/audit.py

bench: .venv/.bench
	$(BIN)/python -m bench

mutation: .venv/.bench
	$(BIN)/python bin/mutation.py

chaos: setup
	$(BIN)/python bin/chaos.py

lab:
	$(PYTHON) lab/lab.py up

lab-down:
	$(PYTHON) lab/lab.py down

docs: setup
	$(BIN)/python bin/docs.py

lock: setup
	$(PYTHON) bin/lock.py
