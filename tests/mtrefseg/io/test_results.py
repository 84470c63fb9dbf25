# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The files of a result appear together."""

from pathlib import Path

import pytest

from mtrefseg.errors import UserError
from mtrefseg.io import results_in, results_written_together


RUNS = {
    "first": ("mask_1.png", "mask_2.png", "masks.tif", "overlay.png", "result.json"),
    "second": ("mask_1.png", "masks.tif", "overview.webp", "result.json"),
}


def write(out: Path, run: str) -> None:
    with results_written_together(out) as unfinished:
        for name in RUNS[run]:
            (unfinished / name).write_text(run)


def contents(out: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in out.iterdir() if path.is_file()}


def test_older_results_are_replaced_and_other_files_stay(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    write(out, "first")
    (out / "mine.txt").write_text("mine")
    write(out, "second")
    assert contents(out) == {**dict.fromkeys(RUNS["second"], "second"), "mine.txt": "mine"}
    assert [path.name for path in results_in(out)] == sorted(RUNS["second"])
    assert not list(out.glob(".*"))


def test_without_a_report_other_files_are_not_those_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "mask_2.png").write_text("mine")
    write(tmp_path, "second")
    assert (tmp_path / "mask_2.png").read_text() == "mine"


def test_a_file_that_cannot_be_moved_leaves_the_earlier_results(tmp_path: Path) -> None:
    write(tmp_path, "first")
    (tmp_path / "overview.webp").mkdir()
    with pytest.raises(UserError, match=r"cannot write into .*overview\.webp"):
        write(tmp_path, "second")
    assert contents(tmp_path) == dict.fromkeys(RUNS["first"], "first")


@pytest.mark.parametrize("moves", range(9))
def test_no_report_is_beside_files_of_another_run(moves: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the process is killed after any number of moves: then it cannot put anything back."""
    write(tmp_path, "first")
    done: list[Path] = []
    replace = Path.replace

    def replace_until_killed(source: Path, target: Path) -> Path:
        if len(done) == moves:
            raise KeyboardInterrupt
        done.append(target)
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", replace_until_killed)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, "second")
    found = contents(tmp_path)
    assert moves == 0 or "result.json" not in found
    assert len({*found.values()}) <= 1


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot create the folder .*file"):
        write(tmp_path / "file" / "out", "first")
    with (
        pytest.raises(UserError, match=r"cannot write into .*file"),
        results_written_together(tmp_path / "out") as out,
    ):
        raise UserError(f"cannot write into {out / 'file'}")
    assert not (tmp_path / "out").exists()
