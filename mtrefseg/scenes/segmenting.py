# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Segments a pair of large or georeferenced images."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.windows import Window
from tqdm import tqdm

from mtrefseg.errors import UserError, one_line

from .drawing import draw_scene
from .objects import SceneObject, find_objects, rasterize_objects
from .predicting import ScenePredictor
from .reading import ReadOptions, Scene, Stretch, name_of, open_raster, open_scene
from .result import MASKS, OVERVIEW, PROBABILITIES, SceneResult, SentenceResult
from .sentences import Route, choose, route_sentence
from .stitching import Stitcher
from .windows import OVERLAP, WindowPlan, plan_windows, window_side
from .writing import NO_DATA, PERCENT, StripWriter, create_raster, to_cog, writing


@dataclass(frozen=True)
class SceneOptions:
    """
    How a scene is segmented.

    Args:
        window (`int` or `str`, *optional*, defaults to `"auto"`): Side of the windows in pixels of t1. `"auto"`: as
            large as the model's canvas, at the resolution that the model was trained at, as soon as the scene is more
            than 1.5 times as large; `"off"`: one window.
        window_offset (`int`, *optional*, defaults to 0): Moves the windows to the left and up.
        overlap (`float`, *optional*, defaults to 0.25): Share of a window's side that the next one repeats. More makes
            masks depend less on where windows begin, and takes longer.
        batch_size (`int`, *optional*, defaults to 8): Windows that the model sees at once.
        pixel_size (`float`, *optional*): Ground resolution, in metres, at which the model shall see the scene. By
            default the one that was saved with the processor.
        bands, stretch, warp, align: See [`ReadOptions`].
        min_area (`float`, *optional*, defaults to 0): Smaller objects are left out: square metres, pixels without a
            place.
        simplify (`float`, *optional*, defaults to 0): Outlines of objects may be off by this many pixels.
        probability (`bool`, *optional*, defaults to `False`): Whether to write `probabilities.tif`, too.
        register (`str`, *optional*, defaults to `"off"`): `"shift"` or `"affine"` moves t2 where it does not lie
            exactly on t1.
        progress (`bool`, *optional*, defaults to `True`): Whether to show a progress bar on a terminal.
    """

    window: int | str = "auto"
    window_offset: int = 0
    overlap: float = OVERLAP
    batch_size: int = 8
    pixel_size: float | None = None
    bands: Sequence[int] | None = None
    stretch: Stretch = None
    warp: bool = True
    align: str = "error"
    min_area: float = 0.0
    simplify: float = 0.0
    probability: bool = False
    register: str = "off"
    progress: bool = True

    @property
    def reading(self) -> ReadOptions:
        """How the images are read."""
        return ReadOptions(self.bands, self.stretch, self.warp, self.align)


def check_scene(sources: Sequence[Any], options: SceneOptions) -> None:
    """
    Opens the images of a scene and closes them again.

    Raises:
        [`UserError`]: If they cannot be used, see [`open_scene`].
    """
    with open_scene(sources, options.reading):
        pass


def segment_pair(
    image_t1: Any,
    image_t2: Any,
    texts: Sequence[str] | None,
    predictor: ScenePredictor,
    options: SceneOptions,
    out: Path | None = None,
    say: Callable[[str], None] | None = None,
) -> SceneResult:
    """
    Segments a pair of images of any size.

    Args:
        image_t1, image_t2: The earlier and the later image: paths, URLs or images that [`load_image`] takes.
        texts (`Sequence[str]`, *optional*): The sentences; `None` segments every change.
        predictor ([`ScenePredictor`]): The model.
        options ([`SceneOptions`]): How.
        out (`Path`, *optional*): Folder for the files; a temporary one by default, which goes with the result.
        say (`Callable`, *optional*): Gets notes for people while it works.

    Raises:
        [`UserError`]: If an image or a sentence is no good, or a file cannot be written.
    """
    temporary = tempfile.TemporaryDirectory(prefix="mtrefseg-") if out is None else None
    folder = Path(temporary.name) if temporary is not None else Path(out or "")
    folder.mkdir(parents=True, exist_ok=True)
    with open_scene([image_t1, image_t2], options.reading) as scene:
        registration = None
        if options.register != "off":
            # Loaded here, since it takes a while.
            from .reading.registration import register

            registration = register(scene, options.register)
            scene.notes.append(registration.in_words())
        result = segment_scene(scene, texts, predictor, options, folder, say or (lambda note: None))
    result.report = {
        "image_t1": name_of(image_t1),
        "image_t2": name_of(image_t2),
        **result.report,
        "registration": None if registration is None else registration.to_json(),
    }
    result.write_files()
    result._temporary = temporary
    return result


