# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg explain`: shows what a mask is based on.

```bash
mtrefseg explain t1.png t2.png "the house that appeared" --out outputs/why
```
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mtrefseg.io import results_written_together, write_json

from .common import (
    add_pair_arguments,
    bad_input,
    closest_note,
    load_model_with_note,
    open_pair,
    progress,
    versions,
)
from .parsing import VerbParser


if TYPE_CHECKING:
    from mtrefseg.view.inspection import ExpressionInspection


SHEET = "sheet.png"
RESULT = "result.json"


def make_parser() -> VerbParser:
    """The parser of the verb."""
    parser = VerbParser(
        "explain",
        "Shows where the model looks, and which words matter for the mask. Writes sheet.png (everything in one "
        "figure), each part as a separate image, and result.json to a folder.",
    )
    add_pair_arguments(parser)
    parser.positionals.add_argument("text", metavar="SENTENCE", help="describes the change")
    return parser


def run(arguments: Sequence[str]) -> None:
    """
    Runs the verb. All input is checked before the weights are loaded.

    Args:
        arguments (`Sequence[str]`): The arguments after the verb.

    Raises:
        [`UserError`]: If the input is bad, or the results cannot be written.
    """
    options = make_parser().parse(arguments)
    (image_t1, image_t2), device, processor = open_pair(options, [options.text])
    with bad_input():
        processor(images_t1=image_t1, images_t2=image_t1, text=[options.text], domain=options.domain)
    model = load_model_with_note(options.model, processor, device, options.dtype)

    from mtrefseg.view.inspection import inspect_expression

    num_words = len(options.text.split())
    progress(f"reading the sentence, and again without each of its {num_words} words, on {device}")
    with bad_input():
        inspection = inspect_expression(
            model, processor, image_t1, image_t2, options.text, options.domain, options.align
        )
    with bad_input(prefix=f"cannot write into {options.out}: "):
        _write(options, inspection)
    _print_summary(options.out, inspection)


def _write(options: argparse.Namespace, inspection: "ExpressionInspection") -> None:
    from mtrefseg.view.inspection_images import draw_inspection, draw_inspection_parts

    out: Path = options.out
    parts = draw_inspection_parts(inspection)
    report = {
        "image_t1": options.image_t1,
        "image_t2": options.image_t2,
        "model": options.model,
        "align": options.align,
        "versions": versions(),
        **inspection.as_dict(),
        "images": [SHEET, *(f"{name}.png" for name in parts)],
    }
    with results_written_together(out) as unfinished:
        draw_inspection(inspection).save(unfinished / SHEET)
        for name, image in parts.items():
            image.save(unfinished / f"{name}.png")
        write_json(unfinished / RESULT, report)


def _print_summary(out: Path, inspection: "ExpressionInspection") -> None:
    area = f"{100 * inspection.mask.mean():.2f} %" if inspection.mask.any() else "nothing"
    scores = f"score {inspection.score:.2f}  no-target score {inspection.no_target_score:.2f}"
    print(f"{scores}  area {area}  {inspection.expression}{closest_note(inspection.is_closest)}")
    print("share of the mask that changes without a word:")
    for word in inspection.words:
        print(f"  {word.importance:.2f}  {word.word}")
    print(out / SHEET)
