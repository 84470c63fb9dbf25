# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The command `mtrefseg`, also `python -m mtrefseg`:

```bash
mtrefseg predict t1.png t2.png "the house that appeared" --out outputs
mtrefseg train finetune --train_data path/to/pairs --output_dir outputs/mine
mtrefseg evaluate --model outputs/mine --data path/to/pairs --output_dir outputs/report
```

Exit codes: 0 done; 1 some of many pairs failed; 2 bad input, with one line on stderr that says what to change; 130
interrupted. Verbs that run another tool return its exit code. Results go to stdout, progress to stderr.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from mtrefseg.errors import run_command
from mtrefseg.importing import version_of
from mtrefseg.option_values import OneLineParser

from .delegated import DELEGATED


VERBS = {
    "predict": "segment the changes that sentences describe in a pair of images",
    "series": "segment the changes that sentences describe between several dates",
    "explain": "show where the model looks, and which words matter for the mask",
    "report": "write an HTML page with the results of an evaluation, the worst first",
    "demo": "start the demo in the browser",
    "serve": "serve an HTTP API and the demo",
    "train": "train a model, or fine-tune one on your own pairs",
    "evaluate": "score a model on a benchmark or on your own pairs",
    "benchmark": "compare models on the same pairs, and score existing predictions",
    "data": "convert, check, browse and generate datasets",
    "craft": "annotate image pairs with masks and sentences, reviewed by people",
    "convert": "convert weights of the reference implementation into a model folder",
    "export": "export a model to ONNX, OpenVINO or torch.export graphs; the first two also in 8 bits",
    "info": "print versions, the device and a model's parameter counts",
}
"""The verbs, with a summary. Those that are not in `DELEGATED` are modules of this folder."""
_ALIASES = {"convert-original": "convert"}


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Runs the command line.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.

    Returns:
        `int`: The exit code.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    verb = _ALIASES.get(given[0], given[0]) if given else ""
    if verb not in VERBS:
        _top_parser().parse_args(given[:1])  # Prints help, version or an error, and exits.
    return run_command("mtrefseg", lambda: _run(verb, given[1:]))


def _run(verb: str, arguments: Sequence[str]) -> int | None:
    """Runs a verb. Its imports take seconds, in which the user may press Ctrl-C, too."""
    run: Callable[[Sequence[str]], int | None] = DELEGATED.get(verb) or import_module(f".{verb}", __package__).run
    return run(arguments)


def _top_parser() -> OneLineParser:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:{width}}  {summary}" for verb, summary in VERBS.items())
    parser = OneLineParser(
        prog="mtrefseg",
        usage="mtrefseg VERB ...",
        description="Segment the change between two images that a sentence describes.",
        epilog=f"verbs:\n{verbs}\n\n`mtrefseg VERB --help` lists the options of a verb.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mtrefseg {version_of('mtrefseg')}")
    parser.add_argument("verb", metavar="VERB", choices=VERBS, help=argparse.SUPPRESS)
    return parser
