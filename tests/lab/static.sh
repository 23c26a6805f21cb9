#!/usr/bin/env bash
# static.sh [ARCH]: builds the agent as it is shipped (release, static, musl) for amd64 or arm64 and prints the binary's path. What is
# missing of compilers and targets is installed. The first build takes minutes; where nothing has changed, a second.
set -euo pipefail
cd "$(dirname "$0")/../.."
case ${1:-$(uname -m)} in
  amd64 | x86_64) cpu=x86_64 package=musl-tools compiler=musl-gcc arch=amd64 ;;
  arm64 | aarch64) cpu=aarch64 package=gcc-aarch64-linux-gnu compiler=aarch64-linux-gnu-gcc arch=arm64 ;;
  *) echo "error: no recipe for $1: amd64, arm64" >&2; exit 2 ;;
esac
say() { printf '  \033[2mbuild\033[0m %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
target=$cpu-unknown-linux-musl
if [ "$(uname -m)" = "$cpu" ]; then package=musl-tools compiler=musl-gcc; fi
if command -v rustup >/dev/null && ! rustup target list --installed | grep -qx "$target"; then
  say "adding the target $target"
  rustup --quiet target add "$target"
fi
if ! command -v "$compiler" >/dev/null; then
  say "installing $package"
  command -v apt-get >/dev/null || { echo "error: install $package, then call this again" >&2; exit 1; }
  as_root apt-get update -qq >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
fi

if [ "$(uname -m)" != "$cpu" ]; then
  # The C of aws-lc wants the target's own musl headers, which come in a package of that architecture: fetched and unpacked beside this
  # system, not installed into it.
  headers=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/musl-$arch
  if [ ! -e "$headers/usr/include/$cpu-linux-musl/stdlib.h" ]; then
    say "musl's headers for $arch (once)"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    chmod 0755 "$work"
    mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$headers"
    options=(-qq -o "APT::Architectures::=$(dpkg --print-architecture)" -o "APT::Architectures::=$arch" -o "Dir::State=$work/state"
      -o Dir::State::status=/var/lib/dpkg/status -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update >/dev/null
    (cd "$work" && apt-get "${options[@]}" download "musl-dev:$arch")
    dpkg-deb --extract "$work"/musl-dev_*.deb "$headers"
  fi
  name=${target//-/_}
  export "CC_$name=$compiler" "CARGO_TARGET_${name^^}_LINKER=$compiler"
  export "CFLAGS_$name=-nostdinc -isystem $headers/usr/include/$cpu-linux-musl -isystem $("$compiler" -print-file-name=include)"
fi
quiet=--quiet
[ -t 2 ] && quiet=
# shellcheck disable=SC2086
nice -n 5 cargo build --release --locked $quiet --bin starkeeper --target "$target" >&2
echo "${CARGO_TARGET_DIR:-$PWD/target}/$target/release/starkeeper"
