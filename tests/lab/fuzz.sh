#!/usr/bin/env bash
# fuzz.sh [TARGET…]: libFuzzer on every reader of bytes from outside, FUZZ_SECONDS (10) each, from the seeds. What it learns stays in
# fuzz/corpus, what it breaks in fuzz/artifacts. Needs no nightly toolchain: the stable one brings the sanitizer.
set -euo pipefail
cd "$(dirname "$0")/../../fuzz"
export RUSTC_BOOTSTRAP=1
if ! cargo fuzz --version >/dev/null 2>&1; then
  printf '  \033[2mset-up\033[0m installing cargo-fuzz (some minutes, once)\n' >&2
  cargo install --locked --quiet cargo-fuzz
fi
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || mapfile -t targets < <(cargo fuzz list --fuzz-dir .)
cargo fuzz build --fuzz-dir .
for target in "${targets[@]}"; do
  mkdir -p "corpus/$target"
  options=(-max_total_time="${FUZZ_SECONDS:-10}" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256 -max_len=65536 -print_final_stats=1)
  [ ! -f "dict/$target.dict" ] || options+=(-dict="dict/$target.dict")
  log=$(mktemp)
  if cargo fuzz run --fuzz-dir . "$target" "corpus/$target" "seeds/$target" -- "${options[@]}" >"$log" 2>&1; then
    awk -v name="$target" '/number_of_executed_units/ {units=$2} /peak_rss_mb/ {rss=$2} / cov: / {for (i=1;i<NF;i++) if ($i=="cov:") cov=$(i+1)}
      END {printf "  %-12s %9d inputs, %5d edges, %4d MB at most\n", name, units, cov, rss}' "$log"
    rm -f "$log"
  else
    tail -40 "$log" >&2; echo "error: $target failed; the whole log: $log" >&2; exit 1
  fi
done
