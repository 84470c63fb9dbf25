# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Scores of multi-temporal referring segmentation, exact, at the size of the images.

With `evaluate`:

    metric = evaluate.load("mtrs_iou")
    metric.compute(predictions=masks, references=true_masks)

Without it, using only NumPy: [`score_masks`] for a whole set, [`MaskScores`] sample by sample, [`merge`] for a set
that was scored in parts. README.md defines every score.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .mask_counts import SampleCounts, decode_rle, encode_rle
from .mask_scores import MaskScores, Row, have_scores, merge, reduce_batch, score_masks
from .scores import COLUMNS, LABELS, SampleTable, check_options, compute_scores, merge_tables


try:
    import datasets
    import evaluate
except ImportError:  # The functions work without them.
    evaluate = None


BUFFERED_ROWS = 1000

__all__ = ["MaskScores", "decode_rle", "encode_rle", "merge", "score_masks"]

_DESCRIPTION = """
Scores of multi-temporal referring segmentation (MTRS): mIoU (gIoU), oIoU (cIoU), Pr@50 to Pr@90, N-acc and T-acc,
precision, recall and F1 of the changed pixels, the AUROC of the no-target score, and optionally boundary IoU and
bootstrap intervals; over all samples, by domain, by change type and by size of the true mask.
"""

_CITATION = """
@article{li2026mtrefseg,
  title         = {An Open-Source Benchmark and Baseline for Multi-temporal Referring Segmentation},
  author        = {Li, Bingyu and Zhang, Da and Huo, Tao and Zhao, Zhiyuan and Gao, Junyu and Li, Xuelong},
  year          = {2026},
  eprint        = {2606.00987},
  archivePrefix = {arXiv}
}
"""

_INPUTS_DESCRIPTION = """
Args:
    predictions (list of masks): One per sample, at the size of the image; sizes may differ between samples. A mask is
        a 2-D array or tensor or a one-channel PIL image of booleans, 0 and 1, or 0 and 255, or a COCO RLE dict.
        `None` is a missing prediction: its IoU is 0.
    references (list of masks): The true masks.
    sample_ids (list of str, optional): Unique names, for error messages and to drop duplicates when merging.
    domains, change_types (lists of str, optional): Labels to group by.
    scores (list of float, optional): Probability of every sample, 0 to 1, that nothing matches its sentence.
    boundary (bool, optional): Whether to measure boundary IoU as well (band: 0.02 of the image's diagonal).
    bootstrap (int, optional): Resamples for 95 % intervals, such as 1000.
    convention (str, optional): "reference": empty on empty has an IoU of 1; "nonempty": samples whose true mask is
        empty are left out of the means.
    percent (bool, optional): Scores from 0 to 100, the default, or 0 to 1.
    per_sample (bool, optional): Whether to list every sample, worst first.
Returns:
    dict: scores, counters (`num_...`), `by_domain`, `by_change_type`, `by_mask_size`; see README.md.
Examples:
    >>> metric = evaluate.load("mtrs_iou")
    >>> metric.compute(predictions=[[[0, 1], [0, 1]]], references=[[[0, 1], [0, 0]]])["mIoU"]
    50.0
"""


def _row_of(numbers: Sequence[int], labels: Sequence[str]) -> Row:
    """A sample as it was before it was written to the cache."""
    *counts, score = numbers
    return SampleCounts(*counts), float(np.int64(score).view(np.float64)), (labels[0], labels[1], labels[2])


