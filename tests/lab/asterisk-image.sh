#!/usr/bin/env bash
# asterisk-image.sh: prints the path of a tar that `docker import` makes an image of Asterisk from (default: 22).
#
#   docker import --change 'CMD ["asterisk", "-f", "-U", "asterisk", "-G", "asterisk"]' "$(tests/lab/asterisk-image.sh 22)" asterisk:22
#
# It is the root folder that asterisk.sh provisions, without what no container reads (documents, sounds, apt's lists). Cached in
# ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab/docker. Asterisk's user and group keep their numbers; its configuration comes by a mount.
set -euo pipefail
lab=$(cd "$(dirname "$0")" && pwd)
version=${1:-22}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab
root=$cache/asterisk-$version
"$lab/asterisk.sh" "$version" >&2
out=$cache/docker/asterisk-$version-$(cat "$root/.starkeeper-recipe")-2.tar
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
if [ ! -e "$out" ]; then
  mkdir -p "$cache/docker"
  # Anchored: each is a path from the root, and what lies below it.
  as_root tar --directory "$root" --create --file "$out.partial" --anchored --one-file-system \
    --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale --exclude=./usr/share/info \
    --exclude=./usr/share/asterisk/sounds --exclude=./usr/share/asterisk/moh --exclude=./usr/lib/x86_64-linux-gnu/perl \
    --exclude=./var/cache --exclude=./var/lib/apt --exclude=./var/log --exclude=./proc --exclude=./sys --exclude=./dev --exclude=./tmp .
  # What Asterisk writes to, as Debian's service file would make it.
  skeleton=$(mktemp -d)
  mkdir -p "$skeleton"/{run,var/log}/asterisk "$skeleton/tmp"
  chmod 1777 "$skeleton/tmp"
  owner=$(sed -n 's/^asterisk:[^:]*:\([0-9]*\):\([0-9]*\):.*/--owner=\1 --group=\2/p' "$root/etc/passwd")
  # shellcheck disable=SC2086
  as_root tar --directory "$skeleton" --append --file "$out.partial" --numeric-owner $owner ./run/asterisk ./var/log/asterisk ./tmp
  rm -r "$skeleton"
  mv "$out.partial" "$out"
fi
echo "$out"
