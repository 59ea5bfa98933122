#!/usr/bin/env bash
# Make a site of README, docs and docstrings; a warning is an error, and so is
# a link that leads nowhere.
#
#   bash tools/docs/build_site.sh [FOLDER]   # work_dirs/site
#
# Needs the packages of requirements/docs.txt, which are among those of the
# tests. Formulas are drawn by MathJax, which the browser fetches.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
. "$root/tools/usage.sh"
usage_unless 0 "$@"
out="$(realpath -m "${1:-$root/work_dirs/site}")"
python="${PYTHON:-${MMD2A_VENV:-$root/.venv}/bin/python}"

source="$(mktemp -d)"
trap 'rm -rf "$source"' EXIT
cd "$root"
cp -r ./*.md ./*.yml NOTICE LICENSE docs configs tools "$source"
"$python" -m sphinx --quiet --fail-on-warning --keep-going -c tools/docs \
    "$source" "$out"
echo "wrote $out/README.html"
