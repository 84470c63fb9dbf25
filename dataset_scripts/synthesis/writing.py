# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes generated pairs to the raw layout, converts them to [`Pair`] records and streams them to `datasets`."""

import io
import itertools
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from dataset_scripts.errors import DataError
from dataset_scripts.parallel import worker_pool
from dataset_scripts.readers import (
    CHANGE_TYPES,
    DOMAINS,
    SKIPPED_SENTENCES,
    VIEWS,
    Expression,
    Finding,
    ImageFile,
    Pair,
    PairMaker,
    Reason,
    UnusableError,
)
from mtrefseg.io import INCOMPLETE_SUFFIX, encode_mask, read_json, write_bytes

from .generator import Domain, SyntheticPair


logger = logging.getLogger(__name__)

Kind: TypeAlias = Literal["referring", "pretrain"]

_SETTINGS_FILE = "generator.json"
_JPEG_QUALITY = 95
_CHUNK = 16  # Pairs per task of a worker process
_NAMED = 3  # Number of pairs that are named among those left out


def to_pair(pair: SyntheticPair, split: str, kind: Kind, folder: str = "", png: bool = False) -> Pair:
    """
    Converts a generated pair to the [`Pair`] that all readers return.

    Args:
        pair (`SyntheticPair`): The pair.
        split (`str`): "train", "validation" or "test".
        kind (`str`): "referring" for the sentences, "pretrain" for one mask of all changes.
        folder (`str`, *optional*, defaults to `""`): Name of the split folder, for messages.
        png (`bool`, *optional*, defaults to `False`): Whether to encode the images as lossless PNG instead of JPEG.

    Returns:
        `Pair`: The pair, with its files in memory.
    """
    suffix = ".png" if png else ".jpg"
    images = [
        ImageFile(f"{place}/{pair.pair_id}{suffix}", _encode(image, png))
        for place, image in (("A", pair.image_t1), ("B", pair.image_t2))
    ]
    masked = pair.expressions if kind == "referring" else ()
    return Pair(
        pair_id=pair.pair_id,
        split=split,
        domain=pair.domain,
        view=pair.view,
        source=pair.source,
        image_t1=images[0],
        image_t2=images[1],
        expressions=tuple(
            Expression(
                text=expression.text,
                mask=ImageFile(f"masks/{pair.pair_id}/{index}.png", encode_mask(expression.mask)),
                change_type=expression.change_type,
                index=index,
                noisy=expression.noisy,
            )
            for index, expression in enumerate(masked)
        ),
        change_mask=ImageFile(f"masks/{pair.pair_id}.png", encode_mask(pair.change_mask))
        if kind == "pretrain"
        else None,
        folder=folder,
        skipped_sentences=pair.skipped_sentences if kind == "referring" else 0,
    )


def _encode(image: Image.Image, png: bool) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG") if png else image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def folder_name(domain: Domain, split: str, kind: Kind, label: str) -> str:
    """Name of a split folder in the raw layout: "RS_synthetic_train", "NS_composed_pretrain_val", …."""
    stage = "pretrain_" if kind == "pretrain" else ""
    return f"{domain}_{label}_{stage}{'val' if split == 'validation' else split}"


def write_raw(
    generator: PairMaker, root: Path, count: int, kind: Kind = "referring", png: bool = False, processes: int = 1
) -> list[Path]:
    """
    Writes the pairs 0 to `count` - 1 in the raw layout, one split folder per domain. Resumes an interrupted run. Pairs
    that cannot be read or have no sentence, which only those made of other data can be, are left out, and logged with
    their number.

    Args:
        generator (`PairMaker`): Creates the pairs.
        root (`Path`): Dataset root; created if missing.
        count (`int`): Total number of pairs.
        kind (`str`, *optional*, defaults to `"referring"`): "referring" or "pretrain" (stage 1).
        png (`bool`, *optional*, defaults to `False`): Whether to save the images as lossless PNG instead of JPEG.
        processes (`int`, *optional*, defaults to 1): Number of worker processes.

    Returns:
        `list[Path]`: The split folders.

    Raises:
        DataError: If a split folder exists and was written with other settings, if `root` itself is a split folder,
            if a worker process was killed, or if every pair is left out.
    """
    # The version is recorded, so that a run never continues the folder of another one.
    settings = {**asdict(generator), "kind": kind, "png": png, "version": generator.version}
    if generator.made_of:
        settings["made_of"] = generator.made_of
    folders = {
        domain: root / folder_name(domain, generator.split, kind, generator.label) for domain in generator.domains
    }
    if (root / "A").is_dir() and (root / "B").is_dir():
        raise DataError(f"{root} is a split folder itself: name the folder that holds it, or a new one.")
    # Check all folders before writing any.
    for folder in folders.values():
        _check_claim(folder, json.loads(json.dumps(settings)))
    for folder in folders.values():
        _write(folder / _SETTINGS_FILE, json.dumps(settings, indent=1).encode())
    work = partial(_write_pair, generator, folders, kind, png)
    results = map(work, range(count)) if processes == 1 else _write_together(work, count, processes)
    with tqdm(results, total=count, unit="pair", desc=generator.label, disable=None) as bar:
        left_out = [finding for finding in bar if finding is not None]
    if left_out:
        named = "; ".join(map(str, left_out[:_NAMED])) + ("; ..." if len(left_out) > _NAMED else "")
        if len(left_out) == count:
            raise DataError(f"No pair can be written: {named}.")
        logger.warning("left out %s of %s pairs: %s", f"{len(left_out):,}", f"{count:,}", named)
    return list(folders.values())


