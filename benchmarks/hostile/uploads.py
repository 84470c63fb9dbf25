# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What visitors send to the demo: images, sentences, and `predictions.parquet`."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

from mtrefseg.io import is_blank
from mtrefseg.view.predictions import PREDICTIONS_SCHEMA, ScoredSentence, check_predictions, load_predictions
from spaces_demo.limits import MAX_SENTENCE_LENGTH, MAX_SENTENCES, InputError, check_sentences, read_pair

from .cases import Case, Random
from .images import STRANGERS, close_to
from .pixels import blobs, cut, encode, flip, overwrite, png_of_size, scene, write_tiff
from .runs import run_lengths, to_text


MOST_BYTES = 64 << 20
"""Limit of the Parquet reader in these cases; the demo's own would need as much memory."""
NEEDED = ("sample_id", "pair_id", "change_type", "expression", "iou")
RESERVED = ("<image_t1>", "[SEG]")


# --- images ---


def make_images(random: Random, folder: Path) -> Case:
    """Two uploads, of which one may be hostile."""
    from PIL import Image

    values = [scene(random, 3, 0, 255) for _ in range(2)]
    contents = [encode(Image.fromarray(each), "PNG") for each in values]
    bad = int(random.integers(0, 2))
    sort = random.integers(0, 6)
    is_whole = False
    if sort == 0:
        contents[bad] = STRANGERS[random.integers(0, len(STRANGERS))]
    elif sort == 1:
        contents[bad] = (cut, flip, overwrite)[random.integers(0, 3)](random, contents[bad])
    elif sort == 2:
        size = ((60_000, 60_000), (1 << 24, 1), (1, 1 << 24), (5000, 5000), (20_000, 800))[random.integers(0, 5)]
        contents[bad] = png_of_size(*size, bytes(1 << 16))
    elif sort == 3:
        contents[bad] = write_tiff(values[bad], 2, declared=(1 << 20, 1 << 20))
    else:
        contents[bad] = write_tiff(np.dstack([values[bad], values[bad][..., :1]]), 2, [2])
        is_whole = True
    paths = [folder / f"{name}.png" for name in ("t1", "t2")]
    for path, content in zip(paths, contents):
        path.write_bytes(content)
    checks = [close_to(each) for each in values]
    return Case(
        f"upload of sort {sort}",
        lambda: [np.asarray(image) for image in read_pair(paths, ("Image t1", "Image t2"))],
        (InputError,),
        lambda found: all(check(image) for check, image in zip(checks, found, strict=True)),
        must_read=is_whole,
    )


# --- sentences ---


def make_sentences(random: Random, folder: Path) -> Case:
    """What is typed: one sentence a line."""
    pieces = (
        "the red house",
        "屋根",
        "\u202e",
        "\0",
        "<script>",
        "🏠",
        "[SEG]",
        "<image_t1>",
        "é" * 301,
        "x" * 300,
        " ",
    )
    lines = [
        str(random.choice(pieces)) + str(number) * int(random.integers(0, 2))
        for number in range(random.integers(0, 10))
    ]
    text = "\n".join(lines)
    expected = list(dict.fromkeys(" ".join(line.split()) for line in text.splitlines() if not is_blank(line)))
    is_good = 0 < len(expected) <= MAX_SENTENCES and all(len(line) <= MAX_SENTENCE_LENGTH for line in expected)
    is_good = is_good and not any(token in line for token in RESERVED for line in expected)
    read = lambda: check_sentences(text, RESERVED)  # noqa: E731
    return Case(f"typed {text[:80]!r}", read, (InputError,), expected.__eq__ if is_good else None, must_read=is_good)


# --- predictions.parquet ---


