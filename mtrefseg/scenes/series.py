# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Follows the changes that sentences describe through many dates of a place."""

import csv
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from mtrefseg.errors import UserError
from mtrefseg.io import EVERY_CHANGE, results_written_together, write_json

from .answering import ask
from .output import (
    GEOJSON,
    GEOPACKAGE,
    MASK_STYLE,
    MASKS,
    STYLE,
    SceneObject,
    SentenceResult,
    draw_timeline,
    objects_table,
    shrunk_views,
    write_mask_style,
    write_style,
    write_vectors,
    writing,
)
from .reading import Grid, name_of, open_scene
from .segmenting import (
    SceneOptions,
    dullness_notes,
    missing_notes,
    plan_scene,
    register_scene,
    scene_notes,
    scene_report,
    sentences_of,
)
from .stitching import SceneRun


if TYPE_CHECKING:
    from .predicting import Interval, ScenePredictor  # Imports PyTorch.


TABLE, TIMELINE, REPORT = "series.csv", "timeline.webp", "series.json"
FEWEST_DATES = 2


@dataclass
class IntervalResult:
    """
    The changes between two dates.

    Args:
        earlier, later (`str`): The dates.
        sentences (`list[SentenceResult]`): The results.
    """

    earlier: str
    later: str
    sentences: list[SentenceResult]

    @property
    def name(self) -> str:
        """Both dates."""
        return f"{self.earlier} to {self.later}"


@dataclass
class SeriesResult:
    """
    The changes over all dates.

    Args:
        folder (`Path`): Folder of the files: `series.csv`, `timeline.webp`, `masks.tif` (a band per interval and
            sentence), `objects.gpkg`, `objects.geojson`, the QGIS styles `objects.qml` and `masks.qml`, `series.json`.
        grid ([`Grid`]): The pixels of the first date.
        dates (`list[str]`): Their names, the earliest first.
        steps (`list[IntervalResult]`): From each date to the next.
        whole ([`IntervalResult`]): From the first to the last date; the only step if there are two.
        when (`list[list[str]]`): For each sentence and each object of `whole` the step in which it appeared or
            disappeared; "" if no step shows it.
    """

    folder: Path
    grid: Grid
    dates: list[str]
    steps: list[IntervalResult]
    whole: IntervalResult
    when: list[list[str]]

    @property
    def intervals(self) -> list[IntervalResult]:
        """The steps, and the complete period if it is not the only step."""
        return self.steps if len(self.steps) == 1 else [*self.steps, self.whole]

    def rows(self) -> list[dict[str, Any]]:
        """The table: for each interval and sentence the objects, their area and the score."""
        return [
            {
                "from": interval.earlier,
                "to": interval.later,
                "sentence": one.text or EVERY_CHANGE,
                "objects": len(one.objects),
                "area_m2": None if one.area_m2 is None else round(one.area_m2, 2),
                "area_pixels": one.area_pixels,
                "score": round(one.score, 4),
                "is_closest": one.is_closest,
            }
            for interval in self.intervals
            for one in interval.sentences
        ]


def segment_series(
    images: Sequence[Any],
    texts: str | Sequence[str] | None,
    predictor: "ScenePredictor",
    options: SceneOptions,
    out: Path,
    say: Callable[[str], None] | None = None,
) -> SeriesResult:
    """
    Segments the changes from each date to the next and from the first to the last. The backbone processes each date
    once.

    Args:
        images (`Sequence`): The images, the earliest first: paths, URLs or other sources for [`load_image`].
        texts (`str` or `Sequence[str]`, *optional*): The sentences; `None` segments every change.
        predictor ([`ScenePredictor`]): The model.
        options ([`SceneOptions`]): The options.
        out (`Path`): Folder for the files. If segmenting fails, it keeps the files of an earlier result.
        say (`Callable`, *optional*): Called with notes for the user during the run.

    Raises:
        [`UserError`]: If there is only one date, an image or a sentence is invalid, or a file cannot be written.
        ValueError: If the list of sentences is empty.
    """
    if len(images) < FEWEST_DATES:
        raise UserError(f"a series needs {FEWEST_DATES} dates or more, but there is {len(images)}")
    asked = sentences_of(texts)
    with results_written_together(out) as unfinished:
        result = _segment(images, asked, predictor, options, unfinished, say or (lambda note: None))
    result.folder = out
    return result


