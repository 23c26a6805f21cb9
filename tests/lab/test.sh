#!/usr/bin/env bash
# test.sh: the whole of the tests. Unit tests run in parallel; what starts Asterisks runs a few at a time, two cores being the target.
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/lab/runner.sh
step() { printf '\033[1m%s\033[0m\n' "$*"; }
tests/lab/check.sh
step "image"; STARKEEPER_IMAGE=$(tests/lab/image.sh); export STARKEEPER_IMAGE
step "tests"; cargo test --locked --no-fail-fast
step "fuzz"; tests/lab/fuzz.sh --brief
