# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg convert`: weights of the reference implementation as a model folder.

```bash
mtrefseg convert WEIGHTS OUT --original-config config.json --tokenizer DIR
```
"""

from collections.abc import Sequence
from pathlib import Path

from mtrefseg.errors import UserError
from mtrefseg.option_values import named_path

from .common import bad_input, check_new_folder, new_folder, progress
from .parsing import VerbParser


def make_parser() -> VerbParser:
    """The parser of the verb."""
    parser = VerbParser("convert", "Converts weights of the reference implementation into a model folder.")
    parser.positionals.add_argument(
        "weights", metavar="WEIGHTS", type=named_path, help="file or folder of the reference weights"
    )
    parser.positionals.add_argument("out", metavar="OUT", type=named_path, help="new folder for the converted model")
    parser.options.add_argument(
        "--original-config", metavar="FILE", type=named_path, required=True, help="the reference's config.json"
    )
    parser.options.add_argument(
        "--tokenizer", metavar="DIR", type=named_path, required=True, help="folder of the reference's tokenizer"
    )
    return parser


def run(arguments: Sequence[str]) -> None:
    """
    Runs the verb. Converts into a temporary folder next to `OUT` and renames it at the end.

    Args:
        arguments (`Sequence[str]`): The arguments after the verb.

    Raises:
        [`UserError`]: If `OUT` exists or cannot be written, a file is missing, or the weights cannot be converted.
    """
    options = make_parser().parse(arguments)
    out: Path = options.out
    check_new_folder(out)
    for path in (options.weights, options.original_config, options.tokenizer):
        if not path.exists():
            raise UserError(f"cannot convert {options.weights}: there is no {path}")

    from huggingface_hub.errors import StrictDataclassError

    from mtrefseg.build.conversion import convert_original

    progress(f"converting {options.weights}")
    with bad_input(StrictDataclassError, prefix=f"cannot convert {options.weights}: "), new_folder(out) as unfinished:
        report = convert_original(options.weights, unfinished, options.original_config, options.tokenizer)
    for line in str(report).splitlines():
        progress(line)
    print(out)
