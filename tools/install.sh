#!/usr/bin/env bash
# Set up a virtual environment with the pinned stack, then this package.
#
#   bash tools/install.sh [runtime|tests]
#
# runtime (default): what training, evaluation and pictures need.
# tests: the same plus pytest and the reference implementations.
#
# MMD2A_VENV   where the environment lives (default: .venv in this checkout)
# PYTHON       the interpreter it is made from (default: python3.11, python3)
#
# Does nothing when the environment already matches the requirements. pip's own
# settings (PIP_INDEX_URL, PIP_FIND_LINKS, ...) are honoured: use them to take
# a CPU-only or a specific CUDA build of torch.
set -euo pipefail

extra="${1:-runtime}"
case "$extra" in runtime|tests) ;; *)
    echo "install.sh: unknown set '$extra'; use runtime or tests" >&2; exit 2 ;;
esac

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="${MMD2A_VENV:-$root/.venv}"
python="${PYTHON:-$(command -v python3.11 || command -v python3 || true)}"
if [ -z "$python" ]; then
    echo "install.sh: no python3 found; install Python 3.11 or set PYTHON" >&2
    exit 1
fi

wanted="$(cat "$root"/requirements/*.txt "$root"/setup.cfg "$0" | cksum)"
stamp="$venv/.mmd2a-$extra"
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    echo "install.sh: $venv is up to date ($extra)"
    exit 0
fi

if ! "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))'
then
    echo "install.sh: $("$python" --version) found; the stack is verified on" \
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

export PIP_CONSTRAINT="$root/requirements/constraints.txt"
export PIP_DISABLE_PIP_VERSION_CHECK=1
pip() { "$venv/bin/python" -m pip install --quiet "$@"; }

echo "install.sh: installing the pinned stack into $venv (about 90 s)"
step() { echo "  [$1] $2"; }
step 1/5 'torch, numpy'
pip torch numpy setuptools wheel
step 2/5 'mmengine, mmcv-lite and what the package imports'
pip -r "$root/requirements/runtime.txt" -r "$root/requirements/mmpose.txt"
step 3/5 'xtcocotools, built against this numpy'
"$venv/bin/python" -c 'import xtcocotools._mask' 2>/dev/null ||
    pip --no-build-isolation --no-deps --no-binary xtcocotools xtcocotools
step 4/5 'mmpose, mmdet, torchvision without their declared dependencies'
pip --no-deps -r "$root/requirements/ecosystem.txt"
step 5/5 'mmd2a'
if [ "$extra" = tests ]; then
    pip -r "$root/requirements/tests.txt"
    pip --no-deps -r "$root/requirements/oracles.txt"
fi
pip --no-deps --no-build-isolation --editable "$root"

echo "$wanted" > "$stamp"
# The tests set contains the runtime set.
[ "$extra" = tests ] && echo "$wanted" > "$venv/.mmd2a-runtime"
echo "install.sh: done"
