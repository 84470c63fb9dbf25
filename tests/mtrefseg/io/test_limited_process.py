# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Parquet files whose pages hold more than the head of the file says are refused within bounded memory."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from mtrefseg.cli.main import main
from mtrefseg.io import limited_process
from mtrefseg.io.limited_process import read_limited
from mtrefseg.view.predictions import PREDICTIONS_SCHEMA, check_predictions, load_predictions
from tests.parquet_pages import (
    HEAD_COMPRESSED,
    HEAD_DATA,
    HEAD_DICTIONARY,
    HEAD_UNCOMPRESSED,
    Fields,
    level_run,
    rewrite,
)


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")

HUGE = 2**31 - 1
LIMIT = 256 << 20
ROW = {
    **dict.fromkeys(("sample_id", "pair_id", "expression"), "a"),
    "domain": "RS",
    "change_type": "appear",
    "truth": {"size": [1, 1], "counts": "01"},
    "prediction": {"size": [1, 1], "counts": "01"},
    "iou": 100.0,
}


def whole_file(codec: str) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([ROW] * 8, PREDICTIONS_SCHEMA), file, compression=codec)
    return file.getvalue()


def long_list(path: str, header: Fields, data: bytes) -> bytes:
    """The first list has two billion entries, all null, in a page of some bytes."""
    if path != "truth.size.list.element" or HEAD_DATA not in header:
        return data
    data = level_run((0, 1), (1, HUGE - 1)) + level_run((3, HUGE))
    header[HEAD_UNCOMPRESSED] = header[HEAD_COMPRESSED] = (5, len(data))
    header[HEAD_DATA][1][1] = (5, HUGE)
    return data


def huge_page(path: str, header: Fields, data: bytes) -> bytes:
    """Every page claims to hold two gigabytes."""
    header[HEAD_UNCOMPRESSED] = (5, HUGE)
    return data


def huge_dictionary(path: str, header: Fields, data: bytes) -> bytes:
    """Every dictionary claims to hold two billion values."""
    if HEAD_DICTIONARY in header:
        header[HEAD_DICTIONARY][1][1] = (5, HUGE)
    return data


LIES: dict[str, tuple[Callable[[str, Fields, bytes], bytes], str]] = {
    "a list": (long_list, "NONE"),
    "a page": (huge_page, "SNAPPY"),
    "a dictionary": (huge_dictionary, "SNAPPY"),
}


def abort(path: str, most_bytes: int) -> None:
    """As pyarrow does with some damage of the head."""
    os.abort()


def write_liar(kind: str, folder: Path) -> Path:
    change, codec = LIES[kind]
    path = folder / "liar.parquet"
    path.write_bytes(rewrite(whole_file(codec), change))
    assert path.stat().st_size < 8192
    return path


@pytest.mark.parametrize("kind", LIES)
def test_a_page_that_lies_is_one_line_within_bounded_memory(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"liar\.parquet would need more than 256 MiB") as caught:
        check_predictions(write_liar(kind, tmp_path), LIMIT)
    assert "\n" not in str(caught.value)


def test_the_rewritten_pages_of_an_honest_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "honest.parquet"
    path.write_bytes(rewrite(whole_file("SNAPPY"), lambda path, header, data: data))
    check_predictions(path, LIMIT)
    assert len(load_predictions(path, LIMIT)) == 8


def test_a_zstd_page_that_expands_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "zeros.parquet"
    table = pyarrow.table({"pair_id": pyarrow.array([bytes(400 << 20)], pyarrow.binary())})
    pyarrow.parquet.write_table(table, path, compression="zstd", use_dictionary=False, write_statistics=False)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ValueError, match=r"zeros\.parquet would need more than 128 MiB of memory"):
        read_limited("dataset_scripts.readers.parquet_pairs:read_through", path, 128 << 20)


def test_the_command_and_the_demo_refuse_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    liar = write_liar("a list", tmp_path)
    monkeypatch.setattr(check_predictions, "__defaults__", (LIMIT,))
    assert main(["report", str(liar), "--out", str(tmp_path / "page")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "liar.parquet would need more than 256 MiB" in error
    gradio = pytest.importorskip("gradio")
    from mtrefseg.serve.pair_cache import PairCache
    from spaces_demo.benchmark import BenchmarkTab

    tab = BenchmarkTab.__new__(BenchmarkTab)
    tab.reports = PairCache(1 << 20)
    with pytest.raises(gradio.Error, match=r"^'?liar\.parquet would need more"):
        tab._load(str(liar), "a visitor")


def test_what_ends_or_takes_too_long_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "honest.parquet"
    path.write_bytes(whole_file("SNAPPY"))
    with pytest.raises(ValueError, match=r"honest\.parquet is damaged: reading it ended another process \(-6\)"):
        read_limited(f"{__name__}:abort", path, LIMIT)
    monkeypatch.setattr(limited_process, "MOST_SECONDS", 0.01)
    with pytest.raises(ValueError, match=r"honest\.parquet takes more than"):
        check_predictions(path, LIMIT)
    with pytest.raises(FileNotFoundError):
        check_predictions(tmp_path / "none.parquet", LIMIT)
