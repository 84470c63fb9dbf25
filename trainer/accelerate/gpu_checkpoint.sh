#!/usr/bin/env bash
# Continues the training of a checkpoint on one GPU, for a few minutes, on a machine that may have no network.
#
#   trainer/accelerate/gpu_checkpoint.sh prepare REAL_DATA BAGGAGE   here: a sample of real pairs (MEGABYTES, 20), and wheels (20 MB)
#   trainer/accelerate/gpu_checkpoint.sh run START BAGGAGE OUT       there: trains START, writes OUT (files below 16 MB)
#
# START is a folder with weights, BAGGAGE what `prepare` made (or "none": generated pairs only, packages as installed).
# MINUTES (8) is for all of `run`; PYTHON (python3) is the interpreter, and PYTHON_VERSION (3.12) that of the machine
# with the GPU; BATCH (64) pairs a step; STEPS sets the number of steps instead of the time. Without CUDA everything
# runs on the CPU, in float32: a dry run.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-python3} MINUTES=${MINUTES:-8} BATCH=${BATCH:-64} STEPS=${STEPS:-} MEGABYTES=${MEGABYTES:-20}
PYTHON_VERSION=${PYTHON_VERSION:-3.12}
FOLDERS="RS_real_train RS_more_train NS_real_train NS_more_train"
PACKAGES="transformers tokenizers huggingface_hub trl datasets dill multiprocess evaluate peft"

prepare() {
    local real=$1 baggage=$2
    mkdir -p "$baggage/wheels"
    "$PYTHON" -m pip download --quiet --no-deps --python-version "$PYTHON_VERSION" --only-binary :all: --dest "$baggage/wheels" $PACKAGES
    "$PYTHON" - "$real" "$baggage" "$FOLDERS" "$MEGABYTES" <<'PYTHON'
"""Copies every n-th pair of each folder, so that all together stay below the given size."""
import json, shutil, sys
from pathlib import Path

real, baggage, folders, most = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].split(), float(sys.argv[4])
chosen = []
for folder in folders:
    for path in sorted((real / folder / "referring_expression").glob("*.json")):
        pair = json.loads(path.read_text(encoding="utf-8"))
        files = [Path("referring_expression", path.name)]
        files += [Path(part, pair[f"img_{part}"]) for part in "AB"]
        files += [Path("masks", mask) for mask in pair["mask"]]
        chosen.append([Path(folder, file) for file in files])
size = sum((real / file).stat().st_size for files in chosen for file in files)
every = -int(-size // (most * 1e6))
for files in chosen[::every]:
    for file in files:
        (baggage / file.parent).mkdir(parents=True, exist_ok=True)
        shutil.copy(real / file, baggage / file)
print(f"{len(chosen[::every])} of {len(chosen)} pairs")
PYTHON
    du -sh "$baggage"
}

run() {
    local start=$1 baggage=$2 out=$3 began=$SECONDS data="generated" weights="" python=$PYTHON
    mkdir -p "$out"
    if [ -d "$baggage/wheels" ]; then
        "$PYTHON" -m venv --system-site-packages "$out.venv"
        python=$out.venv/bin/python
        "$python" -m pip install --quiet --no-index --no-deps "$baggage"/wheels/*.whl
    fi
    for folder in $FOLDERS; do
        [ -d "$baggage/$folder" ] && data="$data $baggage/$folder"
    done
    [ "$data" = generated ] || weights="--train_weights 3.6 2.0 2.2 0.8 0.9"
    local gpu workers=0
    gpu=$("$python" -c "import torch; print(int(torch.cuda.is_available()))")
    [ "$gpu" = 1 ] && workers=$(($(nproc) - 1))
    # One step on the GPU takes as long as reading its pairs on the other cores, or longer.
    train() {
        HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 "$python" trainer/finetune.py --config trainer/recipes/finetune.yaml \
            --model_name_or_path "$start" --train_data $data $weights --eval_data none --move_share 0.3 --join_share 0.4 \
            --per_device_train_batch_size "$BATCH" --dataloader_num_workers "$workers" \
            --learning_rate 8e-4 --backbone_learning_rate 1.6e-4 --warmup_steps 0.05 --save_strategy no \
            $([ "$gpu" = 1 ] && echo --bf16 true) "$@"
    }
    if [ -z "$STEPS" ]; then
        # How many steps fit: a short trial tells the speed, workers and start included.
        local trial=30 before=$SECONDS
        train --max_steps $trial --output_dir "$out.trial" >"$out/trial.log" 2>&1
        local took=$((SECONDS - before))
        STEPS=$(((MINUTES * 60 - (SECONDS - began) - took / 2 - 40) * trial / took))
        echo "$trial steps took $took s: training $STEPS steps" | tee -a "$out/trial.log"
    fi
    train --max_steps "$STEPS" --output_dir "$out.run" 2>&1 | tee "$out/train.log"
    "$python" trainer/calibrate.py --model "$out.run" --output_dir "$out.ready" --generated_pairs "${CALIBRATION_PAIRS:-60}" \
        2>&1 | tee -a "$out/train.log"
    # In pieces, since some ways back take small files only.
    PYTHONPATH=. "$python" - "$out.ready" "$out" <<'PYTHON'
import sys
from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor

ready, out = sys.argv[1:]
MTRefSegModel.from_pretrained(ready, dtype="bfloat16").save_pretrained(out, max_shard_size="15MB")
MTRefSegProcessor.from_pretrained(ready).save_pretrained(out)
PYTHON
    rm -f "$out"/*.py # They are those of modeling_mtrefseg.
    echo "done in $((SECONDS - began)) s: $out"
}

# No `&&` before the functions: bash would go on after their errors.
case "${1:-} $#" in
    "prepare 3") prepare "$2" "$3" ;;
    "run 4") run "$2" "$3" "$4" ;;
    *)
        sed -n '2,10s/^# \{0,1\}//p' "$0"
        exit 2
        ;;
esac
