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

if __name__ == "__main__":
    import clone_path  # type: ignore[import-not-found]  # noqa: F401

from trainer.loop.building import build_stage1
from trainer.loop.running import main


if __name__ == "__main__":
    main("tiny_stage1", build_stage1)
