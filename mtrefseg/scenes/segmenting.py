# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Segments a pair of large or georeferenced images."""

import math
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from modeling_mtrefseg.canvas_mtrefseg import Align, Window, check_align, check_window, describe_shrinking
from modeling_mtrefseg.image_bands_mtrefseg import check_stretch
from mtrefseg.errors import UserError
from mtrefseg.io import EVERY_CHANGE, describe_dullness, results_written_together

from .answering import Answers, ask, route_sentences
from .output import MASKS, OVERVIEW, SceneResult, draw_scene, shrunk_views, writing
from .reading import Grid, PlainImage, ReadOptions, Scene, StretchOption, name_of, open_scene
from .stitching import SceneRun
from .windows import OVERLAP, USUAL_PIXEL_SIZE, WindowPlan, plan_windows, widened_side, window_side


if TYPE_CHECKING:
    from .predicting import ScenePredictor  # Imports PyTorch.


_NUMBERS = {
    **dict.fromkeys(("window_offset", "most_windows", "batch_size"), Integral),
    **dict.fromkeys(("overlap", "pixel_size", "min_area", "simplify"), Real),
}
_OPTIONAL = ("most_windows", "pixel_size")
_COMPASS = re.compile(r"\b(?:north|south|east|west)", re.IGNORECASE)
_LEAST_MISSING = 0.01  # If less of a scene has no data, this is not reported.


@dataclass(frozen=True)
class SceneOptions:
    """
    How a scene is segmented.

    Args:
        window (`int` or `str`, *optional*, defaults to `"auto"`): Side of the windows in pixels of t1. `"auto"`: as
            large as the model's canvas, at the resolution that the model was trained at, if the scene is more
            than 1.5 times as large; `"off"`: one window. Without a known ground resolution, half a metre per pixel
            is assumed for images from above (`domain`), and normal scenes are one window.
        window_offset (`int`, *optional*, defaults to 0): Moves the windows to the left and up.
        overlap (`float`, *optional*, defaults to 0.25): Share of a window's side that the next one repeats. More makes
            masks depend less on where windows begin, and takes longer.
        most_windows (`int`, *optional*): Limits the time for a scene: windows are enlarged, and shrunk to
            the model's canvas, until there are at most this many.
        batch_size (`int`, *optional*, defaults to 8): Windows per batch.
        pixel_size (`float`, *optional*): Ground resolution, in metres, at which the model sees the scene. By
            default the one that was saved with the processor.
        bands, stretch, warp, align: See [`ReadOptions`].
        min_area (`float`, *optional*, defaults to 0): Smaller objects are dropped: square metres, or pixels without a
            georeference.
        simplify (`float`, *optional*, defaults to 0): Maximum deviation of the outlines of objects in pixels.
        probability (`bool`, *optional*, defaults to `False`): Whether to write `probabilities.tif` as well.
        register (`str`, *optional*, defaults to `"off"`): `"shift"` or `"affine"` moves t2 if it is not
            aligned with t1.
        progress (`bool`, *optional*, defaults to `True`): Whether to show a progress bar on a terminal.

    Raises:
        ValueError: If `window`, `align`, `stretch` or `register` is none of these, or a number is not finite or out
            of its range: `overlap` from 0 to below 1, `batch_size` and `most_windows` at least 1, `pixel_size` above
            0, and `window_offset`, `min_area` and `simplify` at least 0.
    """

    window: Window = "auto"
    window_offset: int = 0
    overlap: float = OVERLAP
    most_windows: int | None = None
    batch_size: int = 8
    pixel_size: float | None = None
    bands: Sequence[int] | None = None
    stretch: StretchOption = "auto"
    warp: bool = True
    align: Align = "error"
    min_area: float = 0.0
    simplify: float = 0.0
    probability: bool = False
    register: str = "off"
    progress: bool = True

    def __post_init__(self) -> None:
        check_window(self.window)
        check_align(self.align)
        check_stretch(self.stretch)
        if self.register not in ("off", "shift", "affine"):
            raise ValueError(f"`register` must be 'off', 'shift' or 'affine', not {self.register!r}.")
        for name, kind in _NUMBERS.items():
            number = getattr(self, name)
            if number is None and name in _OPTIONAL:
                continue
            if not isinstance(number, kind) or not math.isfinite(number):
                what = "an integer" if kind is Integral else "a finite number"
                raise ValueError(f"`{name}` must be {what}, not {number!r}.")
        if not 0 <= self.overlap < 1:
            raise ValueError(f"`overlap` must be at least 0 and below 1, not {self.overlap}.")
        for name, number in (("batch_size", self.batch_size), ("most_windows", self.most_windows)):
            if number is not None and number < 1:
                raise ValueError(f"`{name}` must be at least 1, not {number}.")
        for name in ("window_offset", "min_area", "simplify"):
            if getattr(self, name) < 0:
                raise ValueError(f"`{name}` must not be negative, as {getattr(self, name)} is.")
        if self.pixel_size is not None and self.pixel_size <= 0:
            raise ValueError(f"`pixel_size` must be above 0, not {self.pixel_size}.")

    @property
    def reading(self) -> ReadOptions:
        """How the images are read."""
        return ReadOptions(self.bands, self.stretch, self.warp, self.align)


