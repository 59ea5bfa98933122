#!/usr/bin/env bash
# Evaluate with several processes, one per GPU, or on CPU cores without a GPU.
#
#   bash tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [of tools/test.py]
#
# PROCESSES    number on this machine
# NNODES       number of machines (1); NODE_RANK: which one this is (0)
# MASTER_ADDR  address of machine 0 (127.0.0.1)
# PORT         port on it; by default a free one, 29500 with several machines
# PYTHON       interpreter (python)
set -euo pipefail
tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$tools/usage.sh"
. "$tools/dist_common.sh"
usage_unless 3 "$@"
launch "$3" "$tools/test.py" "$1" "$2" --launcher pytorch "${@:4}"
