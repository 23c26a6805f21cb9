#!/usr/bin/env bash
# prometheus.sh: a real Prometheus with promtool, and a real Alertmanager with amtool (Debian's), for the tests of metrics and alerts.
#
# Where the host has them, those are used; else they come as packages.sh has it, into ${XDG_CACHE_HOME:-~/.cache}/starkeeper-lab/prometheus. What is
# there already is left alone.
set -euo pipefail
source "$(dirname "$0")/packages.sh"

home=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab/prometheus
programs=(prometheus promtool prometheus-alertmanager amtool)
complete() {
  local program
  for program in "${programs[@]}"; do command -v "$program" >/dev/null || [ -x "$1/usr/bin/$program" ] || return; done
}
complete "$home" || packages "$home" 'Prometheus and Alertmanager' "${programs[*]}" prometheus prometheus-alertmanager
