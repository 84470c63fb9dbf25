# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Output of the demo: images with outlines, numbers and files."""

import io
import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
from gradio.processing_utils import save_bytes_to_cache
from PIL import Image

from mtrefseg.scenes.sentences import change_type_of
from mtrefseg.serve.answers import describe_mask
from mtrefseg.serve.engine import Sentence
from mtrefseg.view.drawing import area_text
from mtrefseg.view.outlines import geojson_geometry
from mtrefseg.view.pair_view import ShownAnswer, data_uri, pair_view_html
from mtrs_iou import encode_rle

from .segmenting import Segmentation


EVERY_CHANGE_LABEL = "every change between the two images"
NOTHING_FITS = "nothing in these images fits this sentence"
NOTHING_CHANGED = "nothing changed"


def show(segmentation: Segmentation, status: str | None = None) -> str:
    """
    The images with the outlines of the masks, and the sentences with scores and areas, as HTML. Nothing of a sentence
    is read as markup.

    Args:
        segmentation ([`Segmentation`]): The masks.
        status (`str`, *optional*): A line that screen readers announce; by default, how long it took.

    Returns:
        `str`: HTML for `pair_view.js`.
    """
    answers = []
    for answer, mask in zip(describe(segmentation), segmentation.masks, strict=True):
        sentence, change_type = answer["sentence"], change_type_of(answer["sentence"])
        if answer["found"]:
            note = f"{area_text(answer['area_fraction'])} of the image · score {answer['score']:.2f}"
        else:
            note = NOTHING_CHANGED if sentence is None else NOTHING_FITS
        answers.append(ShownAnswer(_label(sentence), mask, note, change_type, is_closest=answer["is_closest"]))
    return pair_view_html(segmentation.shown, answers, _time_taken(segmentation) if status is None else status)


def figures_html(figures: Sequence[tuple[Image.Image, str]]) -> str:
    """Images with captions, as HTML."""
    shown = (
        f'<figure><img src="{data_uri(image)}" alt=""><figcaption>{escape(caption)}</figcaption></figure>'
        for image, caption in figures
    )
    return f'<div class="figures">{"".join(shown)}</div>'


def describe(segmentation: Segmentation) -> list[dict[str, Any]]:
    """
    The numbers of every answer.

    Args:
        segmentation ([`Segmentation`]): The masks.

    Returns:
        `list[dict]`: For each sentence "sentence" (`None`: every change), "found" (whether its mask has a pixel),
        "score", "no_target_score", "is_closest", "area_pixels" and "area_fraction".
    """
    entries = []
    for sentence, mask, score, no_target_score, is_closest in _rows(segmentation):
        area = int(np.count_nonzero(mask))
        entries.append(
            {
                "sentence": sentence,
                "found": area > 0,
                "score": score,
                "no_target_score": no_target_score,
                "is_closest": is_closest,
                "area_pixels": area,
                "area_fraction": area / mask.size,
            }
        )
    return entries


def result_of(segmentation: Segmentation) -> dict[str, Any]:
    """
    All of a segmentation as JSON can hold it.

    Args:
        segmentation ([`Segmentation`]): The masks.

    Returns:
        `dict`: "width", "height", "answers" (those of [`describe`], each with "mask", COCO RLE), "encoding_seconds"
        (`None` if the pair was known) and "answering_seconds".
    """
    height, width = segmentation.masks.shape[1:]
    answers = [
        {**answer, "mask": encode_rle(mask)} for answer, mask in zip(describe(segmentation), segmentation.masks)
    ]
    return {
        "width": width,
        "height": height,
        "answers": answers,
        "encoding_seconds": segmentation.encoding_seconds,
        "answering_seconds": segmentation.answering_seconds,
    }


def masks_of(segmentation: Segmentation) -> dict[str, Any]:
    """
    A segmentation for programs, with the same objects as `mtrefseg serve` gives.

    Args:
        segmentation ([`Segmentation`]): The masks.

    Returns:
        `dict`: "width", "height", "masks" (one [`describe_mask`] a sentence), "encoding_seconds" (`None` if the pair
        was known) and "answering_seconds".
    """
    height, width = segmentation.masks.shape[1:]
    return {
        "width": width,
        "height": height,
        "masks": [describe_mask(*row) for row in _rows(segmentation)],
        "encoding_seconds": segmentation.encoding_seconds,
        "answering_seconds": segmentation.answering_seconds,
    }


def write_files(segmentation: Segmentation, result: dict[str, Any], folder: str) -> list[str]:
    """
    Writes what can be downloaded into gradio's cache, from where it is deleted with everything else.

    Args:
        segmentation ([`Segmentation`]): The masks.
        result (`dict`): What [`result_of`] made of it.
        folder (`str`): The cache.

    Returns:
        `list[str]`: Paths of one PNG a sentence (mode "L", 0 or 255, the images' own size), of `masks.json` (COCO
        RLE), and of `outlines.geojson` (polygons in pixels).
    """
    files = [
        save_bytes_to_cache(_png(mask), f"mask_{number}.png", folder)
        for number, mask in enumerate(segmentation.masks, start=1)
    ]
    for name, content in (("masks.json", result), ("outlines.geojson", _feature_collection(segmentation))):
        text = json.dumps(content, ensure_ascii=False)
        files.append(save_bytes_to_cache(text.encode("utf-8", errors="replace"), name, folder))
    return files


def _png(mask: npt.NDArray[np.bool_]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(mask).convert("L").save(file, "png")
    return file.getvalue()


def _feature_collection(segmentation: Segmentation) -> dict[str, Any]:
    features = [
        {"type": "Feature", "geometry": geojson_geometry(mask), "properties": {"number": number, **answer}}
        for number, (mask, answer) in enumerate(zip(segmentation.masks, describe(segmentation)), start=1)
    ]
    note = "Coordinates are pixels of the images: x to the right, y down, from the upper left corner."
    return {"type": "FeatureCollection", "description": note, "features": features}


def _rows(
    segmentation: Segmentation,
) -> Iterator[tuple[Sentence, npt.NDArray[np.bool_], float, float, bool]]:
    """Sentence, mask, score, no-target score and whether it is the closest change, of each answer."""
    return zip(
        segmentation.sentences,
        segmentation.masks,
        segmentation.scores,
        segmentation.no_target_scores,
        segmentation.is_closest,
        strict=True,
    )


def _label(sentence: Sentence) -> str:
    return EVERY_CHANGE_LABEL if sentence is None else sentence


def _time_taken(segmentation: Segmentation) -> str:
    count = segmentation.num_asked
    if segmentation.encoding_seconds is not None:
        pair = f"Pair read and encoded in {segmentation.encoding_seconds:.2f} s. "
    else:
        pair = "The pair was cached. "
    answered = f"{segmentation.answering_seconds:.2f} s"
    if not count:
        return f"{pair}Masks recomputed from cached answers in {answered}."
    return f"{pair}{count} question{'s' if count > 1 else ''} answered in {answered}."
