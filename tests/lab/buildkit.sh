# buildkit.sh, to be sourced: a BuildKit of one's own, to which Buildx is the client. It needs root, or sudo; it lives in namespaces of its
# own (mounts, processes) and is gone with buildkit_end. BUILDKIT_ROOT: the folder in which it keeps what it stores, else memory.

buildkit_bin=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/docker/bin
buildkit_as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo --preserve-env=PATH "$@"; fi; }

buildkit_start() {
  buildkit_folder=$(mktemp -d /tmp/starkeeper-buildkit-XXXXXX)
  # It lives as long as this shell holds the other end, however this shell ends.
  mkfifo "$buildkit_folder/life"
  exec 8<>"$buildkit_folder/life"
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo --preserve-env=PATH)
  # shellcheck disable=SC2016
  PATH=$PATH:/usr/sbin:/sbin "${sudo[@]}" unshare --mount --pid --fork --kill-child --mount-proc sh -c '
    set -e
    folder=$1 bin=$2 root=$3 user=$4
    if [ -z "$root" ]; then root=$folder/root; mkdir "$root"; mount -t tmpfs tmpfs "$root"; fi
    "$bin/buildkitd" --root "$root" --addr "unix://$folder/sock" --group "$user" --containerd-worker=false --oci-worker-net=host \
      --allow-insecure-entitlement=network.host &
    read -r _ <"$folder/life" || true' buildkit "$buildkit_folder" "$buildkit_bin" "${BUILDKIT_ROOT:-}" "$(id -g)" >"$buildkit_folder/log" 2>&1 8>&- 9>&- &
  buildkit_pid=$!
  export BUILDX_CONFIG=$buildkit_folder/buildx
  "$buildkit_bin/buildx" create --name lab --driver remote "unix://$buildkit_folder/sock" >/dev/null
  for _ in $(seq 600); do
    if [ -S "$buildkit_folder/sock" ] && "$buildkit_bin/buildx" inspect lab 2>/dev/null | grep -q running; then return; fi
    kill -0 "$buildkit_pid" 2>/dev/null || break
    sleep 0.2
  done
  echo "error: BuildKit did not come up; it says:" >&2
  tail -n 20 "$buildkit_folder/log" >&2
  return 1
}

buildkit_build() { "$buildkit_bin/buildx" build --builder lab --provenance=false --sbom=false --progress=plain "$@"; }

buildkit_end() {
  if [ -n "${buildkit_pid:-}" ]; then
    exec 8>&-
    wait "$buildkit_pid" 2>/dev/null || true
    buildkit_as_root rm -rf "$buildkit_folder"
  fi
}
