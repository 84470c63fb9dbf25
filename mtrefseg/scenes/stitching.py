# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Segments the windows of a scene and blends them into strips without seams; memory does not grow with its height."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from tqdm import tqdm

from .reading import Scene, Views
from .windows import Box, WindowPlan, blend_weights


if TYPE_CHECKING:
    from .predicting import Interval, ScenePredictor  # Imports PyTorch.


NOTHING = -1e4
"""Logit of pixels without a window."""
_STRIP_FLOATS = 1 << 24  # Size of the strips of a scene that is one window.
_MOST_FLOATS = 1 << 28  # Of the buffer in which windows are blended: 1 GiB. Finished rows need about as much again.


class Strip(NamedTuple):
    """
    Finished rows of a scene.

    Args:
        top (`int`): The first row.
        logits (`np.ndarray`): `float32` of shape `(sentences, rows, width)`.
        valid (`np.ndarray`): Booleans of shape `(rows, width)`: where all dates have data.
    """

    top: int
    logits: np.ndarray
    valid: np.ndarray


@dataclass(frozen=True)
class SceneRun:
    """
    A scene and how the model runs over it.

    Args:
        scene ([`Scene`]): The scene.
        plan ([`WindowPlan`]): Its windows.
        predictor ([`ScenePredictor`]): The model.
        batch_size (`int`): Windows per batch.
        show_progress (`bool`): Whether to show a progress bar on a terminal.
    """

    scene: Scene
    plan: WindowPlan
    predictor: "ScenePredictor"
    batch_size: int
    show_progress: bool


