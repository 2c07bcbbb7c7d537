# One word for each thing to do; the work itself is in scripts/.

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

run: ## Install what is missing, build, and start Slipway
	@scripts/run

dev: ## Start Slipway, and again after every change
	@scripts/dev

test: ## All tests, against a real swarm, registry and browser
	@scripts/test

e2e: ## The browser's tests alone
	@scripts/test e2e

check: ## Format, lints, documentation, dependencies, tests that need no lab
	@scripts/check

bench: ## Sizes, start, memory and speed of the release
	@scripts/bench

clean: ## Stop the lab and remove everything that was built
	@scripts/lab stop
	@cargo clean
	@rm -rf target end2end/node_modules

.PHONY: help run dev test e2e check bench clean
