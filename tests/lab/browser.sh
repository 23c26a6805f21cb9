#!/usr/bin/env bash
# browser.sh: puts a real browser (Debian's Chromium) with JsSIP and SIP.js for tests/browser.rs and tests/truth.rs into the user's cache.
#
# Chromium, Node.js and certutil come by apt where they are missing; the npm packages of browser/package-lock.json land in
# ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab/browser. What is there already is left alone, so that a second call costs nothing.
set -euo pipefail
cd "$(dirname "$0")"

home=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/browser
recipe=$(sha256sum browser/package-lock.json | cut -d' ' -f1)

# command=package
needs=(chromium=chromium certutil=libnss3-tools)
# Where Node.js comes from elsewhere, it brings its own npm.
command -v npm >/dev/null || needs+=(node=nodejs npm=npm)
missing=()
for need in "${needs[@]}"; do
  command -v "${need%%=*}" >/dev/null || missing+=("${need#*=}")
done
if [ "${#missing[@]}" -gt 0 ]; then
  printf '  \033[2mlab\033[0m installing %s\n' "${missing[*]}" >&2
  command -v apt-get >/dev/null || { echo "error: install these, then call this again: ${missing[*]}" >&2; exit 1; }
  as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
  as_root apt-get update -qq >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

[ "$(cat "$home/.starkeeper-recipe" 2>/dev/null)" = "$recipe" ] && exit
printf '  \033[2mlab\033[0m JsSIP, SIP.js, axe-core, a driver for Chromium, and what Next.js reads env files with (once)\n' >&2
mkdir -p "$home"
cp browser/package.json browser/package-lock.json "$home/"
(cd "$home" && npm ci --no-audit --no-fund --loglevel=error)
echo "$recipe" >"$home/.starkeeper-recipe"
