#!/usr/bin/env bash
# smtp.sh: puts a real mail server (aiosmtpd) for tests/notifications.rs into the user's cache.
#
# The server lands in ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab/smtp as a Python environment of its own. What is there already is left alone.
set -euo pipefail

home=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/smtp
missing=()
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
command -v jq >/dev/null || missing+=(jq)
if [ "${#missing[@]}" -gt 0 ]; then
  printf '  \033[2mlab\033[0m installing %s\n' "${missing[*]}" >&2
  command -v apt-get >/dev/null || { echo "error: install these, then call this again: ${missing[*]}" >&2; exit 1; }
  as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
  as_root apt-get update -qq >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
"$home/bin/python" -c 'import aiosmtpd' 2>/dev/null && exit
printf '  \033[2mlab\033[0m a mail server (once)\n' >&2
python3 -m venv "$home"
"$home/bin/pip" install -q 'aiosmtpd==1.4.6'
