# The single door: `make run` shows the gate at work, `make test` proves it. Both set up what they need.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run build test lint tidy unit conformance counterparts bench fuzz setup clean package

help: ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: ## installs what the tests need: PyPI and npm packages, into .work/
	@scripts/setup.sh

build: ## the program, in release
	cargo build --release --locked -p portcullis

run: ## gate, demo CSMS and demo fleet, live; Ctrl-C ends it
	@scripts/run.sh

test: setup lint unit package conformance counterparts ## everything below, in order

lint: ## formatting, clippy (warnings are errors)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

unit: ## every Rust test: tables, scenes, properties, tidy
	cargo test --workspace --locked

package: setup ## the Debian package, as dpkg and systemd see it
	@scripts/test-package.sh

conformance: setup ## the reader against the 387 official schemas
	@scripts/conformance.sh

counterparts: setup ## stations and servers that others wrote, through the gate
	@scripts/counterparts.sh

bench: ## against nginx and HAProxy, and the reader against sonic-rs + jsonschema; writes docs/benchmarks.md
	@scripts/bench.sh

fuzz: ## coverage-guided fuzzing; SECONDS_EACH=60 for each target by default
	@scripts/fuzz.sh

clean:
	cargo clean
	rm -rf .work
