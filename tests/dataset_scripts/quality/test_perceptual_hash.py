# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from dataset_scripts.quality.perceptual_hash import (
    SYMMETRIES,
    find_near_duplicates,
    hash_distances,
    image_hashes,
    image_thumbnail,
    look_alike,
)
from tests.dataset_scripts.raw_folders import draw_image


def draw(seed: int) -> Image.Image:
    """Blotches, coarse and fine."""
    coarse = draw_image(seed, (120, 90))
    fine = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (18, 24, 3), dtype=np.uint8))
    return Image.blend(coarse, fine.resize(coarse.size, Image.Resampling.BICUBIC), 0.5)


def encode_badly(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=20)
    return Image.open(buffer)


THUMBNAILS = np.stack([image_thumbnail(draw(seed)) for seed in range(300)])
CHANGES: dict[str, tuple[Callable[[Image.Image], Image.Image], str]] = {
    "nothing": (lambda image: image, "the same way up"),
    "JPEG": (encode_badly, "the same way up"),
    "a third of the size": (lambda image: image.resize((40, 30)), "the same way up"),
    "brightness": (lambda image: ImageEnhance.Brightness(image).enhance(0.7), "the same way up"),
    "contrast": (lambda image: ImageEnhance.Contrast(image).enhance(0.6), "the same way up"),
    "blur": (lambda image: image.filter(ImageFilter.GaussianBlur(2)), "the same way up"),
    "grey": (lambda image: image.convert("L"), "the same way up"),
    "mirror": (ImageOps.mirror, "mirrored"),
    "upside down": (ImageOps.flip, "mirrored and turned by 180°"),
    "quarter turn": (lambda image: image.transpose(Image.Transpose.ROTATE_270), "turned by 90°"),
    "half turn": (lambda image: image.transpose(Image.Transpose.ROTATE_180), "turned by 180°"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_image_is_found_again_among_others_however_it_was_changed(change: str) -> None:
    function, symmetry = CHANGES[change]
    queries = np.stack([image_thumbnail(function(draw(seed))) for seed in range(0, 300, 20)])
    matches = find_near_duplicates(queries, THUMBNAILS)
    assert [(match.query, match.found) for match in matches] == [(number, 20 * number) for number in range(15)]
    assert {match.symmetry for match in matches} == {symmetry}
    assert all(match.distance <= 7 and match.correlation > 0.95 for match in matches)


def test_other_images_are_not_found() -> None:
    others = np.stack([image_thumbnail(draw(seed)) for seed in range(1000, 1300)])
    assert find_near_duplicates(others, THUMBNAILS, max_distance=15) == []


def test_flat_images_are_like_no_other() -> None:
    flat = np.full((5, 32, 32), 90, dtype=np.uint8)
    flat[:, 0, 0] = 91
    assert find_near_duplicates(flat, flat) == []
    assert not look_alike(flat[0], flat[1])
    assert find_near_duplicates(flat[:0], THUMBNAILS) == []


def test_alike_hashes_of_images_that_do_not_correlate_are_no_match() -> None:
    """The hash keeps signs only: an image in which one place stands out hugely has another correlation."""
    query = THUMBNAILS[:1].astype(np.float32)
    spoiled = query.copy()
    rows, columns = np.meshgrid(np.arange(32), np.arange(32), indexing="ij")
    spoiled += 70 * np.where((rows + columns) % 2, 1, -1)  # a frequency above those that are hashed
    spoiled = np.clip(spoiled, 0, 255).astype(np.uint8)
    distance = hash_distances(image_hashes(spoiled), image_hashes(THUMBNAILS[:1]))[0]
    assert distance <= 15
    assert find_near_duplicates(spoiled, THUMBNAILS[:1], max_distance=15) == []


@pytest.mark.parametrize("max_distance", [0, 3, 7, 11, 15])
def test_the_index_finds_what_comparing_everything_finds(max_distance: int) -> None:
    rng = np.random.default_rng(0)
    queries = THUMBNAILS[:60].copy()
    noise = rng.normal(0, np.linspace(0, 40, 60)[:, None, None], queries.shape)
    queries = np.clip(queries + noise, 0, 255).astype(np.uint8)
    found = {(match.query, match.found) for match in find_near_duplicates(queries, THUMBNAILS, max_distance)}
    distances = hash_distances(image_hashes(queries)[:, None], image_hashes(THUMBNAILS)[None, :])
    near = {(int(query), int(other)) for query, other in np.argwhere(distances <= max_distance)}
    expected = {(query, other) for query, other in near if look_alike(queries[query], THUMBNAILS[other])}
    assert found == expected
    assert found


def test_many_equal_images_do_not_stop_the_search() -> None:
    equal = np.repeat(THUMBNAILS[:1], 3000, axis=0)
    matches = find_near_duplicates(equal, equal)
    assert [(match.query, match.found, match.distance) for match in matches] == [(row, 0, 0) for row in range(3000)]


def test_a_scene_of_many_frames_does_not_stop_the_search() -> None:
    noise = np.random.default_rng(0).normal(0, 2, (600, 32, 32))
    frames = np.clip(THUMBNAILS[0] + noise, 0, 255).astype(np.uint8)
    assert len(find_near_duplicates(frames[:300], frames[300:])) == 300


def test_distances_count_bits() -> None:
    first = np.array([0, 0, 2**64 - 1, 0b1011], dtype=np.uint64)
    second = np.array([0, 2**64 - 1, 2**64 - 1, 0b0010], dtype=np.uint64)
    assert hash_distances(first, second).tolist() == [0, 64, 0, 2]


def test_there_are_eight_symmetries_and_a_range_of_distances() -> None:
    assert len({(mirrored, turn) for _, mirrored, turn in SYMMETRIES}) == 8
    for wrong in (-1, 16):
        with pytest.raises(ValueError, match=f"max_distance is {wrong}"):
            find_near_duplicates(THUMBNAILS, THUMBNAILS, wrong)
