# Every target sets up what it needs; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A lock is newer than its stamp: install again. Hashes are checked for every file.
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

.PHONY: help
help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version). Name another: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing from requirements.lock, hashes checked: once, a minute or two."
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: setup
setup: $(VENV)/.run ## install what a run needs, from the hash-checked lock

.PHONY: demo
demo: $(VENV)/.run ## make the demo world, run every example, end with the gallery's path
	$(BIN)/trustlib demo
	$(BIN)/trustlib run params --jobs 2
	@$(BIN)/trustlib gallery

.PHONY: test
test: $(VENV)/.dev ## lint, layers, unit, notebook and end-to-end tests (under 15 minutes)
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n 2 --dist worksteal -q

.PHONY: lint
lint: $(VENV)/.dev ## format, style, types, layers
	$(BIN)/ruff format --check trustlib tests
	$(BIN)/ruff check trustlib tests
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: faults
faults: $(VENV)/.dev ## the long fault campaigns on the real notebook
	$(BIN)/python -m pytest -q -m slow tests/report

.PHONY: studies
studies: $(VENV)/.dev ## coverage studies; rewrites the recorded figures in tests/studies
	$(BIN)/python -m tests.studies.incident_coverage
	$(BIN)/python -m tests.studies.demo_truth
	$(BIN)/python -m tests.studies.did_coverage
	$(BIN)/python -m tests.studies.honest_coverage
	$(BIN)/python -m tests.studies.rollout_truth
	$(BIN)/python -m tests.studies.synth_coverage
	$(BIN)/python -m tests.studies.synth_truth
	$(BIN)/python -m tests.studies.prevalence_coverage
	$(BIN)/python -m tests.studies.reach_coverage
	$(BIN)/python -m tests.studies.ring_recovery
	$(BIN)/python -m tests.studies.deep_dive_truth
	$(BIN)/python -m tests.studies.postmortem_coverage
	$(BIN)/python -m tests.studies.postmortem_late
	$(BIN)/python -m tests.studies.postmortem_factors
	$(BIN)/python -m tests.studies.postmortem_truth

.PHONY: bench
bench: $(VENV)/.dev ## speed and memory beside the named peers, as ratios in one run
	$(BIN)/python tests/benchmarks/run_speed.py
	$(BIN)/python tests/benchmarks/ten_million_rows.py
	$(BIN)/python tests/benchmarks/did_speed.py
	$(BIN)/python tests/benchmarks/two_way_speed.py
	$(BIN)/python tests/benchmarks/synth_speed.py
	$(BIN)/python tests/benchmarks/synth_predictors_speed.py
	$(BIN)/python tests/benchmarks/deep_dive_scale.py
	$(BIN)/python tests/benchmarks/postmortem_speed.py
	$(BIN)/python tests/benchmarks/report_speed.py

.PHONY: lab
lab: $(VENV)/.run ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=.

.PHONY: lock
lock: $(VENV)/.dev ## resolve again: both lock files and environment.yml
	$(BIN)/python tests/setup/lock.py

.PHONY: clean
clean: ## remove generated state (demo world, snapshots, reports), keep the environment
	rm -rf .trustlib .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	git clean -fdXq reports