def check_scene(sources: Sequence[Any], options: SceneOptions) -> Grid:
    """
    Opens the images of a scene and closes them again.

    Args:
        sources (`Sequence`): Paths, URLs or other sources for [`load_image`]; the earliest first.
        options ([`SceneOptions`]): How they are read.

    Returns:
        [`Grid`]: The pixels of the first.

    Raises:
        [`UserError`]: If they cannot be used, see [`open_scene`].
    """
    with open_scene(sources, options.reading) as scene:
        return scene.grid


def segment_pair(
    image_t1: Any,
    image_t2: Any,
    texts: str | Iterable[str | None] | None,
    predictor: "ScenePredictor",
    options: SceneOptions,
    out: Path | None = None,
    say: Callable[[str], None] | None = None,
    more: Mapping[str, Any] | None = None,
) -> SceneResult:
    """
    Segments a pair of images of any size.

    Args:
        image_t1, image_t2: The earlier and the later image: paths, URLs or other sources for [`load_image`].
        texts (`str` or `Iterable[str]`, *optional*): The sentences; `None` segments every change.
        predictor ([`ScenePredictor`]): The model.
        options ([`SceneOptions`]): The options.
        out (`Path`, *optional*): Folder for the files; by default a temporary one, which is deleted with the result.
            If segmenting fails, it keeps the files of an earlier result.
        say (`Callable`, *optional*): Called with notes for the user during the run.
        more (`Mapping[str, Any]`, *optional*): Further entries of `result.json`.

    Raises:
        [`UserError`]: If an image or a sentence is invalid, or a file cannot be written.
        TypeError, ValueError: See [`sentences_of`].
    """
    asked = sentences_of(texts)
    temporary = tempfile.TemporaryDirectory(prefix="mtrefseg-") if out is None else None
    folder = Path(temporary.name) if temporary is not None else Path(out or "")
    with results_written_together(folder) as unfinished:
        with open_scene([image_t1, image_t2], options.reading) as scene:
            registrations = register_scene(scene, options)
            result = segment_scene(scene, asked, predictor, options, unfinished, say or (lambda note: None))
        result.report = {
            "image_t1": name_of(image_t1),
            "image_t2": name_of(image_t2),
            **result.report,
            "registration": registrations[0] if registrations else None,
            **(more or {}),
        }
        result.write_files()
    result.settle(folder, temporary)
    return result


def sentences_of(texts: str | Iterable[str | None] | None) -> list[str | None]:
    """
    The sentences, only `None` for every change.

    Args:
        texts (`str` or `Iterable[str]`, *optional*): One sentence or several; `None` for every change.

    Returns:
        `list[str | None]`: At least one.

    Raises:
        TypeError: If one is not a `str`.
        ValueError: If there is none.
    """
    if texts is None or isinstance(texts, str):
        return [texts]
    if not isinstance(texts, Iterable):
        raise TypeError(f"The sentences must be a `str` or a list, not {type(texts).__name__}.")
    sentences = list(texts)
    if not sentences:
        raise ValueError("The list of sentences is empty: leave it out to segment every change.")
    for number, text in enumerate(sentences, start=1):
        if text is not None and not isinstance(text, str):
            raise TypeError(f"Sentence {number} must be a `str`, not {type(text).__name__}.")
    return sentences


