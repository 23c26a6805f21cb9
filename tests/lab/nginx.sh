#!/usr/bin/env bash
# nginx.sh: a real nginx (Debian's) for the tests that put a proxy before Asterisk.
#
# Where the host has one, that one is used; elsewhere Debian's package is unpacked into ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab/nginx, so that
# nothing is installed and no service is started. What is there already is left alone.
set -euo pipefail

command -v nginx >/dev/null && exit
home=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/nginx
[ -x "$home/usr/sbin/nginx" ] && exit
printf '  \033[2mlab\033[0m nginx (once)\n' >&2
command -v apt-get >/dev/null || { echo "error: nginx is missing and this is no Debian: install it, then call this again" >&2; exit 1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
as_root apt-get update -qq >/dev/null
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Before bookworm the program stood in a package of its flavour.
(cd "$folder" && { apt-get download -qq nginx; apt-get download -qq nginx-light || true; }) >/dev/null 2>&1
rm -rf "$home" "$home.partial"
mkdir -p "$home.partial"
for package in "$folder"/*.deb; do dpkg-deb --extract "$package" "$home.partial"; done
[ -x "$home.partial/usr/sbin/nginx" ] || { echo "error: Debian's packages held no nginx" >&2; exit 1; }
mv "$home.partial" "$home"
