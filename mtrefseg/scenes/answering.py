# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Runs the model on a scene, in the way that each sentence needs, and combines the results."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from modeling_mtrefseg.object_choice_mtrefseg import choose, is_considered
from mtrefseg.errors import UserError, one_line

from .output import (
    MASKS,
    NO_DATA,
    PERCENT,
    PROBABILITIES,
    MaskLabels,
    SceneObject,
    SentenceResult,
    StripWriter,
    create_raster,
    find_objects,
    strips,
    to_cog,
    writing,
)
from .reading import Grid, open_raster
from .sentences import Route, route_sentence
from .stitching import SceneRun, Stitcher, rows_at_once
from .windows import WindowPlan, plan_windows


if TYPE_CHECKING:
    from .predicting import Interval  # Imports PyTorch.


Question = tuple[bool, str | None]
"""Whether the model sees the shrunk scene, and the text; several sentences may share a question."""


@dataclass(frozen=True)
class Answers:
    """
    The model's results for a scene.

    Args:
        grid ([`Grid`]): The grid of the scene.
        texts (`Sequence[str | None]`): The sentences; `None` for every change.
        routes (`Sequence[Route]`): How the mask of each sentence is found.
        questions (`list[Question]`): What the model was asked.
        writer ([`StripWriter`]): Contains a band for each question of the first interval, then of the next.
        no_target_scores (`np.ndarray`): The no-target score of each of these bands.
        is_closest (`np.ndarray`): Booleans: whether each of them contains the closest changes, since nothing fits
            the sentence clearly.
        pixels_at_once (`int`): Size of a window: a choice ignores objects that are very small in it.
        labels (`dict[int, MaskLabels]`): The connected components of the masks of these bands, once they are needed.
    """

    grid: Grid
    texts: Sequence[str | None]
    routes: Sequence[Route]
    questions: list[Question]
    writer: StripWriter
    no_target_scores: np.ndarray
    is_closest: np.ndarray
    pixels_at_once: int
    labels: dict[int, MaskLabels] = field(default_factory=dict)

    def sentences(self, interval: int = 0, min_area: float = 0.0) -> list[SentenceResult]:
        """
        The results for an interval, with their objects.

        Args:
            interval (`int`, *optional*, defaults to 0): Number of the interval.
            min_area (`float`, *optional*, defaults to 0): Smaller objects are dropped.
        """
        first, writer = interval * len(self.questions), self.writer
        found = []
        for band in range(first + 1, first + 1 + len(self.questions)):
            self.labels[band - 1] = MaskLabels(writer.masks, writer.probabilities, band, self.grid)
            found.append(find_objects(self.labels[band - 1], min_area))
        first_sentence = interval * len(self.texts) + 1
        return [
            self._sentence(number, text, route, first, found)
            for number, (text, route) in enumerate(zip(self.texts, self.routes, strict=True), start=first_sentence)
        ]

    def write(
        self, sentences: Sequence[SentenceResult], names: Sequence[str], folder: Path, probability: bool
    ) -> None:
        """
        Writes `masks.tif`, and on request `probabilities.tif`.

        Args:
            sentences (`Sequence[SentenceResult]`): One band each, for all intervals in order.
            names (`Sequence[str]`): Names of the bands.
            folder (`Path`): Folder for the files.
            probability (`bool`): Whether to write probabilities.

        Raises:
            [`UserError`]: If a file cannot be written.
        """
        routes = [self.routes[index % len(self.routes)] for index in range(len(sentences))]
        bands = [self._band(index // len(self.routes), route) for index, route in enumerate(routes)]
        is_plain = bands == list(range(len(self.no_target_scores)))
        masks, probabilities = self.writer.masks, self.writer.probabilities
        if not is_plain or any(route.choice is not None for route in routes):
            masks = masks.with_name("chosen.part.tif")
            chosen = [
                None if route.choice is None else one.objects for one, route in zip(sentences, routes, strict=True)
            ]
            self._copy(self.writer.masks, masks, bands, chosen)
        to_cog(masks, folder / MASKS, self.grid, names)
        if probability:
            if not is_plain:
                probabilities = probabilities.with_name("copied.part.tif")
                self._copy(self.writer.probabilities, probabilities, bands, [None] * len(bands))
            to_cog(probabilities, folder / PROBABILITIES, self.grid, names, scale=1 / PERCENT)

    def _sentence(
        self, number: int, text: str | None, route: Route, first: int, found: Sequence[list[SceneObject]]
    ) -> SentenceResult:
        band = self._band(0, route)
        objects, band = found[band], first + band
        area, total = int(self.writer.areas[band]), float(self.writer.sums[band])
        if route.choice is not None:
            is_large = is_considered([one.area_pixels for one in objects], route.choice, self.pixels_at_once)
            objects = [one for one, is_large_one in zip(objects, is_large, strict=True) if is_large_one]
            objects = choose(objects, route.choice, (self.grid.width, self.grid.height), SceneObject.described)
            area = sum(one.area_pixels for one in objects)
            total = sum(one.area_pixels * one.score for one in objects)
        return SentenceResult(
            text=text,
            band=number,
            answered_by=route.way,
            asked=route.asked,
            score=total / area if area else 0.0,
            no_target_score=float(self.no_target_scores[band]),
            is_closest=bool(self.is_closest[band]) and area > 0,
            area_pixels=area,
            area_fraction=area / max(1, self.writer.valid),
            area_m2=None if self.grid.crs is None else float(sum(one.area_m2 or 0.0 for one in objects)),
            objects=objects,
        )

    def _band(self, interval: int, route: Route) -> int:
        """The band of a sentence's mask, from 0."""
        return interval * len(self.questions) + self.questions.index((route.way == "shrunk scene", route.asked))

    def _copy(
        self, source: Path, target: Path, bands: Sequence[int], chosen: Sequence[Sequence[SceneObject] | None]
    ) -> None:
        """Copies a band for each sentence, with only the selected objects if objects are selected."""
        with open_raster(source) as read, create_raster(target, self.grid, len(bands)) as written:
            for number, (band, objects) in enumerate(zip(bands, chosen, strict=True), start=1):
                values: Iterator[tuple[Any, np.ndarray]]
                if objects is None:
                    values = ((window, read.read(band + 1, window=window)) for window in strips(self.grid))
                else:
                    values = self._chosen(read, band, [one.part for one in objects])
                for window, strip in values:
                    with writing(target):
                        written.write(strip, number, window=window)

    def _chosen(self, masks: Any, band: int, parts: Sequence[int]) -> Iterator[tuple[Any, np.ndarray]]:
        """The mask of some components; pixels without data stay without data."""
        for window, inside in self.labels[band].masks_of(parts):
            values = masks.read(band + 1, window=window)
            yield window, np.where(values == NO_DATA, values, inside.astype(np.uint8))


def route_sentences(texts: Sequence[str | None], plan: WindowPlan, choose_objects: bool) -> list[Route]:
    """
    How the mask of each sentence is found. If one window covers everything, it is enough for all sentences, except for
    places and ranks if the processor removes them from sentences (`choose_objects`). Colours are checked window by
    window.
    """
    routes = [route_sentence(text) for text in texts]
    if not plan.is_whole:
        return routes
    chosen = [choose_objects and route.choice is not None and not route.choice.is_count for route in routes]
    return [route if is_chosen else Route("image", text) for route, is_chosen, text in zip(routes, chosen, texts)]


def ask(
    run: SceneRun, texts: Sequence[str | None], folder: Path, intervals: "Sequence[Interval]" = ((0, 1),)
) -> Answers:
    """
    Runs the model: over the windows, and over the shrunk scene if a sentence needs it.

    Args:
        run ([`SceneRun`]): The scene, its windows and the model.
        texts (`Sequence[str | None]`): The sentences; only `None` for every change.
        folder (`Path`): Folder for temporary files.
        intervals (`Sequence[Interval]`, *optional*): Which dates are compared.

    Raises:
        [`UserError`]: If an image or a sentence is invalid, or a file cannot be written.
    """
    grid, plan, predictor = run.scene.grid, run.plan, run.predictor
    routes = route_sentences(texts, plan, predictor.choose_objects)
    questions = list(dict.fromkeys((route.way == "shrunk scene", route.asked) for route in routes))
    count = len(questions) * len(intervals)
    answers = Answers(
        grid=grid,
        texts=texts,
        routes=routes,
        questions=questions,
        writer=StripWriter(folder, grid, count, predictor.threshold),
        no_target_scores=np.ones(count),
        is_closest=np.zeros(count, dtype=bool),
        pixels_at_once=plan.window_width * plan.window_height,
    )
    whole = plan_windows(grid.width, grid.height, max(grid.width, grid.height))
    for is_shrunk, windows in ((False, plan), (True, whole)):
        asked = [index for index, question in enumerate(questions) if question[0] == is_shrunk]
        if asked:
            _answer(replace(run, plan=windows), answers, asked, intervals)
    answers.writer.close()
    return answers


def _answer(run: SceneRun, answers: Answers, asked: Sequence[int], intervals: "Sequence[Interval]") -> None:
    """Asks some of the questions about all intervals, and fills in their bands."""
    questions = answers.questions
    groups = _groups(run.plan, asked, range(len(intervals)))
    bar = tqdm(
        total=run.plan.count * len(groups),
        desc="windows",
        unit="window",
        disable=None if run.show_progress else True,
    )
    with bar as progress:
        for some_asked, some_intervals in groups:
            words = [questions[index][1] for index in some_asked]
            sentences = None if words == [None] else [str(word) for word in words]
            stitcher = Stitcher(run, sentences, [intervals[interval] for interval in some_intervals], progress)
            bands = [interval * len(questions) + index for interval in some_intervals for index in some_asked]
            _write_strips(stitcher, answers.writer, bands)
            answers.no_target_scores[bands] = stitcher.no_target_scores
            answers.is_closest[bands] = stitcher.is_closest


def _groups(
    plan: WindowPlan, asked: Sequence[int], intervals: Sequence[int]
) -> list[tuple[Sequence[int], Sequence[int]]]:
    """The questions and intervals that are answered at the same time; see [`rows_at_once`]. Usually one group."""
    most_asked, most_intervals = rows_at_once(plan, len(asked), len(intervals))
    return [
        (asked[first : first + most_asked], intervals[start : start + most_intervals])
        for start in range(0, len(intervals), most_intervals)
        for first in range(0, len(asked), most_asked)
    ]


def _write_strips(stitcher: Stitcher, writer: StripWriter, bands: Sequence[int]) -> None:
    """Segments the scene for some questions and intervals, which have these bands."""
    try:
        for strip in stitcher.strips():
            writer.write(strip, bands)
    except ValueError as error:  # The processor rejects a sentence.
        raise UserError(one_line(error)) from error
