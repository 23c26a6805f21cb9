#!/usr/bin/env bash
# proxies.sh: a real nginx, Apache, HAProxy and Caddy (Debian's) for the tests that put a proxy before Asterisk.
#
# Those that the host has are used; the others come as packages.sh has it, into ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab/proxies. What is there
# already is left alone.
set -euo pipefail
source "$(dirname "$0")/packages.sh"

home=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/proxies
complete() {
  local program
  for program in usr/sbin/nginx usr/sbin/apache2 usr/sbin/haproxy usr/bin/caddy; do [ -x "/$program" ] || [ -x "$1/$program" ] || return; done
}
complete "$home" || packages "$home" 'nginx, Apache, HAProxy and Caddy' 'nginx, apache2, haproxy and caddy below /usr' nginx apache2-bin haproxy caddy
