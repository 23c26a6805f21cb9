#!/usr/bin/env bash
# sbom.sh ARCH OUT.cdx.json: the list of all that is in the static binary of an architecture, as CycloneDX; OWASP's own tool makes it.
set -euo pipefail
cd "$(dirname "$0")/../.."
case $1 in amd64) cpu=x86_64 ;; arm64) cpu=aarch64 ;; *) echo "error: no recipe for $1" >&2; exit 2 ;; esac
home=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/cyclonedx
# As in the Dockerfile.
version=$(sed -n 's/.*cargo-cyclonedx@\([0-9.]*\).*/\1/p' Dockerfile)
if [ "$(cat "$home/.starkeeper-recipe" 2>/dev/null)" != "$version" ]; then
  printf '  \033[2mimage\033[0m cargo-cyclonedx %s (once, some minutes)\n' "$version" >&2
  nice -n 5 cargo install --quiet --locked --root "$home" "cargo-cyclonedx@$version"
  echo "$version" >"$home/.starkeeper-recipe"
fi
# It writes beside Cargo.toml: a copy of what it reads keeps this folder clean.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/src"
cp Cargo.toml Cargo.lock "$work/"
cp -r src benches tests "$work/"
(cd "$work" && SOURCE_DATE_EPOCH=0 "$home/bin/cargo-cyclonedx" cyclonedx --quiet --format json --target "$cpu-unknown-linux-musl" --override-filename starkeeper.cdx)
# Where it was made says nothing about what is in it: the Dockerfile's folder, everywhere.
sed "s#path+file://$work\\b#path+file:///src#g" "$work/starkeeper.cdx.json" >"$2"
