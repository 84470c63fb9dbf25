# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Opens the images of a scene on one grid, and reads parts of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
import shapely

from mtrefseg.errors import UserError, one_line
from mtrefseg.io import check_same_place

from ..windows import Box
from .bands import EIGHT_BITS, StretchOption, find_limits
from .grid import Grid
from .images import RasterImage, ReadOptions, SceneImage, open_sources


CACHE_MEGABYTES = 256
_SAME_PLACE = 0.5  # Maximum difference in pixels between the corners of aligned images.
_SAME_SIZE = 0.001  # Smaller differences in the size of pixels are not reported; relative.
_SAME_ANGLE = 0.01  # Likewise for angles; degrees.
_COMPLETE = 0.995  # If t2 covers less of t1, this is reported.
_LARGEST_READ = 1 << 24  # Pixels. A larger part of a scene is read from its overviews.


class Views(NamedTuple):
    """
    The images of all dates in a box.

    Args:
        images (`list[np.ndarray]`): For each date `uint8` of shape `(height, width, 3)`, black where there is no data.
        valid (`np.ndarray`): Booleans of shape `(height, width)`: where all dates have data.
    """

    images: list[np.ndarray]
    valid: np.ndarray


@dataclass
class Scene:
    """
    The images of a place at several dates on one grid, that of the first.

    Args:
        images (`list[SceneImage]`): The images, the earliest first.
        grid ([`Grid`]): The grid.
        notes (`list[str]`): Notes for the user about how they are read.
    """

    images: list[SceneImage]
    grid: Grid
    notes: list[str] = field(default_factory=list)

    @property
    def box(self) -> Box:
        """The complete scene."""
        return Box(0, 0, self.grid.width, self.grid.height)

    def read(self, box: Box, size: tuple[int, int] | None = None) -> Views:
        """
        Reads a part of all images.

        Args:
            box ([`Box`]): The part.
            size (`tuple[int, int]`, *optional*): Height and width to which it is shrunk.

        Raises:
            [`UserError`]: If a file is damaged.
        """
        parts = [image.read(box, size) for image in self.images]
        valid = np.logical_and.reduce([mask for _, mask in parts])
        if valid.all():
            return Views([pixels for pixels, _ in parts], valid)
        # Missing data of one date is black in all, so that it does not look like a change.
        return Views([np.where(valid[..., None], pixels, np.uint8(0)) for pixels, _ in parts], valid)

    def readable_size(self, box: Box) -> tuple[int, int] | None:
        """The size at which a part is read if it is too large for full resolution."""
        if box.width * box.height <= _LARGEST_READ:
            return None
        scale = np.sqrt(_LARGEST_READ / (box.width * box.height))
        return max(1, int(box.height * scale)), max(1, int(box.width * scale))


@contextmanager
def open_scene(sources: Sequence[Any], options: ReadOptions) -> Iterator[Scene]:
    """
    Opens the images of a place.

    Args:
        sources (`Sequence`): Paths or URLs of files, or other sources for [`load_image`]; the earliest first.
        options ([`ReadOptions`]): How they are read.

    Yields:
        [`Scene`]: The images on the grid of the first.

    Raises:
        [`UserError`]: If an image cannot be read, only some are georeferenced, they show different places,
            or their grids differ and may not be changed.
    """
    opened: list[SceneImage] = []
    with rasterio.Env(GDAL_CACHEMAX=CACHE_MEGABYTES, GDAL_DISABLE_READDIR_ON_OPEN=_files_beside(sources)):
        try:
            for image in open_sources(sources, options):
                opened.append(image)
            first = opened[0]
            for image in opened[1:]:
                _check_place(first, image, options)
                image.on_grid(first.grid)
            _share_units(opened)
            _share_limits(opened, options.stretch)
            notes = [note for image in opened for note in image.notes]
            yield Scene(opened, first.grid, notes)
        finally:
            for image in opened:
                image.close()


