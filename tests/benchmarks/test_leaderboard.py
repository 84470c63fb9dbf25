# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The leaderboard scores models as `mtrefseg benchmark run` does."""

from pathlib import Path

from benchmarks.quality.leaderboard import Leaderboard


def test_untrained_models_are_scored_and_not_scored_again(tmp_path: Path) -> None:
    board = Leaderboard(tmp_path, pairs=2, steps=None)
    rows = board.fill()
    assert [next(rows) for _ in range(3)] == ["image difference", "nothing", "whole image"]
    found = {row["model"]: row for row in board._rows()}
    assert found.keys() == {"image difference", "nothing", "whole image"}
    assert all(row["what"] == "no training" and row["steps"] == "" for row in found.values())
    assert len({row["sentences"] for row in found.values()}) == 1
    report = tmp_path / "scores" / "TV" / "nothing" / "report.json"
    before = report.read_bytes()
    assert next(board.fill()) == "image difference"
    assert report.read_bytes() == before
