#!/usr/bin/env bash
# image-runs.sh IMAGE.tar ARCH: takes the binary out of a docker-archive and runs it, a foreign one by QEMU: its version, and `check` of a good
# pair and of one that is none.
set -euo pipefail
archive=$(readlink -f "$1") arch=$2
case $arch in amd64) cpu=x86_64 ;; arm64) cpu=aarch64 ;; *) echo "error: no recipe for $arch" >&2; exit 2 ;; esac
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
run=()
if [ "$(uname -m)" != "$cpu" ]; then
  if ! command -v "qemu-$cpu-static" >/dev/null; then
    as_root apt-get update -qq >/dev/null
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends qemu-user-static >/dev/null
  fi
  run=("qemu-$cpu-static")
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
tar --extract --file "$archive"
for layer in $(sed 's/.*"Layers":\[\([^]]*\)\].*/\1/; s/[",]/ /g' manifest.json); do tar --extract --file "$layer"; done
run+=("$work/starkeeper")
version=$("${run[@]}" --version)
for name in one two; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=pbx.example.com" -addext "subjectAltName=DNS:pbx.example.com" \
    -addext "basicConstraints=critical,CA:FALSE" -addext "extendedKeyUsage=serverAuth" -keyout "$name.key" -out "$name.crt" 2>/dev/null
done
judged() { "${run[@]}" check -o json --cert "$1.crt" --key "$2.key" | sed -n 's/.*"verdict": *"\([a-z]*\)".*/\1/p' | head -n 1; }
[ "$(judged one one)" = usable ] || { echo "error: $arch: a good pair is not usable" >&2; exit 1; }
[ "$(judged one two || true)" = rejected ] || { echo "error: $arch: a mismatch is not rejected" >&2; exit 1; }
printf '  \033[2mimage\033[0m %s: %s runs and judges; the binary has %s bytes, the archive %s\n' \
  "$arch" "$version" "$(stat -c %s starkeeper)" "$(stat -c %s "$archive")" >&2
