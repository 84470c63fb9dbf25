# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg info`: versions, the device, and the parameters of a model.

```bash
mtrefseg info --model mtrefseg-r1
```
"""

import platform
from collections.abc import Sequence

from mtrefseg.importing import import_libraries, version_of

from .common import add_model_option, check_model, check_model_type, load_model_with_note
from .parsing import VerbParser


def make_parser() -> VerbParser:
    """The parser of the verb."""
    parser = VerbParser("info", "Prints versions, the device and, with --model, the parameter counts of a model.")
    add_model_option(parser.options, "none by default")
    return parser


def run(arguments: Sequence[str]) -> None:
    """
    Runs the verb. Prints to stdout.

    Args:
        arguments (`Sequence[str]`): The arguments after the verb.

    Raises:
        [`UserError`]: If the model cannot be loaded.
    """
    options = make_parser().parse(arguments)
    model_type = check_model(options.model) if options.model else None
    import_libraries()
    from mtrefseg.build.loading import find_device, load_processor

    device = find_device()
    print(f"python        {platform.python_version()}")
    for package in ("torch", "transformers", "mtrefseg"):
        print(f"{package:13} {version_of(package)}")
    print(f"device        {device}")
    if not options.model:
        return
    check_model_type(options.model, model_type)
    model = load_model_with_note(options.model, load_processor(options.model), device, "auto")
    print(f"model         {options.model} ({model.dtype})")
    counts = [(name, sum(weights.numel() for weights in part.parameters())) for name, part in model.named_children()]
    total = sum(weights.numel() for weights in model.parameters())
    for name, count in [*counts, ("all", total)]:
        print(f"  {name:24} {count:>15,} parameters")
