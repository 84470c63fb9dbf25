# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A large generated scene with a place on the ground: two GeoTIFF files, and the truth for two sentences."""

from pathlib import Path
from typing import Any

import numpy as np

from dataset_scripts.errors import DataError
from mtrefseg.io import unfinished_folder

from .generator import Generator
from .language.observation import Observation


TILES, TILE = 8, 256
"""A scene is 8 x 8 generated pairs of 256 pixels."""
PIXEL_SIZE = 0.5
"""Metres on the ground. The place, in UTM zone 33 north, means nothing."""
ORIGIN, CRS = (500_000, 5_400_000), "EPSG:32633"
_JPEG_QUALITY = 45  # Keeps each date below 1 MB.
TRUTH = {"the houses that appeared": ("house", "appear"), "the houses that disappeared": ("house", "disappear")}
"""Sentence -> kind and change of the things in its band of `truth.tif`."""


def write_scene(folder: Path, seed: int = 0) -> list[Path]:
    """
    Writes `t1.tif`, `t2.tif` and `truth.tif` (a band for each sentence of `TRUTH`, 0 or 1).

    Args:
        folder (`Path`): The folder; made if it is not there.
        seed (`int`, *optional*, defaults to 0): The same seed gives the same scene.

    Returns:
        `list[Path]`: The files.

    Raises:
        [`DataError`]: If `seed` is negative, rasterio is not installed, or the folder cannot be written into.
    """
    try:
        import rasterio
        from rasterio.transform import from_origin
    except ImportError as error:
        raise DataError("A scene needs rasterio: pip install 'mtrefseg[geo]'") from error
    try:
        generator = Generator(seed=seed, size=TILE, domains=("RS",), split="test", strength=0.3)
    except ValueError as error:
        raise DataError(str(error)) from error
    dates, truth = _generate(generator)
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "width": TILES * TILE,
        "height": TILES * TILE,
        "dtype": "uint8",
        "crs": CRS,
        "transform": from_origin(*ORIGIN, PIXEL_SIZE, PIXEL_SIZE),
        "tiled": True,
    }
    jpeg = {"compress": "jpeg", "photometric": "ycbcr", "jpeg_quality": _JPEG_QUALITY, "count": 3}
    names = ("t1.tif", "t2.tif", "truth.tif")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # An interrupted run leaves no black files.
        with unfinished_folder(folder) as unfinished:
            paths = [unfinished / name for name in names]
            for path, values in zip(paths, dates):
                with rasterio.open(path, "w", **profile, **jpeg) as raster:
                    raster.write(values)
            with rasterio.open(paths[2], "w", **profile, compress="deflate", count=len(TRUTH)) as raster:
                raster.write(truth)
                for band, text in enumerate(TRUTH, start=1):
                    raster.set_band_description(band, text)
            return [path.replace(folder / path.name) for path in paths]
    except (OSError, rasterio.errors.RasterioError) as error:
        raise DataError(f"Cannot write into {folder}: {error}") from error


def _generate(generator: Generator) -> tuple[list[np.ndarray], np.ndarray]:
    """Both dates, uint8 (3, side, side), and the truth, uint8 (sentences, side, side): pairs side by side."""
    side = TILES * TILE
    dates = [np.zeros((3, side, side), dtype=np.uint8) for _ in range(2)]
    truth = np.zeros((len(TRUTH), side, side), dtype=np.uint8)
    for index in range(TILES**2):
        top, left = index // TILES * TILE, index % TILES * TILE
        part = (slice(None), slice(top, top + TILE), slice(left, left + TILE))
        pair = generator.pair(index)
        for date, image in zip(dates, (pair.image_t1, pair.image_t2)):
            date[part] = np.asarray(image).transpose(2, 0, 1)
        observation = Observation(pair.scene, pair.numbers_t1, pair.numbers_t2)
        for band, (kind, change) in enumerate(TRUTH.values()):
            things = [one.number for one in observation.sightings if (one.kind, one.change) == (kind, change)]
            truth[band][part[1:]] = observation.mask(*things)
    return dates, truth
