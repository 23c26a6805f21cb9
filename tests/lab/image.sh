#!/usr/bin/env bash
# image.sh: builds Starkeeper's image by the Dockerfile, with the real BuildKit and Buildx, as a docker-archive (`starkeeper:lab`).
#
#   tests/lab/image.sh                    prints the archive's path in the cache
#   tests/lab/image.sh OUT.tar            copies it there as well
#   tests/lab/image.sh --arch arm64       of the other architecture, cross-compiled
#   tests/lab/image.sh --again OUT.tar    builds it anew, past every cache of images
#
# No image is pulled: the binary is compiled by the Cargo of this machine (the one that `make bench` measures), and takes the place
# of the Dockerfile's compiling stages, which tests/lab/image-from-source.sh tries. An image is built once for each binary and Dockerfile.
set -euo pipefail
lab=$(cd "$(dirname "$0")" && pwd)
cd "$lab/../.."

arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
again= out=
while [ $# -gt 0 ]; do
  case $1 in
    --arch) arch=$2; shift 2 ;;
    --again) again=1; shift ;;
    -*) echo "error: $1 is not known: --arch, --again" >&2; exit 2 ;;
    *) out=$1; shift ;;
  esac
done
say() { printf '  \033[2mimage\033[0m %s\n' "$*" >&2; }
cache=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab
images=$cache/images
"$lab/docker.sh"
binary=$("$lab/static.sh" "$arch")

key=$(cat "$binary" Dockerfile Cargo.lock "$lab/image.sh" | sha256sum | cut -c 1-16)
archive=$images/starkeeper-$arch-$key.tar
mkdir -p "$images"
# One at a time: who comes second finds it made.
exec 9>"$images/.lock"
flock 9
if [ ! -e "$archive" ] || [ -n "$again" ]; then
  # shellcheck source=tests/lab/buildkit.sh
  source "$lab/buildkit.sh"
  folder=$(mktemp -d "$images/building.XXXXXX")
  trap 'buildkit_end; rm -rf "$folder"' EXIT
  mkdir -p "$folder/build/out"
  install -m 0755 "$binary" "$folder/build/out/starkeeper"
  "$lab/sbom.sh" "$arch" "$folder/build/out/starkeeper.cdx.json"
  buildkit_start
  say "building for $arch"
  SOURCE_DATE_EPOCH=0 buildkit_build --platform "linux/$arch" --build-context "build=$folder/build" --tag starkeeper:lab \
    --output "type=docker,dest=$folder/image.tar,rewrite-timestamp=true" . 2>"$folder/log" || { cat "$folder/log" >&2; exit 1; }
  if [ -n "$again" ]; then
    archive=${out:?--again needs OUT.tar}
  else
    # Older ones are of no use to anybody.
    find "$images" -maxdepth 1 -name "starkeeper-$arch-*.tar" -mmin +600 -delete
  fi
  mv "$folder/image.tar" "$archive"
fi
if [ -n "$out" ] && [ "$out" != "$archive" ]; then cp "$archive" "$out"; fi
echo "$archive"
