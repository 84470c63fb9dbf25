#!/usr/bin/env bash
# Checks every device path on one GPU, and measures it, in at most MINUTES (8), on a machine that may have no network.
#
#   benchmarks/model/gpu.sh prepare BAGGAGE   here: the wheels that a machine with PyTorch may lack
#   benchmarks/model/gpu.sh run BAGGAGE OUT   there: writes OUT/gpu.csv, a row a check or measurement, and OUT/gpu.log
#
# BAGGAGE is what `prepare` made, or "none": packages as installed. PYTHON (python3) is the interpreter. Without CUDA
# everything that a CPU can do runs there: a dry run; OPTIONS then makes it small, such as
# "--presets tiny --image-size 64 --pairs 1 --sentences 1". The exit code is 1 if a check failed.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-python3} MINUTES=${MINUTES:-8} OPTIONS=${OPTIONS:-} SIZE=${SIZE:-256}
PACKAGES="transformers tokenizers huggingface_hub accelerate trl datasets dill multiprocess evaluate peft deepspeed"

prepare() {
    mkdir -p "$1/wheels"
    "$PYTHON" -m pip download --quiet --no-deps --python-version 3.12 --only-binary :all: --dest "$1/wheels" \
        ${PACKAGES/ deepspeed/}
    # deepspeed has no wheel.
    "$PYTHON" -m pip download --quiet --no-deps --no-build-isolation --dest "$1/wheels" deepspeed
}

run() {
    local baggage=$1 out=$2 python=$PYTHON failed=0
    mkdir -p "$out"
    if [ -d "$baggage/wheels" ]; then
        "$PYTHON" -m venv --system-site-packages "$out.venv"
        python=$out.venv/bin/python
        "$python" -m pip install --quiet --no-index --no-deps --no-build-isolation "$baggage"/wheels/*
    fi
    export HF_HUB_OFFLINE=1 OMP_NUM_THREADS=${OMP_NUM_THREADS:-4} PYTHONPATH=.
    local gpu
    gpu=$("$python" -c "import torch; print(int(torch.cuda.is_available()))")
    if [ "$gpu" = 1 ]; then nvidia-smi; fi

    # What trains in other processes first: it takes a minute, and the rest fills the time that is left.
    # shellcheck disable=SC2086
    train() {
        local name=$1 before=$SECONDS status=ok
        shift
        timeout 180 "$@" trainer/finetune.py --preset tiny --image_size "$SIZE" --train_data generated --eval_data none \
            --generated_size 128 --max_steps 2 --per_device_train_batch_size 1 --dataloader_num_workers 0 \
            --save_strategy no --eval_strategy no --load_best_model_at_end false --disable_tqdm true \
            --output_dir "$out.train" || status=failed
        rm -rf "$out.train"
        "$python" -m benchmarks.model.gpu --out "$out" --record "$name" $status $((SECONDS - before))
        [ $status = ok ] || failed=1
    }
    train "DDP of one" "$python" -m torch.distributed.run --standalone --nproc_per_node 1
    local zero="trainer/accelerate/cpu_zero2.yaml" offload="none"
    if [ "$gpu" = 1 ]; then zero="trainer/accelerate/zero2.yaml" offload="cpu"; fi
    train "ZeRO-2 with offload to $offload" "$python" -m accelerate.commands.launch --config_file $zero \
        --num_processes 1 --offload_optimizer_device $offload

    # shellcheck disable=SC2086
    "$python" -m benchmarks.model.gpu --out "$out" --seconds $((MINUTES * 60 - SECONDS - 60)) $OPTIONS || failed=1
    echo "done in $SECONDS s: $out/gpu.csv"
    return $failed
}

# No `&&` before the functions: bash would go on after their errors.
case "${1:-} $#" in
    "prepare 2") prepare "$2" ;;
    "run 3")
        mkdir -p "$3"
        run "$2" "$3" 2>&1 | tee "$3/gpu.log"
        ;;
    *)
        sed -n '2,9s/^# \{0,1\}//p' "$0"
        exit 2
        ;;
esac
