# Two commands on a fresh machine with Python 3.11 or newer and make:
#     make demo     an invented shop's files become journeys, in about three minutes the first time, in one after that
#     make test     every test and check
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup setup-test setup-bench setup-peers setup-spark demo test lint format bench bench-spark pictures lock clean

export PYTHON

help:  ## show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

setup:  ## make .venv with the locked versions and the command .venv/bin/percorso
	@bash scripts/setup.sh run

setup-test:
	@bash scripts/setup.sh run test spark browser java

setup-bench:
	@bash scripts/setup.sh run bench

setup-peers: setup-bench
	@bash scripts/setup_peers.sh

setup-spark:
	@bash scripts/setup.sh run test spark java

demo: setup  ## make the demo shop and its workspace: three minutes the first time, then one (DEMO="--customers 500")
	@.venv/bin/percorso demo $(DEMO)

test: setup-test  ## lint, then all tests
	@bash scripts/check.sh lint
	@bash scripts/check.sh tests

lint: setup-test  ## ruff, mypy strict, import-linter
	@bash scripts/check.sh lint

format: setup-test  ## put the sources into the house format
	@bash scripts/check.sh format

bench: setup-peers  ## measure against ClickHouse, DuckDB and other tools, write benchmarks/RESULTS.md (BENCH="--events 1000000")
	@.venv/bin/python -m benchmarks.run $(BENCH)

bench-spark: setup-spark  ## measure Apache Spark beside one process, write benchmarks/spark.json and docs/concepts/scale.md (BENCH="--quick")
	@.venv/bin/python -m benchmarks.spark $(BENCH)

pictures: setup-test  ## draw the pictures of README and docs again (needs Chromium)
	@.venv/bin/python scripts/pictures.py

lock: setup  ## resolve requirements/*.txt again
	@bash scripts/lock.sh

clean:  ## remove what make made: .venv, caches, demo-data, benchmark data
	@rm -rf .venv .venv-peers .cache build dist demo-data benchmarks/data benchmarks/.work
