#!/usr/bin/env bash
# The main job on a fresh machine: set up, draw people with the model that
# ships, make people, train D2A-HMR from the backbone of that model, evaluate it
# with the distributed tools, draw what it sees.
#
#   bash tools/quickstart.sh [--epochs N] [--people N] [--seed N]
#
# --epochs N   train longer than the config says (see README)
# --people N   learn from more synthetic people than the config says
# --seed N     train with other random numbers (0)
#
# What is already done (environment, people, a finished training) is not done
# again, an interrupted training goes on where it was. A GPU is used when there
# is one. Results go to work_dirs/, with the whole log: the console has a line
# per step.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
. "$root/tools/usage.sh"
usage_unless 0 "$@"
cd "$root"
config=configs/d2a_hmr/d2a_hmr_mobilenet-v2_quick.py
work_dir=work_dirs/quickstart
options=()
while [ $# -gt 0 ]; do
    case "${2:-}" in ''|*[!0-9]*) usage ;; esac
    case "$1" in
        --epochs) options+=("train_cfg.max_epochs=$2") ;;
        --people) options+=("train_dataloader.dataset.num_people=$2") ;;
        --seed) options+=("randomness.seed=$2") ;;
        *) usage ;;
    esac
    work_dir="${work_dir}_${1#--}$2"
    shift 2
done
[ ${#options[@]} -eq 0 ] || options=(--cfg-options "${options[@]}")

# bash acts on a signal when the command in the foreground has ended, which a
# training does only if it hears of it: commands run beside, told at once.
run() {
    "$@" <&0 &
    child=$!
    wait "$child"
}
leave() {
    trap '' INT TERM USR1
    if [ -n "${child:-}" ]; then
        kill -"$1" "$child" 2> /dev/null || true
        wait "$child" || true
    fi
    exit $((128 + $2))
}
trap 'leave TERM 2' INT
trap 'leave TERM 15' TERM
trap 'leave USR1 10' USR1

run bash tools/install.sh runtime
PATH="$(cd "${MMD2A_VENV:-$root/.venv}/bin" && pwd):$PATH"
PYTHON=python  # from here on that of the environment
export PATH PYTHON

# What is done is told here; what libraries have to say, in this file.
log="$work_dir/quickstart.log"
mkdir -p "$work_dir"
echo "the whole log: $log"
step() { echo "== $1" | tee -a "$log"; }

# tools/train.py and tools/test.py run once on a single GPU, otherwise twice: on
# a CPU a small network gains far more from a second process than from a second
# thread, and more ranks would make the total batch too large for so few people.
found="$(python -c '
import torch
from mmd2a.cli.shipped import shipped_model
model = shipped_model()
print(min(torch.cuda.device_count() or 2, 2), model.name if model else "")')"
read -r ranks shipped <<< "$found"

if [ -n "$shipped" ]; then
    step "0/5 a model that ships, $shipped, draws people"
    run python tools/analysis/draw_shipped.py --weights "$shipped" \
        --out "$work_dir/shipped.png" --brief "$log"
fi

step '1/5 people: making the embedded, licence-free data set'
run python tools/data/make_synthetic_people.py --config "$config" \
    --brief "$log" ${options[@]+"${options[@]}"}

step "2/5 training: bash tools/dist_train.sh $config $ranks"
run bash tools/dist_train.sh "$config" "$ranks" --work-dir "$work_dir" --resume \
    --brief "$log" ${options[@]+"${options[@]}"}

# The file holds a path, of another place if the folder was moved.
checkpoint="$work_dir/$(basename "$(cat "$work_dir/last_checkpoint")")"
step "3/5 evaluation: bash tools/dist_test.sh $config $checkpoint $ranks"
run bash tools/dist_test.sh "$config" "$checkpoint" "$ranks" \
    --work-dir "$work_dir" --out "$work_dir/results.json" --brief "$log"

step '4/5 pictures'
run python tools/analysis/draw_sheet.py "$config" "$checkpoint" \
    --out "$work_dir/sheet.png" --brief "$log" ${options[@]+"${options[@]}"}

step '5/5 against predictors that ignore the image'
run python tools/analysis/compare_with_mean_pose.py "$config" \
    "$work_dir/results.json" --title 'trained now' \
    ${shipped:+--shipped "$shipped"} --brief "$log" \
    ${options[@]+"${options[@]}"}
echo
echo "checkpoint  $checkpoint"
echo "results     $work_dir/results.json"
echo "pictures    $work_dir/sheet.png${shipped:+, $work_dir/shipped.png}"
echo "log         $log"
