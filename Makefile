# A bare `make` lists the targets. Each makes .venv from the lock when it is missing or older.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):[^#]*## /\1\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

.venv/demo: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/dev: requirements-dev.lock .venv/demo
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: .venv/demo  ## every sample through the real service and an in-memory cluster, live
	$(BIN)/prism-operator demo

test: .venv/dev  ## all tests that need no cluster
	$(BIN)/python -m pytest

lint: .venv/dev  ## ruff, mypy --strict, import contracts, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m app.generate --check

format: .venv/dev  ## put the code into the house form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

generate: .venv/dev  ## write crds/ and metacontroller/ from the models and the table of controllers
	$(BIN)/python -m app.generate

picture: .venv/demo  ## run the demo and export its last screen to docs/demo.svg
	$(BIN)/prism-operator demo --picture docs/demo.svg

bench: .venv/dev  ## CPU per sync relative to a constant answer, in one run
	$(BIN)/python -m bench

e2e: .venv/dev  ## the tests that need the cluster in KUBECONFIG (and Metacontroller in it, or the binary METACONTROLLER)
	$(BIN)/python -m tests.cluster

tokens:  ## make the Secret of the bearer tokens in the cluster of kubectl, where there is none; comes before the controllers
	kubectl apply -f metacontroller/namespace.yaml
	@kubectl get secret prism-operator-tokens -n prism-operator > /dev/null 2>&1 || kubectl create secret generic prism-operator-tokens \
	  -n prism-operator --from-file=hook=<(openssl rand -hex 32 | tr -d '\n') --from-file=registry=<(openssl rand -hex 32 | tr -d '\n')

dev: .venv/demo  ## skaffold against kind
	skaffold dev

lock:  ## renew both locks (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra cli pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

.PHONY: help demo test lint format generate picture bench e2e tokens dev lock
