# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The CSV files in `results/`, which every benchmark writes in the same way."""

import csv
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any


ROOT = Path(__file__).resolve().parents[1]
"""The repository."""
RESULTS = Path(__file__).resolve().parent / "results"


def append_rows(path: Path, rows: Sequence[Mapping[str, Any]], digits: int | None = None) -> None:
    """
    Appends rows to a CSV file, which gets a header first if it is new.

    Args:
        path (`Path`): The file.
        rows (`Sequence[Mapping[str, Any]]`): Values by column.
        digits (`int`, *optional*): Significant digits of floats. By default they are written in full.

    Raises:
        ValueError: If a row has a column that the file lacks.
    """
    rounded = [{name: _rounded(value, digits) for name, value in row.items()} for row in rows]
    if not path.exists():
        write_rows(path, rounded)
        return
    with path.open("r+", encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file))
        file.seek(0, os.SEEK_END)
        csv.DictWriter(file, columns, lineterminator="\n").writerows(rounded)


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Replaces a CSV file.

    Args:
        path (`Path`): The file.
        rows (`Sequence[Mapping[str, Any]]`): Values by column. A column that only some rows have stays empty in the
            others.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def today() -> str:
    """The date for a row, such as "2026-11-30", in UTC."""
    return datetime.now(timezone.utc).date().isoformat()


def _rounded(value: Any, digits: int | None) -> Any:
    return value if digits is None or not isinstance(value, float) else f"{value:.{digits}g}"
