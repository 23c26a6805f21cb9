#!/usr/bin/env bash
# kubernetes.sh: puts a real Kubernetes, containerd, CoreDNS and Helm for the tests into the user's cache, built from their Go modules.
#
#   tests/lab/kubernetes.sh                what a whole node needs
#   tests/lab/kubernetes.sh apiserver      just kube-apiserver, kubectl, Helm and etcd: what tests without a node need
#
# Binaries land in ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab/kubernetes/bin; etcd, runc, CNI plugins, iptables and the like come by apt where
# they are missing. What is there in the wanted version is left alone, so that a second call costs nothing; what is half built does not count.
# Needs root, or sudo, and (only while it builds) some 10 minutes on two cores and 8 GB of disk.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

kubernetes=1.36.3 containerd=2.4.2 coredns=1.15.0 helm=4.3.1
home=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/kubernetes
bin=$home/bin
log=$home/build.log

say() { printf '  \033[2mlab\033[0m %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Debian's parts, as file=package. A node's networking wants the plugins as files in /usr/lib/cni.
debian() {
  local need missing=()
  for need in "$@"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "${need%%=*}" >/dev/null || missing+=("${need#*=}")
  done
  [ "${#missing[@]}" -eq 0 ] && return
  say "installing ${missing[*]}"
  command -v apt-get >/dev/null || { echo "error: install these, then call this again: ${missing[*]}" >&2; exit 1; }
  as_root apt-get update -qq >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

there() { [ -x "$bin/$1" ] && [ "$(cat "$home/versions/$1" 2>/dev/null)" = "$2" ]; }

# build MODULE_FOLDER VERSION PACKAGE FLAGS…: one program, skipped when it is there, in place only when it is whole.
build() {
  local folder=$1 version=$2 package=$3 name begun
  shift 3
  name=${package##*/}
  there "$name" "$version" && return
  [ -e "$folder/go.mod" ] || "${folder##*/}_module" "$folder"
  begun=$SECONDS
  say "$name $version: building (once)"
  mkdir -p "$bin" "$home/versions" "$home/partial"
  if ! (cd "$folder" && nice -n 5 go build "$@" -o "$home/partial/$name" "$package") >>"$log" 2>&1; then
    echo "error: building $name failed; the end of $log says why:" >&2
    tail -n 5 "$log" >&2
    exit 1
  fi
  rm -f "$home/versions/$name"
  mv -f "$home/partial/$name" "$bin/$name"
  echo "$version" >"$home/versions/$name"
  say "$name $version: ready after $((SECONDS - begun)) s"
}

# A module that names what is built: Kubernetes' own go.mod replaces its parts by folders beside it, which a module that uses it must say anew.
kube_module() {
  local source
  source=$(cd "$1" && go mod download -json "k8s.io/kubernetes@v$kubernetes" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  {
    printf 'module starkeeper.lab/kubernetes\ngo 1.26.0\ngodebug default=go1.26\nrequire k8s.io/kubernetes v%s\n' "$kubernetes"
    awk -v version="v0.${kubernetes#*.}" '/=> .\/staging/ {print "replace " $1 " => " $1 " " version}' "$source/go.mod"
  } >"$1/go.mod"
  tools "$1" k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kube-scheduler,kubelet,kube-proxy,kubectl}
}
containerd_module() {
  printf 'module starkeeper.lab/containerd\ngo 1.26.0\nrequire github.com/containerd/containerd/v2 v%s\n' "$containerd" >"$1/go.mod"
  tools "$1" github.com/containerd/containerd/v2/cmd/{containerd,containerd-shim-runc-v2,ctr}
}
# CoreDNS with the one plugin that a cluster of this size needs.
coredns_module() {
  printf 'module starkeeper.lab/coredns\ngo 1.26.0\nrequire github.com/coredns/coredns v%s\n' "$coredns" >"$1/go.mod"
  mkdir "$1/coredns"
  cat >"$1/coredns/main.go" <<'GO'
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
)

func main() {
	dnsserver.Directives = []string{"errors", "kubernetes"}
	coremain.Run()
}
GO
}
helm_module() {
  printf 'module starkeeper.lab/helm\ngo 1.26.0\nrequire helm.sh/helm/v4 v%s\n' "$helm" >"$1/go.mod"
  tools "$1" helm.sh/helm/v4/cmd/helm
}
# tools FOLDER PACKAGE…: has the module in FOLDER need these programs.
tools() {
  local folder=$1 package
  shift
  printf '//go:build tools\n\npackage tools\n\n' >"$folder/tools.go"
  for package in "$@"; do printf 'import _ "%s"\n' "$package" >>"$folder/tools.go"; done
  (cd "$folder" && go mod tidy) >>"$log" 2>&1 || { tail -n 5 "$log" >&2; exit 1; }
}

node=(kube-controller-manager kube-scheduler kubelet kube-proxy)
case ${1:-node} in
  apiserver) node=(); debian etcd=etcd-server ;;
  node) debian etcd=etcd-server runc=runc iptables=iptables conntrack=conntrack ip=iproute2 nsenter=util-linux musl-gcc=musl-tools \
    /usr/lib/cni/bridge=containernetworking-plugins ;;
  *) echo "usage: kubernetes.sh [node|apiserver]" >&2; exit 2 ;;
esac

complete=yes
for name in kube-apiserver kubectl "${node[@]}"; do there "$name" "$kubernetes" || complete=no; done
if [ "${#node[@]}" -gt 0 ]; then
  for name in containerd containerd-shim-runc-v2 ctr; do there "$name" "$containerd" || complete=no; done
  there coredns "$coredns" || complete=no
fi
there helm "$helm" || complete=no
[ "$complete" = yes ] && exit

mkdir -p "$home"
: >"$log"
PATH=$("$here/go.sh"):$PATH
export PATH GOFLAGS=-mod=mod GOWORK=off CGO_ENABLED=${CGO_ENABLED:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/kube" "$work/containerd" "$work/coredns" "$work/helm"

# Without these the server calls itself v0.0.0, and charts that name the Kubernetes that they need refuse it.
stamp="-s -w -X k8s.io/component-base/version.gitVersion=v$kubernetes -X k8s.io/component-base/version.gitMajor=1"
stamp="$stamp -X k8s.io/component-base/version.gitMinor=$(cut -d. -f2 <<<"$kubernetes")"
for name in kube-apiserver kubectl "${node[@]}"; do
  build "$work/kube" "$kubernetes" "k8s.io/kubernetes/cmd/$name" -ldflags "$stamp"
done
if [ "${#node[@]}" -gt 0 ]; then
  for name in containerd containerd-shim-runc-v2 ctr; do
    build "$work/containerd" "$containerd" "github.com/containerd/containerd/v2/cmd/$name" -tags no_btrfs,no_devmapper,no_zfs -ldflags "-s -w"
  done
  build "$work/coredns" "$coredns" ./coredns -ldflags "-s -w"
fi
build "$work/helm" "$helm" helm.sh/helm/v4/cmd/helm -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=v$helm"
