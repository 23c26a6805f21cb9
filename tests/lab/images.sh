#!/usr/bin/env bash
# images.sh: container images for the Kubernetes lab, made without a registry, as files that `ctr images import` reads.
#
#   tests/lab/images.sh            pause.tar and asterisk.tar, in ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab/kubernetes/images
#
# localhost/pause:1 holds what a pod's namespaces hang on; localhost/asterisk:22 is the Asterisk of asterisk.sh without what only a person at a
# shell would read. What is there already is left alone. Needs root, or sudo (Asterisk's folders are its own user's), and musl-gcc.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

lab=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab
images=$lab/kubernetes/images
# Raise it when what is below changes.
recipe=1

say() { printf '  \033[2mlab\033[0m %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# archive NAME LAYER.tar OUT.tar CONFIG_JSON: an image of one layer, as `docker save` writes it.
archive() {
  local name=$1 layer=$2 out=$3 config=$4 work digest id
  work=$(mktemp -d -p "$images")
  digest=$(sha256sum "$layer" | cut -d' ' -f1)
  mkdir "$work/$digest"
  mv "$layer" "$work/$digest/layer.tar"
  printf '{"architecture":"%s","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(case $(uname -m) in aarch64) echo arm64 ;; *) echo amd64 ;; esac)" "$config" "$digest" >"$work/config"
  id=$(sha256sum "$work/config" | cut -d' ' -f1)
  mv "$work/config" "$work/$id.json"
  printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["%s/layer.tar"]}]' "$id" "$name" "$digest" >"$work/manifest.json"
  tar -C "$work" -cf "$out.partial" manifest.json "$id.json" "$digest"
  mv "$out.partial" "$out"
  rm -rf "$work"
}

pause() {
  local work
  work=$(mktemp -d)
  # It waits to be killed, and buries what its pod leaves behind.
  cat >"$work/pause.c" <<'C'
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void end(int sig) { (void)sig; _exit(0); }
static void bury(int sig) { (void)sig; while (waitpid(-1, 0, WNOHANG) > 0); }
int main(void) {
  signal(SIGINT, end);
  signal(SIGTERM, end);
  signal(SIGCHLD, bury);
  for (;;) pause();
}
C
  mkdir "$work/root"
  musl-gcc -static -Os -s -o "$work/root/pause" "$work/pause.c"
  tar -C "$work/root" --owner=0 --group=0 -cf "$images/pause.layer" .
  archive localhost/pause:1 "$images/pause.layer" "$images/pause.tar" '{"Entrypoint":["/pause"],"User":"65534:65534"}'
  rm -rf "$work"
}

asterisk() {
  "$here/asterisk.sh" 22
  say "Asterisk's image: packing (once)"
  as_root tar -C "$lab/asterisk-22" --numeric-owner -cf "$images/asterisk.layer" \
    --exclude=./usr/share/{doc,man,info,locale,lintian,gnupg,gcc,bash-completion,perl,common-licenses} --exclude=./var/lib/apt/lists \
    --exclude=./var/cache --exclude=./var/lib/asterisk/astdb.sqlite3 --exclude='./proc/*' --exclude='./dev/*' --exclude='./tmp/*' .
  as_root chown "$(id -u):$(id -g)" "$images/asterisk.layer"
  archive localhost/asterisk:22 "$images/asterisk.layer" "$images/asterisk.tar" \
    '{"Entrypoint":["/usr/sbin/asterisk"],"Cmd":["-f","-U","asterisk","-G","asterisk"],"Env":["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}'
}

mkdir -p "$images"
for name in pause asterisk; do
  [ -e "$images/$name.tar" ] && [ "$(cat "$images/$name.recipe" 2>/dev/null)" = "$recipe" ] && continue
  rm -f "$images/$name.recipe"
  "$name"
  echo "$recipe" >"$images/$name.recipe"
done
