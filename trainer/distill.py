# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Gives a trained model a new language part with a larger vocabulary, which learns to produce the queries of the old one;
or teaches the existing language part more words. This takes minutes on one CPU core: images are encoded once, and then
only text is processed.

```bash
python trainer/distill.py --model_name_or_path outputs/trained --output_dir outputs/new_words
python trainer/finetune.py --config trainer/recipes/checkpoint/07_all_parts.yaml --model_name_or_path outputs/new_words
python trainer/distill.py --language_preset same --model_name_or_path outputs/trained --output_dir outputs/more_words
```

All options of transformers' `TrainingArguments` are accepted; `--help_all` lists them.
"""

import sys
from collections.abc import Sequence


if __name__ == "__main__":
    import clone_path  # type: ignore[import-not-found]  # noqa: F401

from mtrefseg.errors import run_command
from trainer.loop.checks import check_given
from trainer.options import distillation_options


def main(arguments: Sequence[str] | None = None, program: str = "distill.py") -> int:
    """
    Distils a language part with a command line.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.
        program (`str`, *optional*): Name of the program, for help and errors.

    Returns:
        `int`: The exit code: 0 done, 2 bad input, 130 interrupted.
    """
    given = sys.argv[1:] if arguments is None else arguments

    def train() -> None:
        # Help, usage errors and wrong paths are handled before the libraries are imported, which takes seconds.
        check_given(distillation_options().check(given, "checkpoint/06_distill_vocabulary", program, __doc__))

        from trainer.loop.distilling import distill

        print(distill(given, program, __doc__), end="")

    return run_command(program, train)


if __name__ == "__main__":
    sys.exit(main())
