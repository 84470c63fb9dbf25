# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Cuts objects out of one image and pastes them into another one, adapting edges, light, sharpness and shadow."""

from dataclasses import dataclass

import cv2
import numpy as np

from .canvas import Box, Photo, disk, grown, window_of


MARGIN = 8
"""Pixels around a cut-out, in the target image."""

_MOST_COVERED = 0.10  # Maximum share of the rim that another thing touches; with more, it is probably covered by it
_GAINS = (0.72, 1.38)
# Pixels, of the rim of a cut-out for a sharpness of 1; so its rim is as sharp as those of things that were there.
_SOFTNESS, _SOFTNESS_TURNED = 0.095, 0.06
_LIGHT_SHARE = 0.55  # Strength of the adaptation to the light of the new surroundings


@dataclass(frozen=True)
class Shadow:
    """
    Direction and strength of shadows.

    Args:
        direction (`tuple[float, float]`): Unit vector (x, y) on the image.
        strength (`float`): How much darker it is in the shadow, 0 to 1.
        slant (`float`): Length of a shadow for a thing of height 1.
    """

    direction: tuple[float, float]
    strength: float
    slant: float


@dataclass(frozen=True)
class CutOut:
    """
    An object, cut out and scaled.

    Args:
        pixels (`np.ndarray`): RGB, float32, (height, width, 3); its colours are continued around the thing.
        opacity (`np.ndarray`): float32 (height, width), 0 to 1.
        surroundings (`np.ndarray`): float32 (3,), mean RGB around it in its own image.
    """

    pixels: np.ndarray
    opacity: np.ndarray
    surroundings: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """Its pixels: bool (height, width)."""
        return self.opacity > 0.5


