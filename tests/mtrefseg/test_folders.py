# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Folders appear complete or not at all."""

from pathlib import Path

import pytest

from mtrefseg.io import folder_written_whole, replace_folder


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with folder_written_whole(out) as unfinished:
        assert unfinished == tmp_path / "new" / "out.incomplete"
        (unfinished / "file").touch()
        assert not out.exists()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == [
        "new",
        "new/out",
        "new/out/file",
    ]


def test_an_earlier_folder_and_leftovers_are_replaced(tmp_path: Path) -> None:
    for name in ("out", ".writing", ".writing.replaced"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "old").touch()
    with folder_written_whole(tmp_path / "out", tmp_path / ".writing") as unfinished:
        assert not list(unfinished.iterdir())
        assert (tmp_path / "out" / "old").exists()
    assert list(tmp_path.rglob("*")) == [tmp_path / "out"]


def test_an_error_leaves_the_earlier_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(FileNotFoundError), folder_written_whole(out) as unfinished:
        (unfinished / "file").rename(unfinished / "missing" / "file")
    assert list(tmp_path.rglob("*")) == [out]


def test_the_other_folder_is_moved_next_to_the_finished_one(tmp_path: Path) -> None:
    """A name that somebody else may use is not touched."""
    for name in ("place", "place.replaced", "work/finished"):
        (tmp_path / name).mkdir(parents=True)
    replace_folder(tmp_path / "work" / "finished", tmp_path / "place")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["place", "place.replaced", "work"]
    assert not list((tmp_path / "work").iterdir())


def test_the_folder_behind_a_link_is_replaced(tmp_path: Path) -> None:
    """Renaming the link instead would leave the earlier folder, and fail the next time."""
    (tmp_path / "disk" / "data").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "data")
    for name in ("first", "second"):
        with folder_written_whole(tmp_path / "out") as unfinished:
            (unfinished / name).touch()
        assert (tmp_path / "out").is_symlink()
        assert list((tmp_path / "disk").rglob("*")) == [tmp_path / "disk" / "data", tmp_path / "disk" / "data" / name]
