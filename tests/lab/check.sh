#!/usr/bin/env bash
# check.sh: what needs no tool beyond Rust's own: format, clippy without a warning, and exactly one crypto provider.
set -euo pipefail
cd "$(dirname "$0")/../.."
step() { printf '\033[1m%s\033[0m\n' "$*"; }
step "format"; cargo fmt --check
step "clippy"; cargo clippy --quiet --all-targets --locked -- -D warnings
step "one crypto provider"
if cargo tree --quiet -i ring 2>/dev/null | grep -q .; then
  echo "error: ring reaches the build beside aws-lc-rs; rustls panics at first use where two providers meet" >&2
  cargo tree -i ring >&2
  exit 1
fi
