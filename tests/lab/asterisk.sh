#!/usr/bin/env bash
# asterisk.sh: puts a real Asterisk (Debian's own package) for the tests into the user's cache.
#
#   tests/lab/asterisk.sh          both, 22 (Debian forky) and 16 (Debian bullseye)
#   tests/lab/asterisk.sh 22       just that one
#
# Each lands in ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab/asterisk-VERSION, a plain root folder that the harness in
# tests/support enters by chroot in a mount namespace of its own. What is there already is left alone, so that a second
# call costs nothing. Needs root, or sudo. About 90 s and 500 MB each.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab
# What a folder holds: raise it when the packages below change, and every machine provisions anew.
recipe=1
packages=asterisk,ca-certificates

say() { printf '  \033[2mlab\033[0m %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

need_debootstrap() {
  command -v debootstrap >/dev/null && return
  command -v apt-get >/dev/null || { echo "error: debootstrap is missing and this is no Debian: install debootstrap, then call this again" >&2; exit 1; }
  say "installing debootstrap"
  as_root apt-get update -qq >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
}

# debootstrap knows only the suites of its own age. Every suite since buster is built by the same script, `sid`, so an unknown one
# gets a link in a private copy of debootstrap's folder; the archive's signature is checked all the same.
debootstrap_dir() {
  local suite=$1 own=$cache/debootstrap
  if [ ! -e "$own/functions" ]; then mkdir -p "$own"; cp -a /usr/share/debootstrap/. "$own/"; fi
  [ -e "$own/scripts/$suite" ] || ln -s sid "$own/scripts/$suite"
  echo "$own"
}

# Keeps all that debootstrap says in a file; on a terminal one line shows what it is at.
progress() {
  local log=$1 line
  : >"$log"
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    if [ -t 2 ]; then printf '\r\033[K  \033[2mlab  %.70s\033[0m' "${line#I: }" >&2; fi
  done
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

provision() {
  local version=$1 suite=$2 root=$cache/asterisk-$1 begun
  if [ "$(cat "$root/.starkeeper-recipe" 2>/dev/null)" = "$recipe" ]; then return; fi
  need_debootstrap
  begun=$SECONDS
  say "Asterisk $version: provisioning from Debian $suite (once, about 90 s)"
  as_root rm -rf "$root" "$root.partial"
  mkdir -p "$cache"
  if ! as_root env DEBOOTSTRAP_DIR="$(debootstrap_dir "$suite")" DEBIAN_FRONTEND=noninteractive \
      debootstrap --variant=minbase --include="$packages" "$suite" "$root.partial" 2>&1 | progress "$cache/asterisk-$version.log"; then
    echo "error: debootstrap of $suite failed; the end of $cache/asterisk-$version.log says why:" >&2
    tail -n 5 "$cache/asterisk-$version.log" >&2
    exit 1
  fi
  as_root rm -rf "$root.partial"/var/cache/apt/archives/*.deb
  # The sample configuration stays out of the way: every instance brings a folder of its own.
  as_root sh -c "echo $recipe > '$root.partial/.starkeeper-recipe'"
  as_root mv "$root.partial" "$root"
  say "Asterisk $version: ready after $((SECONDS - begun)) s"
}

for version in "${@:-22 16}"; do
  for each in $version; do
    case $each in
      22) provision 22 forky ;;
      16) provision 16 bullseye ;;
      *) echo "error: no recipe for Asterisk $each: 22 and 16 are known" >&2; exit 2 ;;
    esac
  done
done
