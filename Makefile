# Starkeeper's commands. `make` alone prints them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help demo test bench faults lint lab setup

help: ## Print this list
	@printf 'Starkeeper: keeps the secure WebSocket door of Asterisk open.\n\n'
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[36mmake %-8s\033[0m %s\n", $$1, $$2}'

demo: setup ## See it work: a real Asterisk 22, the agent beside it, and a story in under a minute
	@tests/lab/asterisk.sh 22
	@cargo test --quiet --test demo

test: setup ## Run every test, on real Asterisk 16 and 22
	@tests/lab/asterisk.sh 22 16
	@tests/lab/test.sh

bench: setup ## Measure: rotation against the bare floor, idle cost, healthcheck (prints ratios)
	@tests/lab/asterisk.sh 22 16
	@tests/lab/bench.sh

faults: setup ## Every fault on real Asterisk 16 and 22: what users saw, its name, the way back (a table)
	@tests/lab/asterisk.sh 22 16
	@tests/lab/faults.sh

lint: ## Format, clippy, licences and sources of every dependency
	@tests/lab/lint.sh

lab: setup ## Only provide the real Asterisks (in ~/.cache/starkeeper-lab)
	@tests/lab/asterisk.sh 22 16

setup:
	@tests/lab/setup.sh
