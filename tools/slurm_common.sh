# Read by slurm_train.sh and slurm_test.sh: start processes with srun.

# launch PARTITION JOB_NAME SCRIPT [ARGUMENTS...]
launch() {
    if ! command -v srun > /dev/null; then
        echo "error: srun was not found: this is no login node of a Slurm" \
            "cluster. On this machine use tools/dist_train.sh or" \
            "tools/dist_test.sh" >&2
        exit 1
    fi
    local per_node="${GPUS_PER_NODE:-8}"
    # SRUN_ARGS is a list of words.
    # shellcheck disable=SC2086
    PYTHONPATH="$tools/..${PYTHONPATH:+:$PYTHONPATH}" \
    exec srun -p "$1" \
        --job-name="$2" \
        --gres="gpu:$per_node" \
        --ntasks="${GPUS:-8}" \
        --ntasks-per-node="$per_node" \
        --cpus-per-task="${CPUS_PER_TASK:-5}" \
        --kill-on-bad-exit=1 \
        ${SRUN_ARGS:-} \
        "${PYTHON:-python}" -u "${@:3}" --launcher slurm
}
