#!/usr/bin/env bash
# Set up a virtual environment with the pinned stack, then this package.
#
#   bash tools/install.sh [bare|runtime|full|tests]
#
# bare               torch, mmengine, mmcv-lite and what this package imports
# runtime (default)  + mmpose: training, evaluation, pictures as in the README
# full               + mmpretrain, mmhuman3d: every part of the ecosystem
# tests              + pytest, linters, reference implementations
#
# MMD2A_VENV   where the environment lives (default: .venv in this checkout)
# MMD2A_FORKS  onedl: the maintained forks of mmengine, mmcv, mmdet, mmpretrain
#              with the same module names, in an environment of their own
# PYTHON       the interpreter it is made from (default: python3.11, python3)
#
# Does nothing when the environment already matches the requirements. pip's own
# settings (PIP_INDEX_URL, PIP_FIND_LINKS, ...) are honoured: use them to take
# a CPU-only or a specific CUDA build of torch. A full mmcv that is already in
# the environment is kept.
set -euo pipefail

want="${1:-runtime}"
case "$want" in
    # The comment above, without its marks.
    -h|--help) sed -n '2,$ { /^#/!q; s/^# \{0,1\}//p; }' "$0"; exit 0 ;;
    bare) sets=(bare) ;;
    runtime) sets=(bare runtime) ;;
    full) sets=(bare runtime full) ;;
    tests) sets=(bare runtime full tests) ;;
    *) echo "install.sh: unknown set '$want'; use bare, runtime, full or" \
            "tests" >&2; exit 2 ;;
esac

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="${MMD2A_VENV:-$root/.venv}"
python="${PYTHON:-$(command -v python3.11 || command -v python3 || true)}"
if [ ! -f "$root/setup.cfg" ]; then
    echo "install.sh: $root is no checkout of mmd2a; in an installed package" \
         "there is nothing left to install" >&2
    exit 2
elif [ -z "$python" ]; then
    echo "install.sh: no python3 found; install Python 3.11 or set PYTHON" >&2
    exit 1
fi

# An environment holds either upstream or forks, and remembers which.
forks="$(cat "$venv/.mmd2a-forks" 2>/dev/null || true)"
if [ -d "$venv" ] && [ "${MMD2A_FORKS-$forks}" != "$forks" ]; then
    echo "install.sh: $venv was made with MMD2A_FORKS='$forks', and the forks" \
         "own the same files; choose another folder with MMD2A_VENV" >&2
    exit 2
fi
forks="${MMD2A_FORKS-$forks}"
case "$forks" in
    '') rename='' ;;
    onedl) rename='s/^(mmengine|mmpretrain)$/onedl-\1/; s/^mmcv-lite$/onedl-mmcv/
                   s/^mmdet$/onedl-mmdetection/' ;;
    *) echo "install.sh: unknown MMD2A_FORKS '$forks'; use onedl" >&2; exit 2 ;;
esac

wanted="$(cat "$root"/requirements/*.txt "$root"/setup.cfg "$0" | cksum)"
if [ "$(cat "$venv/.mmd2a-$want" 2>/dev/null)" = "$wanted" ]; then
    echo "install.sh: $venv is up to date ($want)"
    exit 0
fi

if ! found="$("$python" --version 2>&1)"; then
    echo "install.sh: $python does not run as a Python: install Python 3.11" \
         "or set PYTHON=/path/to/python3.11" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))'
then
    echo "install.sh: $found found; the stack is verified on" \
         "Python 3.11 (3.10-3.12 may work). Set PYTHON=/path/to/python3.11" >&2
    exit 1
fi
# --clear: an environment that was left half-made has no pip.
"$venv/bin/python" -m pip --version >/dev/null 2>&1 ||
    "$python" -m venv --clear "$venv" || {
    echo "install.sh: cannot make $venv; is the folder writable and the" \
         "python venv module installed (Debian: python3-venv)?" >&2
    exit 1
}
echo "$forks" > "$venv/.mmd2a-forks"

export PIP_CONSTRAINT="$root/requirements/constraints.txt"
export PIP_DISABLE_PIP_VERSION_CHECK=1
pip() { "$venv/bin/python" -m pip install --quiet "$@"; }
step() { echo "  [${SECONDS} s] $1"; }

# The requirements of a set, with the names of the forks.
lists="$(mktemp -d)"
trap 'rm -rf "$lists"' EXIT
for file in "$root"/requirements/*.txt; do
    sed -E "$rename" "$file" > "$lists/$(basename "$file")"
done
if "$venv/bin/python" -m pip show --quiet mmcv 2>/dev/null; then
    sed -i '/^mmcv-lite$/d' "$lists/bare.txt"
fi

echo "install.sh: installing the pinned stack into $venv (1 to 2 minutes)"
step 'torch, numpy'
pip torch numpy setuptools wheel
for set in "${sets[@]}"; do
    step "$set: $(sed -nE 's/^([a-z][a-z0-9-]*).*/\1/p' "$lists/$set"*.txt | paste -sd' ')"
    pip -r "$lists/$set.txt"
    # Not isolated: what is compiled here is compiled against this numpy.
    if [ -f "$lists/${set}_no_deps.txt" ]; then
        pip --no-build-isolation --no-deps -r "$lists/${set}_no_deps.txt"
    fi
done
step 'mmd2a, from this checkout'
pip --no-deps --no-build-isolation --editable "$root"

for set in "${sets[@]}"; do
    echo "$wanted" > "$venv/.mmd2a-$set"
done
step 'done'