def cut_out(
    photo: Photo, number: int, scale: float, degrees: float, is_mirrored: bool, sharpness: float
) -> CutOut | None:
    """
    Cuts out a thing from its image.

    Args:
        photo (`Photo`): The image.
        number (`int`): Number of the thing in `photo.numbers`.
        scale (`float`): Scale factor.
        degrees (`float`): Rotation angle.
        is_mirrored (`bool`): Whether left and right are exchanged.
        sharpness (`float`): Sharpness of the target image, see `edge_sharpness`.

    Returns:
        `CutOut`: The thing, `None` if other things cover its rim.
    """
    height, width = photo.numbers.shape
    box = photo.source.instances[number - 1].box
    pad = int(np.ceil(MARGIN / scale)) + 1
    area = (max(0, box[0] - pad), max(0, box[1] - pad), min(width, box[2] + pad), min(height, box[3] + pad))
    numbers = photo.numbers[window_of(area)]
    mask = (numbers == number).astype(np.uint8)
    if not mask.any():
        return None
    around = cv2.dilate(mask, disk(max(3, pad // 2))) & ~mask & 1
    rim = cv2.dilate(mask, disk(2)) & ~mask & 1
    if int((rim & (numbers > 0)).sum()) > _MOST_COVERED * int(rim.sum()):
        return None
    image = photo.image[window_of(area)]
    ground = image[(around > 0) & (numbers == 0)].astype(np.float32)
    if len(ground) < 12:
        return None
    if is_mirrored:
        image, mask = image[:, ::-1], mask[:, ::-1]
    pixels, opacity = _resized(np.ascontiguousarray(image), mask.astype(np.float32), scale)
    pixels, opacity = _carried_on(pixels, opacity)
    if degrees:
        pixels, opacity = _turned(pixels, opacity, degrees)
    pixels, opacity = _trimmed(pixels, opacity)
    pixels = _as_sharp(pixels, opacity, sharpness)
    # Rotation has already softened it.
    softness = _SOFTNESS_TURNED if degrees else _SOFTNESS
    # The rim of a mask shows the old surroundings, so it is shrunk by half a pixel and made as soft as other edges.
    soft = cv2.GaussianBlur(opacity, (0, 0), float(np.clip(softness / sharpness, 0.35, 1.1)))
    opacity = np.clip((soft - 0.22) / 0.66, 0, 1)
    return CutOut(pixels, opacity, ground.mean(axis=0))


def edge_sharpness(grey: np.ndarray, where: np.ndarray | None = None) -> float:
    """
    How sharp the edges of an image are: the second derivative across its strongest edges, as a share of the first.

    Args:
        grey (`np.ndarray`): float32 (height, width).
        where (`np.ndarray`, *optional*): bool (height, width), where it is measured.

    Returns:
        `float`: About 0.1 for a soft image and 0.35 for a very sharp one; 0 if there are no edges.
    """
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    bend = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    if where is not None:
        slope, bend = slope[where], bend[where]
    if slope.size < 30:
        return 0.0
    strong = slope >= max(20.0, float(np.quantile(slope, 0.9)))
    return float(np.median(bend[strong] / slope[strong])) if strong.any() else 0.0


def _as_sharp(pixels: np.ndarray, opacity: np.ndarray, sharpness: float) -> np.ndarray:
    """Blurs or sharpens a thing to a sharpness."""
    inner = cv2.erode((opacity > 0.9).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    own = edge_sharpness(pixels.mean(axis=2), inner)
    if own <= 0:
        return pixels
    ratio = sharpness / own
    if ratio < 0.8:
        blur = min(1.2, 0.45 * float(np.sqrt(0.64 / (ratio * ratio) - 1)))
        return cv2.GaussianBlur(pixels, (0, 0), blur) if blur > 0.25 else pixels
    if ratio > 1.1:
        return pixels + min(1.0, ratio - 1) * (pixels - cv2.GaussianBlur(pixels, (0, 0), 0.8))
    return pixels


def _resized(image: np.ndarray, mask: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    soft = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(image, size, interpolation=how).astype(np.float32), cv2.resize(mask, size, interpolation=soft)


def _carried_on(pixels: np.ndarray, opacity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The colours of the thing instead of those around it, also beyond its rim."""
    inner = cv2.erode((opacity > 0.9).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    if inner.sum() < 0.3 * opacity.sum():
        inner = (opacity > 0.7).astype(np.float32)
    weight = cv2.GaussianBlur(inner, (0, 0), 1.6)
    carried = cv2.GaussianBlur(pixels * inner[..., None], (0, 0), 1.6) / (weight[..., None] + 1e-4)
    own = np.clip(inner + (weight < 0.02), 0, 1)[..., None]
    return pixels * own + carried * (1 - own), opacity


def _turned(pixels: np.ndarray, opacity: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    height, width = opacity.shape
    angle = np.deg2rad(degrees)
    cosine, sine = abs(np.cos(angle)), abs(np.sin(angle))
    new_width, new_height = int(width * cosine + height * sine) + 1, int(width * sine + height * cosine) + 1
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    matrix[:, 2] += ((new_width - width) / 2, (new_height - height) / 2)
    size = (new_width, new_height)
    turned = cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return turned, cv2.warpAffine(opacity, matrix, size, flags=cv2.INTER_LINEAR)


def _trimmed(pixels: np.ndarray, opacity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut down to the thing and `MARGIN` pixels around it."""
    rows, columns = np.flatnonzero((opacity > 0.2).any(axis=1)), np.flatnonzero((opacity > 0.2).any(axis=0))
    if not len(rows):
        return pixels, opacity
    pads = ((MARGIN, MARGIN), (MARGIN, MARGIN))
    pixels, opacity = np.pad(pixels, (*pads, (0, 0)), mode="edge"), np.pad(opacity, pads)
    window = (
        slice(int(rows[0]), int(rows[-1]) + 1 + 2 * MARGIN),
        slice(int(columns[0]), int(columns[-1]) + 1 + 2 * MARGIN),
    )
    return pixels[window], opacity[window]


def fit_light(thing: CutOut, ground: np.ndarray) -> np.ndarray:
    """
    The pixels of a cut-out, adapted to the light of its new surroundings.

    Args:
        thing (`CutOut`): The thing.
        ground (`np.ndarray`): float (3,), mean RGB of the new surroundings.

    Returns:
        `np.ndarray`: RGB, float32, (height, width, 3).
    """
    gains = ((ground + 14) / (thing.surroundings + 14)) ** _LIGHT_SHARE
    # Grounds have their own colours: brightness counts more than hue.
    gains = 0.7 * gains.mean() + 0.3 * gains
    return thing.pixels * np.clip(gains, *_GAINS).astype(np.float32)


def put(
    image: np.ndarray, pixels: np.ndarray, opacity: np.ndarray, corner: tuple[int, int], darkness: np.ndarray | None
) -> None:
    """
    Pastes an object into an image, in place.

    Args:
        image (`np.ndarray`): RGB, uint8, (side, side, 3).
        pixels, opacity (`np.ndarray`): float32 (height, width, 3) and (height, width).
        corner (`tuple[int, int]`): Left and top; the object is completely inside the image.
        darkness (`np.ndarray`, *optional*): float32 (height, width), the shadow on the ground, 0 to 1.
    """
    left, top = corner
    height, width = opacity.shape
    part = image[top : top + height, left : left + width].astype(np.float32)
    ground = part if darkness is None else part * (1 - darkness[..., None])
    mixed = ground + (pixels - ground) * opacity[..., None]
    image[top : top + height, left : left + width] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)


def cast_shadow(opacity: np.ndarray, height: float, shadow: Shadow) -> np.ndarray:
    """
    The shadow of a thing seen from above.

    Args:
        opacity (`np.ndarray`): float32 (height, width), the thing.
        height (`float`): Its height in pixels.
        shadow (`Shadow`): The shadow.

    Returns:
        `np.ndarray`: float32 (height, width), how much darker it is, 0 to 1.
    """
    length = min(height * shadow.slant, MARGIN - 1.0)
    steps = max(1, int(np.ceil(length)))
    cast = np.zeros_like(opacity)
    size = (opacity.shape[1], opacity.shape[0])
    for step in range(1, steps + 1):
        x, y = (direction * length * step / steps for direction in shadow.direction)
        cast = np.maximum(cast, cv2.warpAffine(opacity, np.array(((1, 0, x), (0, 1, y)), np.float32), size))
    return cv2.GaussianBlur(cast, (0, 0), 0.8) * shadow.strength


def contact_shadow(opacity: np.ndarray, strength: float) -> np.ndarray:
    """The shadow at the foot of a thing that stands on the ground: float32 (height, width), 0 to 1."""
    rows, columns = np.flatnonzero((opacity > 0.5).any(axis=1)), np.flatnonzero((opacity > 0.5).any(axis=0))
    if not len(rows):
        return np.zeros_like(opacity)
    bottom, extent = int(rows[-1]), int(columns[-1]) - int(columns[0]) + 1
    foot = opacity.copy()
    foot[: max(0, bottom - max(3, round(0.12 * (bottom - int(rows[0])))))] = 0
    spread = float(np.clip(0.06 * extent, 1.0, 4.0))
    dark = cv2.GaussianBlur(foot, (0, 0), sigmaX=1.6 * spread, sigmaY=0.8 * spread)
    return np.clip(dark * 1.6, 0, 1) * strength


def ring_mean(image: np.ndarray, opacity: np.ndarray, corner: tuple[int, int]) -> np.ndarray:
    """Mean RGB of an image around a thing: float32 (3,)."""
    left, top = corner
    height, width = opacity.shape
    part = image[top : top + height, left : left + width]
    around = opacity < 0.05
    return part[around].astype(np.float32).mean(axis=0)


def box_at(opacity: np.ndarray, corner: tuple[int, int], side: int) -> Box:
    """The box of a thing at a place, without its margin."""
    height, width = opacity.shape
    left, top = corner
    return grown((left, top, left + width, top + height), -MARGIN, side)
