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
quietly() { openssl "$@" 2>/dev/null; }
quietly req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=lab" -keyout ca.key -out ca.crt
printf 'subjectAltName=DNS:pbx.example.com\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n' >leaf
for name in one two; do
  quietly req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=pbx.example.com" -keyout "$name.key" -out "$name.csr"
  quietly x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile leaf -out "$name.crt"
done
# As "verdict codes…", of the certificate of the one and the key of the other.
judged() { { "${run[@]}" check -o json --ca ca.crt --cert "$1.crt" --key "$2.key" || true; } | grep -oE '"(verdict|code)":"[a-z-]*"' | cut -d'"' -f4 | paste -sd' '; }
[ "$(judged one one)" = usable ] || { echo "error: $arch: a good pair is not usable" >&2; exit 1; }
[ "$(judged one two)" = "rejected key-mismatch" ] || { echo "error: $arch: a mismatch is not rejected" >&2; exit 1; }
printf '  \033[2mimage\033[0m %s: %s runs and judges; the binary has %s bytes, the archive %s\n' \
  "$arch" "$version" "$(stat -c %s starkeeper)" "$(stat -c %s "$archive")" >&2
