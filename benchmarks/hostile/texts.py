# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""JSON and YAML files, `metadata.jsonl`, the JSON files of the raw layout, and cards of exports."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dataset_scripts.errors import DataError
from dataset_scripts.export import export_dataset
from dataset_scripts.readers import PairSource, open_pairs
from mtrefseg.io import read_json, read_yaml

from .cases import Case, Random
from .pixels import cut, flip


ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 3.5, 10**30, [], {}, [None], {"path": 3}, [["a"]], "", " ", "\t\n"),
    *("\ud800", "a\udcff", "a\0b", "../../etc/passwd", "/etc/passwd", "C:\\a.png", "//host/a.png", "x" * 5000),
)
WORDS = ("the", "red", "house", "Haus", "屋", "é", "that appeared", "“new”", "🏠", "<b>", "{0}", "%s", "$(x)")
NO_JSON = (
    *(b"", b"\0\0", b"[1]", b"3", b"null", b'"text"', b"\xff\xfe{}", b'{"a":', b"{'a': 1}", b"{" * 20_000),
    *(b"[" * 100_000, b'{"a":' * 50_000, b'{"expression": ' + b"9" * 5000 + b"}", b'{"a": NaN', b"\xc3\x28"),
)
ODD_YAML = (
    *("3", "null", "[]", "{}", "2024-01-01", "2024-13-45", "!!python/object/apply:os.getpid []", "!!binary x", "\t"),
    *("1:99999999999:3", "!!int x", "!!timestamp x", "!!float y", ".inf", "- ", "*nothing", "1e999999", "!!set {x}"),
    *("'../../x'", "/etc/*", "'*/../*'", "~root/*", "'[!'", "'[z-a]*'", "'a\\0'", '"a\\0b"', '"\\ud800"', "&a [*a]"),
    *("9" * 5000, "0x" + "f" * 6000, "'" + "x" * 5000 + "'", "'**" + "/**" * 50 + "'", "[" * 3000, "? [a]\n: b"),
)
_EXPORT = Path("export")
_SENTENCES = ["the house that appeared", "the car that left"]


def sentence(random: Random, number: int) -> str:
    """A sentence that no other row has."""
    return f"{' '.join(random.choice(WORDS, random.integers(1, 5)))} {number}"


# --- files of JSON and YAML ---


def make_file(random: Random, folder: Path) -> Case:
    """A JSON or YAML file."""
    is_yaml = bool(random.random() < 0.3)
    read = read_yaml if is_yaml else read_json
    path = folder / "file"
    value = {sentence(random, number): _value(random, 3) for number in range(random.integers(0, 4))}
    text = json.dumps(value, ensure_ascii=bool(random.random() < 0.5))
    # A letter beyond 16 bits, escaped as two surrogates, is another thing to YAML.
    text = json.dumps(value, ensure_ascii=False) if is_yaml else text
    data = text.encode()
    sort = random.integers(0, 6)
    is_right: Callable[[Any], bool] | None = value.__eq__
    is_undetectable = False
    if sort == 0:
        data = b"\xef\xbb\xbf" + data
    elif sort == 1:
        data = b"\r\n \n" + data + b"\n\n"
    elif sort == 2:
        data = (flip, cut)[random.integers(0, 2)](random, data)
        is_undetectable = True
    elif sort == 3:
        data = text.encode(("utf-16", "utf-32", "latin-1")[random.integers(0, 3)], "replace")
        is_undetectable = True
    elif sort == 4:
        data = NO_JSON[random.integers(0, len(NO_JSON))]
        is_right, is_undetectable = None, True
    if sort == 5 and random.random() < 0.5:
        os.mkfifo(path)
        is_right = None
    else:
        path.write_bytes(data)
    is_whole = sort in (0, 1) or (sort == 5 and is_right is not None)
    what = f"{'YAML' if is_yaml else 'JSON'}, sort {sort}, {data[:30]!r}"
    return Case(what, lambda: read(path), (ValueError, OSError), is_right, is_whole, is_undetectable)


def _value(random: Random, depth: int) -> Any:
    sort = random.integers(0, 7 if depth else 5)
    if sort < 5:
        simple = (sentence(random, 0), int(random.integers(-(2**62), 2**62)), float(random.normal()), None, True)
        return simple[sort]
    children = [_value(random, depth - 1) for _ in range(random.integers(0, 3))]
    return children if sort == 5 else {f"key {index}": child for index, child in enumerate(children)}


# --- metadata.jsonl ---