def make_report(random: Random, folder: Path) -> Case:
    """A file of an evaluation: whole, damaged, with odd rows, or one that expands to gigabytes."""
    rows = [_row(random, number) for number in range(random.integers(1, 6))]
    sort = random.integers(0, 6)
    schema, options, is_whole = PREDICTIONS_SCHEMA, {}, sort == 0
    expected: list[dict[str, Any]] | None = rows
    what = "whole"
    if sort == 1:
        what = _spoil(random, rows)
        expected = None
    elif sort == 2:
        what, rows = "texts that are repeated", _bomb(random)
        expected = None
    elif sort == 3:
        what = "other columns"
        name = schema.names[random.integers(0, len(schema))]
        field = schema.get_field_index(name)
        if random.random() < 0.5:
            schema, expected = schema.remove(field), None
        else:  # A column of which no row has a value.
            schema = schema.set(field, pyarrow.field(name, pyarrow.null()))
            expected = None if name in NEEDED else [{**row, name: None} for row in rows]
    elif sort == 4:
        options = {"compression": str(random.choice(["zstd", "gzip", "brotli"])), "use_dictionary": False}
        what, expected = f"compressed with {options['compression']}", None
    data = _write(rows, schema, options)
    if sort == 5:
        harm = (cut, flip, overwrite)[random.integers(0, 3)]
        data, what = harm(random, data), harm.__name__
    path = folder / "predictions.parquet"
    path.write_bytes(data)
    return Case(
        f"Parquet: {what}",
        lambda: _load(path, is_damaged=sort == 5),
        (ValueError, OSError),
        None if expected is None else lambda found: _same(found, expected),
        must_read=is_whole,
        is_undetectable=sort == 5,
    )


def _load(path: Path, is_damaged: bool) -> list[ScoredSentence]:
    """As the demo reads an upload. Its other process takes half a second, and what is not damaged needs none."""
    if is_damaged:
        check_predictions(path, MOST_BYTES)
    return load_predictions(path, MOST_BYTES)


def _write(rows: Sequence[dict[str, Any]], schema: pyarrow.Schema, options: dict[str, Any]) -> bytes:
    named = [{name: row.get(name) for name in schema.names} for row in rows]
    columns = [
        pyarrow.nulls(len(named))
        if pyarrow.types.is_null(field.type)
        else pyarrow.array([row[field.name] for row in named], field.type)
        for field in schema
    ]
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(columns, schema=schema), file, **options)
    return file.getvalue()


def _row(random: Random, number: int) -> dict[str, Any]:
    mask = blobs(random)
    truth = {"size": list(mask.shape), "counts": to_text(run_lengths(mask))}
    prediction = {"size": list(mask.shape), "counts": to_text(run_lengths(np.roll(mask, 2, axis=0)))}
    return {
        "sample_id": f"one_{number}",
        "pair_id": "one",
        "domain": ("NS", "RS", None)[random.integers(0, 3)],
        "change_type": "appear",
        "expression": f"the 屋 house <b> {number}",
        "truth": truth if random.random() < 0.9 else None,
        "prediction": prediction if random.random() < 0.9 else None,
        "iou": float(random.uniform(0, 100)),
        "score": float(random.random()),
        "no_target_score": None,
        "problem": None,
    }


def _same(found: Sequence[ScoredSentence], expected: Sequence[dict[str, Any]]) -> bool:
    return [{name: getattr(sentence, name) for name in PREDICTIONS_SCHEMA.names} for sentence in found] == list(
        expected
    )


def _spoil(random: Random, rows: list[dict[str, Any]]) -> str:
    """One value that no evaluation writes."""
    row = rows[random.integers(0, len(rows))]
    name = str(random.choice(["truth", "prediction", "iou", "sample_id", "pair_id", "change_type", "expression"]))
    value: Any = None
    if name in ("truth", "prediction"):
        sizes: tuple[Any, ...] = (
            [-3, 4],
            [1 << 30, 1 << 30],
            [3],
            [],
            None,
            [0, 0],
            [100_000, 100_000],
            [4, 5, 6],
            [None, 3],
        )
        texts = ("0~~", "05", None, "", "x" * 5000, "\u2028")
        is_size = bool(random.random() < 0.5)
        good = {"size": [32, 32], "counts": "PP1"}
        value = (
            {**good, "size": sizes[random.integers(0, len(sizes))]}
            if is_size
            else {
                **good,
                "counts": texts[random.integers(0, len(texts))],
            }
        )
        row.update(truth=value, prediction=value)
    elif name == "iou":
        value = (float("nan"), -1.0, 101.0, float("inf"), None)[random.integers(0, 5)]
        row[name] = value
    else:
        value = "x" * 20_000 if random.random() < 0.5 else None
        row[name] = value
    return f"{name} = {str(value)[:60]}"


def _bomb(random: Random) -> list[dict[str, Any]]:
    """Rows that share one long text, which is stored once."""
    name = str(random.choice(["expression", "problem", "sample_id"]))
    length = int(random.choice([9_000, 100_000, 2_000_000]))
    count = (MOST_BYTES // length) + 2
    return [{**_row(random, 0), "truth": None, "prediction": None, "iou": 0.0, name: "x" * length}] * count
