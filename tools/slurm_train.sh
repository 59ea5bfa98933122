#!/usr/bin/env bash
# Train on a Slurm cluster.
#
#   bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [of train.py]
#
# GPUS           processes in all (8); GPUS_PER_NODE: of these per node (8)
# CPUS_PER_TASK  cores per process (5)
# SRUN_ARGS      more arguments of srun
# PYTHON         interpreter (python)
set -euo pipefail
tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$tools/usage.sh"
. "$tools/slurm_common.sh"
usage_unless 4 "$@"
launch "$1" "$2" "$tools/train.py" "$3" --work-dir "$4" "${@:5}"