def make_rows(random: Random, folder: Path) -> Case:
    """Good and bad rows of one `metadata.jsonl`: the good ones are all read, the bad ones are all reported."""
    for name in ("t1/0.png", "t2/0.png", "t1/1.png", "t2/1.png", "mask.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    lines, expected, lost = [], [], 0
    for number in range(int(random.integers(2, 9))):
        line, said = _row(random, number, is_good=number == 0 or random.random() < 0.4)
        lines.append(line)
        expected += [] if said is None else [said]
        lost += said is None
    if random.random() < 0.3:
        lines.insert(int(random.integers(0, len(lines) + 1)), b"  ")
    mark = b"\xef\xbb\xbf" if random.random() < 0.2 else b""
    end = b"\r\n" if random.random() < 0.3 else b"\n"
    (folder / "metadata.jsonl").write_bytes(mark + end.join(lines) + (end if random.random() < 0.8 else b""))
    return Case(
        f"rows {[line[:200] for line in lines]!r}"[:1500],
        lambda: open_pairs(folder),
        (DataError,),
        lambda source: _is_complete(source, expected, lost),
        must_read=True,
    )


def _is_complete(source: PairSource, expected: Sequence[str], lost: int) -> bool:
    """Whether exactly these sentences are read, and at least so many rows reported as skipped."""
    found = [expression.text for pair in source for expression in pair.expressions]
    return sorted(found) == sorted(expected) and len(source.report.skipped) >= lost


def _row(random: Random, number: int, is_good: bool) -> tuple[bytes, str | None]:
    """A row, and its sentence if it can be used."""
    said = sentence(random, number)
    side = int(random.integers(0, 2))
    row: dict[str, Any] = {
        "image_t1_file_name": f"t1/{side}.png",
        "image_t2_file_name": f"t2/{side}.png",
        "mask_file_name": "mask.png",
        "expression": said,
        "change_type": "appear",
        "domain": "RS",
    }
    if is_good:
        # Labels of any kind cost no row.
        for name in ("change_type", "domain", "view", "source", "noisy", "colour"):
            if random.random() < 0.3:
                row[name] = ODD_VALUES[random.integers(0, len(ODD_VALUES))]
        if random.random() < 0.3:
            row["expression"] = f"  {said}\t"
        return json.dumps(row, ensure_ascii=True).encode(), said
    if random.random() < 0.3:
        text = NO_JSON[1 + random.integers(0, len(NO_JSON) - 1)]
        return text.replace(b"\n", b""), None
    name = ("image_t1_file_name", "image_t2_file_name", "mask_file_name", "expression")[random.integers(0, 4)]
    value = ODD_VALUES[random.integers(0, len(ODD_VALUES))]
    if (name == "expression" and isinstance(value, str) and value.strip() and value.isprintable()) or value == "a\0b":
        value = None
    row[name] = value
    return json.dumps(row).encode(), None


# --- JSON files of the raw layout ---


def make_layout(random: Random, folder: Path) -> Case:
    """Two pairs with sentences; some sentences, or all of a file, are bad."""
    split = folder / "RS_train"
    for name in ("A", "B", "masks", "referring_expression"):
        (split / name).mkdir(parents=True)
    expected: list[str] = []
    lost = 0
    for pair in ("one", "two"):
        for name in ("A", "B", "masks"):
            (split / name / f"{pair}.png").touch()
        data, said, bad = _pair_json(random, pair)
        expected += said
        lost += bad
        (split / "referring_expression" / f"{pair}.json").write_bytes(data)
    return Case(
        f"JSON of a pair, {len(expected)} sentences good, {lost} bad",
        lambda: open_pairs(folder),
        (DataError,),
        lambda source: _is_complete(source, expected, lost),
        must_read=True,
    )


def _pair_json(random: Random, pair: str) -> tuple[bytes, list[str], int]:
    """A JSON file, the sentences in it that can be used, and how many findings there must be at least."""
    if random.random() < 0.25:
        return NO_JSON[random.integers(0, len(NO_JSON))], [], 1
    texts: list[Any] = []
    good: list[str] = []
    for number in range(random.integers(1, 6)):
        value = ODD_VALUES[random.integers(0, len(ODD_VALUES))]
        is_text = isinstance(value, str) and value.strip() and "\ud800" not in value and "\udcff" not in value
        texts.append(sentence(random, number) if is_text or random.random() < 0.6 else value)
        if texts[-1] is not value:
            good.append(texts[-1])
    content: dict[str, Any] = {"sample_id": pair, "referring_expressions": texts}
    for name in ("change_types", "noisy", "domain", "view", "source", "colour"):
        if random.random() < 0.3:
            odd = ODD_VALUES[random.integers(0, len(ODD_VALUES))]
            content[name] = [odd] * len(texts) if random.random() < 0.5 else odd
    return json.dumps(content).encode(), good, len(texts) - len(good)


# --- cards of exports ---


def prepare_export(folder: Path) -> None:
    """An export of one pair with two sentences."""
    global _EXPORT
    split = folder / "source" / "RS_train"
    image = np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)
    mask = np.tile(np.repeat([0, 255], 16), (32, 1)).astype(np.uint8)
    for name, pixels in (("A", image), ("B", image[::-1].copy()), ("masks", mask)):
        (split / name).mkdir(parents=True)
        Image.fromarray(pixels).save(split / name / "one.png")
    content = {"sample_id": "one", "referring_expressions": _SENTENCES, "mask": ["one.png"] * len(_SENTENCES)}
    (split / "referring_expression").mkdir()
    (split / "referring_expression" / "one.json").write_text(json.dumps(content), encoding="utf-8")
    _EXPORT = folder / "export"
    export_dataset(split.parent, _EXPORT)


