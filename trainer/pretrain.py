# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Stage 1: trains the visual half to mask every change. The language model is neither built nor loaded.

```bash
accelerate launch trainer/pretrain.py                                         # the tiny preset, on generated pairs
accelerate launch trainer/pretrain.py --train_data generated path/to/MTRefSeg_Pretrained --train_weights 1 1
accelerate launch --config_file trainer/accelerate/zero2.yaml trainer/pretrain.py \
    --config trainer/recipes/paper_stage1.yaml
```

The result is what `finetune.py --stage1` takes.

Recipes in `trainer/recipes` hold any of the arguments, and the command line overrides them; `--help` lists all.
"""

import sys
from pathlib import Path


if __name__ == "__main__":
    # Python puts the folder of a script first; the project's packages are one above.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from transformers import set_seed

from dataset_scripts.errors import DataError
from trainer.arguments import parse_arguments
from trainer.building import build_stage1
from trainer.errors import TrainingError
from trainer.running import make_trainer, run


def main() -> None:
    """Trains stage 1 as the command line says."""
    try:
        model_arguments, data_arguments, augmentation, training, model_config = parse_arguments("tiny_stage1")
        set_seed(training.seed)  # New weights are the same on every process, and when a run goes on.
        model, processor = build_stage1(model_arguments, model_config, training)
        trainer = make_trainer(model, processor, data_arguments, augmentation, training, model_config)
        table = run(trainer)
    except (DataError, TrainingError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from error
    if trainer.is_world_process_zero():
        print(table)


if __name__ == "__main__":
    main()
