# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
r"""
Stage 2: trains the complete model to mask the change that a sentence describes.

```bash
accelerate launch trainer/finetune.py                                        # the tiny preset, on generated pairs
accelerate launch trainer/finetune.py --config trainer/recipes/tiny_stage2.yaml --train_data path/to/MTRefSeg-21K
accelerate launch --config_file trainer/accelerate/zero2.yaml trainer/finetune.py \
    --config trainer/recipes/paper_stage2.yaml --stage1 outputs/paper_stage1
accelerate launch trainer/finetune.py --config trainer/recipes/lora.yaml     # LoRA on the language model
```

Recipes in `trainer/recipes` may contain any of the options; the command line overrides them.
"""

import sys
from collections.abc import Sequence


if __name__ == "__main__":
    import clone_path  # type: ignore[import-not-found]  # noqa: F401

from mtrefseg.errors import run_command
from trainer.loop.checks import check_given
from trainer.options import stage_options


def main(arguments: Sequence[str] | None = None, program: str = "finetune.py") -> int:
    """
    Trains stage 2 with a command line.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.
        program (`str`, *optional*): Name of the program, for help and errors.

    Returns:
        `int`: The exit code: 0 done, 2 bad input, 130 interrupted.
    """
    given = sys.argv[1:] if arguments is None else arguments

    def train() -> None:
        # Help, usage errors and wrong paths are handled before the libraries are imported, which takes seconds.
        check_given(stage_options().check(given, "tiny_stage2", program, __doc__))

        from trainer.building.models import build_stage2
        from trainer.loop.running import train_stage

        train_stage("tiny_stage2", build_stage2, given, program, __doc__)

    return run_command(program, train)


if __name__ == "__main__":
    sys.exit(main())
