#!/usr/bin/env bash
# prometheus.sh: a real Prometheus with promtool, and a real Alertmanager with amtool (Debian's), for the tests of metrics and alerts.
#
# Where the host has them, those are used; elsewhere Debian's packages are unpacked into ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab/prometheus, so
# that nothing is installed and no service is started. What is there already is left alone.
set -euo pipefail

home=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/prometheus
# program=package
needs=(prometheus=prometheus promtool=prometheus prometheus-alertmanager=prometheus-alertmanager amtool=prometheus-alertmanager)
complete() {
  local folder=$1 need
  for need in "${needs[@]}"; do
    command -v "${need%%=*}" >/dev/null || [ -x "$folder/usr/bin/${need%%=*}" ] || return
  done
}
complete "$home" && exit
printf '  \033[2mlab\033[0m Prometheus and Alertmanager (once)\n' >&2
command -v apt-get >/dev/null || {
  echo "error: this is no Debian: install prometheus, promtool, prometheus-alertmanager and amtool, then call this again" >&2
  exit 1
}
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
as_root apt-get update -qq >/dev/null
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# apt's own user shall be able to write there.
chmod 0755 "$folder"
(cd "$folder" && apt-get download -qq prometheus prometheus-alertmanager) >/dev/null 2>&1
rm -rf "$home" "$home.partial"
mkdir -p "$home.partial"
for package in "$folder"/*.deb; do dpkg-deb --extract "$package" "$home.partial"; done
complete "$home.partial" || { echo "error: Debian's packages held not all of: ${needs[*]%%=*}" >&2; exit 1; }
mv "$home.partial" "$home"
