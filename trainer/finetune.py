# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Stage 2: trains the whole model to mask the change that a sentence describes.

```bash
accelerate launch trainer/finetune.py                                        # the tiny preset, on generated pairs
accelerate launch trainer/finetune.py --config trainer/recipes/tiny_stage2.yaml --train_data path/to/MTRefSeg-21K
accelerate launch --config_file trainer/accelerate/zero2.yaml trainer/finetune.py \
    --config trainer/recipes/paper_stage2.yaml --stage1 outputs/paper_stage1
accelerate launch trainer/finetune.py --config trainer/recipes/lora.yaml     # LoRA on the language model
```

Recipes in `trainer/recipes` hold any of the arguments, and the command line overrides them; `--help` lists all.
"""

if __name__ == "__main__":
    import clone_path  # type: ignore[import-not-found]  # noqa: F401

from trainer.loop.building import build_stage2
from trainer.loop.running import main


if __name__ == "__main__":
    main("tiny_stage2", build_stage2)
