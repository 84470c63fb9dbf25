# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Small raw folders, drawn, and everything that can be wrong with them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from dataset_scripts.readers import Reason


SIZE = (48, 32)
SECRET = "secret.png"


def draw_image(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A smooth random RGB image of this width and height."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def draw_mask(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A white rectangle on black, of mode "L"."""
    left, top = np.random.default_rng(seed).integers(0, (size[0] // 2, size[1] // 2))
    mask = np.zeros((size[1], size[0]), dtype=np.uint8)
    mask[top : top + size[1] // 3, left : left + size[0] // 3] = 255
    return Image.fromarray(mask)


def make_raw_split(
    root: Path,
    name: str,
    pairs: int = 3,
    expressions: int = 2,
    size: tuple[int, int] = SIZE,
    prefix: str | None = None,
    seed: int = 0,
    image_suffix: str = ".png",
) -> Path:
    """
    Draws one split folder: stage 1 if its name holds "pretrain".

    Args:
        root (`Path`): Folder of the dataset, made if need be.
        name (`str`): Name of the split folder.
        pairs, expressions (`int`): Number of pairs, and of sentences of each.
        size (`tuple[int, int]`): Width and height of all images, in pixels.
        prefix (`str`, *optional*): Pairs are called `<prefix>_000`, `<prefix>_001` …; by default the folder's name.
        seed (`int`): Another seed draws other images.
        image_suffix (`str`): ".png" or ".jpg".

    Returns:
        `Path`: The split folder.
    """
    folder = root / name
    for kind in ("A", "B", "masks"):
        (folder / kind).mkdir(parents=True)
    for number in range(pairs):
        pair_id = f"{prefix or name}_{number:03d}"
        pair_seed = seed + 1000 * sum(map(ord, name)) + 100 * number
        for kind in ("A", "B"):
            draw_image(pair_seed + ord(kind), size).save(folder / kind / (pair_id + image_suffix))
        if "pretrain" in name:
            draw_mask(pair_seed, size).save(folder / "masks" / f"{pair_id}.png")
        else:
            _write_expressions(folder, pair_id, expressions, pair_seed, size, image_suffix)
    return folder


def make_dataset(root: Path, pairs: int = 3) -> Path:
    """Split folders of both domains and both splits, and stage-1 ones of both domains."""
    for name in ("NS_train", "NS_val", "RS_train", "RS_val", "NS_pretrain", "RS_pretrain"):
        make_raw_split(root, name, pairs=pairs)
    return root


def _write_expressions(
    folder: Path, pair_id: str, count: int, seed: int, size: tuple[int, int], image_suffix: str
) -> None:
    (folder / "referring_expression").mkdir(exist_ok=True)
    (folder / "masks" / pair_id).mkdir()
    for index in range(count):
        draw_mask(seed + index, size).save(folder / "masks" / pair_id / f"{index}.png")
    content = {
        "sample_id": pair_id,
        "img_A": pair_id + image_suffix,
        "img_B": pair_id + image_suffix,
        "referring_expressions": [f"the thing number {index} that appeared" for index in range(count)],
        "mask": [f"{pair_id}/{index}.png" for index in range(count)],
        "change_types": [("appear", "disappear", "state_change")[index % 3] for index in range(count)],
        "view": "aerial" if "RS" in folder.name else "normal",
        "source": "drawn",
    }
    json_path(folder, pair_id).write_text(json.dumps(content), encoding="utf-8")


def json_path(folder: Path, pair_id: str) -> Path:
    return folder / "referring_expression" / f"{pair_id}.json"


def edit_json(folder: Path, pair_id: str, **changes: object) -> None:
    """Sets keys of a pair's JSON file; `None` removes one."""
    path = json_path(folder, pair_id)
    content = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}), encoding="utf-8")


def cut_short(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def write_bomb(path: Path) -> None:
    """A PNG of few bytes and 400 million pixels."""
    Image.new("1", (20000, 20000)).save(path)


def link_outside(path: Path) -> None:
    """Puts a link in the place of an image, to one beside the dataset's folder."""
    secret = path.parents[3] / SECRET
    draw_image(99).save(secret)
    path.unlink()
    path.symlink_to(secret)


def _mask_of(folder: Path, pair_id: str) -> Path:
    return folder / "masks" / pair_id / "0.png"


def _masks_of_ones(folder: Path, pair_id: str) -> None:
    mask = np.asarray(Image.open(_mask_of(folder, pair_id)))
    Image.fromarray(mask // 255).save(_mask_of(folder, pair_id))


def _grey_mask(folder: Path, pair_id: str) -> None:
    mask = np.asarray(Image.open(_mask_of(folder, pair_id)))
    Image.fromarray(np.where(mask, 200, 90).astype(np.uint8)).save(_mask_of(folder, pair_id))


def _red_mask(folder: Path, pair_id: str) -> None:
    mask = np.asarray(Image.open(_mask_of(folder, pair_id)))
    Image.fromarray(np.stack((mask, 0 * mask, 0 * mask), axis=-1)).save(_mask_of(folder, pair_id))


def _link_mask_outside(folder: Path, pair_id: str) -> None:
    """Puts a link in the place of the first mask, to an image beside the dataset's folder."""
    secret = folder.parents[1] / SECRET
    draw_mask(99).save(secret)
    _mask_of(folder, pair_id).unlink()
    _mask_of(folder, pair_id).symlink_to(secret)


def _cut_mask_short(folder: Path, pair_id: str) -> None:
    """A mask of noise first: the file of a smooth mask is so short that half of it may still be readable."""
    noise = np.random.default_rng(0).integers(0, 2, (SIZE[1], SIZE[0]), dtype=np.uint8) * 255
    Image.fromarray(noise).save(_mask_of(folder, pair_id))
    cut_short(_mask_of(folder, pair_id))


def _replace_json_by_folder(folder: Path, pair_id: str) -> None:
    json_path(folder, pair_id).unlink()
    json_path(folder, pair_id).mkdir()


def _resize(path: Path, size: tuple[int, int]) -> None:
    with Image.open(path) as image:
        resized = image.resize(size, Image.Resampling.NEAREST)
    resized.save(path)


Damage = Callable[[Path, str], object]
"""Takes a split folder and a pair id, and breaks that pair (of its expressions, the first)."""

BROKEN_PAIRS: dict[str, tuple[Damage, Reason]] = {
    "no t1": (lambda folder, pair: (folder / "A" / f"{pair}.png").unlink(), Reason.MISSING_IMAGE),
    "no t2": (lambda folder, pair: (folder / "B" / f"{pair}.png").unlink(), Reason.MISSING_IMAGE),
    "t1 is text": (
        lambda folder, pair: (folder / "A" / f"{pair}.png").write_text("no image"),
        Reason.UNREADABLE_IMAGE,
    ),
    "t1 is empty": (
        lambda folder, pair: (folder / "A" / f"{pair}.png").write_bytes(b""),
        Reason.UNREADABLE_IMAGE,
    ),
    "t2 is cut short": (lambda folder, pair: cut_short(folder / "B" / f"{pair}.png"), Reason.UNREADABLE_IMAGE),
    "t1 has 16 bits": (
        lambda folder, pair: Image.new("I;16", SIZE).save(folder / "A" / f"{pair}.png"),
        Reason.UNREADABLE_IMAGE,
    ),
    "t1 is huge": (lambda folder, pair: write_bomb(folder / "A" / f"{pair}.png"), Reason.IMAGE_TOO_LARGE),
    "t2 is smaller": (lambda folder, pair: _resize(folder / "B" / f"{pair}.png", (24, 16)), Reason.UNEQUAL_SIZES),
    "img_A climbs up": (
        lambda folder, pair: edit_json(folder, pair, img_A=f"../../{SECRET}"),
        Reason.PATH_ESCAPE,
    ),
    "img_B is absolute": (
        lambda folder, pair: edit_json(folder, pair, img_B=str(folder.parents[1] / SECRET)),
        Reason.PATH_ESCAPE,
    ),
    "img_A is of another drive": (
        lambda folder, pair: edit_json(folder, pair, img_A=f"C:\\{SECRET}"),
        Reason.PATH_ESCAPE,
    ),
    "sample_id climbs up": (lambda folder, pair: edit_json(folder, pair, sample_id="../up"), Reason.PATH_ESCAPE),
    "t1 links outside": (lambda folder, pair: link_outside(folder / "A" / f"{pair}.png"), Reason.PATH_ESCAPE),
    "JSON is cut short": (lambda folder, pair: cut_short(json_path(folder, pair)), Reason.UNREADABLE_JSON),
    "JSON is not UTF-8": (
        lambda folder, pair: json_path(folder, pair).write_bytes('{"referring_expressions": ["é"]}'.encode("latin-1")),
        Reason.UNREADABLE_JSON,
    ),
    "JSON is a list": (lambda folder, pair: json_path(folder, pair).write_text("[1, 2]"), Reason.UNREADABLE_JSON),
    "JSON is very deep": (
        lambda folder, pair: json_path(folder, pair).write_text("[" * 100_000),
        Reason.UNREADABLE_JSON,
    ),
    "JSON is a folder": (
        _replace_json_by_folder,
        Reason.UNREADABLE_JSON,
    ),
    "expressions are a text": (
        lambda folder, pair: edit_json(folder, pair, referring_expressions="the house"),
        Reason.UNREADABLE_JSON,
    ),
    "mask is a number": (lambda folder, pair: edit_json(folder, pair, mask=7), Reason.UNREADABLE_JSON),
    "img_A is a list": (lambda folder, pair: edit_json(folder, pair, img_A=["a.png"]), Reason.UNREADABLE_JSON),
    "no expressions": (
        lambda folder, pair: edit_json(folder, pair, referring_expressions=[], mask=[], change_types=[]),
        Reason.NO_EXPRESSION_LEFT,
    ),
}
"""What makes a reader skip the whole pair."""

BROKEN_EXPRESSIONS: dict[str, tuple[Damage, Reason]] = {
    "mask is missing": (lambda folder, pair: _mask_of(folder, pair).unlink(), Reason.MISSING_MASK),
    "mask entry is a number": (lambda folder, pair: edit_json(folder, pair, mask=[1, None]), Reason.MISSING_MASK),
    "mask is cut short": (
        _cut_mask_short,
        Reason.UNREADABLE_MASK,
    ),
    "mask climbs up": (
        lambda folder, pair: edit_json(folder, pair, mask=[f"../../../{SECRET}", None]),
        Reason.MASK_PATH_ESCAPE,
    ),
    "mask links outside": (_link_mask_outside, Reason.MASK_PATH_ESCAPE),
    "mask is square": (lambda folder, pair: _resize(_mask_of(folder, pair), (32, 32)), Reason.MASK_OF_OTHER_SHAPE),
    "mask is huge": (lambda folder, pair: write_bomb(_mask_of(folder, pair)), Reason.IMAGE_TOO_LARGE),
    "sentence is blank": (
        lambda folder, pair: edit_json(folder, pair, referring_expressions=[" \n", "the house"]),
        Reason.BLANK_EXPRESSION,
    ),
    "sentence is a number": (
        lambda folder, pair: edit_json(folder, pair, referring_expressions=[5, "the house"]),
        Reason.BLANK_EXPRESSION,
    ),
    "sentence is half a letter": (
        lambda folder, pair: edit_json(folder, pair, referring_expressions=["house \ud83c", "the house"]),
        Reason.BLANK_EXPRESSION,
    ),
}
"""What makes a reader skip the first of a pair's expressions."""

REPAIRS: dict[str, tuple[Damage, Reason]] = {
    "mask is half as large": (lambda folder, pair: _resize(_mask_of(folder, pair), (24, 16)), Reason.MASK_RESIZED),
    "mask is grey": (_grey_mask, Reason.MASK_NOT_BINARY),
    "mask holds ones": (_masks_of_ones, Reason.MASK_OF_ONES),
    "mask is red": (_red_mask, Reason.MASK_IN_COLOUR),
    "one mask too many": (
        lambda folder, pair: edit_json(folder, pair, mask=[f"{pair}/0.png", f"{pair}/1.png", f"{pair}/1.png"]),
        Reason.EXTRA_MASKS,
    ),
    "named mask is missing": (
        lambda folder, pair: edit_json(folder, pair, mask=["gone/7.png", f"{pair}/1.png"]),
        Reason.OTHER_MASK,
    ),
    "sentence has white space": (
        lambda folder, pair: edit_json(folder, pair, referring_expressions=[" the house\n", "the car"]),
        Reason.WHITESPACE_TRIMMED,
    ),
    "change type is unknown": (
        lambda folder, pair: edit_json(folder, pair, change_types=["exploded", "appear"]),
        Reason.UNKNOWN_LABEL,
    ),
    "change types are too few": (
        lambda folder, pair: edit_json(folder, pair, change_types=["appear"]),
        Reason.UNKNOWN_LABEL,
    ),
    "view is unknown": (lambda folder, pair: edit_json(folder, pair, view="underwater"), Reason.UNKNOWN_LABEL),
    "domain is a list": (lambda folder, pair: edit_json(folder, pair, domain=["RS"]), Reason.UNKNOWN_LABEL),
    "domain contradicts the folder": (
        lambda folder, pair: edit_json(folder, pair, domain="NS" if "RS" in folder.name else "RS"),
        Reason.UNKNOWN_LABEL,
    ),
}
"""What a reader puts right and reports."""


def make_damaged_dataset(root: Path) -> tuple[Path, dict[str, tuple[str, Reason]]]:
    """
    A split folder in which every pair but the last two has another damage.

    Args:
        root (`Path`): Folder of the dataset. Files are put beside it, too.

    Returns:
        `Path`: The split folder "RS_train".
        `dict[str, tuple[str, Reason]]`: Pair id and reason by the damage's name.
    """
    damages = {**BROKEN_PAIRS, **BROKEN_EXPRESSIONS, **REPAIRS}
    folder = make_raw_split(root, "RS_train", pairs=len(damages) + 3)
    expected = {}
    for number, (name, (damage, reason)) in enumerate(damages.items()):
        pair_id = f"RS_train_{number:03d}"
        damage(folder, pair_id)
        expected[name] = (pair_id, reason)
    duplicate, original = (f"RS_train_{len(damages) + offset:03d}" for offset in (1, 0))
    edit_json(folder, duplicate, sample_id=original)
    expected["id is used twice"] = (duplicate, Reason.DUPLICATE_ID)
    return folder, expected