def segment_scene(
    scene: Scene,
    texts: Sequence[str | None],
    predictor: "ScenePredictor",
    options: SceneOptions,
    folder: Path,
    say: Callable[[str], None],
) -> SceneResult:
    """
    Segments an open scene, and writes `masks.tif` and `overview.webp`.

    Args:
        scene ([`Scene`]): A pair.
        texts (`Sequence[str | None]`): Result of [`sentences_of`].
        predictor, options, say: See [`segment_pair`].
        folder (`Path`): Folder for the files.

    Returns:
        [`SceneResult`]: Its `write_files` writes the other files.
    """
    plan = plan_scene(scene, predictor, options)
    views, valid = shrunk_views(scene)
    notes = scene_notes(scene, plan, predictor, options, texts, dullness_notes(scene, views, valid))
    for note in notes:
        say(note)
    with writing(folder / MASKS), tempfile.TemporaryDirectory(prefix=".parts-", dir=folder) as parts:
        run = SceneRun(scene, plan, predictor, options.batch_size, options.progress)
        answers = ask(run, texts, Path(parts))
        for note in missing_notes(answers):
            notes.append(note)
            say(note)
        sentences = answers.sentences(min_area=options.min_area)
        names = [one.text or EVERY_CHANGE for one in sentences]
        answers.write(sentences, names, folder, options.probability)
    result = SceneResult(folder, scene.grid, sentences, {}, options.simplify, isinstance(scene.images[0], PlainImage))
    result.report = scene_report(scene, plan, predictor, notes)
    with writing(folder / OVERVIEW):
        draw_scene(views, scene.grid, sentences, folder / MASKS).save(folder / OVERVIEW, quality=85)
    return result


def register_scene(scene: Scene, options: SceneOptions) -> list[dict[str, Any]]:
    """
    Registers the later images of a scene to the first, if requested.

    Returns:
        `list[dict]`: The result for each image, see [`Registration`].

    Raises:
        [`UserError`]: If scikit-image is not installed, or an image cannot be registered.
    """
    if options.register == "off":
        return []
    try:  # Imported here, because it is slow.
        from .reading.registration import register
    except ImportError as error:
        raise UserError("registering images needs more packages: pip install 'mtrefseg[geo]'") from error

    registrations = [register(scene, options.register, date) for date in range(1, len(scene.images))]
    scene.notes += [one.in_words() for one in registrations]
    return [one.to_json() for one in registrations]


def plan_scene(scene: Scene, predictor: "ScenePredictor", options: SceneOptions) -> WindowPlan:
    """The windows of a scene."""
    grid = scene.grid
    trained = options.pixel_size or predictor.pixel_size
    size = (grid.width, grid.height)
    side = window_side(options.window, *size, predictor.canvas, grid.pixel_size, trained, predictor.domain)
    if options.most_windows is not None:
        side = widened_side(side, *size, options.most_windows, options.overlap, options.window_offset)
    return plan_windows(*size, side, options.window_offset, options.overlap)


def scene_notes(
    scene: Scene,
    plan: WindowPlan,
    predictor: "ScenePredictor",
    options: SceneOptions,
    texts: Sequence[str | None],
    dullness: Sequence[str],
) -> list[str]:
    """Notes for the user about how a scene is read and segmented; `dullness` is the result of [`dullness_notes`]."""
    routes = route_sentences(texts, plan, predictor.choose_objects)
    shrunk = [route.asked for route in routes if route.way == "shrunk scene"]
    return [
        *scene.notes,
        *_resolution_notes(plan, predictor, options, scene.grid.pixel_size),
        *dullness,
        *_compass_notes(scene, texts),
        *_shrinking_notes(plan, predictor.canvas),
        *(f'"{text}" is answered on the shrunk scene' for text in shrunk),
    ]


