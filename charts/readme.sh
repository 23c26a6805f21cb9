#!/usr/bin/env bash
# readme.sh: the comments of the chart's values.yaml that begin with `# --` → the table of values in its README.md, between the two marks. With
# `--check` nothing is written, and it fails where the README is not in step.
set -euo pipefail
cd "$(dirname "$0")/starkeeper"

table() {
  printf '| value | default | means |\n| --- | --- | --- |\n'
  awk '
    function row(path, value) {
      gsub(/\|/, "\\|", text)
      printf "| `%s` | %s | %s |\n", path, (value == "" ? "" : "`" value "`"), text
    }
    /^ *# -- / { text = $0; sub(/^ *# -- /, "", text); open = 1; next }
    /^ *# / && open { more = $0; sub(/^ *# /, "", more); text = text " " more; next }
    /^ *[A-Za-z]+:/ {
      depth = match($0, /[^ ]/) - 1
      key = $0; sub(/^ */, "", key); sub(/:.*/, "", key)
      value = $0; sub(/^[^:]*: ?/, "", value)
      name[depth] = key
      path = ""
      for (i = 0; i <= depth; i += 2) path = path (i ? "." : "") name[i]
      if (open) row(path, value)
    }
    { text = ""; open = 0 }
  ' values.yaml
}

made=$(awk '/<!-- values -->/ { print; while ((getline line < "/dev/stdin") > 0) print line; skip = 1 } /<!-- end -->/ { skip = 0 } !skip && !/<!-- values -->/' README.md < <(table))
if [ "${1:-}" = --check ]; then
  [ "$made" = "$(cat README.md)" ] || { echo "error: charts/starkeeper/README.md is not in step with values.yaml: run charts/readme.sh" >&2; exit 1; }
else
  printf '%s\n' "$made" >README.md
fi
