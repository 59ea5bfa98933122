#!/usr/bin/env bash
# Set up everything the tests need, then run them.
#
#   bash tools/run_tests.sh [--lint | PYTEST_ARGUMENT...]
#
# Without arguments: the linters and the whole fast suite.
#
# --lint            the linters alone
# tests/datasets    the tests of a folder or file
# -m slow           the tests of minutes: trainings, installs, more of the faults
#
# MMD2A_TEST_PROCESSES is how many processes share the tests (auto: one a
# core). See tools/install.sh for where the environment lives.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
. "$root/tools/usage.sh"
usage_unless 0 "$@"
cd "$root"
bash tools/install.sh tests
unset PYTHON  # the tests use the environment's
bin="${MMD2A_VENV:-$root/.venv}/bin"

if [ $# -eq 0 ] || [ "$1" = --lint ]; then
    "$bin/ruff" format --check .
    "$bin/ruff" check .
    "$bin/codespell"
    "$bin/mypy"
    [ $# -eq 0 ] || exit 0
    set -- -m 'not slow'
fi
# One thread a process, processes over the cores: faster than threads for
# small tensors, and the multi-process tests do not fight over cores.
export OMP_NUM_THREADS=1
exec "$bin/python" -m pytest -n "${MMD2A_TEST_PROCESSES:-auto}" --dist loadfile "$@"
