# `make` alone prints the targets.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
# The stubs are made by old tools in an environment of their own: see protos/codegen/pyproject.toml.
CODEGEN := .venv-codegen
SETTINGS := uv.lock pyproject.toml protos/pyproject.toml client/pyproject.toml server/pyproject.toml

PROTOS = $(sort $(wildcard protos/milepost/v1/*.proto))
SERVICES = $(filter %_service.proto,$(PROTOS))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

.PHONY: help
help:  ## Print the targets
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: setup
setup: $(VENV)/.stamp  ## Install everything into .venv, from the lock file

$(VENV)/.stamp: $(SETTINGS) tools/bootstrap.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Milepost needs Python 3.11 or newer; name one with PYTHON=..." >&2; exit 1; }
	$(PYTHON) tools/bootstrap.py
	@touch $@

.PHONY: demo
demo: setup  ## Run the demo; ARGS="--help" shows its options
	$(BIN)/milepost demo $(ARGS)

.PHONY: test
test: setup  ## Run the tests; ARGS="-k watch" selects some
	$(BIN)/pytest $(ARGS)

.PHONY: bench
bench: setup  ## Run the measurements; ARGS are passed on
	$(BIN)/python -m bench $(ARGS)

.PHONY: format
format: setup  ## Format the Python and the protos, fix what ruff can fix
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(BIN)/buf format --write

# --- Generated code ---------------------------------------------------------------------------------------------

$(CODEGEN)/.stamp: protos/codegen/uv.lock protos/codegen/pyproject.toml | setup
	UV_PROJECT_ENVIRONMENT=$(CURDIR)/$(CODEGEN) UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=true \
		$(BIN)/uv sync --frozen --project protos/codegen --python $(BIN)/python
	@touch $@

# $(call generate,DIRECTORY) puts the stubs into DIRECTORY/milepost/v1.
define generate
	@PATH="$(CURDIR)/$(CODEGEN)/bin:$$PATH" $(CODEGEN)/bin/python -m grpc_tools.protoc --proto_path=protos \
		--python_out=$(1) --mypy_out=quiet:$(1) $(PROTOS)
	@PATH="$(CURDIR)/$(CODEGEN)/bin:$$PATH" $(CODEGEN)/bin/python -m grpc_tools.protoc --proto_path=protos \
		--grpc_python_out=$(1) --mypy_grpc_out=quiet:$(1) $(SERVICES)
endef

.PHONY: protos
protos: $(CODEGEN)/.stamp  ## Generate the stubs beside the protos
	rm -f protos/milepost/v1/*_pb2*.py protos/milepost/v1/*_pb2*.pyi
	$(call generate,protos)