@dataclass
class Stitcher:
    """
    Segments a scene in windows.

    Args:
        run ([`SceneRun`]): The scene, its windows and the model.
        texts (`Sequence[str]`, *optional*): The sentences; `None` segments every change.
        intervals (`Sequence[Interval]`): Which dates are compared.
        progress (`tqdm`): A progress bar, which counts windows.
        no_target_scores (`np.ndarray`): After the last strip, for each sentence the smallest no-target score, 0 to 1,
            of all windows: the scene has no target only if no window has one.
        is_closest (`np.ndarray`): After the last strip, for each sentence whether nothing fits it clearly, and the
            changes that fit it best are selected. Only in a scene of one window.
    """

    run: SceneRun
    texts: Sequence[str] | None
    intervals: "Sequence[Interval]"
    progress: tqdm
    no_target_scores: np.ndarray = field(init=False)
    is_closest: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.rows = len(self.intervals) * (1 if self.texts is None else len(self.texts))
        self.no_target_scores = np.ones(self.rows)
        self.is_closest = np.zeros(self.rows, dtype=bool)

    def strips(self) -> Iterator[Strip]:
        """
        Segments the scene from top to bottom.

        Raises:
            [`UserError`]: If a file is damaged.
            ValueError: If the processor rejects a sentence.
        """
        # One thread reads ahead while the model computes.
        with ThreadPoolExecutor(1, thread_name_prefix="reading") as reader:
            yield from self._whole(reader) if self.run.plan.is_whole else self._blended(reader)

    def _whole(self, reader: ThreadPoolExecutor) -> Iterator[Strip]:
        """Segments the scene as one window, like a plain image, sampled band by band."""
        scene, predictor = self.run.scene, self.run.predictor
        box, grid = scene.box, scene.grid
        size = scene.readable_size(box)
        views = reader.submit(scene.read, box, size).result()
        logits = None
        if views.valid.any():
            answer = predictor.predict([views], self.texts, self.intervals, is_whole=True)
            self._note_no_target(answer.no_target_logits.sigmoid().cpu().numpy())
            self.is_closest = answer.is_closest[0].cpu().numpy()
            logits = answer.logits[0]
        self.progress.update(1)
        rows = max(1, _STRIP_FLOATS // (grid.width * self.rows))
        for top in range(0, grid.height, rows):
            end = min(top + rows, grid.height)
            if size is None:
                valid = views.valid[top:end]
            else:
                valid = reader.submit(scene.read, Box(0, top, grid.width, end - top)).result().valid
            if logits is None:
                values = np.full((self.rows, end - top, grid.width), NOTHING, dtype=np.float32)
            else:
                values = predictor.sample(logits, grid.height, grid.width, (top, end)).cpu().numpy()
            yield Strip(top, values, valid)

    def _blended(self, reader: ThreadPoolExecutor) -> Iterator[Strip]:
        """Segments all windows, row by row; rows that no further window covers are finished."""
        plan = self.run.plan
        weights = blend_weights(plan.window_height, plan.window_width, plan.overlap)
        sums = np.zeros((self.rows, plan.window_height, plan.width), dtype=np.float32)
        total = np.zeros((plan.window_height, plan.width), dtype=np.float32)
        valid = np.zeros((plan.window_height, plan.width), dtype=bool)
        ends = [*plan.tops[1:], plan.height]
        batches = self._batches(reader)
        for top, end in zip(plan.tops, ends, strict=True):
            for _ in range(_number_of_batches(len(plan.lefts), self.run.batch_size)):
                boxes, views = next(batches)
                self._add(boxes, views, weights, sums, total)
                for box, view in zip(boxes, views, strict=True):
                    valid[:, box.left : box.left + box.width] = _at_size(view.valid, box)
            done = end - top
            covered = total[:done] > 0
            logits = sums[:, :done] / np.where(covered, total[:done], 1)
            logits[:, ~covered] = NOTHING
            yield Strip(top, logits, valid[:done].copy())
            for array in (sums, total):
                kept = plan.window_height - done
                array[..., :kept, :] = array[..., done:, :].copy()
                array[..., kept:, :] = 0

    def _batches(self, reader: ThreadPoolExecutor) -> Iterator[tuple[list[Box], list[Views]]]:
        """Windows in batches, each within one row; the next batch is read in the meantime."""
        plan, size = self.run.plan, self.run.batch_size
        boxes = [row[start : start + size] for row in map(plan.boxes, plan.tops) for start in range(0, len(row), size)]
        coming = reader.submit(self._read, boxes[0])
        for batch, following in zip(boxes, [*boxes[1:], None], strict=True):
            views = coming.result()
            if following is not None:
                coming = reader.submit(self._read, following)
            yield batch, views

    def _read(self, boxes: Sequence[Box]) -> list[Views]:
        scene = self.run.scene
        return [scene.read(box, scene.readable_size(box)) for box in boxes]

    def _add(
        self,
        boxes: Sequence[Box],
        views: Sequence[Views],
        weights: np.ndarray,
        sums: np.ndarray,
        total: np.ndarray,
    ) -> None:
        """Adds a batch of windows to the rows that are being computed."""
        predictor = self.run.predictor
        seen = [(box, view) for box, view in zip(boxes, views, strict=True) if view.valid.any()]
        if seen:
            answer = predictor.predict([view for _, view in seen], self.texts, self.intervals)
            self._note_no_target(answer.no_target_logits.sigmoid().cpu().numpy())
            for (box, _), logits in zip(seen, answer.logits, strict=True):
                sampled = predictor.sample(logits, box.height, box.width).cpu().numpy()
                columns = slice(box.left, box.left + box.width)
                sums[:, :, columns] += sampled * weights
                total[:, columns] += weights
        self.progress.update(len(boxes))

    def _note_no_target(self, scores: np.ndarray) -> None:
        self.no_target_scores = np.minimum(self.no_target_scores, scores.min(axis=0))


def rows_at_once(plan: WindowPlan, sentences: int, intervals: int) -> tuple[int, int]:
    """
    How many sentences and intervals are answered at the same time, so that the buffer in which windows are blended
    stays below 1 GiB. A pair is encoded once for all of them.

    Args:
        plan ([`WindowPlan`]): The windows.
        sentences (`int`): Number of sentences.
        intervals (`int`): Number of intervals.

    Returns:
        `tuple[int, int]`: Sentences and intervals, both at least 1.
    """
    if plan.is_whole:  # No window is blended.
        return sentences, intervals
    most = max(1, _MOST_FLOATS // (plan.window_height * plan.width))
    intervals_at_once = min(intervals, most)
    return min(sentences, most // intervals_at_once), intervals_at_once


def _at_size(valid: np.ndarray, box: Box) -> np.ndarray:
    """Booleans at the size of a window, from a window that was read at a smaller size."""
    height, width = valid.shape
    if (height, width) == (box.height, box.width):
        return valid
    return valid[np.arange(box.height) * height // box.height][:, np.arange(box.width) * width // box.width]


def _number_of_batches(count: int, batch_size: int) -> int:
    return -(-count // batch_size)