def _segment(
    images: Sequence[Any],
    asked: Sequence[str | None],
    predictor: "ScenePredictor",
    options: SceneOptions,
    out: Path,
    say: Callable[[str], None],
) -> SeriesResult:
    """Segments the changes and writes all files."""
    dates = _date_names(images)
    intervals: list[Interval] = [(index, index + 1) for index in range(len(images) - 1)]
    if len(images) > FEWEST_DATES:
        intervals.append((0, len(images) - 1))
    with open_scene(images, options.reading) as scene:
        registrations = register_scene(scene, options)
        plan = plan_scene(scene, predictor, options)
        notes = scene_notes(scene, plan, predictor, options, asked, dullness_notes(scene, *shrunk_views(scene)))
        for note in notes:
            say(note)
        with tempfile.TemporaryDirectory(prefix=".parts-", dir=out) as parts:
            run = SceneRun(scene, plan, predictor, options.batch_size, options.progress)
            answers = ask(run, asked, Path(parts), intervals)
            for note in missing_notes(answers):
                notes.append(note)
                say(note)
            found = [
                IntervalResult(dates[earlier], dates[later], answers.sentences(index, options.min_area))
                for index, (earlier, later) in enumerate(intervals)
            ]
            sentences = [one for interval in found for one in interval.sentences]
            names = [
                f"{interval.name}: {one.text or EVERY_CHANGE}" for interval in found for one in interval.sentences
            ]
            answers.write(sentences, names, out, options.probability)
        steps = found[: len(images) - 1]
        result = SeriesResult(out, scene.grid, dates, steps, found[-1], _when(steps, found[-1]))
        with writing(out / TIMELINE):
            pages = [(dates[0], []), *((step.later, step.sentences) for step in steps)]
            draw_timeline(scene, pages, out / MASKS).save(out / TIMELINE, quality=85)
        report = scene_report(scene, plan, predictor, notes)
    report |= {"images": [name_of(image) for image in images], "dates": dates, "registrations": registrations}
    _write_files(result, report, options.simplify)
    return result


def _date_names(images: Sequence[Any]) -> list[str]:
    """The names of the files without their suffixes; numbers if they are not distinct."""
    names = [Path(name_of(image)).stem if isinstance(image, str | Path) else "" for image in images]
    return names if len({*names}) == len(names) and all(names) else [str(number + 1) for number in range(len(images))]


def _when(steps: Sequence[IntervalResult], whole: IntervalResult) -> list[list[str]]:
    """For each object of the complete period, the step with whose objects it shares most of its area."""
    when = []
    for index, sentence in enumerate(whole.sentences):
        shared = np.array([_shared_areas(sentence.objects, step.sentences[index].objects) for step in steps])
        best = shared.argmax(axis=0) if sentence.objects else []
        when.append([steps[step].name if shared[step, one] > 0 else "" for one, step in enumerate(best)])
    return when


def _shared_areas(objects: Sequence[SceneObject], others: Sequence[SceneObject]) -> np.ndarray:
    """Number of pixels that each object shares with any of the others."""
    areas = np.zeros(len(objects))
    if not objects or not others:
        return areas
    shapes, tree = [one.shape for one in objects], shapely.STRtree([one.shape for one in others])
    for mine, theirs in zip(*tree.query(shapes, predicate="intersects")):
        areas[mine] += shapely.intersection(shapes[mine], tree.geometries[theirs]).area
    return areas


def _write_files(result: SeriesResult, report: dict[str, Any], simplify: float) -> None:
    """Writes the table, the vectors and the report."""
    outlines, tables = [], []
    for interval in result.intervals:
        answers = [(one.text, one.objects, one.is_closest) for one in interval.sentences]
        shapes, columns = objects_table(answers, result.grid, simplify)
        changed = [interval.name] * len(shapes)
        if interval is result.whole:
            changed = [name for names in result.when for name in names]
        dates = {"from": [interval.earlier] * len(shapes), "to": [interval.later] * len(shapes), "changed": changed}
        outlines.append(shapes)
        tables.append({**{name: np.array(values, dtype=object) for name, values in dates.items()}, **columns})
    columns = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    for name in (GEOPACKAGE, GEOJSON):
        write_vectors(result.folder / name, np.concatenate(outlines), columns, result.grid)
    write_style(result.folder / STYLE, [step.name for step in result.steps], "changed")
    write_mask_style(result.folder / MASK_STYLE)
    rows = result.rows()
    try:
        with (result.folder / TABLE).open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        write_json(result.folder / REPORT, {**report, "intervals": rows})
    except OSError as error:
        raise UserError(f"cannot write into {result.folder}: {error}") from error
