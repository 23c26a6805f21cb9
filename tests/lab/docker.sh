#!/usr/bin/env bash
# docker.sh: puts a real Docker engine (Debian's), Compose, Buildx and BuildKit into the user's cache.
#
# The engine and its client come by apt where they are missing; Compose, Buildx and BuildKit are built from their Go modules (once,
# some minutes) into ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab/docker. No engine is started here: a test starts one of its own
# (tests/support/engine.rs), and so does the image's builder (image.sh). A second call costs nothing.
set -euo pipefail
lab=$(cd "$(dirname "$0")" && pwd)

home=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/docker
compose=v5.6.0
buildx=v0.38.2
buildkit=v0.34.2
recipe="1 compose=$compose buildx=$buildx buildkit=$buildkit"

say() { printf '  \033[2mlab\033[0m %s\n' "$*" >&2; }

# command=package; sbin is not in every user's PATH.
PATH=$PATH:/usr/sbin:/sbin
missing=()
for need in dockerd=docker.io runc=runc iptables=iptables ip=iproute2 nsenter=util-linux git=git; do
  command -v "${need%%=*}" >/dev/null || missing+=("${need#*=}")
done
if [ "${#missing[@]}" -gt 0 ]; then
  say "installing ${missing[*]}"
  command -v apt-get >/dev/null || { echo "error: install these, then call this again: ${missing[*]}" >&2; exit 1; }
  as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
  as_root apt-get update -qq >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  # Debian has kept the client in a package of its own since 13.
  [ -x /usr/bin/docker ] || as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker-cli >/dev/null
fi

[ "$(cat "$home/.starkeeper-recipe" 2>/dev/null)" = "$recipe" ] && exit
mkdir -p "$home/bin"
# One at a time: who comes second finds it made.
exec 9>"$home/.lock"
flock 9
PATH=$("$lab/go.sh"):$PATH
export GOFLAGS=-mod=mod CGO_ENABLED=0
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# built NAME MODULE VERSION PACKAGE: one program of a Go module. A go.mod of its own repeats what the module excludes and
# replaces, which Go heeds in the main module alone.
built() {
  local name=$1 module=$2 version=$3 package=$4 source
  if [ "$(cat "$home/bin/.$name" 2>/dev/null)" = "$version" ]; then return; fi
  say "$name $version, from its Go module (once)"
  mkdir "$work/$name"
  cd "$work/$name"
  source=$(cd / && go mod download -json "$module@$version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  {
    echo "module lab/$name"
    sed -n '/^go /p' "$source/go.mod"
    echo "require $module $version"
    awk '/^(exclude|replace) *\(/ {inside = 1} inside || /^(exclude|replace) / {print} /^\)/ {inside = 0}' "$source/go.mod"
  } >go.mod
  cp "$source/go.sum" go.sum
  nice -n 5 go build -trimpath -ldflags "-s -w -X $module/version.Version=$version -X $module/internal.Version=$version" -o "$home/bin/$name.partial" "$package"
  mv "$home/bin/$name.partial" "$home/bin/$name"
  echo "$version" >"$home/bin/.$name"
}
built docker-compose github.com/docker/compose/v5 "$compose" github.com/docker/compose/v5/cmd
built buildx github.com/docker/buildx "$buildx" github.com/docker/buildx/cmd/buildx
built buildkitd github.com/moby/buildkit "$buildkit" github.com/moby/buildkit/cmd/buildkitd
echo "$recipe" >"$home/.starkeeper-recipe"
