#!/usr/bin/env bash
# setup.sh: what the tests and the demo need of Debian, installed only where it is missing. Needs root, or sudo.
set -euo pipefail

# command=package
needs=(cc=gcc make=make openssl=openssl unshare=util-linux setpriv=util-linux setfacl=acl debootstrap=debootstrap)
missing=()
for need in "${needs[@]}"; do
  command -v "${need%%=*}" >/dev/null || missing+=("${need#*=}")
done
if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
  echo "error: a real Asterisk needs root (a mount namespace and chroot): run this as root, or install sudo" >&2
  exit 1
fi
if [ "${#missing[@]}" -gt 0 ]; then
  printf '  \033[2mset-up\033[0m installing %s\n' "${missing[*]}" >&2
  command -v apt-get >/dev/null || { echo "error: install these, then call this again: ${missing[*]}" >&2; exit 1; }
  as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
  as_root apt-get update -qq >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
command -v cargo >/dev/null || { echo "error: Rust is missing: install rustup's stable toolchain, then call this again" >&2; exit 1; }
