# packages.sh, to be sourced: `packages HOME WHAT MISSING PACKAGE…` unpacks Debian's packages, with whatever they need that the host lacks, into
# HOME, so that nothing is installed and no service is started. MISSING tells a person without Debian what to install. `complete FOLDER`, of
# the caller, says whether all is there.
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
packages() {
  local home=$1 what=$2 missing=$3 folder package
  shift 3
  printf '  \033[2mlab\033[0m %s (once)\n' "$what" >&2
  command -v apt-get >/dev/null || { echo "error: this is no Debian: install $missing, then call this again" >&2; exit 1; }
  as_root apt-get update -qq >/dev/null
  folder=$(mktemp -d)
  # apt's own user shall be able to write there.
  chmod 0755 "$folder"
  mkdir "$folder/partial"
  as_root apt-get install -qq --yes --no-install-recommends --reinstall --download-only -o Dir::Cache::archives="$folder" "$@" >/dev/null
  mkdir -p "${home%/*}"
  rm -rf "$home" "$home.partial"
  mkdir "$home.partial"
  for package in "$folder"/*.deb; do dpkg-deb --extract "$package" "$home.partial"; done
  as_root rm -rf "$folder"
  complete "$home.partial" || { echo "error: Debian's packages held not all of: $missing" >&2; exit 1; }
  mv "$home.partial" "$home"
}
