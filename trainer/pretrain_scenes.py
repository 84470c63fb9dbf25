# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Stage 0, for small models: trains a new vision part to name the objects in generated images, and to mask all changes.
Models that start from pretrained parts (`--vision_backbone`) do not need it.

```bash
accelerate launch trainer/pretrain_scenes.py                      # the tiny preset, on two CPU cores
accelerate launch trainer/pretrain.py --model_name_or_path outputs/tiny_scenes
```

All options of transformers' `TrainingArguments` are accepted; `--help_all` lists them.
"""

import sys
from collections.abc import Sequence


if __name__ == "__main__":
    import clone_path  # type: ignore[import-not-found]  # noqa: F401

from mtrefseg.errors import run_command
from trainer.options import scene_options


def main(arguments: Sequence[str] | None = None, program: str = "pretrain_scenes.py") -> int:
    """
    Trains a vision part with a command line.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.
        program (`str`, *optional*): Name of the program, for help and errors.

    Returns:
        `int`: The exit code: 0 done, 2 bad input, 130 interrupted.
    """
    given = sys.argv[1:] if arguments is None else arguments

    def train() -> None:
        # Help and usage errors are handled before the libraries are imported, which takes seconds.
        scene_options().check(given, "tiny_scenes", program, __doc__)

        from trainer.loop.scene_training import train_scenes

        print(train_scenes(given, program, __doc__), end="")

    return run_command(program, train)


if __name__ == "__main__":
    sys.exit(main())
