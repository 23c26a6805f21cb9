#!/usr/bin/env bash
# fuzz.sh [--brief] [TARGET…]: libFuzzer on every reader of bytes from outside, FUZZ_SECONDS (10) each, from the seeds. What it learns stays
# in fuzz/corpus, what it breaks in fuzz/artifacts. --brief, for `make test`: 5 seconds each, always the same inputs in the same order.
#
# The stable compiler does: what libFuzzer needs is counters at every edge, which LLVM puts in by the flags below (those of cargo-fuzz, which
# works in fuzz/ too). No sanitizer: all code here is safe Rust (`unsafe_code = "forbid"`), so that AddressSanitizer could find faults in
# dependencies alone, for three times the build and half the speed. Overflows and assertions are on, and panic.
set -euo pipefail
cd "$(dirname "$0")/../.."
host=$(rustc -vV | sed -n 's/^host: //p')
brief=
[ "${1:-}" != --brief ] || { brief=1; shift; }
seconds=${FUZZ_SECONDS:-$([ -n "$brief" ] && echo 5 || echo 10)}
command -v c++ >/dev/null || {
  printf '  \033[2mset-up\033[0m installing g++ (libFuzzer is C++)\n' >&2
  as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
  as_root apt-get update -qq >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends g++ >/dev/null
}
counters="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing"
RUSTFLAGS="$counters" CARGO_TARGET_DIR=target/fuzz cargo build --quiet --locked --release --manifest-path fuzz/Cargo.toml --target "$host"

targets=("$@")
[ "${#targets[@]}" -gt 0 ] || mapfile -t targets < <(basename -s .rs -a fuzz/fuzz_targets/*.rs)
passing=$(mktemp -d)
trap 'rm -rf "$passing"' EXIT
for target in "${targets[@]}"; do
  corpus=fuzz/corpus/$target
  [ -z "$brief" ] || corpus=$passing/$target
  mkdir -p "$corpus" "fuzz/artifacts/$target"
  options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256 -max_len=65536 -print_final_stats=1
    -artifact_prefix="fuzz/artifacts/$target/")
  [ -z "$brief" ] || options+=(-seed=1)
  [ ! -f "fuzz/dict/$target.dict" ] || options+=(-dict="fuzz/dict/$target.dict")
  log=$passing/$target.log
  if "target/fuzz/$host/release/$target" "${options[@]}" "$corpus" "fuzz/seeds/$target" >"$log" 2>&1; then
    awk -v name="$target" '/number_of_executed_units/ {units=$2} /peak_rss_mb/ {rss=$2} / cov: / {for (i=1;i<NF;i++) if ($i=="cov:") cov=$(i+1)}
      END {printf "  %-12s %9d inputs, %5d edges, %4d MB at most\n", name, units, cov, rss; exit units == 0}' "$log"
  else
    grep -aE 'panicked|ERROR|SUMMARY|Test unit' -A2 "$log" | tail -20 >&2
    echo "error: $target failed; the input lies in fuzz/artifacts/$target: make it a seed, and mend what it breaks" >&2
    exit 1
  fi
done
