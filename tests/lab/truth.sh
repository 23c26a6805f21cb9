#!/usr/bin/env bash
# truth.sh: what a real browser did and what the doctor said, scene by scene, as a table. Arguments: parts of names (only those).
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/lab/runner.sh
exec cargo test --locked --quiet --test truth -- "$@"
