# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Nuisance differences between the two images, which a model must learn to ignore: season, exposure, haze, colour
balance, blur, sensor noise, JPEG artefacts, and a small shift and tilt. They do not change the scene.
"""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from dataset_scripts.synthesis.scene import Color, Rendering

from .textures import noise


# Colour of plants in another season, and the share of this colour.
_SEASONS: tuple[tuple[Color, float], ...] = (
    ((148, 134, 84), 0.55),  # dry summer
    ((156, 112, 58), 0.5),  # autumn
    ((120, 112, 96), 0.55),  # winter
    ((86, 132, 58), 0.4),  # spring
)
_LUMA = np.array((0.299, 0.587, 0.114))


@dataclass(frozen=True)
class Camera:
    """
    The conditions under which one image is taken.

    Args:
        season (`tuple[Color, float]`, *optional*): Colour of plants in the season, and its share, 0 to 1.
        saturation (`float`): Saturation factor: 0 is grey, 1 leaves the colours unchanged.
        gain (`np.ndarray`): Factor of each channel, (3,).
        gamma (`float`): Exponent of the brightness.
        contrast (`float`): Factor of the distance from middle grey.
        haze (`float`): Opacity of the haze, 0 to 1.
        clouds (`float`): Standard deviation of the large, soft variations in brightness, as a share.
        blur (`float`): Standard deviation of the blur in pixels.
        noise (`float`): Standard deviation of the sensor noise in grey levels.
        jpeg_quality (`int`, *optional*): Quality of the JPEG compression; no compression if `None`.
    """

    season: tuple[Color, float] | None
    saturation: float
    gain: np.ndarray
    gamma: float
    contrast: float
    haze: float
    clouds: float
    blur: float
    noise: float
    jpeg_quality: int | None


def sample_camera(random: np.random.Generator, strength: float = 1.0) -> Camera:
    """
    Samples random conditions.

    Args:
        random (`np.random.Generator`): Random generator.
        strength (`float`, *optional*, defaults to 1.0): How far the conditions deviate from neutral ones, 0 to 1.

    Returns:
        `Camera`: The conditions.
    """

    def spread(width: float) -> float:
        return float(random.normal(0, width * strength))

    def often(share: float) -> bool:
        return bool(random.random() < share * strength)

    season = _SEASONS[int(random.integers(len(_SEASONS)))] if often(0.5) else None
    return Camera(
        season=season and (season[0], season[1] * float(random.uniform(0.4, 1.0))),
        saturation=float(np.clip(0.82 + spread(0.17), 0.35, 1.2)),
        gain=np.clip(np.exp(spread(0.16) + random.normal(0, 0.045 * strength, 3)), 0.55, 1.6),
        gamma=float(np.exp(spread(0.16))),
        contrast=float(np.clip(np.exp(spread(0.12)), 0.7, 1.3)),
        haze=float(random.uniform(0, 0.3)) if often(0.3) else 0.0,
        clouds=float(random.uniform(0.03, 0.12)) if often(0.4) else 0.0,
        blur=float(random.uniform(0.3, 1.1)) if often(0.4) else 0.0,
        noise=float(random.uniform(0.8, 6.0)) if often(0.6) else 0.0,
        jpeg_quality=int(random.integers(40, 96)) if often(0.6) else None,
    )


def take_image(rendering: Rendering, camera: Camera, random: np.random.Generator) -> Image.Image:
    """
    Applies the conditions to a rendering.

    Args:
        rendering (`Rendering`): The painted scene.
        camera (`Camera`): The conditions.
        random (`np.random.Generator`): Random generator for noise and clouds.

    Returns:
        `PIL.Image.Image`: RGB, the size of the rendering.
    """
    size = rendering.numbers.shape[0]
    # Lengths are given for images of 256 pixels. Larger images show the same scene in more detail.
    scale = max(1.0, size / 256)
    image = Image.fromarray(rendering.image)
    if camera.season is not None:
        color, share = camera.season
        veil = Image.fromarray(rendering.vegetation).point([round(share * value) for value in range(256)])
        image = Image.composite(_tinted(image, color), image, veil)
    image = image.convert("RGB", _saturation_matrix(camera.saturation)).point(_tone_table(camera))
    if camera.blur:
        image = image.filter(ImageFilter.GaussianBlur(camera.blur * scale))
    if camera.clouds or camera.noise:
        image = Image.fromarray(_uneven(np.asarray(image), camera, random))
    if camera.jpeg_quality is not None:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=camera.jpeg_quality)
        image = Image.open(buffer).convert("RGB")
    return image


def _tinted(image: Image.Image, color: Color) -> Image.Image:
    """Returns the image in shades of one colour, with its brightness unchanged."""
    brightness = sum(channel * weight for channel, weight in zip(color, _LUMA.tolist(), strict=True))
    rows = [(*(_LUMA * channel / brightness).tolist(), 0.0) for channel in color]
    return image.convert("RGB", tuple(value for row in rows for value in row))


def _saturation_matrix(saturation: float) -> tuple[float, ...]:
    matrix = np.eye(3) * saturation + (1 - saturation) * _LUMA[None, :]
    return tuple(value for row in matrix.tolist() for value in (*row, 0.0))


def _tone_table(camera: Camera) -> list[int]:
    """Lookup table of gain, gamma, contrast and haze: new value for each of the 256 values of each channel."""
    values = np.linspace(0, 1, 256)[None, :] ** camera.gamma * camera.gain[:, None]
    values = (values - 0.5) * camera.contrast + 0.5
    values = values * (1 - camera.haze) + 0.86 * camera.haze
    return [int(value) for value in (values * 255).clip(0, 255).round().reshape(-1)]


def _uneven(pixels: np.ndarray, camera: Camera, random: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[:2]
    values = pixels.astype(np.float32)
    if camera.clouds:
        values *= (1 + camera.clouds * noise(random, "cloudy", width, height))[..., None]
    if camera.noise:
        # Three quarters of the noise are the same in all channels, as in real cameras.
        values += (0.75 * camera.noise * noise(random, "fine", width, height))[..., None]
        for channel in range(3):
            values[..., channel] += 0.5 * camera.noise * noise(random, "fine", width, height)
    return np.clip(values, 0, 255).astype(np.uint8)


def shifted(rendering: Rendering, random: np.random.Generator, reach: float) -> Rendering:
    """
    Imitates a slightly different camera position: each corner moves inwards by a random distance up to `reach`.

    Args:
        rendering (`Rendering`): The painted scene.
        random (`np.random.Generator`): Random generator.
        reach (`float`): Largest movement of a corner, as a share of the side.

    Returns:
        `Rendering`: Same size. The image is sampled bilinearly, numbers and vegetation by nearest neighbour.
    """
    size = rendering.numbers.shape[0]
    moves = random.uniform(0, reach * size, (4, 2))
    corners = np.array(((0, 0), (size, 0), (size, size), (0, size)), dtype=np.float64)
    targets = corners + moves * np.array(((1, 1), (-1, 1), (-1, -1), (1, -1)))
    coefficients = _perspective(corners, targets)

    def warp(plane: np.ndarray, resample: Image.Resampling) -> np.ndarray:
        image = Image.fromarray(plane)
        return np.asarray(image.transform(image.size, Image.Transform.PERSPECTIVE, coefficients, resample))

    return Rendering(
        warp(rendering.image, Image.Resampling.BILINEAR),
        warp(rendering.numbers.astype(np.int32), Image.Resampling.NEAREST).astype(np.int16),
        warp(rendering.vegetation, Image.Resampling.NEAREST),
    )


def _perspective(corners: np.ndarray, targets: np.ndarray) -> tuple[float, ...]:
    """Returns the eight coefficients of the projective map from `corners` to `targets`, in PIL's order."""
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, targets, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return tuple(float(value) for value in np.linalg.solve(np.array(rows), np.array(values)))
