# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg info`: versions, the device, and the parameters of a model.

```bash
mtrefseg info --model mtrefseg-r1
```
"""

import argparse
import platform
from typing import Any

from .common import add_model_option, check_model, check_model_type, load_model, pick_device, version_of


def add_parser(commands: Any) -> None:
    """
    Declares the sub-command.

    Args:
        commands: What `add_subparsers` gave.
    """
    parser = commands.add_parser("info", help="print versions, the device and the parameters of a model")
    add_model_option(parser, None)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Runs the sub-command. Prints to stdout.

    Args:
        options (`argparse.Namespace`): Parsed by the parser of [`add_parser`].

    Raises:
        [`CommandError`]: If the model cannot be loaded.
    """
    model_type = check_model(options.model) if options.model else None
    device = pick_device(None)
    print(f"python        {platform.python_version()}")
    for package in ("torch", "transformers", "mtrefseg"):
        print(f"{package:13} {version_of(package)}")
    print(f"device        {device}")
    if not options.model:
        return
    check_model_type(options.model, model_type)
    model = load_model(options.model, device, "auto")
    print(f"model         {options.model} ({model.dtype})")
    counts = [(name, sum(weights.numel() for weights in part.parameters())) for name, part in model.named_children()]
    total = sum(weights.numel() for weights in model.parameters())
    for name, count in [*counts, ("all", total)]:
        print(f"  {name:24} {count:>15,} parameters")
