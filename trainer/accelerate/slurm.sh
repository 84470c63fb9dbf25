#!/bin/bash
# Two nodes of four GPUs under SLURM: sbatch trainer/accelerate/slurm.sh
#SBATCH --job-name=mtrefseg
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gres=gpu:4
#SBATCH --cpus-per-task=32
#SBATCH --output=outputs/slurm-%j.log

set -euo pipefail
export MAIN_ADDRESS=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)

# The batch of the recipe is 4 pairs x 8 accumulated batches x 4 GPUs; with 8 GPUs half as many batches make the same.
srun bash -c 'accelerate launch \
    --config_file trainer/accelerate/zero2.yaml \
    --num_machines "$SLURM_NNODES" --num_processes $((SLURM_NNODES * 4)) --machine_rank "$SLURM_NODEID" \
    --main_process_ip "$MAIN_ADDRESS" --main_process_port 29500 --rdzv_backend c10d \
    trainer/finetune.py --config trainer/recipes/paper_stage2.yaml --gradient_accumulation_steps 4 \
    --expected_engine zero2 --expected_processes $((SLURM_NNODES * 4)) --resume_from_checkpoint last'
