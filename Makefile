# The development targets of Hookyard. `make` lists them.

CARGO ?= cargo
COMPOSE ?= docker compose
# cargo-nextest if it is installed, otherwise cargo test. Both report all failures.
RUST_TESTS ?= $(if $(shell command -v cargo-nextest),nextest run,test --lib --bins --tests --examples) --no-fail-fast
# More arguments for the test runner, such as make test TEST_ARGS='-p domain'.
TEST_ARGS ?=
SEED ?= 1

.DEFAULT_GOAL := help
.PHONY: help up logs down migrate test test-one test-browser lint demo bench chaos

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## Start API, two workers, Postgres and Redis in containers (API on 8081 and 8000, dashboard on 5555)
	$(COMPOSE) up -d --build

logs: ## Follow the logs of the API and the workers in containers
	$(COMPOSE) logs -f api worker-1 worker-2

down: ## Stop the containers and delete their data
	$(COMPOSE) down -v

migrate: ## Migrate the database of DATABASE_URL (default: the SQLite file in ./data)
	$(CARGO) run --release --locked -- migrate up

# One build of everything first, with the same flags as clippy and the test runner: `cargo build --bins` would compile
# half of the dependencies again, with other features.
test: ## Run all Rust tests in both shapes; uses, starts or installs Postgres and Redis
	@scripts/test-services --plan
	@echo "make test: builds the workspace (about 10 minutes the first time on two cores), then runs the tests (6 to 9 minutes)"
	$(CARGO) build --workspace --all-targets --locked
	@failed=0; \
	scripts/test-services $(CARGO) $(RUST_TESTS) --workspace --locked $(TEST_ARGS) || failed=1; \
	$(CARGO) test --workspace --doc --locked --no-fail-fast || failed=1; \
	exit $$failed

test-one: ## Run the tests whose name contains T, such as make test-one T=a_slow_endpoint
	@test -n "$(T)" || { echo "make test-one: set T to a part of a test's name" >&2; exit 2; }
	@scripts/test-services --plan
	scripts/test-services $(CARGO) $(RUST_TESTS) --workspace --locked $(TEST_ARGS) $(T)

test-browser: ## Test the pages in headless Chromium
	scripts/test-browser

lint: ## Check formatting, clippy and docs
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

demo: ## Show the whole path, from an upload to a verified webhook, in under 20 seconds
	$(CARGO) run --release --locked -- demo

bench: ## Run all benchmarks in both shapes, relative to the bare limit of this machine
	$(CARGO) run --release --locked -p bench

chaos: ## Inject faults in both shapes and count what arrives (SEED=n)
	$(CARGO) run --release --locked -p bench -- chaos --seed $(SEED)
