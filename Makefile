# Everything a person does with this package, by name. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

python := .venv/bin/python
# Tests share the build of everything else. For a loop of edits, or in the debugger: CONFIGURATION=debug.
CONFIGURATION ?= release
# The rooms that are written in Swift and have an interface: all but the C targets and the command.
rooms := $(sort $(filter-out C% evenkeel-cli,$(notdir $(patsubst %/,%,$(wildcard Sources/*/)))))
formatted := $(wildcard Package.swift Sources Tests Examples)

.PHONY: help setup demo test test-web bench format lint docs fixtures

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' \
		| while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: ## Install the system packages that are missing (Debian, Ubuntu)
	@scripts/setup

demo: setup ## Train on Fashion-MNIST with and without batch norm, and write a report
	swift build -c release --product evenkeel
	.build/release/evenkeel demo
	.build/release/evenkeel lab run convergence --quick --output runs/demo/lab

# Testable imports, which no test has, would need a build of their own in release (and not in debug).
test: setup ## Run all tests; FILTER=name runs those whose name matches, CONFIGURATION=debug in a debug build
	swift test -c $(CONFIGURATION) $(if $(filter release,$(CONFIGURATION)),--disable-testable-imports) \
		--disable-xctest $(if $(FILTER),--filter '$(FILTER)')

test-web: setup ## Try the dashboard in a real browser; screenshots go to artifacts/web
	scripts/setup web
	swift build -c release --product evenkeel
	python3 Tests/Web/run.py .build/release/evenkeel --artifacts artifacts/web

bench: setup ## Race PyTorch, JAX and oneDNN; ARGS='--help' tells what else it can do
	scripts/bench-env
	swift build -c release --product evenkeel
	$(python) Benchmarks/run.py $(ARGS)

format: ## Format all Swift sources in place
	swift format --in-place --parallel --recursive $(formatted)

lint: ## Check the formatting without changing anything
	swift format lint --strict --parallel --recursive $(formatted)

# Parameters whose names say it all need no line of their own, so DocC is not to ask for them.
docs: setup ## Build the DocC documentation of every room; a warning is an error
	swift package generate-documentation $(rooms:%=--target %) \
		--enable-experimental-combined-documentation \
		--disable-parameters-and-returns-validation --warnings-as-errors

fixtures: ## Regenerate Tests/Fixtures/data with PyTorch, Keras and Flax in float64
	scripts/bench-env fixtures
	$(python) Tests/Fixtures/make_all.py
