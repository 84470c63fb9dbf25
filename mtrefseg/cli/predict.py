# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg predict`: the masks that sentences describe in one pair.

```bash
mtrefseg predict t1.png t2.png "the house that appeared" --out outputs
```
"""

import argparse
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtrefseg.option_values import between

from .common import (
    add_pair_arguments,
    bad_input,
    load_model,
    open_pair,
    progress,
    versions,
    write_json,
    written_whole,
)
from .parsing import VerbParser


if TYPE_CHECKING:
    import torch
    from PIL import Image


EVERY_CHANGE = "(every change)"


@dataclass(frozen=True)
class Prediction:
    """
    One entry of `result.json`.

    Args:
        text (`str`, *optional*): The sentence, `None` for every change.
        mask (`str`): File name of the mask: PNG of mode "L", 0 or 255, at the size of t1.
        score (`float`): Mean foreground probability inside the mask, 0 if it is empty.
        no_target_score (`float`): Probability that nothing in the images fits the sentence.
        area_pixels (`int`): Pixels of the mask.
        area_fraction (`float`): Their share of the image, 0 to 1.
    """

    text: str | None
    mask: str
    score: float
    no_target_score: float
    area_pixels: int
    area_fraction: float


def make_parser() -> VerbParser:
    """The parser of the verb."""
    parser = VerbParser(
        "predict", "Writes mask_1.png, mask_2.png … (one per sentence), overlay.png and result.json into a folder."
    )
    add_pair_arguments(parser)
    parser.positionals.add_argument(
        "texts", metavar="SENTENCE", nargs="*", help="one change each; without a sentence every change is masked"
    )
    parser.options.add_argument(
        "--threshold", metavar="P", type=between(0, 1), help="probability above which a pixel is masked, 0 to 1"
    )
    parser.options.add_argument(
        "--no-target-threshold",
        metavar="P",
        type=between(0, 1),
        help="empty the masks whose no-target score, 0 to 1, is above this",
    )
    return parser


def run(arguments: Sequence[str]) -> None:
    """
    Runs the verb. Everything that can be wrong with the input is found before the weights are loaded.

    Args:
        arguments (`Sequence[str]`): The arguments after the verb.

    Raises:
        [`UserError`]: If the input is bad, or the results cannot be written.
    """
    options = make_parser().parse(arguments)
    (image_t1, image_t2), device, processor = open_pair(options, options.texts)
    with bad_input():
        inputs = processor(
            images_t1=image_t1,
            images_t2=image_t2,
            text=options.texts or None,
            domain=options.domain,
            align=options.align,
            return_tensors="pt",
        )
    # Options that were not given have the values saved with the processor; result.json records them.
    if options.threshold is None:
        options.threshold = processor.image_processor.threshold
    if options.no_target_threshold is None:
        options.no_target_threshold = processor.image_processor.no_target_threshold
    model = load_model(options.model, processor, device, options.dtype)
    progress(f"segmenting {image_t1.width}x{image_t1.height} pixels on {device}")
    result = _segment(model, processor, inputs, image_t1, options)

    from mtrefseg.view.overlay import draw_overlay

    texts = options.texts or [None]
    masks = result["masks"].cpu()
    scores = result["scores"].tolist()
    aligned_t2 = image_t2 if image_t2.size == image_t1.size else image_t2.resize(image_t1.size)
    overlay = draw_overlay(image_t1, aligned_t2, masks, texts, scores)
    predictions = _describe(texts, masks, scores, result["no_target_scores"].tolist())
    with bad_input(prefix=f"cannot write into {options.out}: "):
        _write_results(options, image_t1.size, predictions, masks, overlay)
    for prediction in predictions:
        area = f"{100 * prediction.area_fraction:6.2f} %" if prediction.area_pixels else " nothing"
        text = prediction.text or EVERY_CHANGE
        print(f"{options.out / prediction.mask}  score {prediction.score:.2f}  area {area}  {text}")
    print(options.out / "overlay.png")


def _segment(
    model: Any, processor: Any, inputs: Any, image: "Image.Image", options: argparse.Namespace
) -> dict[str, "torch.Tensor"]:
    import torch

    with torch.inference_mode():
        outputs = model(**inputs.to(model.device, model.dtype))
    (result,) = processor.post_process_referring_segmentation(
        outputs,
        target_sizes=[(image.height, image.width)],
        threshold=options.threshold,
        no_target_threshold=options.no_target_threshold,
    )
    return dict(result)


def _describe(
    texts: Sequence[str | None], masks: "torch.Tensor", scores: Sequence[float], no_target_scores: Sequence[float]
) -> list[Prediction]:
    predictions = []
    for index, (text, mask) in enumerate(zip(texts, masks, strict=True)):
        area = int(mask.sum())
        predictions.append(
            Prediction(
                text=text,
                mask=f"mask_{index + 1}.png",
                score=scores[index],
                no_target_score=no_target_scores[index],
                area_pixels=area,
                area_fraction=area / mask.numel(),
            )
        )
    return predictions


def _write_results(
    options: argparse.Namespace,
    size: tuple[int, int],
    predictions: Sequence[Prediction],
    masks: "torch.Tensor",
    overlay: "Image.Image",
) -> None:
    from PIL import Image

    report = {
        "image_t1": options.image_t1,
        "image_t2": options.image_t2,
        "width": size[0],
        "height": size[1],
        "model": options.model,
        "threshold": options.threshold,
        "no_target_threshold": options.no_target_threshold,
        "align": options.align,
        "domain": options.domain,
        "versions": versions(),
        "results": [asdict(prediction) for prediction in predictions],
    }
    with written_whole(options.out) as unfinished:
        for prediction, mask in zip(predictions, masks, strict=True):
            Image.fromarray(mask.numpy()).convert("L").save(unfinished / prediction.mask)
        overlay.save(unfinished / "overlay.png")
        write_json(unfinished / "result.json", report)
        _remove_older_masks(options.out, len(predictions))


def _remove_older_masks(out: Path, count: int) -> None:
    """Masks of an earlier run with more sentences would look like results of this one."""
    if (out / "result.json").is_file():
        for path in out.glob("mask_*.png"):
            number = re.fullmatch(r"mask_(\d+)\.png", path.name)
            if number and int(number[1]) > count:
                path.unlink()
