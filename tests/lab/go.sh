#!/usr/bin/env bash
# go.sh: prints the folder of a Go that is new enough for what the lab builds (1.26), and fetches one where there is none.
#
#   PATH=$(tests/lab/go.sh):$PATH
#
# An older Go, Debian's for instance (installed by apt where there is none at all), fetches the newer one as the Go module that Go
# publishes itself as, checksum and all, into ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab/go. A second call costs nothing.
set -euo pipefail

wanted=1.26.8
enough=1.26
home=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/go

say() { printf '  \033[2mlab\033[0m %s\n' "$*" >&2; }
# `go version go1.26.8 linux/amd64` → 1.26.8; from a folder without go.mod, so that no project's toolchain line is heeded.
version() { (cd / && GOTOOLCHAIN=local "$1" version 2>/dev/null) | sed -n 's/^go version go\([0-9.]*\).*/\1/p'; }
is_enough() { [ -n "$1" ] && [ "$(printf '%s\n' "$enough" "$1" | sort -V | head -n 1)" = "$enough" ]; }

for each in "$(command -v go || true)" /usr/local/go/bin/go "$home/bin/go"; do
  if [ -x "$each" ] && is_enough "$(version "$each")"; then dirname "$(readlink -f "$each")"; exit; fi
done

if ! command -v go >/dev/null; then
  command -v apt-get >/dev/null || { echo "error: Go is missing and this is no Debian: install Go $enough or newer, then call this again" >&2; exit 1; }
  say "installing golang-go"
  as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
  as_root apt-get update -qq >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends golang-go ca-certificates >/dev/null
fi
case $(uname -m) in
  x86_64) arch=amd64 ;;
  aarch64) arch=arm64 ;;
  *) echo "error: no Go is known for $(uname -m)" >&2; exit 2 ;;
esac
say "Go $wanted, fetched by $(version go) (once)"
mkdir -p "$(dirname "$home")"
module=golang.org/toolchain@v0.0.1-go$wanted.linux-$arch
folder=$(cd / && GOFLAGS='' GOTOOLCHAIN=local go mod download -json "$module" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
rm -rf "$home.partial" "$home"
cp -r "$folder" "$home.partial"
chmod -R u+w "$home.partial"
# A module carries no modes: what is run needs its own again.
find "$home.partial/bin" "$home.partial/pkg/tool" -type f -exec chmod 0755 {} +
mv "$home.partial" "$home"
is_enough "$(version "$home/bin/go")" || { echo "error: $home/bin/go does not run" >&2; exit 1; }
echo "$home/bin"
