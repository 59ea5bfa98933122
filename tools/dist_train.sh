#!/usr/bin/env bash
# Train with several processes, one per GPU, or on CPU cores without a GPU.
#
#   bash tools/dist_train.sh CONFIG PROCESSES [arguments of tools/train.py]
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
usage_unless 2 "$@"
launch "$2" "$tools/train.py" "$1" --launcher pytorch "${@:3}"
