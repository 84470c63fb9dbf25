# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Folders of results, whose files belong to one run."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mtrefseg.errors import UserError, one_line

from .folders import unfinished_folder


_REPORTS = ("result.json", "series.json")  # In each folder of results.
# The files that `predict`, `series` and `explain` write; without those of `explain` that always have the same names.
_RESULT = re.compile(
    r"(result|series)\.json|series\.csv|(masks|probabilities)\.tif|(masks|objects)\.qml|objects\.(gpkg|geojson)|"
    r"(overview|timeline)\.webp|(overlay|sheet)\.png|(attention|mask|difference_stride)_\d+\.png"
)


def results_in(out: Path) -> list[Path]:
    """The files in a folder that have names of results."""
    return sorted(path for path in out.iterdir() if path.is_file() and _RESULT.fullmatch(path.name))


@contextmanager
def results_written_together(out: Path) -> Iterator[Path]:
    """
    Makes the files of a result appear together, so that the folder never contains only some of them. Other results of
    an earlier run, also of another verb, are removed, because they would look like results of this one.

    Args:
        out (`Path`): The folder for the results. It is created if it does not exist, and removed again if the block
            fails.

    Yields:
        `Path`: A temporary folder next to them. Its files are moved at the end of the block; a file of the same name
        is replaced. If one cannot be moved, the earlier results are put back.

    Raises:
        [`UserError`]: If the folder cannot be created or written into.
    """
    is_new = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot create the folder {out}: {one_line(error)}") from error
    try:
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(unfinished_folder(out))
            except OSError as error:
                raise UserError(f"cannot write into {out}: {one_line(error)}") from error
            try:
                yield folder
            except UserError as error:
                # For files that cannot be written, the final path.
                raise UserError(str(error).replace(str(folder), str(out))) from error
            _replace_results(folder, out)
    finally:
        if is_new and not any(out.iterdir()):
            out.rmdir()


def _replace_results(folder: Path, out: Path) -> None:
    """
    Moves new results to the place of older ones. The older report goes first and the new one comes last: even if the
    process is killed in between, no report is beside files of another run.
    """
    new = sorted(folder.iterdir(), key=lambda path: path.name in _REPORTS)
    replaced = {path for path in (out / each.name for each in new) if path.is_file()}
    if any((out / name).is_file() for name in _REPORTS):
        replaced.update(results_in(out))
    older = sorted(replaced, key=lambda path: path.name not in _REPORTS)
    kept = folder / "older"
    try:
        kept.mkdir()
        with ExitStack() as undo:
            for source, target in [(path, kept / path.name) for path in older] + [
                (path, out / path.name) for path in new
            ]:
                source.replace(target)
                undo.callback(target.replace, source)
            undo.pop_all()
    except OSError as error:
        raise UserError(f"cannot write into {out}: {one_line(error)}") from error
