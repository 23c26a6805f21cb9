#!/usr/bin/env bash
# bench.sh: builds the agent as it is shipped (static, musl, release) and measures that one, beside the bare floor and the usual way.
#
#   tests/lab/bench.sh                       everything; idle for 5 minutes
#   tests/lab/bench.sh --quick               the same, shorter
#   tests/lab/bench.sh rotation healthcheck  only these: rotation, staged, today, endpoints, doctor, healthcheck, probe, idle, scrape, page, pod
#
# `make bench ARGS=--quick` calls it likewise. Ends with a failure where a target is missed.
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/lab/runner.sh
target=$(uname -m)-unknown-linux-musl
if command -v rustup >/dev/null && ! rustup target list --installed | grep -qx "$target"; then
  printf '  \033[2mbench\033[0m adding the target %s\n' "$target" >&2
  rustup --quiet target add "$target"
fi
# command=package: the C compiler of the static build, and what the usual way needs.
missing=()
for need in musl-gcc=musl-tools inotifywait=inotify-tools; do
  command -v "${need%%=*}" >/dev/null || missing+=("${need#*=}")
done
if [ "${#missing[@]}" -gt 0 ]; then
  printf '  \033[2mbench\033[0m installing %s\n' "${missing[*]}" >&2
  command -v apt-get >/dev/null || { echo "error: install these, then call this again: ${missing[*]}" >&2; exit 1; }
  as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
  as_root apt-get update -qq >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
printf '  \033[2mbench\033[0m building the release (the first time, several minutes)\n' >&2
quiet=--quiet
[ -t 2 ] && quiet=
# shellcheck disable=SC2086
cargo bench --locked $quiet --target "$target" --bench targets --no-run
exec cargo bench --locked --quiet --target "$target" --bench targets -- "$@"
