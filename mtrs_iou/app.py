# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
A page that scores two sets of mask images and shows the worst cases:

    python mtrs_iou/app.py

It only listens on this computer, unless the environment variable `GRADIO_SERVER_NAME` says otherwise.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import evaluate
import gradio as gr
import numpy as np
from numpy.typing import NDArray
from PIL import Image


METRIC = Path(__file__).with_name("mtrs_iou.py")
MAX_FILES = 1000
MAX_PIXELS = 4096 * 4096
MAX_FILE_SIZE = "20mb"
# Errors of PIL for files that are not images, or are damaged.
READING_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, RuntimeError, MemoryError),
    *(struct.error, zlib.error, Image.DecompressionBombError),
)
FORMATS = ("PNG", "TIFF", "BMP", "GIF", "WEBP")
# Modes of one channel: booleans, grey, palette numbers, 16 and 32 bit, floating point.
MODES = ("1", "L", "P", "I;16", "I", "F")
WORST = 12
TILE = 384  # longer side of a shown case, in pixels
ROWS = (
    *("mIoU", "oIoU", "Pr@50", "Pr@60", "Pr@70", "Pr@80", "Pr@90", "mIoU_nonempty", "N-acc", "T-acc"),
    *("precision", "recall", "f1", "boundary_IoU", "num_samples", "num_empty_references", "num_both_empty"),
    *("num_false_positives_on_empty", "num_false_negatives", "num_missing_predictions"),
)
SIZES = ("empty", "small", "medium", "large")
BACKGROUND, SHARED, ADDED, MISSED = (28, 28, 30), (240, 240, 240), (230, 85, 60), (70, 125, 235)
HELP = f"""
# MTRS IoU
Scores predicted masks against ground-truth masks, at their original size. Upload two sets of one-channel images of 0
and 255 (or 0 and 1). Files with the same name belong together; the suffix may differ. A true mask without a prediction
counts as wrong. At most {MAX_FILES} images a set, {MAX_PIXELS:,} pixels and {MAX_FILE_SIZE.upper()} each. Scores are
in percent; a small mask has fewer than 32² true pixels, a medium one fewer than 96².
"""
LEGEND = "Worst cases. White: in both masks; red: predicted, but not true; blue: true, but not predicted."