def _write_together(work: Callable[[int], Finding | None], count: int, processes: int) -> Iterator[Finding | None]:
    chunks = -(-count // _CHUNK)
    try:
        with worker_pool(min(processes, chunks)) as pool:
            yield from pool.map(work, range(count), chunksize=_CHUNK)
    except BrokenProcessPool as error:
        raise DataError(
            "A worker was killed, perhaps because memory ran out: repeat the command with a smaller --num-proc."
        ) from error


def _check_claim(folder: Path, settings: dict[str, Any]) -> None:
    """Raises a `DataError` unless the folder is missing, empty, or was written with the same settings."""
    file = folder / _SETTINGS_FILE
    # A run that was killed right after its start leaves only an incomplete settings file.
    if not folder.exists() or not any(entry.suffix != INCOMPLETE_SUFFIX for entry in folder.iterdir()):
        return
    if not file.is_file():
        raise DataError(f"{folder} is not empty and was not made by this generator: choose another folder.")
    try:
        same = read_json(file) == settings
    except ValueError as error:
        raise DataError(f"{file} is damaged: remove {folder}, or choose another folder.") from error
    if not same:
        raise DataError(
            f"{folder} was made with other settings or of other files (see {_SETTINGS_FILE} in it): choose another "
            "folder."
        )


def _write_pair(
    generator: PairMaker, folders: dict[Domain, Path], kind: Kind, png: bool, index: int
) -> Finding | None:
    """Writes one pair, unless its last file exists: the file that marks the pair as complete. Returns why it is left
    out, if it is."""
    folder = folders[generator.domains[index % len(generator.domains)]]
    name = generator.pair_id(index)
    last = folder / (f"referring_expression/{name}.json" if kind == "referring" else f"masks/{name}.png")
    if last.exists():
        return None
    try:
        record = to_pair(generator.pair(index), generator.split, kind, folder.name, png)
    except UnusableError as error:
        return Finding(error.reason, folder.name, name, error.detail)
    if kind == "referring" and not record.expressions:
        return Finding(Reason.NO_EXPRESSION_LEFT, folder.name, name, "nothing is known to say about it")
    for file in (record.image_t1, record.image_t2, *(expression.mask for expression in record.expressions)):
        _write(folder / file.name, file.read_bytes())
    if record.change_mask is not None:
        _write(last, record.change_mask.read_bytes())
    else:
        _write(last, json.dumps(_json_of(record), indent=1, ensure_ascii=False).encode())
    return None


def _json_of(record: Pair) -> dict[str, Any]:
    return {
        "sample_id": record.pair_id,
        "img_A": Path(record.image_t1.name).name,
        "img_B": Path(record.image_t2.name).name,
        "referring_expressions": [expression.text for expression in record.expressions],
        "mask": [expression.mask.name.removeprefix("masks/") for expression in record.expressions],
        "change_types": [expression.change_type for expression in record.expressions],
        "noisy": [expression.noisy for expression in record.expressions],
        "domain": record.domain,
        "view": record.view,
        "source": record.source,
        **({SKIPPED_SENTENCES: record.skipped_sentences} if record.skipped_sentences else {}),
    }


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(file, content, durable=False)


def stream(generator: PairMaker, start: int = 0, stop: int | None = None, shards: int = 1) -> Any:
    """
    Streams pairs as a `datasets.IterableDataset` that generates each pair when it is read. Nothing is stored.

    Args:
        generator (`PairMaker`): Creates the pairs.
        start (`int`, *optional*, defaults to 0): First index.
        stop (`int`, *optional*): End of the range (exclusive); infinite if `None`.
        shards (`int`, *optional*, defaults to 1): Number of shards, which is the largest useful number of workers.

    Returns:
        `datasets.IterableDataset`: Rows with the columns of `schema.pair_features`: images and masks as PIL images,
        class labels as integers. `.cast(pair_features())` adds the features, but encodes every image.

    Raises:
        ValueError: If `start` or `shards` is out of range.
    """
    from datasets import IterableDataset

    if start < 0 or shards < 1:
        raise ValueError(f"start is {start} and shards {shards}, but they must be at least 0 and 1.")
    settings = {"generator": generator, "start": start, "stop": stop, "parts": list(range(shards)), "count": shards}
    return IterableDataset.from_generator(_rows, gen_kwargs=settings)


def _rows(
    generator: PairMaker, start: int, stop: int | None, parts: Sequence[int], count: int
) -> Iterator[dict[str, Any]]:
    """Yields the rows of the given shards of `count`. Each shard contains all domains."""
    for index in itertools.count(start):
        if stop is not None and index >= stop:
            return
        if (index - start) // len(generator.domains) % count in parts:
            pair = generator.pair(index)
            yield {
                "pair_id": pair.pair_id,
                "image_t1": pair.image_t1,
                "image_t2": pair.image_t2,
                "masks": [Image.fromarray(one.mask.astype(np.uint8) * 255) for one in pair.expressions],
                "expressions": [one.text for one in pair.expressions],
                "change_types": [CHANGE_TYPES.index(one.change_type) for one in pair.expressions],
                "domain": DOMAINS.index(pair.domain),
                "view": VIEWS.index(pair.view),
                "source": pair.source,
                "noisy": [one.noisy for one in pair.expressions],
                SKIPPED_SENTENCES: pair.skipped_sentences,
            }