def _bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, levels)]
    return "\n".join(lines)


def _cards(random: Random, data_file: str) -> tuple[str, str, bool]:
    """What it is, the YAML of a card, and whether it is a good one."""
    entry = f"data_files:\n  - split: train\n    path: {data_file}"
    good = {
        "plain": f"configs:\n- config_name: RS\n  {entry}",
        "no name": f"configs:\n- {entry}",
        "flow": f"{{configs: [{{config_name: RS, data_files: [{{split: train, path: ['{data_file}']}}]}}]}}",
        "alias": f"x: &x {data_file}\nconfigs:\n- config_name: RS\n  data_files:\n  - split: train\n    path: *x",
        "tagged": f"configs: !!seq\n- config_name: !!str 3\n  {entry}",
        "pattern": "configs:\n- config_name: RS\n  data_files:\n  - split: train\n    path: '**/*.parquet'",
        "more": f"licence: [{'x, ' * 200}]\ntags:\n- a\nconfigs:\n- config_name: 'R S/ü'\n  {entry}\n  extra: {{}}",
        "aliases beside": f"{_bomb(4)}\nconfigs:\n- config_name: RS\n  {entry}",
    }
    odd = ODD_YAML[random.integers(0, len(ODD_YAML))]
    bad = {
        "odd configs": f"configs: {odd}",
        "odd config": f"configs:\n- {odd}",
        "odd data_files": f"configs:\n- config_name: RS\n  data_files: {odd}",
        "odd split": f"configs:\n- config_name: RS\n  data_files:\n  - split: {odd}\n    path: {data_file}",
        "odd path": f"configs:\n- config_name: RS\n  data_files:\n  - split: train\n    path: {odd}",
        "bomb as configs": f"{_bomb(9)}\nconfigs: *a8",
        "bomb as a map": f"{_bomb(9)}\nconfigs: {{x: *a8}}",
        "bomb as name": f"{_bomb(9)}\nconfigs:\n- config_name: *a8\n  {entry}",
        "bomb as path": f"{_bomb(9)}\nconfigs:\n- config_name: RS\n  data_files:\n  - split: train\n    path: *a8",
        "bomb beside": f"{_bomb(9)}\nconfigs:\n- config_name: RS\n  {entry}",
        "merge": f"{_bomb(9)}\nconfigs:\n- <<: *a8\n",
        "unclosed": "configs:\n" + "\n" * 20_000,
    }
    is_good = bool(random.random() < 0.4)
    cards = good if is_good else bad
    what = str(random.choice(list(cards)))
    return f"{what} {odd[:60] if what.startswith('odd') else ''}", cards[what], is_good


def make_card(random: Random, folder: Path) -> Case:
    """A card of an export: it leads to the two sentences, or is refused."""
    data_file = next(_EXPORT.rglob("*.parquet"))
    name = data_file.relative_to(_EXPORT).as_posix()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    os.link(data_file, folder / name) if random.random() < 0.9 else shutil.copy(data_file, folder / name)
    what, text, is_good = _cards(random, name)
    end = "" if what.startswith("unclosed") else "---\n# A card\n"
    data = f"---\n{text}\n{end}".encode("utf-8", "surrogatepass")
    is_flipped = bool(random.random() < 0.2)
    if is_flipped:
        data, is_good = flip(random, data), False
    (folder / "README.md").write_bytes(data)
    return Case(
        f"card {what}{', bits flipped' if is_flipped else ''}",
        lambda: [expression.text for pair in open_pairs(folder) for expression in pair.expressions],
        (DataError,),
        _SENTENCES.__eq__,
        must_read=is_good,
    )
