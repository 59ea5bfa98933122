# Read by dist_train.sh and dist_test.sh: start processes with torchrun, which hands on signals.

free_port() {
    "$PYTHON" -c 'import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])'
}

# launch PROCESSES SCRIPT [ARGUMENTS...]
launch() {
    local processes="$1"
    case "$processes" in ''|0|*[!0-9]*)
        echo "error: PROCESSES is '$processes'; give a number" >&2; exit 2 ;;
    esac
    PYTHON="${PYTHON:-python}"
    NNODES="${NNODES:-1}"
    if [ "$NNODES" = 1 ]; then PORT="${PORT:-$(free_port)}"; fi
    # torchrun would give every process a single thread.
    if [ -z "${OMP_NUM_THREADS:-}" ]; then
        local cores
        cores="$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)"
        export OMP_NUM_THREADS=$((cores > processes ? cores / processes : 1))
    fi
    PYTHONPATH="$tools/..${PYTHONPATH:+:$PYTHONPATH}" \
    exec "$PYTHON" -m mmd2a.cli.torchrun \
        --nnodes "$NNODES" \
        --node_rank "${NODE_RANK:-0}" \
        --master_addr "${MASTER_ADDR:-127.0.0.1}" \
        --master_port "${PORT:-29500}" \
        --nproc_per_node "$processes" \
        "${@:2}"
}
