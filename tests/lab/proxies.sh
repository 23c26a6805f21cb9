#!/usr/bin/env bash
# proxies.sh: a real nginx, Apache, HAProxy and Caddy (Debian's) for the tests that put a proxy before Asterisk.
#
# Those that the host has are used; for the others Debian's packages are unpacked into ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab/proxies,
# so that nothing is installed and no service is started. What is there already is left alone.
set -euo pipefail

home=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/proxies
programs=(usr/sbin/nginx usr/sbin/apache2 usr/sbin/haproxy usr/bin/caddy)
complete() {
  local program
  for program in "${programs[@]}"; do [ -x "/$program" ] || [ -x "$1/$program" ] || return; done
}
complete "$home" && exit
printf '  \033[2mlab\033[0m nginx, Apache, HAProxy and Caddy (once)\n' >&2
command -v apt-get >/dev/null || {
  echo "error: this is no Debian: install nginx, apache2, haproxy and caddy below /usr, then call this again" >&2
  exit 1
}
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
as_root apt-get update -qq >/dev/null
folder=$(mktemp -d)
trap 'as_root rm -rf "$folder"' EXIT
# apt's own user shall be able to write there.
chmod 0755 "$folder"
mkdir "$folder/partial"
# With whatever they need that the host lacks.
as_root apt-get install -qq --yes --no-install-recommends --reinstall --download-only -o Dir::Cache::archives="$folder" \
  nginx apache2-bin haproxy caddy >/dev/null
mkdir -p "${home%/*}"
rm -rf "$home" "$home.partial"
mkdir "$home.partial"
for package in "$folder"/*.deb; do dpkg-deb --extract "$package" "$home.partial"; done
complete "$home.partial" || { echo "error: Debian's packages held not all of: ${programs[*]}" >&2; exit 1; }
mv "$home.partial" "$home"
