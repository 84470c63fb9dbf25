# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Small drawn folders in COCO format."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask


def compressed(mask: np.ndarray) -> dict[str, Any]:
    """A mask as COCO's compressed run-length code."""
    code = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(code["size"]), "counts": code["counts"].decode()}


def uncompressed(mask: np.ndarray) -> dict[str, Any]:
    """A mask as runs of zeros and ones, column by column."""
    flat = mask.astype(np.uint8).ravel(order="F")
    ends = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *runs] if flat[0] else runs}


def rectangle(box: tuple[int, int, int, int], shape: tuple[int, int]) -> np.ndarray:
    """A mask that is one box (left, top, right, bottom)."""
    left, top, right, bottom = box
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


def draw_scene(
    random: np.random.Generator, width: int, height: int, category: str, count: int
) -> tuple[np.ndarray, list[tuple[str, np.ndarray]]]:
    """Coloured boxes on a ground of faint texture: the image, and (category, mask) of each box."""
    ground = (
        np.array((112, 116, 108)) + random.normal(0, 5, (height, width, 1)) + random.normal(0, 2, (height, width, 3))
    )
    image = ground.clip(0, 255).astype(np.uint8)
    things: list[tuple[str, np.ndarray]] = []
    taken = np.zeros((height, width), bool)
    for _ in range(200):
        if len(things) == count:
            break
        wide, high = (int(random.integers(14, 22)), int(random.integers(34, 44))) if category == "person" else (28, 20)
        left, top = int(random.integers(12, width - wide - 12)), int(random.integers(12, height - high - 12))
        mask = rectangle((left, top, left + wide, top + high), (height, width))
        if taken[max(0, top - 12) : top + high + 12, max(0, left - 12) : left + wide + 12].any():
            continue
        taken |= mask
        image[mask] = [(200, 30, 30), (30, 60, 190), (225, 225, 225)][int(random.integers(3))]
        things.append((category, mask))
    return image, things


def write_folder(
    folder: Path,
    images: int = 12,
    size: tuple[int, int] = (320, 300),
    categories: tuple[str, ...] = ("car", "person"),
    count: int = 6,
    seed: int = 0,
) -> Path:
    """
    Writes a folder in COCO format.

    Args:
        folder (`Path`): Made.
        images (`int`): How many.
        size (`tuple[int, int]`): Width and height.
        categories (`tuple[str, ...]`): One for each image in turn.
        count (`int`): Things in an image.
        seed (`int`): Of everything.

    Returns:
        `Path`: The folder.
    """
    random = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    numbers = {name: number + 1 for number, name in enumerate(categories)}
    content: dict[str, list] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": number, "name": name} for name, number in numbers.items()],
    }
    for index in range(images):
        image, things = draw_scene(random, *size, categories[index % len(categories)], count)
        name = f"{folder.name}_{index:03d}.png"
        Image.fromarray(image).save(folder / "images" / name)
        content["images"].append({"id": index, "file_name": name, "width": size[0], "height": size[1]})
        for kind, mask in things:
            content["annotations"].append(
                {
                    "id": len(content["annotations"]),
                    "image_id": index,
                    "category_id": numbers[kind],
                    "segmentation": compressed(mask),
                    "iscrowd": 0,
                }
            )
    (folder / "annotations.json").write_text(json.dumps(content))
    return folder
