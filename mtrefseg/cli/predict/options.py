# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Options and helpers of the verbs that work on large and georeferenced images."""

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mtrefseg.errors import UserError
from mtrefseg.importing import import_libraries
from mtrefseg.io import RASTER_SUFFIXES, suffix_of
from mtrefseg.option_values import between, positive

from ..common import (
    bad_input,
    check_model,
    check_model_type,
    check_sentences,
    check_writable,
    closest_note,
    default_model,
    progress,
)


if TYPE_CHECKING:
    import torch

    from mtrefseg.scenes import SceneOptions, ScenePredictor, SceneResult
    from mtrefseg.scenes.reading import Grid


GEO_PACKAGES = ("rasterio", "shapely", "pyogrio", "pyproj")


def add_scene_options(parser: argparse.ArgumentParser) -> None:
    """
    Declares the options.

    Args:
        parser (`argparse.ArgumentParser`): For the options of the verb.
    """
    group = parser.add_argument_group("large and georeferenced images")
    group.add_argument(
        "--window",
        metavar="auto|N|off",
        type=_window,
        default="auto",
        help="side of the windows in pixels of t1. auto (default): use windows if the image is more than 1.5 times as "
        "large as the model's canvas; a window fills the canvas at the model's ground resolution (remote sensing "
        "images without a resolution count as 0.5 m). Normal scenes are shrunk as a whole. off: shrink any image",
    )
    group.add_argument(
        "--overlap",
        metavar="SHARE",
        type=between(0, 0.75),
        default=0.25,
        help="overlap of neighbouring windows as a share of their side, 0.25 by default; 0.5 gives more stable masks "
        "and takes twice as long",
    )
    group.add_argument("--batch-size", metavar="N", type=positive, default=8, help="windows per batch, 8 by default")
    group.add_argument(
        "--pixel-size",
        metavar="METRES",
        type=between(0.001, 10_000),
        help="ground resolution to which windows are resampled; by default the one saved with the model",
    )
    group.add_argument(
        "--no-warp", action="store_true", help="stop with an error if the grid of t2 differs from that of t1"
    )
    group.add_argument(
        "--register",
        choices=("off", "shift", "affine"),
        default="off",
        help="correct a shift (or an affine distortion) of t2; off by default",
    )
    group.add_argument(
        "--min-area",
        metavar="A",
        type=between(0, 1e12),
        default=0.0,
        help="smallest area of objects in the polygons, and of objects that places or ranks can select, in square "
        "metres, or in pixels for images without georeference; other masks keep smaller objects",
    )
    group.add_argument(
        "--simplify",
        metavar="PIXELS",
        type=between(0, 1000),
        default=0.0,
        help="tolerance for simplifying the outlines of objects, 0 (exact) by default",
    )
    group.add_argument("--probability", action="store_true", help="also write probabilities.tif")


def refuse_unused(options: argparse.Namespace, names: Sequence[str], why: str, cure: str) -> None:
    """
    Refuses scene options that would do nothing.

    Args:
        options (`argparse.Namespace`): Arguments of the verb.
        names (`Sequence[str]`): Names of the scene options that do nothing here.
        why, cure (`str`): For the message: why they do nothing, and what to do instead of leaving them out.

    Raises:
        [`UserError`]: If one of them is not at its default.
    """
    parser = argparse.ArgumentParser()
    add_scene_options(parser)
    given = [name for name in names if getattr(options, name) != parser.get_default(name)]
    if given:
        listed = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UserError(f"{why}: leave out {listed}, or {cure}")


def add_threshold_options(parser: argparse.ArgumentParser) -> None:
    """Declares `--threshold` and `--no-target-threshold`."""
    parser.add_argument(
        "--threshold",
        metavar="P",
        type=between(0, 1),
        help="pixels with a higher probability are masked, 0 to 1; by default the one saved with the model",
    )
    parser.add_argument(
        "--no-target-threshold",
        metavar="P",
        type=between(0, 1),
        help="masks with a higher no-target score are emptied, 0 to 1; by default the one saved with the model; "
        "applied to each window",
    )


def make_predictor(model: Any, processor: Any, options: argparse.Namespace) -> "ScenePredictor":
    """A loaded model for [`segment_pair`]."""
    from mtrefseg.scenes import ScenePredictor

    return ScenePredictor(model, processor, options.threshold, options.no_target_threshold, options.domain)


def is_raster(source: str) -> bool:
    """Whether an image is read in windows, according to the suffix of its path or URL."""
    return suffix_of(source) in RASTER_SUFFIXES