def _files_beside(sources: Sequence[Any]) -> str:
    """
    The setting with which GDAL looks for files beside an image: world files (.tfw), `.aux.xml`, masks (.msk) and
    overviews (.ovr). On a server, each look is a request, so they are only read for files of this machine.
    """
    is_local = any(isinstance(source, str | Path) and Path(source).exists() for source in sources)
    return "FALSE" if is_local else "EMPTY_DIR"


def _share_units(images: Sequence[SceneImage]) -> None:
    """Converts values to physical ones if the scales and offsets in the files differ: in newer scenes, some
    providers have shifted the zero."""
    rasters = [image for image in images if isinstance(image, RasterImage) and image.units]
    if len({image.units for image in rasters}) > 1:
        for image in rasters:
            image.use_units()
            spans = ", ".join(f"{scale:g} and {offset:g}" for scale, offset in image.units)
            image.notes.append(f"{image.name}: scale and offset of its bands are applied ({spans})")


def _share_limits(images: Sequence[SceneImage], stretch: StretchOption) -> None:
    """Sets the same limits for images of one type, and notes if there are several types."""
    groups: dict[tuple[str, int], list[RasterImage]] = {}
    for image in images:
        if isinstance(image, RasterImage) and image.kind is not None:
            groups.setdefault(image.kind, []).append(image)
    for (dtype, _), group in groups.items():
        if stretch is None or (stretch == "auto" and dtype == "uint8"):
            continue  # No samples are needed; they take long to read from a large file.
        limits_of_each = find_limits([image.samples() for image in group], stretch)
        for image, limits in zip(group, limits_of_each, strict=True):
            image.use_limits(limits)
            if limits is not None:
                spans = ", ".join(f"{low:g} to {high:g}" for low, high in limits)
                how = f"stretched ({spans} become 0 to 255)"
                if np.array_equal(limits, EIGHT_BITS[: len(limits)]):
                    how = "read as 8-bit values, because none exceeds 255"
                image.notes.append(f"{image.name}: the {dtype} values are {how}")
    kinds = [f"{count} band{'' if count == 1 else 's'} of {dtype}" for dtype, count in groups]
    firsts = [group[0] for group in groups.values()]
    for kind, image in list(zip(kinds, firsts))[1:]:
        image.notes.append(
            f"{image.name} has {kind}, but {firsts[0].name} has {kinds[0]}: if they look different in the overview, "
            "false changes are likely; store both alike"
        )


def _check_place(first: SceneImage, image: SceneImage, options: ReadOptions) -> None:
    """Rejects an image that cannot be warped onto the grid of the first."""
    grid, other = first.grid, image.grid
    if (grid.crs is None) != (other.crs is None):
        with_place, without = (first, image) if other.crs is None else (image, first)
        copy, first_step = without.name, ""
        if not isinstance(without, RasterImage):
            copy = f"{Path(without.name).stem}_placed.tif"
            first_step = f"rio convert {without.name} {copy}; "
        elif problem := _indirect_place(without):
            raise UserError(problem)
        raise UserError(
            f"{without.name} has no coordinate reference system, but {with_place.name} has one: add it (if both show "
            f"the same area: {first_step}rio edit-info {copy} --like {with_place.name} --crs like --transform like)"
        )
    if grid.crs is None:
        _check_unknown_place(first, image)
        sizes = [(one.width, one.height) for one in (grid, other)]
        if sizes[0] != sizes[1] and options.align == "error":
            raise UserError(
                f"{first.name} has {grid.width}x{grid.height} pixels and {image.name} {other.width}x{other.height}, "
                "and neither is georeferenced: if both show the same area, add --align resize"
            )
        return
    if isinstance(image, RasterImage):  # No other image has a coordinate reference system.
        image.turn_to(grid)
    other = image.grid
    if grid.is_same(other):
        return
    covered = _covered(grid, other)
    if not covered:
        raise UserError(
            f"{first.name} and {image.name} do not overlap: the first covers {grid.in_words()}, the other "
            f"{other.in_words()}; they are {grid.kilometres_to(other):,.0f} km apart"
        )
    if not options.warp:
        raise UserError(
            f"the grid of {image.name} is not that of {first.name} ({_difference(grid, other)}): leave out --no-warp"
        )
    part = "" if covered >= _COMPLETE else f"; it covers {_percent(covered)} of {first.name}, the rest has no data"
    image.notes.append(f"{image.name} is warped onto the grid of {first.name} ({_difference(grid, other)}){part}")


