#!/usr/bin/env bash
# crds.sh: puts the definitions of cert-manager's and the Prometheus operator's objects into the user's cache, from their Go modules, so that an API
# server can judge what the chart makes of them. Prints the folder. A second call costs nothing.
set -euo pipefail

cert_manager=1.19.1 operator=0.85.0
home=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/crds/$cert_manager-$operator-rules

# take MODULE FILE…: copies files of a module.
take() {
  local module=$1 folder
  shift
  folder=$(cd / && go mod download -json "$module" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  for file in "$@"; do install -m 0644 "$folder/$file" "$home.partial/"; done
}

if [ ! -d "$home" ]; then
  printf '  \033[2mlab\033[0m %s\n' "definitions of cert-manager $cert_manager and the Prometheus operator $operator (once)" >&2
  PATH=$("$(dirname "$0")/go.sh"):$PATH
  rm -rf "$home.partial"
  mkdir -p "$home.partial"
  take "github.com/cert-manager/cert-manager@v$cert_manager" deploy/crds/cert-manager.io_certificates.yaml
  take "github.com/prometheus-operator/prometheus-operator@v$operator" \
    example/prometheus-operator-crd/monitoring.coreos.com_{servicemonitors,podmonitors,prometheusrules}.yaml
  mv "$home.partial" "$home"
fi
echo "$home"
