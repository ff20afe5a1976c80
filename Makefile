# `make` alone prints the targets.

PYTHON ?= python3
ARGS ?=
DIST ?= dist

VENV := .venv
BIN := $(VENV)/bin
# The stubs are made by old tools in an environment of their own: see protos/codegen/pyproject.toml.
CODEGEN := .venv-codegen
SETTINGS := uv.lock pyproject.toml all/pyproject.toml protos/pyproject.toml client/pyproject.toml web/pyproject.toml server/pyproject.toml

PROTOS = $(sort $(wildcard protos/milepost/v1/*.proto))
SERVICES = $(filter %_service.proto,$(PROTOS))
EXAMPLE_PROTOS := examples/multitrack/multitrack_events.proto

CHECKS := check-locks check-format check-lint check-types check-imports check-buf-lint check-buf-format \
	check-buf-breaking check-stubs check-web check-dist check-tests

# uv takes the Python it is given, and trusts whom the system trusts.
export UV_PYTHON_DOWNLOADS := never
export UV_SYSTEM_CERTS := true

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

.PHONY: help
help:  ## Print the targets
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: setup
setup: $(VENV)/.stamp  ## Install everything into .venv, from the lock file

$(VENV)/.stamp: $(SETTINGS) tools/bootstrap.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Milepost needs Python 3.11 or newer; name one with PYTHON=..." >&2; exit 1; }
	$(PYTHON) tools/bootstrap.py
	@touch $@

NODE_MODULES := examples/node/node_modules

.PHONY: node
node: $(NODE_MODULES)/.stamp  ## Install what the example in JavaScript needs, where there is npm

# Without it the example's test is skipped; in CI it fails.
$(NODE_MODULES)/.stamp: examples/node/package.json examples/node/package-lock.json
	@if ! command -v npm >/dev/null; then echo "There is no npm, so the example in JavaScript is not tested."; \
	elif cd examples/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; then touch node_modules/.stamp; \
	else echo "npm could not install what the example in JavaScript needs, so it is not tested."; fi

WEB_MODULES := web/node_modules

$(WEB_MODULES)/.stamp: web/package.json web/package-lock.json web/sdk/package.json web/pages/package.json web/testing/react-18/package.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: web
web: $(WEB_MODULES)/.stamp setup  ## Generate and build the client in TypeScript, and the pages; needs Node 18 or newer
	rm -rf web/sdk/src/gen web/sdk/dist web/examples/*/gen
	$(call generate-web,$(CURDIR)/web/sdk/src/gen)
	$(call generate-web-examples,$(CURDIR)/web/examples)
	cd web && npm run build --silent
	@mkdir -p build/npm
	cd web && npm pack --silent --workspace sdk --pack-destination ../build/npm

.PHONY: format-web
format-web: $(WEB_MODULES)/.stamp  ## Format the TypeScript
	cd web && npm run format --silent

.PHONY: demo
demo: setup  ## Run the demo; ARGS="--help" shows its options
	$(BIN)/milepost demo $(ARGS)

.PHONY: multitrack
multitrack: setup  ## Turn a recording into a transcript; MILEPOST_ENGINE names the engine, ARGS="--help" shows options
	$(BIN)/python -m examples.multitrack $(ARGS)

# The tests wait for something most of the time, so that four files run on two cores; at most 8, since each starts processes.
ABREAST := -n $(shell $(PYTHON) -c 'import os; print(min(8, max(1, (os.cpu_count() or 1) * 2)))') --dist loadfile

.PHONY: test
test: setup node  ## Run the tests; ARGS="-k watch" selects some
	$(BIN)/pytest $(ABREAST) $(ARGS)

# What is promised to those who watch and work, held against three nodes over three servers of NATS, too.
ON_JETSTREAM = $(addprefix tests/integration/,watching/test_watch.py watching/test_watch_jobs.py \
	watching/test_watch_model.py working/test_work.py working/test_dispatch.py working/test_cancel.py \
	working/test_cancel_races.py watching/test_resume_matrix.py durability/test_retention.py \
	watching/test_validators.py bounds/test_bad_sessions.py sdk/test_sdk_jobs.py sdk/test_sdk_subscriptions.py \
	sdk/test_sdk_watch_jobs.py sdk/test_sdk_calls.py sdk/test_sdk_sync.py sdk/test_sdk_views.py \
	sdk/test_sdk_reconnect.py sdk/test_sdk_drain.py sdk/test_sdk_attach.py sdk/test_sdk_attach_plain.py \
	sdk/test_sdk_watch_faults.py sdk/test_sdk_worker_faults.py sdk/test_cancel_handlers.py docs/test_archive_job.py \
	durability/test_kill_sdk.py working/test_time.py watching/test_reused_cursors.py)

# The long forms, in parts that can each be run: together they take a few hours.
NIGHTLY := nightly-long nightly-mutants nightly-jetstream nightly-web

.PHONY: nightly $(NIGHTLY)
nightly: $(NIGHTLY)  ## Run the long forms of the tests, part after part; ARGS="-k chaos" selects some

nightly-long: setup  ## Models, chaos, kills, power cuts, storms
	$(BIN)/pytest -m nightly --ignore tests/mutants $(ARGS)

nightly-mutants: setup  ## Plant each bug of tests/mutants, and see that a test notices
	$(BIN)/pytest -m nightly tests/mutants $(ARGS)

nightly-jetstream: setup  ## Watching and working against three nodes over three servers of NATS
	$(BIN)/pytest --store jetstream $(ON_JETSTREAM) $(ARGS)

nightly-web: setup $(WEB_MODULES)/.stamp  ## The client in TypeScript: chaos, its fold over many logs; the page of a million log lines, the list of 10,000 jobs, all pages in all states
	cd web && NIGHTLY=1 npx vitest run sdk/test pages/test/million.test.ts pages/test/list.test.ts pages/test/gallery.test.ts $(ARGS)

.PHONY: bench
bench: setup  ## Run the measurements; ARGS are passed on
	$(BIN)/python -m bench $(ARGS)

.PHONY: check
check: setup $(CHECKS)  ## Check everything, as CI does

.PHONY: format
format: setup  ## Format the Python and the protos, and fix what ruff can fix
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(BIN)/buf format --write

.PHONY: lock
lock: setup  ## Bring the lock files in line with the pyproject files
	$(BIN)/uv lock --python $(BIN)/python
	$(BIN)/uv lock --python $(BIN)/python --project protos/codegen

.PHONY: dist
dist: setup  ## Build the wheels and source distributions into dist
	@rm -rf $(DIST)/milepost*
	$(BIN)/uv build --all-packages --out-dir $(DIST)

.PHONY: clean
clean:  ## Remove everything that was made here, the environments too
	rm -rf $(VENV) $(CODEGEN) $(NODE_MODULES) $(WEB_MODULES) web/testing/react-18/node_modules web/sdk/dist
	rm -rf build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- Generated code ---------------------------------------------------------------------------------------------

$(CODEGEN)/.stamp: protos/codegen/uv.lock protos/codegen/pyproject.toml | setup
	UV_PROJECT_ENVIRONMENT=$(CURDIR)/$(CODEGEN) \
		$(BIN)/uv sync --frozen --project protos/codegen --python $(BIN)/python
	@touch $@

# $(call generate,DIRECTORY) puts the stubs into DIRECTORY/milepost/v1.
define generate
	@PATH="$(CURDIR)/$(CODEGEN)/bin:$$PATH" $(CODEGEN)/bin/python -m grpc_tools.protoc --proto_path=protos \
		--python_out=$(1) --mypy_out=quiet:$(1) $(PROTOS)
	@PATH="$(CURDIR)/$(CODEGEN)/bin:$$PATH" $(CODEGEN)/bin/python -m grpc_tools.protoc --proto_path=protos \
		--grpc_python_out=$(1) --mypy_grpc_out=quiet:$(1) $(SERVICES)
endef

# $(call generate-examples,DIRECTORY) puts the messages of the examples into DIRECTORY/examples.
define generate-examples
	@PATH="$(CURDIR)/$(CODEGEN)/bin:$$PATH" $(CODEGEN)/bin/python -m grpc_tools.protoc --proto_path=. \
		--python_out=$(1) --mypy_out=quiet:$(1) $(EXAMPLE_PROTOS)
endef

.PHONY: protos
protos: $(CODEGEN)/.stamp  ## Generate the stubs beside the protos
	rm -f protos/milepost/v1/*_pb2*.py protos/milepost/v1/*_pb2*.pyi
	$(call generate,protos)
	$(call generate-examples,.)

# $(call generate-web,DIRECTORY) puts the messages in TypeScript into DIRECTORY, whose path is absolute.
define generate-web
	@cd web && ../$(BIN)/buf generate --template sdk/buf.gen.yaml --output $(1)
endef

# $(call generate-web-examples,DIRECTORY) puts the messages of the examples in TypeScript into DIRECTORY, whose path is absolute.
define generate-web-examples
	@cd web && ../$(BIN)/buf generate --template examples/multitrack/buf.gen.yaml --output $(1)/multitrack/gen
endef

# --- The steps of `make check` ----------------------------------------------------------------------------------

step = @printf '\n=== %s\n' "$(1)"

.PHONY: $(CHECKS)

check-locks: setup
	$(call step,lock files)
	@$(BIN)/uv lock --check --quiet --python $(BIN)/python
	@$(BIN)/uv lock --check --quiet --python $(BIN)/python --project protos/codegen

check-format: setup
	$(call step,ruff format)
	@$(BIN)/ruff format --check

check-lint: setup
	$(call step,ruff check)
	@$(BIN)/ruff check

check-types: setup
	$(call step,mypy --strict)
	@$(BIN)/mypy --strict

check-imports: setup
	$(call step,import rules)
	@$(BIN)/lint-imports --no-cache --no-logo

check-buf-lint: setup
	$(call step,buf lint)
	@$(BIN)/buf lint

check-buf-format: setup
	$(call step,buf format)
	@$(BIN)/buf format --diff --exit-code

check-buf-breaking: setup
	$(call step,buf breaking against main)
	@git rev-parse --git-dir >/dev/null
	@main=$$(git rev-parse --verify --quiet origin/main || git rev-parse --verify --quiet main); \
	if git ls-tree -r --name-only "$$main" -- protos 2>/dev/null | grep -q '\.proto$$'; then \
		mkdir -p build && git archive --output=build/main.tar "$$main:protos" && \
		$(BIN)/buf breaking --against build/main.tar; \
	else \
		echo "There are no protos on main yet, so there is nothing to break."; \
	fi

check-stubs: $(CODEGEN)/.stamp
	$(call step,generated code)
	@rm -rf build/stubs && mkdir -p build/stubs
	$(call generate,build/stubs)
	@diff -ru -x '*.proto' -x __init__.py -x py.typed -x __pycache__ protos/milepost/v1 build/stubs/milepost/v1 || \
		{ echo "The stubs are not what the protos give: run 'make protos'." >&2; exit 1; }
	$(call generate-examples,build/stubs)
	@diff -u examples/multitrack/multitrack_events_pb2.py build/stubs/examples/multitrack/multitrack_events_pb2.py && \
		diff -u examples/multitrack/multitrack_events_pb2.pyi build/stubs/examples/multitrack/multitrack_events_pb2.pyi || \
		{ echo "The stubs of the examples are not what their protos give: run 'make protos'." >&2; exit 1; }

# Without npm it does nothing; in CI it fails.
check-web: setup
	$(call step,web)
	@if command -v npm >/dev/null || [ -n "$${REQUIRE_NODE:-}" ]; then $(MAKE) --no-print-directory check-web-with-node; \
	else echo "There is no npm, so what is written in TypeScript is not checked."; fi

.PHONY: check-web-with-node
check-web-with-node: $(WEB_MODULES)/.stamp setup
	@rm -rf build/web-gen
	$(call generate-web,$(CURDIR)/build/web-gen)
	@diff -ru web/sdk/src/gen build/web-gen || { echo "The messages are not what the protos give: run 'make web'." >&2; exit 1; }
	@rm -rf build/web-examples
	$(call generate-web-examples,$(CURDIR)/build/web-examples)
	@diff -ru web/examples/multitrack/gen build/web-examples/multitrack/gen || \
		{ echo "The messages of the examples are not what their protos give: run 'make web'." >&2; exit 1; }
	@rm -rf build/web-assets
	@cd web && MILEPOST_ASSETS=$(CURDIR)/build/web-assets node pages/build.mjs
	@diff -rq web/milepost/web/assets build/web-assets || { echo "The pages are not what their sources give: run 'make web'." >&2; exit 1; }
	@cd web && npm run check --silent && npm run build --silent && npm test --silent -- $(ARGS)

check-dist: setup
	$(call step,distributions)
	@$(BIN)/pytest -m "installed and not nightly" tests/installed

check-tests: setup node
	$(call step,pytest)
	@$(BIN)/pytest $(ABREAST)