def _check_unknown_place(first: SceneImage, image: SceneImage) -> None:
    """Rejects images without a coordinate reference system whose transforms differ."""
    known = [(one.points, one.points_crs, one.polynomials) for one in (first, image)]
    if known[0] != known[1]:
        raise UserError(_indirect_place(image) or _indirect_place(first))
    if not (isinstance(first, RasterImage) and isinstance(image, RasterImage)):
        sizes = [(one.grid.width, one.grid.height) for one in (first, image)]
        try:
            check_same_place([first.source, image.source], sizes)
        except ValueError as error:
            raise UserError(one_line(error)) from error
        return
    corners = [one.grid.to_map(one.grid.corners) for one in (first, image)]
    if any(one.grid.transform.is_identity for one in (first, image)):
        return
    if np.abs(corners[0] - corners[1]).max() > _SAME_PLACE * np.sqrt(abs(first.grid.transform.determinant)):
        places = [f"({x:.10g}, {y:.10g})" for x, y in (corners[0][0], corners[1][0])]
        raise UserError(
            f"{first.name} begins at {places[0]} and {image.name} at {places[1]}, and without a coordinate reference "
            "system they cannot be overlaid: add it to both (rio edit-info FILE --crs EPSG:…)"
        )


def _indirect_place(image: SceneImage) -> str:
    """What is wrong with an image whose place is only known by control points or polynomials; "" for any other."""
    kind, option = ("ground control points", "") if image.points else ("rational polynomials (RPC)", "-rpc ")
    if not (image.points or image.polynomials):
        return ""
    return (
        f"{image.name} is georeferenced only by {kind}, which may differ from those of the other image: "
        f"warp it to a grid (gdalwarp {option}{image.name} warped.tif)"
    )


def _difference(grid: Grid, other: Grid) -> str:
    if grid.crs != other.crs:
        return f"{_short(other.crs)} instead of {_short(grid.crs)}"
    parts = []
    sizes = [one.pixel_size or 0.0 for one in (other, grid)]
    if abs(sizes[0] - sizes[1]) > _SAME_SIZE * sizes[1]:
        parts.append(f"pixels of {sizes[0]:.3g} m instead of {sizes[1]:.3g} m")
    angles = [np.degrees(np.arctan2(one.transform.d, one.transform.a)) for one in (other, grid)]
    turned = abs((angles[1] - angles[0] + 180) % 360 - 180)
    if turned > _SAME_ANGLE:
        parts.append(f"turned by {turned:.3g}°")
    if grid.transform != other.transform:
        a, b, c, d, e, f = grid.transform[:6]
        x, y = np.linalg.solve([[a, b], [d, e]], other.to_map(other.corners)[0] - (c, f)).round(2) + 0.0
        parts.append(f"it begins at pixel ({x:g}, {y:g})")
    return ", ".join(parts) or f"{other.width}x{other.height} pixels instead of {grid.width}x{grid.height}"


def _covered(grid: Grid, other: Grid) -> float:
    """
    The share of a grid that another one covers. The smaller one is projected onto the larger one: a projection may not
    reach all of a large one. If it does not reach all of the smaller one either, the share is taken for everything.
    """
    if grid.extent <= other.extent:
        outlines = grid.outline_on(other), other.outline
    else:
        outlines = grid.outline, other.outline_on(grid)
    are_finite = [np.isfinite(shapely.get_coordinates(outline)) for outline in outlines]
    if not all(finite.all() for finite in are_finite):
        return float(all(finite.any() for finite in are_finite))
    mine, theirs = map(shapely.make_valid, outlines)
    return float(shapely.intersection(mine, theirs).area / mine.area) if mine.area else 1.0


def _percent(share: float) -> str:
    """A share of less than everything, which is never called nothing or everything."""
    return "less than 1 %" if share < 0.01 else f"{min(99, round(100 * share))} %"


def _short(crs: Any) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_wkt())[:40]
