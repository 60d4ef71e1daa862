# Every routine action. CI runs these targets and nothing else, so a red build can be repeated anywhere.
# Needed: Rust (rustup reads rust-toolchain.toml), Python 3 with pip and venv, make. Other tools are put under target/tools.

CARGO ?= cargo
PYTHON ?= python3

TOOLS := target/tools
BUF := $(TOOLS)/buf/bin/buf
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := $(TOOLS)/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny

.DEFAULT_GOAL := help

.PHONY: help
help: ## Lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Runs a verification of each flow, one with a lost callback, and prints their timelines
	target/debug/proofline demo

.PHONY: dev
dev: build ## Runs everything in one process until Ctrl-C
	target/debug/proofline dev

.PHONY: build
build: ## Builds every binary
	$(CARGO) build --locked --workspace --bins

.PHONY: test
test: build ## Runs every test and says how many there were
	@bash -o pipefail -c '$(CARGO) test --locked --workspace --no-fail-fast 2>&1 | $(PYTHON) tests/summary.py'

.PHONY: bench
bench: build ## Measures how much memory uploads take
	$(CARGO) test --locked -p proofline-tests --bench upload_memory

.PHONY: lint
lint: $(BUF) ## Checks format, clippy, rustdoc and the event definitions
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --quiet
	$(BUF) lint
	$(BUF) breaking --against proto/released.binpb

.PHONY: audit
audit: $(CARGO_DENY) ## Checks licences, sources, duplicates and known vulnerabilities of dependencies
	$(CARGO_DENY) --locked check --hide-inclusion-graph bans licenses sources
	@if GIT_TERMINAL_PROMPT=0 $(CARGO_DENY) --locked fetch db >target/advisories.log 2>&1; then \
		$(CARGO_DENY) --locked --offline check advisories; \
	else \
		echo "audit: ADVISORIES NOT CHECKED: their database could not be fetched (see target/advisories.log)"; \
	fi

.PHONY: release-proto
release-proto: $(BUF) ## Makes the events as they are now what later changes must not break
	$(BUF) build -o proto/released.binpb

.PHONY: fmt
fmt: ## Formats the code
	$(CARGO) fmt --all

$(BUF): .ci/buf.txt
	rm -rf $(TOOLS)/buf
	$(PYTHON) -m venv $(TOOLS)/buf
	$(TOOLS)/buf/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --no-deps --only-binary :all: --requirement .ci/buf.txt
	@touch $@

$(CARGO_DENY):
	$(CARGO) install cargo-deny --version $(CARGO_DENY_VERSION) --locked --root $(TOOLS)/cargo-deny-$(CARGO_DENY_VERSION)
