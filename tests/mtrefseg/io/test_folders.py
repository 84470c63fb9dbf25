# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Folders appear complete or not at all."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mtrefseg.io import folder_written_whole, replace_folder, unfinished_folder


WRITER = """
import sys
from pathlib import Path
from mtrefseg.io import unfinished_folder

with unfinished_folder(Path(sys.argv[1])) as folder:
    (folder / "file").touch()
    print(folder.name, flush=True)
    sys.stdin.read()
"""


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


def test_unfinished_folders_of_killed_processes_are_removed_and_those_in_use_stay(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    (tmp_path / ".writing-mine").mkdir()
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    pipe = subprocess.PIPE  # After a failed assertion, the end of its input ends the process.
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        with unfinished_folder(tmp_path) as folder:
            assert sorted(path.name for path in tmp_path.iterdir()) == sorted([".writing-mine", name, folder.name])
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / name / "file").exists()
    with unfinished_folder(tmp_path) as folder, unfinished_folder(tmp_path) as other:
        found = {path.name for path in tmp_path.iterdir()}
        assert found == {".writing-mine", folder.name, other.name}
    assert [path.name for path in tmp_path.iterdir()] == [".writing-mine"]


def test_an_unfinished_folder_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtrefseg.io.folders._HAS_LOCKS", False)
    with unfinished_folder(tmp_path) as folder, unfinished_folder(tmp_path):
        assert folder.is_dir()
    assert not list(tmp_path.iterdir())