def segment_scene(
    scene: Scene,
    texts: Sequence[str] | None,
    predictor: ScenePredictor,
    options: SceneOptions,
    folder: Path,
    say: Callable[[str], None],
) -> SceneResult:
    """
    Segments a scene that is open. `masks.tif` and `overview.webp` are written.

    Args:
        scene ([`Scene`]): A pair.
        texts, predictor, options, say: See [`segment_pair`].
        folder (`Path`): Folder for the files.

    Returns:
        [`SceneResult`]: Its `write_files` writes the other files.
    """
    grid = scene.grid
    trained = options.pixel_size or predictor.pixel_size
    side = window_side(options.window, grid.width, grid.height, predictor.canvas, grid.pixel_size, trained)
    plan = plan_windows(grid.width, grid.height, side, options.window_offset, options.overlap)
    notes = [*scene.notes, *_shrinking_notes(plan, predictor.canvas)]
    asked = [None] if texts is None else list(texts)
    routes = [Route("image", text) if plan.is_whole else route_sentence(text) for text in asked]
    notes += [f'"{route.asked}" is answered on the shrunk scene' for route in routes if route.way == "shrunk scene"]
    for note in notes:
        say(note)
    with tempfile.TemporaryDirectory(prefix=".parts-", dir=folder) as parts:
        answers = _ask(scene, plan, predictor, routes, options, Path(parts))
        sentences = _sentences(answers, asked, routes, scene, options)
        _write_masks(answers, sentences, routes, scene, folder, options)
    result = SceneResult(folder, grid, sentences, {}, options.simplify)
    result.report = {
        "width": grid.width,
        "height": grid.height,
        "crs": None if grid.crs is None else grid.crs.to_string(),
        "transform": list(grid.transform)[:6],
        "pixel_size": grid.pixel_size,
        "windows": plan.count,
        "window": [plan.window_width, plan.window_height],
        "threshold": predictor.threshold,
        "no_target_threshold": predictor.no_target_threshold,
        "domain": predictor.domain,
        "notes": notes,
    }
    with writing(folder / OVERVIEW):
        draw_scene(scene, sentences).save(folder / OVERVIEW, quality=85)
    return result


@dataclass(frozen=True)
class _Answers:
    """What was written for the questions, of which several sentences may share one."""

    writer: StripWriter
    questions: list[tuple[bool, str | None]]  # Whether it was asked of the shrunk scene, and the words.
    no_target_scores: np.ndarray

    def band(self, route: Route) -> int:
        return self.questions.index((route.way == "shrunk scene", route.asked))


def _ask(
    scene: Scene,
    plan: WindowPlan,
    predictor: ScenePredictor,
    routes: Sequence[Route],
    options: SceneOptions,
    folder: Path,
) -> _Answers:
    """Runs the model: over the windows, and over the shrunk scene if a sentence needs it."""
    questions = list(dict.fromkeys((route.way == "shrunk scene", route.asked) for route in routes))
    writer = StripWriter(folder, scene.grid, len(questions), predictor.threshold)
    no_target_scores = np.ones(len(questions))
    whole = plan_windows(scene.grid.width, scene.grid.height, max(scene.grid.width, scene.grid.height))
    for is_shrunk, windows in ((False, plan), (True, whole)):
        bands = [index for index, question in enumerate(questions) if question[0] == is_shrunk]
        if not bands:
            continue
        words = [questions[band][1] for band in bands]
        texts = None if words == [None] else [str(word) for word in words]
        with tqdm(
            total=windows.count, desc="windows", unit="window", disable=None if options.progress else True
        ) as progress:
            stitcher = Stitcher(scene, windows, predictor, texts, batch_size=options.batch_size, progress=progress)
            try:
                for strip in stitcher.strips():
                    writer.write(strip, bands)
            except ValueError as error:  # The processor refuses a sentence.
                raise UserError(one_line(error)) from error
        no_target_scores[bands] = stitcher.no_target_scores
    writer.close()
    return _Answers(writer, questions, no_target_scores)


