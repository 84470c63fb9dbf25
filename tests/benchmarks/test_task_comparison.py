# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The four tasks on the same pair: their truths are exact, and differ."""

from benchmarks.quality.task_comparison import TASKS, draw, find_pairs, measure
from trainer.baselines import open_segmenter


def test_the_truths_of_the_four_tasks() -> None:
    for pair, questions in find_pairs(3, 128, seed=0):
        assert [question.task for question in questions] == list(TASKS)
        everything, one, implicit, came = (question.truth for question in questions)
        assert (everything == implicit).all()
        assert one.any()
        assert came.any()
        assert not (one & came).any()
        assert (everything | one | came == everything).all()
        assert (came | one).sum() <= everything.sum()
        changed = pair.change_mask
        assert not (came & ~changed).any()


def test_numbers_and_figure() -> None:
    rows = measure([open_segmenter("nothing"), open_segmenter("whole_image")], 2, 128, 0)
    assert [rows[0][task] for task in TASKS] == ["0.00"] * 4
    assert float(rows[1][TASKS[0]]) >= float(rows[1][TASKS[3]]) > 0
    pair, questions = next(find_pairs(1, 128, 0))
    assert draw(open_segmenter("nothing"), pair, questions).width > 1000
