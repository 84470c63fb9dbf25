# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Prediction for a pair of plain images: masks as PNG files, an overlay and `result.json`."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from mtrefseg.io import results_written_together, write_json

from ..common import (
    bad_input,
    closest_note,
    load_model_with_note,
    open_pair,
    progress,
    versions,
)
from .options import has_geo, make_predictor, need_registration, refuse_unused, scene_options


if TYPE_CHECKING:
    from PIL import Image


_OF_POLYGONS = ("min_area", "simplify", "probability")


@dataclass(frozen=True)
class Prediction:
    """
    One entry of `result.json`.

    Args:
        text (`str`, *optional*): The sentence, `None` for every change.
        mask (`str`): File name of the mask: PNG of mode "L", 0 or 255, at the size of t1.
        score (`float`): Mean foreground probability inside the mask, 0 if it is empty.
        no_target_score (`float`): Probability that the sentence has no target.
        area_pixels (`int`): Pixels of the mask.
        area_fraction (`float`): Their share of the image, 0 to 1.
        is_closest (`bool`): Whether nothing fits the sentence clearly, and the mask contains the changes that fit it
            best.
        answered_by (`str`): `"image"`, or how the mask of a large image was found; see [`SentenceResult`].
        rle (`dict`): The mask as COCO RLE: `size`, height and width, and `counts`.
    """

    text: str | None
    mask: str
    score: float
    no_target_score: float
    is_closest: bool
    area_pixels: int
    area_fraction: float
    answered_by: str
    rle: dict[str, Any]


def run_plain(options: argparse.Namespace) -> None:
    """
    Segments a pair of images, in windows if they are large.

    Args:
        options (`argparse.Namespace`): Arguments of the verb.

    Raises:
        [`UserError`]: If the input is bad, or the results cannot be written.
    """
    refuse_unused(
        options, _OF_POLYGONS, "plain images get masks, but no polygons", "pass GeoTIFFs and install mtrefseg[geo]"
    )
    need_registration(options)
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
    # Defaults come from the processor; result.json records the values that were used.
    if options.threshold is None:
        options.threshold = processor.image_processor.threshold
    if options.no_target_threshold is None:
        options.no_target_threshold = processor.image_processor.no_target_threshold
    model = load_model_with_note(options.model, processor, device, options.dtype)
    aligned_t2 = image_t2
    if image_t2.size != image_t1.size:
        aligned_t2 = processor.image_processor.load_pair(image_t1, image_t2, align="resize")[1]
    progress(f"segmenting {image_t1.width}x{image_t1.height} pixels on {device}")
    # Only scenes can be registered, so small images become scenes of one window.
    if _needs_windows(options, image_t1, processor) or options.register != "off":
        entries = _segment_as_scene(model, processor, image_t1, aligned_t2, options)
    else:
        entries = _segment(model, processor, inputs, image_t1, options)
    finish(options, (image_t1, aligned_t2), entries)


def finish(
    options: argparse.Namespace, images: "tuple[Image.Image, Image.Image]", entries: Sequence[dict[str, Any]]
) -> None:
    """
    Writes the results, and prints a summary.

    Args:
        options (`argparse.Namespace`): Arguments of the verb.
        images (`tuple[PIL.Image.Image, PIL.Image.Image]`): t1 and t2, of one size.
        entries (`Sequence[dict]`): For each sentence the result of [`~MTRefSegPipeline.__call__`].

    Raises:
        [`UserError`]: If the results cannot be written.
    """
    import numpy as np

    from mtrefseg.io import sentence_in_line
    from mtrefseg.view.overlay import draw_overlay

    overlay = draw_overlay(
        *images,
        [np.asarray(entry["mask"]) > 0 for entry in entries],
        [entry["text"] for entry in entries],
        [entry["score"] for entry in entries],
        are_closest=[entry["is_closest"] for entry in entries],
    )
    predictions = [_describe(number, entry) for number, entry in enumerate(entries, start=1)]
    with bad_input(prefix=f"cannot write into {options.out}: "):
        _write_results(options, images[0].size, predictions, [entry["mask"] for entry in entries], overlay)
    for prediction in predictions:
        area = f"{100 * prediction.area_fraction:6.2f} %" if prediction.area_pixels else " nothing"
        text = sentence_in_line(prediction.text)
        note = closest_note(prediction.is_closest)
        print(f"{options.out / prediction.mask}  score {prediction.score:.2f}  area {area}  {text}{note}")
    print(options.out / "overlay.png")


