#!/usr/bin/env bash
# as_root.sh COMMAND…: runs what Cargo has built as root. A real Asterisk needs that here: a mount namespace, and chroot into its root
# folder. Cargo calls this where the user is not root (see runner.sh), so that everything is still built as that user.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then exec "$@"; fi
if ! command -v sudo >/dev/null; then
  echo "error: a real Asterisk needs root here (a mount namespace and chroot): run this as root, or install sudo" >&2
  exit 1
fi
# sudo sets a PATH and maybe a HOME of its own; the lab is in the user's cache.
exec sudo --preserve-env -- env "HOME=$HOME" "PATH=$PATH" "$@"
