# Every command of the project. `make help` lists them; `ARGS=…` hands arguments on, e.g. `make demo ARGS=--check`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export PYTHONDONTWRITEBYTECODE ?= 1

# The versions that the tests run on, newest first, then whatever is called python3.
BASE_PYTHON := $(shell for name in python3.13 python3.12 python3.11 python3; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; done)
VENV := .venv/bin
PYTHON := $(VENV)/python
# Two test processes by default; more need more memory than a small machine has.
WORKERS ?= 2
ARGS ?=

.PHONY: help
help: ## List these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | \
		while IFS=$$'\t' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

.PHONY: base-python
base-python:
	@test -n "$(BASE_PYTHON)" || { echo "Please install Python 3.11 or newer (python3)."; exit 1; }

.PHONY: setup-demo
setup-demo: base-python
	@$(BASE_PYTHON) -m deploy.local.environment requirements-demo.txt

.PHONY: setup
setup: base-python ## Make the virtual environment with the tools for development and tests
	@$(BASE_PYTHON) -m deploy.local.environment requirements-test.txt

.PHONY: demo
demo: setup-demo ## Start two linked cooperatives and play the main job (ARGS=--check: play it and end)
	@$(PYTHON) -m deploy.demo $(ARGS)

.PHONY: test
test: setup ## Run all tests (ARGS="tests/unit -k booking", WORKERS=4, MAILLAGE_TEST_SERVERS=local|containers)
	@$(PYTHON) -m deploy.local ensure rabbitmq-server chromium
	@$(VENV)/pytest -n $(WORKERS) --dist loadgroup $(ARGS)

.PHONY: check
check: setup ## Check style, types, import rules and dependencies
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/basedpyright
	$(VENV)/lint-imports
	$(VENV)/deptry .

.PHONY: audit
audit: base-python ## Are dependencies locked, current, without known weaknesses? (ARGS=--strict: fail when nobody tells)
	@$(BASE_PYTHON) -m deploy.audit $(ARGS)

.PHONY: format
format: setup ## Put the code into shape
	$(VENV)/ruff check --fix-only .
	$(VENV)/ruff format .

.PHONY: contracts
contracts: setup ## Write the schemas, the AsyncAPI document and the table of events
	@$(PYTHON) -m services contracts $(ARGS)

.PHONY: bench
bench: setup ## Measure how long changes take to show, and what two cooperatives weigh
	@$(PYTHON) -m deploy.local ensure rabbitmq-server
	@$(PYTHON) -m tests.bench $(ARGS)

.PHONY: bench-bookings
bench-bookings: setup ## Measure accepted bookings, as a ratio to what pgbench inserts in the same run
	@$(PYTHON) -m deploy.local ensure rabbitmq-server wrk
	@$(PYTHON) -m tests.bench.booking $(ARGS)

.PHONY: bench-events
bench-events: setup ## Measure events from commit to effect, as a ratio to what aio-pika alone carries in the same run
	@$(PYTHON) -m deploy.local ensure rabbitmq-server
	@$(PYTHON) -m tests.bench.throughput $(ARGS)

.PHONY: bench-matching
bench-matching: setup ## Measure how good and how fast search and matching are (ARGS="quality", "parts", "show", "recall", "scale --offers 10000")
	@$(PYTHON) -m deploy.local ensure rabbitmq-server
	@$(PYTHON) -m tests.bench.matching $(ARGS)

.PHONY: bench-federation
bench-federation: setup ## Measure events through a link, as a ratio to raw messages through the same queue and shovel
	@$(PYTHON) -m deploy.local ensure rabbitmq-server
	@$(PYTHON) -m tests.bench.federation $(ARGS)

.PHONY: fuzz
fuzz: setup ## Throw generated requests at every OpenAPI
	@$(PYTHON) -m deploy.local ensure rabbitmq-server
	@$(VENV)/pytest tests/fuzz $(ARGS)

.PHONY: faults
faults: setup ## Kill, cut, duplicate, delay, poison; then look at the invariants
	@$(PYTHON) -m deploy.local ensure rabbitmq-server
	@$(VENV)/pytest tests/faults -m "long or not long" $(ARGS)

.PHONY: hammer
hammer: setup ## Many people at the same resources, here and over a link that is cut (ARGS="--rounds 200 --cuts 12")
	@$(PYTHON) -m deploy.local ensure rabbitmq-server
	@$(PYTHON) -m tests.hammer $(ARGS)

.PHONY: compose-test
compose-test: setup ## Build the containers, play the main job in them and take them down
	@$(PYTHON) -m deploy.compose_test $(ARGS)

.PHONY: lock
lock: ## Write the lock files anew from pyproject.toml (needs uv)
	@for part in "requirements.txt" "requirements-demo.txt --group demo -c requirements.txt" \
			"requirements-test.txt --group test -c requirements.txt"; do \
		set -- $$part; output=$$1; shift; \
		uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-emit-find-links --custom-compile-command "make lock" "$$@" -o "$$output" pyproject.toml; \
	done

.PHONY: clean
clean: base-python ## Remove the demo's data and all caches
	@$(BASE_PYTHON) -m deploy.local remove
	@rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache build ./*.egg-info
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## Remove the virtual environment too
	@rm -rf .venv .local