def _segment(
    model: Any, processor: Any, inputs: Any, image: "Image.Image", options: argparse.Namespace
) -> list[dict[str, Any]]:
    import torch

    from modeling_mtrefseg.pairs_mtrefseg import entries_of

    with torch.inference_mode():
        outputs = model(**inputs.to(model.device, model.dtype))
    (result,) = processor.post_process_referring_segmentation(
        outputs,
        target_sizes=[(image.height, image.width)],
        threshold=options.threshold,
        no_target_threshold=options.no_target_threshold,
    )
    result = {name: values.cpu() for name, values in result.items()}
    return entries_of(options.texts or [None], result, processor.choose_objects)


def _needs_windows(options: argparse.Namespace, image: "Image.Image", processor: Any) -> bool:
    """Whether a plain image is cut into windows. Prints a note if it is shrunk instead."""
    from modeling_mtrefseg.canvas_mtrefseg import needs_windows

    canvas = processor.image_processor.size["height"]
    is_large = needs_windows(image.height, image.width, options.window, canvas, options.domain)
    if is_large and has_geo():
        return True
    warn_of_shrinking(image, canvas, "; for windows: pip install 'mtrefseg[geo]'" if is_large else "")
    return False


def warn_of_shrinking(image: "Image.Image", canvas: int, hint: str = "") -> None:
    """Reports by how much an image is shrunk to the model's canvas, if it is, with a hint."""
    from modeling_mtrefseg.canvas_mtrefseg import describe_shrinking

    if note := describe_shrinking("the images are", max(image.size), canvas):
        progress(f"{note}{hint}")


def _segment_as_scene(
    model: Any, processor: Any, image_t1: "Image.Image", image_t2: "Image.Image", options: argparse.Namespace
) -> list[dict[str, Any]]:
    import numpy as np

    from modeling_mtrefseg.pairs_mtrefseg import entry_of
    from mtrefseg.scenes import segment_pair

    predictor = make_predictor(model, processor, options)
    # The images are read already: the bands must not be chosen a second time.
    how = replace(scene_options(options), bands=None)
    result = segment_pair(image_t1, image_t2, options.texts or None, predictor, how, None, progress)
    entries = []
    for one, mask in zip(result.sentences, result.masks, strict=True):
        # In single precision, as for images that are not cut into windows.
        score, no_target_score = (float(np.float32(value)) for value in (one.score, one.no_target_score))
        entries.append(entry_of(one.text, mask, score, no_target_score, one.answered_by, one.is_closest))
    return entries


def _describe(number: int, entry: dict[str, Any]) -> Prediction:
    import numpy as np

    from mtrs_iou import encode_rle

    mask = np.asarray(entry["mask"]) > 0
    area = int(mask.sum())
    return Prediction(
        text=entry["text"],
        mask=f"mask_{number}.png",
        score=entry["score"],
        no_target_score=entry["no_target_score"],
        is_closest=entry["is_closest"],
        area_pixels=area,
        area_fraction=area / mask.size,
        answered_by=entry["answered_by"],
        rle=encode_rle(mask),
    )


def _write_results(
    options: argparse.Namespace,
    size: tuple[int, int],
    predictions: Sequence[Prediction],
    masks: "Sequence[Image.Image]",
    overlay: "Image.Image",
) -> None:
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
    with results_written_together(options.out) as unfinished:
        for prediction, mask in zip(predictions, masks, strict=True):
            mask.save(unfinished / prediction.mask)
        overlay.save(unfinished / "overlay.png")
        write_json(unfinished / "result.json", report)