def scene_options(options: argparse.Namespace) -> "SceneOptions":
    """
    Builds the [`SceneOptions`] from the command line.

    Raises:
        [`UserError`]: If the packages for `--register` are not installed.
    """
    need_registration(options)
    from mtrefseg.io import Stretch
    from mtrefseg.scenes import SceneOptions

    return SceneOptions(
        window=options.window,
        overlap=options.overlap,
        batch_size=options.batch_size,
        pixel_size=options.pixel_size,
        bands=options.bands,
        stretch=Stretch(*options.stretch) if isinstance(options.stretch, tuple) else options.stretch,
        warp=not options.no_warp,
        align=options.align,
        register=options.register,
        min_area=options.min_area,
        simplify=options.simplify,
        probability=options.probability,
    )


def has_geo() -> bool:
    """Whether the packages that scenes need are installed, those of the extra `geo` or `demo`."""
    return all(find_spec(name) is not None for name in GEO_PACKAGES)


def need_geo(what: str, *more: str) -> None:
    """Raises a `UserError` without the packages for scenes, or without one of the extra `geo` that few uses need."""
    if not has_geo() or any(find_spec(name) is None for name in more):
        raise UserError(f"{what} needs more packages: pip install 'mtrefseg[geo]'")


def need_registration(options: argparse.Namespace) -> None:
    """Raises a `UserError` if `--register` is given without the packages for it."""
    if options.register != "off":
        need_geo("--register", "skimage")


def check_scene_input(options: argparse.Namespace) -> str | None:
    """
    Checks the input of a verb that works on scenes as far as it is possible without PyTorch, except for images.

    Args:
        options (`argparse.Namespace`): With the arguments of [`add_pair_arguments`] and `texts`; `model` is set to the
            default model if none is given.

    Returns:
        `str`, *optional*: The type of the model; `None` for a Hub id.

    Raises:
        [`UserError`]: If a sentence, the folder for the results or the model cannot be used.
    """
    check_sentences(options.texts)
    check_writable(options.out)
    options.model = options.model or default_model()
    return check_model(options.model)


def open_scene_input(options: argparse.Namespace, model_type: str | None) -> "tuple[Any, torch.device]":
    """
    Checks the rest of the input of a verb that works on scenes, except for the weights.

    Args:
        options (`argparse.Namespace`): The same as for [`check_scene_input`].
        model_type (`str`, *optional*): Its result.

    Returns:
        `tuple`: The model's processor and the device.

    Raises:
        [`UserError`]: If a sentence, the model or the device cannot be used.
    """
    import_libraries()
    from mtrefseg.build.loading import find_device, load_processor

    device = find_device(options.device)
    check_model_type(options.model, model_type)
    processor = load_processor(options.model)
    if options.texts:
        from PIL import Image

        blank = Image.new("RGB", (1, 1))
        with bad_input():
            processor(images_t1=blank, images_t2=blank, text=options.texts, domain=options.domain)
    return processor, device


def say_what_is_segmented(grid: "Grid", device: "torch.device", dates: str = "") -> None:
    """Reports the size of a scene on stderr before the slow part."""
    ground = "" if grid.pixel_size is None else f" of {grid.pixel_size:.3g} m"
    progress(f"segmenting {dates}{grid.width}x{grid.height} pixels{ground} on {device}")


def sentence_lines(result: "SceneResult") -> list[str]:
    """The results as text, one line per sentence."""
    from mtrefseg.io import sentence_in_line

    lines = []
    for one in result.sentences:
        found = counted(len(one.objects)) if one.objects else "      nothing"
        ground = "" if one.area_m2 is None else f"  {one.area_m2:12,.0f} m²"
        area = f"{100 * one.area_fraction:6.2f} %{ground}"
        lines.append(
            f"{found}  score {one.score:.2f}  area {area}  {sentence_in_line(one.text)}{closest_note(one.is_closest)}"
        )
    return lines


def counted(objects: int) -> str:
    """A number of objects, aligned with those below."""
    return f"{objects:5d} {'object ' if objects == 1 else 'objects'}"


def _window(text: str) -> int | str:
    if text in ("auto", "off"):
        return text
    from modeling_mtrefseg.canvas_mtrefseg import LEAST_WINDOW

    if not text.isdecimal() or int(text) < LEAST_WINDOW:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither auto nor off nor a number of {LEAST_WINDOW} pixels or more"
        )
    return int(text)
