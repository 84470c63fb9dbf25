# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Model folders: what is loaded has all the weights that were saved, or the folder is refused."""

import json
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import torch

from mtrefseg.build.loading import CheckpointError, find_device, load_model, load_processor
from mtrefseg.build.presets import preset_model, tiny_processor

from .cases import Case, Random
from .pixels import cut, flip, overwrite


PROBE = "the red house that appeared"
NO_JSON = (
    b"",
    b"[]",
    b"3",
    b"null",
    b"{}",
    b'"x"',
    b"{" * 5000,
    b"[" * 100_000,
    b"\xff\xfe",
    b'{"a": ' + b"9" * 5000 + b"}",
)
_model = Path("model")
_words: list[int] = []
_weights: dict[str, torch.Tensor] = {}


def prepare(folder: Path) -> None:
    """A small model with random weights."""
    global _model, _words, _weights
    _model = folder / "model"
    processor = tiny_processor(64)
    torch.manual_seed(0)
    model = preset_model("tiny", processor)
    model.save_pretrained(_model)
    processor.save_pretrained(_model)
    _words, _weights = _load(_model)


def _load(folder: Path) -> tuple[list[int], dict[str, torch.Tensor]]:
    """How the processor reads a sentence, and all weights."""
    processor = load_processor(folder)
    model = load_model(folder, processor, find_device("cpu"))
    return list(processor.tokenizer(PROBE)["input_ids"]), dict(model.state_dict())


def make(random: Random, folder: Path) -> Case:
    """A copy of the folder with one thing wrong."""
    copy = folder / "model"
    copy.mkdir()
    for path in _model.iterdir():
        os.link(path, copy / path.name)
    sorts = (
        _json_replaced,
        _json_edited,
        _json_edited,
        _file_damaged,
        _header_edited,
        _file_missing,
        _pickled,
        _as_it_is,
    )
    what, is_undetectable = sorts[random.integers(0, len(sorts))](random, copy)
    is_whole = what == "as it is"
    return Case(what, lambda: _load(copy), (CheckpointError,), _is_the_model, is_whole, is_undetectable)


def _is_the_model(found: tuple[list[int], dict[str, torch.Tensor]]) -> bool:
    words, weights = found
    return (
        words == _words
        and weights.keys() == _weights.keys()
        and all(torch.equal(weight, _weights[name]) for name, weight in weights.items())
    )


def _replace(path: Path, data: bytes) -> None:
    """Writes a file of the copy; the one that it is a link to stays."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def _pick(random: Random, folder: Path, suffix: str = "") -> Path:
    paths = sorted(path for path in folder.iterdir() if path.name.endswith(suffix))
    return paths[random.integers(0, len(paths))]


def _json_replaced(random: Random, folder: Path) -> tuple[str, bool]:
    path = _pick(random, folder, ".json")
    data = NO_JSON[random.integers(0, len(NO_JSON))]
    _replace(path, data)
    # Some files may be empty of settings.
    return f"{path.name} is {data[:20]!r}", data == b"{}"


def _json_edited(random: Random, folder: Path) -> tuple[str, bool]:
    """One value of one file is another one. Many of them are settings that nothing can check."""
    path = _pick(random, folder, ".json")
    content = json.loads(path.read_bytes())
    place: Any = content
    names: list[Any] = []
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        names.append(keys[random.integers(0, len(keys))])
        holder, place = place, place[names[-1]]
        if random.random() < 0.2:
            break
    odd: tuple[Any, ...] = (None, -1, 0, 3, 10**12, 1e308, "x", "", [], {}, [[]], True, "../../x", "\ud800")
    holder[names[-1]] = odd[random.integers(0, len(odd))]
    _replace(path, json.dumps(content).encode())
    return f"{path.name}: {names} is {holder[names[-1]]!r}", True


def _file_damaged(random: Random, folder: Path) -> tuple[str, bool]:
    path = _pick(random, folder)
    harm = (cut, flip, overwrite)[random.integers(0, 3)]
    _replace(path, harm(random, path.read_bytes()))
    return f"{path.name}, {harm.__name__}", harm is not cut


def _header_edited(random: Random, folder: Path) -> tuple[str, bool]:
    """The list of tensors in the weights: names, shapes, types and places that are not theirs."""
    path = folder / "model.safetensors"
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    names = [name for name in header if name != "__metadata__"]
    name = names[random.integers(0, len(names))]
    entry = header[name]
    sort = random.integers(0, 7)
    if sort == 0:
        header[f"{name}_"] = header.pop(name)
    elif sort == 1:
        entry["shape"] = [1, *entry["shape"]]
    elif sort == 2:
        entry["dtype"] = ("F16", "I32", "BF16", "X")[random.integers(0, 4)]
    elif sort == 3:
        entry["data_offsets"] = [0, 1 << 60]
    elif sort == 4:
        del header[name]
    elif sort == 5:
        entry["shape"] = entry["shape"][::-1]
    else:
        length = (0, 1 << 62, 5)[random.integers(0, 3)]
        _replace(path, struct.pack("<Q", length) + data[8:])
        return f"weights, header of {length} bytes", False
    text = json.dumps(header).encode()
    _replace(path, struct.pack("<Q", len(text)) + text + data[8 + struct.unpack("<Q", data[:8])[0] :])
    is_square = sort == 5 and entry["shape"] == entry["shape"][::-1]
    # Four bytes of one type are four bytes of another.
    return f"weights, sort {sort} of {name}", is_square or sort == 2


def _file_missing(random: Random, folder: Path) -> tuple[str, bool]:
    path = _pick(random, folder)
    path.unlink()
    sort = random.integers(0, 3)
    if sort == 1:
        path.mkdir()
    elif sort == 2:
        os.mkfifo(path)
    # Templates and settings of generation may be missing.
    return f"{path.name} is {('missing', 'a folder', 'a pipe')[sort]}", True


def _pickled(random: Random, folder: Path) -> tuple[str, bool]:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"a": os.getcwd}))
    return "pickled weights", False


def _as_it_is(random: Random, folder: Path) -> tuple[str, bool]:
    path = _pick(random, folder)
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    return "as it is", False
