# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg train`: trains in this process what the scripts of these names in `trainer/` train. Several processes
are started with `accelerate launch -m mtrefseg train finetune ...`, or with the scripts.
"""

import argparse
from collections.abc import Sequence

from mtrefseg.option_values import OneLineParser

from .handing_over import hand_over_to_script


STAGES = {
    "pretrain": "stage 1: trains the visual half to mask every change",
    "finetune": "stage 2: trains the whole model to mask the change that a sentence describes",
    "distill": "gives a trained model a new language part, or teaches it more words",
}


def run(arguments: Sequence[str]) -> int:
    """Hands all arguments after the stage over to the stage's script; see [`hand_over_to_script`]."""
    if not arguments or arguments[0] not in STAGES:
        _parser().parse_args(list(arguments[:1]))  # Prints help or an error, and exits.
    stage = arguments[0]
    return hand_over_to_script(stage, arguments[1:], f"mtrefseg train {stage}")


def _parser() -> OneLineParser:
    stages = "\n".join(f"  {stage:8}  {summary}" for stage, summary in STAGES.items())
    parser = OneLineParser(
        prog="mtrefseg train",
        usage="mtrefseg train STAGE ...",
        description="Train a model. Recipes in trainer/recipes hold all options of a run.",
        epilog=f"stages:\n{stages}\n\n`mtrefseg train STAGE --help` lists the options.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stage", metavar="STAGE", choices=STAGES, help=argparse.SUPPRESS)
    return parser