def _compass_notes(scene: Scene, texts: Sequence[str | None]) -> list[str]:
    """Warns of points of the compass in sentences about a scene that is not stored with north up."""
    if scene.grid.is_north_up:
        return []
    name = scene.images[0].name
    return [
        f'"{text}": north is read as up, but {name} is not stored with north up: use words such as "top" and "left", '
        f"or warp it (gdalwarp {name} north_up.tif)"
        for text in texts
        if text is not None and _COMPASS.search(text)
    ]


def missing_notes(answers: Answers) -> list[str]:
    """Tells how much of a scene could not be compared, once it is segmented."""
    missing = 1 - answers.writer.valid / (answers.grid.width * answers.grid.height)
    if missing == 1:
        return ["no part of the scene has data at all dates, so nothing could be compared"]
    if missing < _LEAST_MISSING:
        return []
    share = min(99, round(100 * missing))
    return [f"{share} % of the scene has no data at one of the dates and was not compared (255 in {MASKS})"]


def scene_report(scene: Scene, plan: WindowPlan, predictor: "ScenePredictor", notes: Sequence[str]) -> dict[str, Any]:
    """Content of `result.json` in addition to the results."""
    grid = scene.grid
    return {
        "width": grid.width,
        "height": grid.height,
        "crs": None if grid.crs is None else grid.crs.to_string(),
        "transform": list(grid.transform)[:6],
        "pixel_size": grid.pixel_size,
        "windows": plan.count,
        "window": [plan.window_width, plan.window_height],
        "overlap": plan.overlap,
        "threshold": predictor.threshold,
        "no_target_threshold": predictor.no_target_threshold,
        "domain": predictor.domain,
        "notes": list(notes),
    }


def dullness_notes(scene: Scene, views: Sequence[Image.Image], valid: Image.Image) -> list[str]:
    """
    Reports dates that are nearly black or flat. Plain images were checked when they were read.

    Args:
        scene ([`Scene`]): The scene.
        views (`Sequence[PIL.Image.Image]`): Its dates, see [`shrunk_views`].
        valid (`PIL.Image.Image`): Their pixels with data: others are black at all dates.
    """
    dull = [
        (image.name, "" if isinstance(image, PlainImage) else describe_dullness(view, valid))
        for image, view in zip(scene.images, views, strict=True)
    ]
    return [f"{name} is {what}; check its bit depth and bands" for name, what in dull if what]


def _resolution_notes(
    plan: WindowPlan, predictor: "ScenePredictor", options: SceneOptions, pixel_size: float | None
) -> list[str]:
    """Reports that the option `pixel_size` does nothing, or that the size of the windows is a guess."""
    notes = []
    is_from_above = predictor.domain == "remote_sensing"
    if options.pixel_size is not None and options.window != "auto":
        notes.append(f"the pixel size of {options.pixel_size:g} m has no effect, because the window is given")
    elif options.pixel_size is not None and pixel_size is None and not is_from_above:
        notes.append(
            f"the pixel size of {options.pixel_size:g} m has no effect: the ground resolution of the images is "
            "unknown; give the side of the windows instead (--window)"
        )
    if options.window != "auto" or pixel_size is not None or plan.is_whole:
        return notes
    if is_from_above and (options.pixel_size or predictor.pixel_size):
        side = max(plan.window_width, plan.window_height)
        notes.append(
            f"the ground resolution of the images is unknown: windows have {side} pixels, as for "
            f"{USUAL_PIXEL_SIZE} m; for finer images, larger windows are better"
        )
    if predictor.domain is None:
        notes.append(
            "windows are meant for aerial and satellite images; for photographs of a street or a room, choose the "
            "domain normal_scene, which segments them as a whole"
        )
    return notes


def _shrinking_notes(plan: WindowPlan, canvas: int) -> list[str]:
    """Reports by how much windows are shrunk, and the consequence."""
    what = "the scene is" if plan.is_whole else "windows are"
    note = describe_shrinking(what, max(plan.window_width, plan.window_height), canvas)
    return [note] if note else []
