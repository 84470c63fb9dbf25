# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The CSV files of the benchmarks."""

from datetime import date
from pathlib import Path

import pytest

from benchmarks.quality.understanding import COLUMNS
from benchmarks.tables import RESULTS, append_rows, write_rows


def test_a_new_file_gets_a_header_once(tmp_path: Path) -> None:
    path = tmp_path / "speed.csv"
    append_rows(path, [{"what": "a", "seconds": 1.23456}], digits=3)
    append_rows(path, [{"seconds": 2.0, "what": "b"}])
    assert path.read_text() == "what,seconds\na,1.23\nb,2.0\n"


def test_a_column_that_the_file_lacks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "speed.csv"
    append_rows(path, [{"what": "a"}])
    with pytest.raises(ValueError, match="seconds"):
        append_rows(path, [{"what": "b", "seconds": 1}])


def test_writing_replaces_the_file_and_leaves_missing_values_empty(tmp_path: Path) -> None:
    path = tmp_path / "new" / "scores.csv"
    write_rows(path, [{"a": 1}])
    write_rows(path, [{"a": 1}, {"a": 2, "b": 3}])
    assert path.read_text() == "a,b\n1,\n2,3\n"


def test_rows_that_are_appended_over_time_have_a_date() -> None:
    header, *rows = (RESULTS / "understanding.csv").read_text(encoding="utf-8").splitlines()
    assert header == ",".join(COLUMNS)
    assert all(date.fromisoformat(row.rpartition(",")[2]) for row in rows)
