# Everything one does with Hookyard, by name. `make` alone lists it.

CARGO ?= cargo
COMPOSE ?= docker compose
# Whichever runner is installed; the second runs the same tests, less nicely. Both report all failures.
RUST_TESTS ?= $(if $(shell command -v cargo-nextest),nextest run,test --lib --bins --tests --examples) --no-fail-fast
# More arguments for the runner: make test TEST_ARGS='-p api', or a part of a test's name.
TEST_ARGS ?=
SEED ?= 1

.DEFAULT_GOAL := help
.PHONY: help up logs down migrate test test-browser lint demo bench chaos

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## Start API, two workers, Postgres and Redis in containers (API on 8081 and 8000, dashboard on 5555)
	$(COMPOSE) up -d --build

logs: ## Follow the logs of the API and the workers in containers
	$(COMPOSE) logs -f api worker-1 worker-2

down: ## Stop the containers and delete their data
	$(COMPOSE) down -v

migrate: ## Bring the database of DATABASE_URL (default: the SQLite file in ./data) up to date
	$(CARGO) run --release --locked -- migrate up

# One build of everything first, as clippy's and the runner's flags select it: `cargo build --bins` would compile half
# of the dependencies a second time, with other features.
test: ## Run all Rust tests in both shapes; Postgres and Redis are found, started or installed
	$(CARGO) build --workspace --all-targets --locked
	@failed=0; \
	scripts/test-services $(CARGO) $(RUST_TESTS) --workspace --locked $(TEST_ARGS) || failed=1; \
	$(CARGO) test --workspace --doc --locked --no-fail-fast || failed=1; \
	exit $$failed

test-browser: ## Test the pages in headless Chromium
	scripts/test-browser

lint: ## Check formatting, clippy and docs
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

demo: ## Show the whole path in under 20 seconds
	$(CARGO) run --release --locked -- demo

bench: ## Measure everything in both shapes against the bare limit of this machine
	$(CARGO) run --release --locked -p bench

chaos: ## Break things on purpose in both shapes and count what arrived (SEED=n)
	$(CARGO) run --release --locked -p bench -- chaos --seed $(SEED)