def _sentences(
    answers: _Answers,
    texts: Sequence[str | None],
    routes: Sequence[Route],
    scene: Scene,
    options: SceneOptions,
) -> list[SentenceResult]:
    """The answers to the sentences, with their objects."""
    writer, grid = answers.writer, scene.grid
    found = [
        find_objects(writer.masks, writer.probabilities, band + 1, grid, options.min_area)
        for band in range(len(answers.questions))
    ]
    results = []
    for number, (text, route) in enumerate(zip(texts, routes, strict=True), start=1):
        band = answers.band(route)
        objects = found[band]
        area, total = int(writer.areas[band]), float(writer.sums[band])
        if route.choice is not None:
            objects = choose(objects, route.choice, (grid.width, grid.height), SceneObject.described)
            area = sum(one.area_pixels for one in objects)
            total = sum(one.area_pixels * one.score for one in objects)
        results.append(
            SentenceResult(
                text=text,
                band=number,
                answered_by=route.way,
                asked=route.asked,
                score=total / area if area else 0.0,
                no_target_score=float(answers.no_target_scores[band]),
                area_pixels=area,
                area_fraction=area / max(1, writer.valid),
                area_m2=None if grid.crs is None else float(sum(one.area_m2 or 0.0 for one in objects)),
                objects=objects,
            )
        )
    return results


def _write_masks(
    answers: _Answers,
    sentences: Sequence[SentenceResult],
    routes: Sequence[Route],
    scene: Scene,
    folder: Path,
    options: SceneOptions,
) -> None:
    """Writes `masks.tif`, and on request `probabilities.tif`, a band a sentence."""
    writer, names = answers.writer, [one.text or "every change" for one in sentences]
    bands = [answers.band(route) for route in routes]
    chosen = any(route.choice is not None for route in routes)
    is_plain = not chosen and bands == list(range(len(answers.questions)))
    masks = writer.masks
    if not is_plain:
        masks = writer.masks.with_name("chosen.part.tif")
        _copy_bands(writer.masks, masks, bands, sentences, routes, scene)
    to_cog(masks, folder / MASKS, scene.grid, names)
    if options.probability:
        probabilities = writer.probabilities
        if bands != list(range(len(answers.questions))):
            probabilities = writer.probabilities.with_name("copied.part.tif")
            _copy_bands(writer.probabilities, probabilities, bands, sentences, None, scene)
        to_cog(probabilities, folder / PROBABILITIES, scene.grid, names, scale=1 / PERCENT)


def _copy_bands(
    source: Path,
    target: Path,
    bands: Sequence[int],
    sentences: Sequence[SentenceResult],
    routes: Sequence[Route] | None,
    scene: Scene,
) -> None:
    """Copies a band for each sentence; of a sentence with a choice, the objects that it means."""
    grid = scene.grid
    with open_raster(source) as read, create_raster(target, grid, len(sentences)) as written:
        for one, band in zip(sentences, bands, strict=True):
            is_chosen = routes is not None and routes[one.band - 1].choice is not None
            for top, numbers in rasterize_objects(one.objects if is_chosen else [], grid):
                window = Window(0, top, grid.width, len(numbers))
                values = read.read(band + 1, window=window)
                if is_chosen:
                    values = np.where(values == NO_DATA, values, (numbers > 0).astype(np.uint8))
                with writing(target):
                    written.write(values, one.band, window=window)


def _shrinking_notes(plan: WindowPlan, canvas: int) -> list[str]:
    """Says by how much windows are shrunk, and what that loses."""
    factor = max(plan.window_width, plan.window_height) / canvas
    if factor <= 1:
        return []
    what = "the scene is" if plan.is_whole else "windows are"
    return [
        f"{what} shrunk {factor:.1f} times to the model's canvas of {canvas} pixels: things of less than "
        f"{round(8 * factor)} pixels may be lost"
    ]
