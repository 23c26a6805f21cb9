#!/usr/bin/env bash
# lint.sh: format, clippy, one crypto provider, and (with cargo-deny, which it installs) licences and sources of every dependency.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/lab/check.sh
command -v cargo-deny >/dev/null || cargo install --quiet --locked cargo-deny
cargo deny --log-level error check bans licenses sources
