#!/usr/bin/env bash
# demo.sh: builds the demo and plays it (tests/demo.rs). KEEP=1 leaves everything running at the end, until Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/lab/runner.sh
begun=$SECONDS
quiet=--quiet
if [ -t 2 ]; then
  # The first build takes a minute or two: Cargo's own progress bar is worth more than silence.
  quiet=
  printf '  \033[2mbuild\033[0m the agent and the demo\n' >&2
fi
# shellcheck disable=SC2086
cargo test --locked $quiet --test demo --no-run
took=$((SECONDS - begun))
if [ "$took" -ge 5 ]; then printf '  \033[2mbuild\033[0m done after %s s\n' "$took" >&2; fi
# Ctrl-C is heeded by the demo, which then ends in good order, and not by Cargo above it.
trap '' INT
exec cargo test --locked --quiet --test demo
