#!/usr/bin/env bash
# image-from-source.sh [ARCH…]: the Dockerfile as a whole, its compiling stages included, for each architecture twice, past every cache: both
# archives must be the same bytes. Then the binary of each is run, a foreign one by QEMU.
#
# No image is pulled: Debian, debootstrapped, with the Rust of this machine stands in for the builder that the Dockerfile names.
# Cached in ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab; compiling takes minutes each time, that being the point.
set -euo pipefail
lab=$(cd "$(dirname "$0")" && pwd)
cd "$lab/../.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab
images=$cache/images
say() { printf '  \033[2mimage\033[0m %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
"$lab/docker.sh"
# shellcheck source=tests/lab/buildkit.sh
source "$lab/buildkit.sh"

# A builder in the place of the one that the Dockerfile names, in the layout of OCI.
named=$(sed -n 's/^ARG BUILDER=//p' Dockerfile)
suite=${named##*-}
toolchain=$(rustup show active-toolchain | cut -d' ' -f1)
builder=$cache/builder-$(rustc --version | cut -d' ' -f2)-$suite
if [ ! -e "$builder/index.json" ]; then
  say "a builder: Debian $suite with Rust (once)"
  root=$builder.root
  as_root rm -rf "$root" "$builder"
  mkdir -p "$builder/blobs/sha256"
  as_root debootstrap --variant=minbase --include=ca-certificates,gcc,libc6-dev "$suite" "$root" >"$builder/log" 2>&1 || { tail -n 5 "$builder/log" >&2; exit 1; }
  as_root mkdir -p "$root/usr/local/rustup/toolchains" "$root/usr/local/cargo/bin"
  as_root mkdir "$root/usr/local/rustup/toolchains/$toolchain"
  tar --directory "$(rustc --print sysroot)" --create --exclude=./share --exclude=./lib/rustlib/src . |
    as_root tar --directory "$root/usr/local/rustup/toolchains/$toolchain" --extract
  as_root cp -L "$(dirname "$(command -v cargo)")/rustup" "$root/usr/local/cargo/bin/rustup"
  for proxy in cargo rustc; do as_root ln -s rustup "$root/usr/local/cargo/bin/$proxy"; done
  printf 'default_toolchain = "%s"\nprofile = "minimal"\nversion = "12"\n' "$toolchain" | as_root tee "$root/usr/local/rustup/settings.toml" >/dev/null
  # Whom this machine trusts, the builder trusts.
  as_root cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  as_root tar --directory "$root" --create --file "$builder/layer" --one-file-system --exclude=./var/cache/apt/archives/* .
  as_root rm -rf "$root"
  # blob FILE: moves it to its place and prints its digest and size.
  blob() { local sum; sum=$(sha256sum "$1" | cut -d' ' -f1); mv "$1" "$builder/blobs/sha256/$sum"; echo "\"digest\":\"sha256:$sum\",\"size\":$(stat -c %s "$builder/blobs/sha256/$sum")"; }
  layer=$(blob "$builder/layer")
  digest=$(sed 's/.*"\(sha256:[0-9a-f]*\)".*/\1/' <<<"$layer")
  machine=$(dpkg --print-architecture)
  printf '{"architecture":"%s","os":"linux","config":{"Env":["PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","RUSTUP_HOME=/usr/local/rustup","CARGO_HOME=/usr/local/cargo"]},"rootfs":{"type":"layers","diff_ids":["%s"]}}' "$machine" "$digest" >"$builder/config"
  config=$(blob "$builder/config")
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json",%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar",%s}]}' "$config" "$layer" >"$builder/manifest"
  manifest=$(blob "$builder/manifest")
  echo '{"imageLayoutVersion":"1.0.0"}' >"$builder/oci-layout"
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",%s,"annotations":{"org.opencontainers.image.ref.name":"lab"}}]}' "$manifest" >"$builder/index.json"
fi

mkdir -p "$images" "$cache/buildkit"
work=$(mktemp -d "$images/source.XXXXXX")
trap 'buildkit_end; rm -rf "$work"' EXIT
BUILDKIT_ROOT=$cache/buildkit buildkit_start
for arch in "${@:-amd64 arm64}"; do for each in $arch; do
  for try in 1 2; do
    begun=$SECONDS
    # The tools are kept; what makes the bytes is done anew.
    SOURCE_DATE_EPOCH=0 buildkit_build --platform "linux/$each" --no-cache-filter build --tag "starkeeper:$each" --allow network.host --network host \
      --build-context "$named=oci-layout://$builder:lab" \
      --output "type=docker,dest=$work/$each-$try.tar,rewrite-timestamp=true" . >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }
    say "$each, build $try: $((SECONDS - begun)) s, $(sha256sum "$work/$each-$try.tar" | cut -c 1-16)"
  done
  cmp "$work/$each-1.tar" "$work/$each-2.tar" || { echo "error: two builds for $each differ" >&2; exit 1; }
  "$lab/image-runs.sh" "$work/$each-1.tar" "$each"
done; done
