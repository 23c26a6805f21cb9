# Starkeeper's commands. `make` alone prints them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help demo test bench faults truth soak outage fuzz lint docs image lab browser proxies prometheus smtp docker kubernetes setup

help: ## Print this list
	@printf 'Starkeeper: keeps the secure WebSocket door of Asterisk open.\n\n'
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[36mmake %-8s\033[0m %s\n", $$1, $$2}'

demo: setup ## See it work: a real Asterisk 22, the agent beside it, a story in seconds (KEEP=1: left running)
	@tests/lab/asterisk.sh 22
	@KEEP=$(KEEP) tests/lab/demo.sh

test: setup browser proxies prometheus smtp docker kubernetes ## Run every test, on real Asterisk 16 and 22, in Docker, on a Kubernetes node
	@tests/lab/asterisk.sh 22 16
	@tests/lab/test.sh

bench: setup ## Measure: rotations against the bare floor, large configurations, idle cost (ARGS=--quick: shorter)
	@tests/lab/asterisk.sh 22 16
	@tests/lab/kubernetes.sh apiserver
	@tests/lab/bench.sh $(ARGS)

faults: setup ## Every fault on real Asterisk 16 and 22: what users saw, its name, the way back (a table)
	@tests/lab/asterisk.sh 22 16
	@tests/lab/faults.sh

truth: setup browser proxies ## The doctor against a real browser: what each says of a scene, well or wrongly set up (a table)
	@tests/lab/asterisk.sh 22 16
	@tests/lab/truth.sh

lint: ## Format, clippy, licences and sources of every dependency
	@tests/lab/lint.sh

docs: ## Man page, shell completions and the settings' JSON Schema, into target/docs; the pages of findings, into docs
	@cargo build --quiet --locked
	@mkdir -p target/docs
	@target/debug/starkeeper man >target/docs/starkeeper.1
	@target/debug/starkeeper completions bash >target/docs/starkeeper.bash
	@target/debug/starkeeper completions zsh >target/docs/_starkeeper
	@target/debug/starkeeper completions fish >target/docs/starkeeper.fish
	@target/debug/starkeeper schema >target/docs/starkeeper.schema.json
	@target/debug/starkeeper explain --markdown --lang en >docs/findings.md
	@target/debug/starkeeper explain --markdown --lang pt-BR >docs/findings.pt-BR.md
	@ls target/docs/* docs/findings*

image: setup docker ## The container image from the Dockerfile alone, amd64 and arm64, twice: same bytes? (half an hour)
	@tests/lab/image-from-source.sh

lab: setup ## Only provide the real Asterisks (in ~/.cache/starkeeper-lab)
	@tests/lab/asterisk.sh 22 16

setup:
	@tests/lab/setup.sh

fuzz: ## Fuzz every reader of bytes from outside with libFuzzer (FUZZ_SECONDS=10 each)
	@tests/lab/fuzz.sh

soak: setup ## A year of rotations on a real Asterisk 22 (ROTATIONS=10000), in a quarter of an hour
	@tests/lab/asterisk.sh 22
	@ROTATIONS=$${ROTATIONS:-10000} cargo test --locked --quiet --test soak -- --nocapture

browser: setup ## Only provide the real Chromium with JsSIP and SIP.js (in ~/.cache/starkeeper-lab)
	@tests/lab/browser.sh

proxies: setup ## Only provide a real nginx, Apache, HAProxy and Caddy (in ~/.cache/starkeeper-lab, where the host has none)
	@tests/lab/proxies.sh

prometheus: setup ## Only provide a real Prometheus and Alertmanager (in ~/.cache/starkeeper-lab, where the host has none)
	@tests/lab/prometheus.sh

smtp: setup ## Only provide a real mail server (in ~/.cache/starkeeper-lab)
	@tests/lab/smtp.sh

docker: setup ## Only provide a Docker engine, Compose and BuildKit (in ~/.cache/starkeeper-lab)
	@tests/lab/docker.sh

kubernetes: setup ## Only provide the parts of a real Kubernetes node (in ~/.cache/starkeeper-lab; built once, a quarter of an hour)
	@tests/lab/kubernetes.sh
	@tests/lab/images.sh

outage: setup docker kubernetes ## On a Kubernetes node, what takes long: the API server away for five minutes, a Secret without the nudge
	@bash -c 'source tests/lab/runner.sh; AWAY=300 cargo test --locked --test kubernetes -- --nocapture away'