if evaluate is not None:

    class MtrsIou(evaluate.Metric):
        """
        The metric that `evaluate.load("mtrs_iou")` gives. Masks are reduced to integers when they are added, so the
        cache holds seven of them and three labels per sample.
        """

        data: Any

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._pending: list[Row] = []
            self._ids: set[str] = set()
            self._has_scores: bool | None = None
            self._is_odd_round = False

        @property
        def experiment_id(self) -> str | None:
            """
            The name of the cache files. It alternates: a process may begin the next round while the first one still
            reads the files of this round. It cannot begin the round after that, which has this one's name again,
            before the first process has begun the next.
            """
            name = super().experiment_id
            return f"{name}-odd" if self._is_odd_round else name

        def __len__(self) -> int:
            return super().__len__() + len(self._pending)

        def _info(self) -> "evaluate.MetricInfo":
            # The columns of the cache. Both hold parts of the pair, and there are no others, so that
            # `evaluate.combine`, which hands every column to every metric, needs nothing but masks.
            features = datasets.Features(
                {
                    "predictions": datasets.Sequence(datasets.Value("int64"), length=len(COLUMNS) + 1),
                    "references": datasets.Sequence(datasets.Value("string"), length=len(LABELS)),
                }
            )
            return evaluate.MetricInfo(
                description=_DESCRIPTION,
                citation=_CITATION,
                inputs_description=_INPUTS_DESCRIPTION,
                features=features,
                reference_urls=["https://arxiv.org/abs/2606.00987"],
            )

        def add(
            self,
            *,
            prediction: Any = None,
            reference: Any = None,
            sample_id: str | int | None = None,
            domain: str | None = None,
            change_type: str | None = None,
            score: float | None = None,
            boundary: bool = False,
            predictions: Any = None,
            references: Any = None,
        ) -> None:
            """
            Adds one sample. `evaluate.combine` names the masks `predictions` and `references` here, so both names are
            accepted.
            """
            masks = (
                [prediction if predictions is None else predictions],
                [reference if references is None else references],
            )
            labels: dict[str, Iterable[Any] | None] = {
                "sample_ids": [sample_id],
                "domains": [domain],
                "change_types": [change_type],
                "scores": [score],
            }
            self._keep(reduce_batch(*masks, labels, boundary=boundary, num_before=len(self)))

        def add_batch(
            self,
            *,
            predictions: Any = None,
            references: Any = None,
            sample_ids: Iterable[str | int | None] | None = None,
            domains: Iterable[str | None] | None = None,
            change_types: Iterable[str | None] | None = None,
            scores: Iterable[float | None] | None = None,
            boundary: bool = False,
        ) -> None:
            """
            Adds several samples: all of them, or none if one raises an error.
            """
            columns = {"sample_ids": sample_ids, "domains": domains, "change_types": change_types, "scores": scores}
            self._keep(reduce_batch(predictions, references, columns, boundary=boundary, num_before=len(self)))

        def compute(
            self,
            *,
            predictions: Any = None,
            references: Any = None,
            sample_ids: Iterable[str | int | None] | None = None,
            domains: Iterable[str | None] | None = None,
            change_types: Iterable[str | None] | None = None,
            scores: Iterable[float | None] | None = None,
            boundary: bool = False,
            bootstrap: int = 0,
            convention: str = "reference",
            percent: bool = True,
            per_sample: bool = False,
        ) -> dict[str, Any] | None:
            """
            Computes the scores of all samples that were added before or are passed here. With several processes, only
            the first one returns them; the others return `None`.
            """
            check_options(convention, bootstrap, boundary=boundary, percent=percent, per_sample=per_sample)
            num_before = len(self)
            labels = {"sample_ids": sample_ids, "domains": domains, "change_types": change_types, "scores": scores}
            if predictions is not None or references is not None:
                self._keep(reduce_batch(predictions, references, labels, boundary=boundary, num_before=num_before))
            elif given := [name for name, column in labels.items() if column is not None]:
                raise ValueError(
                    f"{' and '.join(given)} were passed without masks; pass both together, here or to add_batch"
                )
            elif len(self) == 0 and self.num_process == 1:
                raise ValueError("No sample was added; call add, add_batch or compute with masks first")
            # Also without a sample: the first process waits for the files of all others.
            self._write()
            options = {"boundary": boundary, "bootstrap": bootstrap, "convention": convention, "percent": percent}
            try:
                result = super().compute(**options, per_sample=per_sample)
            except ValueError:
                self._drop_cache(num_before)
                raise
            self._ids.clear()
            self._has_scores = None
            self._is_odd_round = not self._is_odd_round
            return result

        def _compute(self, predictions: Any, references: Any, **options: Any) -> dict[str, Any]:
            numbers = np.asarray(predictions, dtype=np.int64).reshape(-1, len(COLUMNS) + 1)
            scores = np.ascontiguousarray(numbers[:, -1]).view(np.float64)
            labels = [(str(each[0]), str(each[1]), str(each[2])) for each in references]
            table = SampleTable(numbers[:, :-1], scores, labels)
            if self.num_process > 1:
                table = merge_tables([table])
            return compute_scores(table, **options)

        def _keep(self, rows: list[Row]) -> None:
            """Buffers rows: storing them one by one would take longer than counting small masks."""
            ids = self._new_ids(rows)
            has_scores = have_scores(rows, self._has_scores, num_before=len(self))
            self._pending += rows
            if len(self._pending) >= BUFFERED_ROWS:
                try:
                    self._write()
                except BaseException:
                    # Those before them stay; these were not added.
                    del self._pending[len(self._pending) - len(rows) :]
                    raise
            self._ids |= ids
            self._has_scores = has_scores

        def _new_ids(self, rows: list[Row]) -> set[str]:
            """
            The ids of rows. A repeated one is refused here, because `compute` could only refuse all samples. With
            several processes, samplers repeat samples, and merging removes them.
            """
            ids: set[str] = set()
            for _, _, (sample_id, *_) in rows if self.num_process == 1 else ():
                if sample_id in ids or sample_id in self._ids:
                    raise ValueError(f"sample '{sample_id}' was added twice; every sample needs an id of its own")
                if sample_id:
                    ids.add(sample_id)
            return ids

        def _write(self) -> None:
            rows = self._pending
            # The no-target score becomes the integer with its bits: exact, and all columns are integers.
            numbers = [[*counts, int(np.float64(score).view(np.int64))] for counts, score, _ in rows]
            super().add_batch(predictions=numbers, references=[list(labels) for _, _, labels in rows])
            # Only now: after an error, such as a full disk, nothing is lost.
            self._pending = []

        def _drop_cache(self, num_before: int) -> None:
            """
            Releases the cache files after an error in `compute`, so that the metric can be used again. The first
            `num_before` samples, which were added before, stay; with several processes, they are dropped as well.
            """
            if self.data is not None:
                if self.num_process == 1:
                    kept = self.data.select(range(num_before))
                    self._pending = [_row_of(each["predictions"], each["references"]) for each in kept]
                    self._ids = {labels[0] for _, _, labels in self._pending} - {""}
                    self._has_scores = have_scores(self._pending, None, num_before=0)
                self.data = None
                self._is_odd_round = not self._is_odd_round
                for filelock, path in reversed(list(zip(self.filelocks or (), self.file_paths or ()))):
                    Path(path).unlink()
                    filelock.release()