def build() -> gr.Blocks:
    """The page."""
    # Uploaded files are deleted after an hour.
    with gr.Blocks(title="MTRS IoU", analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gr.Markdown(HELP)
        with gr.Row():
            # Without `file_types`, a wrong file reaches `score`, whose error says what is wrong.
            references = gr.File(label="True masks", file_count="multiple", height=160)
            predictions = gr.File(label="Predicted masks", file_count="multiple", height=160)
        with gr.Row():
            nonempty = gr.Checkbox(label="Leave samples with an empty true mask out of the means")
            boundary = gr.Checkbox(label="Boundary IoU (0.02 of the diagonal)")
        button = gr.Button("Score", variant="primary")
        message = gr.Markdown()
        headers = ["", "all", *SIZES]
        table = gr.Dataframe(label="Scores", headers=headers, interactive=False, type="array", max_height=900)
        gr.Markdown(LEGEND)
        gallery = gr.Gallery(show_label=False, columns=4, object_fit="contain", format="png", height=720)
        button.click(
            score,
            inputs=[references, predictions, nonempty, boundary],
            outputs=[message, table, gallery],
            api_name="score",
            concurrency_limit=2,
        )
    return page


def score(
    reference_files: Sequence[str] | None, prediction_files: Sequence[str] | None, nonempty: bool, boundary: bool
) -> tuple[str, list[list[str]], list[tuple[Image.Image, str]]]:
    """
    Scores two sets of files.

    Args:
        reference_files (`Sequence[str]`, *optional*): Images of the true masks.
        prediction_files (`Sequence[str]`, *optional*): Images of the predicted masks.
        nonempty (`bool`): Whether to leave samples whose true mask is empty out of the means.
        boundary (`bool`): Whether to measure boundary IoU.

    Returns:
        `tuple`: A sentence, the rows of the table, and the worst cases as images with captions.

    Raises:
        gradio.Error: If files cannot be read or do not belong together; the message says which, and why.
    """
    references = _by_stem(reference_files, "true")
    predictions = _by_stem(prediction_files, "predicted")
    unknown = sorted(predictions.keys() - references.keys())
    if unknown:
        raise _error(f"There is no true mask for {_some(unknown)}: give both images the same name")
    metric = evaluate.load(str(METRIC), keep_in_memory=True)
    for stem in references:
        pair = _read_pair(stem, references, predictions)
        try:
            metric.add(prediction=pair[0], reference=pair[1], sample_id=stem, boundary=boundary)
        except ValueError as error:
            raise _error(str(error)) from error
    convention = "nonempty" if nonempty else "reference"
    result = metric.compute(boundary=boundary, convention=convention, per_sample=True)
    missing = sorted(references.keys() - predictions.keys())
    message = f"{len(references)} samples."
    if missing:
        message += f" No prediction for {_some(missing)}: counted as wrong."
    worst = [sample for sample in result["per_sample"] if sample["IoU"] < 100][:WORST]
    images = [_draw(sample, *_read_pair(sample["sample_id"], references, predictions)) for sample in worst]
    return message, _rows(result), images


def _by_stem(files: Sequence[str] | None, kind: str) -> dict[str, Path]:
    """The files by name without suffix, sorted."""
    if not files:
        raise _error(f"Upload the {kind} masks first")
    if len(files) > MAX_FILES:
        raise _error(f"{len(files)} {kind} masks are too many: at most {MAX_FILES} are scored here")
    paths: dict[str, Path] = {}
    for path in sorted(map(Path, files)):
        if path.stem in paths:
            raise _error(f"Two {kind} masks are named {path.stem}: rename one of them")
        paths[path.stem] = path
    return paths


def _read_pair(
    stem: str, references: Mapping[str, Path], predictions: Mapping[str, Path]
) -> tuple[NDArray[Any] | None, NDArray[Any]]:
    """The predicted mask, if there is one, and the true one."""
    prediction = _read(predictions[stem], "predicted") if stem in predictions else None
    return prediction, _read(references[stem], "true")


def _read(path: Path, kind: str) -> NDArray[Any]:
    name = f"The {kind} mask {path.name}"
    try:
        with Image.open(path, formats=FORMATS) as image:
            problem = _problem(image)
            if problem is None:
                image.verify()  # Checks the checksums of a PNG, which decoding ignores.
        if problem is None:
            # Not by its path: Pillow would map a TIFF into memory, and mix up its samples if its orientation turns it.
            with path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
                # A palette may number its colours in any order; their grey value is what is meant.
                return np.asarray(image.convert("L") if image.mode == "P" else image)
    except READING_ERRORS as error:
        raise _error(f"{name} cannot be read: upload one of {', '.join(FORMATS)}, undamaged") from error
    raise _error(f"{name} {problem}")


def _problem(image: Image.Image) -> str | None:
    """The reason why an opened image must not be decoded, or `None`."""
    if image.width * image.height > MAX_PIXELS:
        return f"has {image.width} x {image.height} pixels: at most {MAX_PIXELS:,} are read here"
    if image.mode not in MODES:
        return f"is an image of mode {image.mode}: save it with one channel (grey)"
    return None


def _draw(
    sample: Mapping[str, Any], prediction: NDArray[Any] | None, reference: NDArray[Any]
) -> tuple[Image.Image, str]:
    """A case as an image of both masks, and its caption."""
    true_mask = reference != 0
    mask = np.zeros_like(true_mask) if prediction is None else prediction != 0
    colours = np.array([BACKGROUND, ADDED, MISSED, SHARED], dtype=np.uint8)
    # Pixels are dropped before colouring: 4096 x 4096 pixels in colour would take 50 MB per case.
    step = max(1, -(-max(true_mask.shape) // TILE))
    kinds = mask.astype(np.uint8) + 2 * true_mask.astype(np.uint8)
    caption = f"{sample['sample_id']}: IoU {sample['IoU']:.1f}"
    if prediction is None:
        caption += ", no prediction"
    elif not (mask.any() and true_mask.any()):
        caption += ", nothing predicted" if true_mask.any() else ", nothing is true"
    return Image.fromarray(colours[kinds[::step, ::step]]), caption


def _rows(result: Mapping[str, Any]) -> list[list[str]]:
    sizes = [result["by_mask_size"].get(size, {}) for size in SIZES]
    return [[name, *(_text(each.get(name)) for each in (result, *sizes))] for name in ROWS if name in result]


def _text(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.2f}"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def _error(message: str) -> gr.Error:
    return gr.Error(message, duration=None, print_exception=False)


if __name__ == "__main__":
    build().queue(max_size=16).launch(max_file_size=MAX_FILE_SIZE)
