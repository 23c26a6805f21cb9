#!/usr/bin/env bash
# faults.sh: the whole matrix of faults, the long ones too, as a table. Arguments: parts of names (only those).
set -euo pipefail
cd "$(dirname "$0")/../.."
exec cargo test --locked --quiet --test faults -- --long "$@"
