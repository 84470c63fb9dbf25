# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""One image of a scene: a raster file or a plain image, from which parts are read."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from xml.etree import ElementTree

import numpy as np
import rasterio
from PIL import Image
from pyproj import Transformer
from pyproj.exceptions import ProjError
from rasterio.enums import ColorInterp, Interleaving, MaskFlags, Resampling
from rasterio.io import MemoryFile
from rasterio.shutil import copy as copy_raster
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from mtrefseg.errors import UserError, one_line, readable
from mtrefseg.io import (
    OTHER_PAGES,
    RASTER_SUFFIXES,
    ImageError,
    decoding,
    read_images,
    read_tags,
    suffix_of,
    unsaid_nodata,
)

from ..windows import Box
from .bands import StretchOption, choose_bands, to_rgb
from .grid import WGS84, Grid


# GeoTIFFs are only read as such: a file that refers to other files could pretend to be one.
_DRIVERS = dict.fromkeys((".tif", ".tiff", ".gtiff"), "GTiff")
_LAB = 8  # The value of the TIFF tag PhotometricInterpretation for CIE L*a*b*.
_ANY_CRS = {"src_crs": "EPSG:3857", "crs": "EPSG:3857"}  # For images with the same extent.
_LARGEST_BLOCK = 1 << 30  # Bytes. GDAL decodes complete blocks.
_SAMPLE_SIDE = 1024  # Percentiles and the alpha check use the scene at this size.
_LEAST_BINARY = 0.5  # An alpha band has at least this share of values that are 0 or the highest.


@dataclass(frozen=True)
class ReadOptions:
    """
    How the images of a scene are read.

    Args:
        bands (`Sequence[int]`, *optional*): The bands for red, green and blue, or one grey band, from 1.
        stretch (`StretchOption`, *optional*, defaults to `"auto"`): Percentiles that become black and white; `None`
            keeps the values, `"auto"` uses 2 and 98 if they are neither 8-bit nor use all 16 bits.
        warp (`bool`): Whether later images are warped onto the grid of the first if their grid differs.
        align (`str`): `"resize"` resizes images without a georeference to the size of the first.
    """

    bands: Sequence[int] | None = None
    stretch: StretchOption = "auto"
    warp: bool = True
    align: str = "error"


def is_raster(source: Any) -> bool:
    """Whether an image is read in windows, according to the suffix of its path or URL."""
    return isinstance(source, str | Path) and suffix_of(source) in RASTER_SUFFIXES


def name_of(source: Any) -> str:
    """The name of an image in messages and reports."""
    return readable(str(source)) if isinstance(source, str | Path) else f"the given {type(source).__name__}"


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Converts errors of rasterio to a `UserError` that names the file."""
    try:
        yield
    except (rasterio.errors.RasterioError, rasterio.errors.CRSError) as error:
        # GDAL's message often begins with the name.
        detail = one_line(error.__cause__ or error).removeprefix(f"{name}: ")
        if "ReadBlock" in detail:
            detail = f"a part of it is missing or damaged; copy it again ({detail})"
        raise UserError(f"cannot read {name}: {detail}") from error
    except UnicodeEncodeError as error:
        raise UserError(f"cannot read {name}: GDAL only opens files whose names are UTF-8; rename it") from error


def open_raster(path: str | Path, mode: str = "r", driver: str | None = None) -> Any:
    """Opens a raster without a warning if it has no georeference: this is reported where it matters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        return rasterio.open(path, mode, driver=driver)


class SceneImage(Protocol):
    """
    An image of a scene, from which parts are read.

    Attributes:
        source (`Any`): Where it was read from: a path, a URL or another source for [`load_image`].
        name (`str`): Its name in messages and reports.
        notes (`list[str]`): Notes for the user about how it is read.
        grid ([`Grid`]): Its pixels.
        points (`list[tuple]`): Its ground control points, (row, column, x, y).
        points_crs (`Any`): Their coordinate reference system.
        polynomials (`dict[str, str]`): The tags of its rational polynomials (RPC).
    """

    source: Any
    name: str
    notes: list[str]
    grid: Grid
    points: list[Any]
    points_crs: Any
    polynomials: dict[str, str]

    def on_grid(self, grid: Grid) -> None:
        """Changes the grid; see [`RasterImage.on_grid`]."""
        ...

    def move(self, matrix: Affine) -> None:
        """Moves the image; see [`RasterImage.move`]."""
        ...

    def read(self, box: Box, size: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Reads a part; see [`RasterImage.read`]."""
        ...

    def close(self) -> None:
        """Closes the file."""
        ...


class PlainImage:
    """An image without a georeference, in memory. Its values were converted when it was read."""

    def __init__(self, source: Any, image: Image.Image) -> None:
        self.source, self.name = source, name_of(source)
        self.notes: list[str] = []
        self.points: list[Any] = []
        self.points_crs: Any = None
        self.polynomials: dict[str, str] = {}
        self._pixels = np.asarray(image)
        height, width = self._pixels.shape[:2]
        self._valid = np.ones((height, width), dtype=bool)
        self.grid = Grid(width, height, Affine.identity(), None)

    def on_grid(self, grid: Grid) -> None:
        """Resizes the image to the size of a grid."""
        if (self.grid.width, self.grid.height) != (grid.width, grid.height):
            resized = Image.fromarray(self._pixels).resize((grid.width, grid.height), Image.Resampling.BILINEAR)
            self._pixels, self.grid = np.asarray(resized), grid
            self._valid = np.ones((grid.height, grid.width), dtype=bool)

    def move(self, matrix: Affine) -> None:
        """See [`RasterImage.move`]."""
        back = (~matrix)[:6]
        size, mode = (self.grid.width, self.grid.height), Image.Transform.AFFINE
        image, valid = Image.fromarray(self._pixels), Image.fromarray(self._valid)
        self._pixels = np.asarray(image.transform(size, mode, back, Image.Resampling.BILINEAR))
        self._valid = np.asarray(valid.convert("L").transform(size, mode, back)) > 0

    def read(self, box: Box, size: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """See [`RasterImage.read`]."""
        inside = (slice(box.top, box.top + box.height), slice(box.left, box.left + box.width))
        part, valid = self._pixels[inside], self._valid[inside]
        if size is not None and size != part.shape[:2]:
            part = np.asarray(Image.fromarray(part).resize(size[::-1], Image.Resampling.BOX))
            valid = np.asarray(Image.fromarray(valid).resize(size[::-1], Image.Resampling.NEAREST))
        return part, valid

    def close(self) -> None:
        """Does nothing."""


class RasterImage:
    """
    A raster file, from which windows are read.

    Args:
        source (`str` or `Path`): Path or URL of the file.
        options ([`ReadOptions`]): Its bands and stretch.

    Raises:
        [`UserError`]: If the file cannot be opened or has no such bands.
    """

    def __init__(self, source: str | Path, options: ReadOptions) -> None:
        self.source, self.name = source, name_of(source)
        with reading(self.name):
            self._file = open_raster(source, driver=_DRIVERS.get(suffix_of(source)))
        try:
            self._check_blocks()
        except UserError:
            self._file.close()
            raise
        self._opened = [self._file]
        self.notes: list[str] = []
        self._limits: np.ndarray | None = None
        self._bands = choose_bands(self._file, options.bands)
        self._units: tuple[np.ndarray, np.ndarray] | None = None
        self._palette = self._find_palette()
        alpha = [index for index, kind in enumerate(self._file.colorinterp, 1) if kind == ColorInterp.alpha]
        self._alpha = alpha[0] if alpha and self._is_opacity(alpha[0]) else None
        self._check_types()
        self._note_bands(options)
        kind = self._file.tags(self._bands[0], ns="IMAGE_STRUCTURE")
        bits = int(kind.get("NBITS", 8))
        self._highest = (1 << bits) - 1 if self._palette is None and bits < 8 else 255
        self._is_inverted = self._palette is None and self._file.tags(ns="IMAGE_STRUCTURE").get("MINISWHITE") == "YES"
        self.grid = Grid(self._file.width, self._file.height, self._file.transform, self._find_crs())
        try:
            self._check_place()
        except UserError:
            self._file.close()
            raise
        points, self.points_crs = self._file.gcps
        self.points = [(point.row, point.col, point.x, point.y) for point in points]
        self.polynomials: dict[str, str] = self._file.tags(ns="RPC")
        self._data: Any = self._file
        if alpha and self._alpha is None:
            with reading(self.name):
                self._data = self._without_label(alpha[0])
            self._opened.append(self._data)
        self._say_nodata()

    def turn_to(self, grid: Grid) -> None:
        """Counts longitudes as another grid does, see [`Grid.turned_to`]."""
        self.grid = self.grid.turned_to(grid)

    def on_grid(self, grid: Grid) -> None:
        """Changes the grid for reading windows: a georeferenced one if both have one, else only another size."""
        if self.grid.is_same(grid):
            return
        if grid.crs is None:  # Without a georeference: the same extent at another size.
            a, b, c, d, e, f = self.grid.transform[:6]
            x, y = self.grid.width / grid.width, self.grid.height / grid.height
            placed: dict[str, Any] = {
                **_ANY_CRS,
                "transform": Affine(a * x, b * y, c, d * x, e * y, f),
            }
        else:
            placed = {"crs": grid.crs, "transform": grid.transform}
            if self.grid.transform != self._file.transform:  # Its longitudes are counted in another way.
                placed["src_transform"] = self.grid.transform
        self._warp(grid, **placed)
        self.grid = grid

    def move(self, matrix: Affine) -> None:
        """
        Moves the image.

        Args:
            matrix (`Affine`): From the current pixels of the grid to their correct positions.
        """
        crs = self.grid.crs or "EPSG:3857"
        transform = self.grid.transform
        self._warp(self.grid, src_crs=crs, src_transform=_product(transform, matrix), crs=crs, transform=transform)

    @property
    def kind(self) -> tuple[str, int] | None:
        """The type of its values and the number of its bands that are shown; `None` if they are palette indices."""
        if self._palette is not None:
            return None
        dtype = self._file.dtypes[self._bands[0] - 1] if self._units is None else "float32"
        return dtype, len(self._bands)

    def samples(self) -> np.ndarray:
        """Valid values of the bands, `(bands, number)`, of the scene at a small size."""
        size = shrunk(self.grid.height, self.grid.width, _SAMPLE_SIDE)
        values, valid = self._read(Box(0, 0, self.grid.width, self.grid.height), size, Resampling.nearest)
        return values[:, valid]

    def use_limits(self, limits: np.ndarray | None) -> None:
        """Sets the values that become black and white."""
        self._limits = limits

    @property
    def units(self) -> tuple[tuple[float, float], ...]:
        """Scale and offset of each band, which convert its values to physical ones; none for 8 bits, which are shown
        as they are."""
        if self._palette is not None or self._file.dtypes[0] == "uint8":
            return ()
        return tuple((self._file.scales[band - 1], self._file.offsets[band - 1]) for band in self._bands)

    def use_units(self) -> None:
        """Converts values to physical ones from now on."""
        scales, offsets = np.array(self.units, dtype=np.float64).T[:, :, None, None]
        self._units = scales, offsets

    def read(self, box: Box, size: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """
        Reads a part of the scene.

        Args:
            box ([`Box`]): The part.
            size (`tuple[int, int]`, *optional*): Height and width to which it is shrunk by averaging.

        Returns:
            `tuple`: The image (`uint8` of shape `(height, width, 3)`) and its valid pixels (booleans of shape
            `(height, width)`).

        Raises:
            [`UserError`]: If the file is damaged, or its values have no fixed range.
        """
        values, valid = self._read(box, size, Resampling.average)
        if self._palette is not None:
            return self._palette[values[0]], valid
        if self._highest < 255:
            values = np.rint(values * (255 / self._highest)).astype(np.uint8)
        shown = to_rgb(values, self._limits, self.name)
        return 255 - shown if self._is_inverted else shown, valid

    def close(self) -> None:
        """Closes the file."""
        for opened in reversed(self._opened):
            opened.close()

    def _read(self, box: Box, size: tuple[int, int] | None, resampling: Resampling) -> tuple[np.ndarray, np.ndarray]:
        options: dict[str, Any] = {"window": Window(*box)}
        if size is not None:
            options |= {"out_shape": (len(self._bands), *size), "resampling": resampling}
        if self._palette is not None:
            options["resampling"] = Resampling.nearest
        with reading(self.name):
            values = self._data.read(list(self._bands), **options)
            valid = np.isfinite(values).all(axis=0)
            flags = self._data.mask_flag_enums[self._bands[0] - 1]
            if self._alpha is not None:
                options |= {"resampling": Resampling.nearest}
                if size is not None:
                    options["out_shape"] = size
                valid &= self._data.read(self._alpha, **options) > 0
            elif MaskFlags.nodata in flags or (MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags):
                if size is not None:
                    options["out_shape"] = size
                masks = self._data.read_masks(list(self._bands), **_stacked(options, len(self._bands)))
                valid &= (masks > 0).any(axis=0)
        if self._units is not None:
            scales, offsets = self._units
            values = (values * scales + offsets).astype(np.float32)
        return values, valid

    def _warp(self, grid: Grid, **placed: Any) -> None:
        """Warps the image onto a grid. Pixels that it does not cover are without data."""
        if self._alpha is not None:  # Only the alpha band says where data are missing, as without warping.
            missing: dict[str, Any] = {"src_nodata": None, "nodata": None}
        else:
            missing = {"add_alpha": self._data.nodata is None}
        with reading(self.name):
            self._data = WarpedVRT(
                self._data,
                width=grid.width,
                height=grid.height,
                resampling=Resampling.nearest if self._palette is not None else Resampling.bilinear,
                warp_mem_limit=64,
                **missing,
                **placed,
            )
        self._opened.append(self._data)
        if missing.get("add_alpha"):
            self._alpha = self._data.count

    def _without_label(self, band: int) -> Any:
        """The file, with a band that is not labelled alpha. A warp would hide pixels where this band is 0."""
        with MemoryFile(ext=".vrt") as memory:
            copy_raster(self._file, memory.name, driver="VRT")
            document = ElementTree.fromstring(memory.read())
        for entry in document.findall("VRTRasterBand"):
            label = entry.find("ColorInterp")
            if label is not None and entry.get("band") == str(band):
                entry.remove(label)
        return open_raster(ElementTree.tostring(document, encoding="unicode"))

    def _find_crs(self) -> Any:
        """The coordinate reference system, unless it is not tied to the earth, such as that of a building site."""
        crs = self._file.crs or None
        if crs is None:
            return None
        try:
            Transformer.from_crs(crs.to_wkt(), WGS84, always_xy=True)
        except ProjError:
            name = crs.to_wkt().split('"')[1]
            self.notes.append(f"the reference system of {self.name}, {name}, is not tied to the earth and is ignored")
            return None
        if self._file.transform.is_identity:
            self.notes.append(
                f"{self.name} has a coordinate reference system but does not say where it is: it is read without a "
                "georeference"
            )
            return None
        return crs

    def _check_place(self) -> None:
        size = self.grid.pixel_size
        if size is not None and not (np.isfinite(size) and size > 0):
            x, y = self.grid.to_map(np.array([[0, 0]]))[0]
            raise UserError(
                f"{self.name} begins at ({x:g}, {y:g}), but a pixel there has no size in its coordinate reference "
                f"system {self.grid.crs}: correct one of them (rio edit-info --crs ... or --transform ...)"
            )

    def _say_nodata(self) -> None:
        """Marks missing data that the file does not declare."""
        # Many programs declare NaN but store another value.
        is_declared = self._file.nodata is not None and not np.isnan(self._file.nodata)
        if is_declared or self._alpha is not None or self._palette is not None:
            return
        if self._file.dtypes[self._bands[0] - 1].startswith("uint"):
            return  # No unsigned value is known to stand for it.
        size = shrunk(self.grid.height, self.grid.width, _SAMPLE_SIDE)
        with reading(self.name):
            values = self._file.read(
                list(self._bands), out_shape=(len(self._bands), *size), resampling=Resampling.nearest
            )
        nodata = unsaid_nodata(values)
        if nodata is None:
            return
        self.notes.append(f"{self.name}: {nodata:g} is treated as nodata, although the file does not declare it")
        self._data = WarpedVRT(
            self._data,
            **({} if self.grid.crs is not None else _ANY_CRS),
            transform=self._file.transform,
            width=self._file.width,
            height=self._file.height,
            src_nodata=nodata,
            nodata=nodata,
            warp_mem_limit=64,
        )
        self._opened.append(self._data)

    def _check_blocks(self) -> None:
        if "complex" in self._file.dtypes[0]:
            raise UserError(f"{self.name} holds {self._file.dtypes[0]} values: save their magnitude as real values")
        height, width = self._file.block_shapes[0]
        together = self._file.count if self._file.interleaving == Interleaving.pixel else 1
        size = height * width * together * np.dtype(self._file.dtypes[0]).itemsize
        if size > _LARGEST_BLOCK:
            raise UserError(
                f"cannot read {self.name} in parts: each of its blocks of {width}x{height} pixels takes "
                f"{size / 2**30:.1f} GiB; store it in tiles: rio convert {self.name} tiled.tif --co TILED=YES"
            )

    def _check_types(self) -> None:
        types = [self._file.dtypes[band - 1] for band in self._bands]
        if len({*types}) > 1:
            numbers = ", ".join(map(str, self._bands))
            raise UserError(
                f"the bands {numbers} of {self.name} have different types ({', '.join(types)}): choose bands of one "
                "type (--bands)"
            )

    def _find_palette(self) -> np.ndarray | None:
        """Colours of the palette of a file, `(256, 3)`."""
        if len(self._bands) > 1 or self._file.colorinterp[self._bands[0] - 1] != ColorInterp.palette:
            return None
        palette = np.zeros((1 << (16 if self._file.dtypes[0] == "uint16" else 8), 3), dtype=np.uint8)
        for value, color in self._file.colormap(self._bands[0]).items():
            if value < len(palette):
                palette[value] = color[:3]
        return palette

    def _is_opacity(self, band: int) -> bool:
        """Whether a band that is labelled alpha contains opacity: near infrared is often stored with this label."""
        if band in self._bands:
            return False
        size = shrunk(self._file.height, self._file.width, _SAMPLE_SIDE // 4)
        with reading(self.name):
            values = self._file.read(band, out_shape=size, resampling=Resampling.nearest)
        if np.isin(values, (0, values.max())).mean() >= _LEAST_BINARY:
            return True
        self.notes.append(f"band {band} of {self.name} is labelled alpha but holds an image: it is not used")
        return False

    def _note_bands(self, options: ReadOptions) -> None:
        unused = self._file.count - len(self._bands) - (self._alpha is not None)
        if unused > 0 and not options.bands:
            shown = ",".join(map(str, self._bands))
            self.notes.append(
                f"{self.name} has {self._file.count} bands, of which {shown} are used; --bands selects others"
            )


def _product(first: Affine, second: Affine) -> Affine:
    """The transform that applies `second` and then `first`."""
    matrix = np.array(first).reshape(3, 3) @ np.array(second).reshape(3, 3)
    return Affine(*matrix[:2].ravel())


def _stacked(options: dict[str, Any], count: int) -> dict[str, Any]:
    """Options to read one band as `count` bands with nearest-neighbour resampling."""
    shape = options.get("out_shape")
    if shape is None:
        return options
    return {**options, "out_shape": (count, *shape[-2:]), "resampling": Resampling.nearest}


def open_sources(sources: Sequence[Any], options: ReadOptions) -> Iterator[SceneImage]:
    """
    Opens the images of a scene.

    Args:
        sources (`Sequence`): Paths, URLs, or other sources for `mtrefseg.load_image`.
        options ([`ReadOptions`]): Bands and stretch.

    Yields:
        [`PlainImage`] or [`RasterImage`]: For each source. A TIFF with an orientation tag or in Lab colours
        is a plain image, because GDAL ignores both; so is a file with the suffix of a TIFF that is not a TIFF.

    Raises:
        [`UserError`]: If an image cannot be opened, or has several pages.
    """
    are_plain = [_is_plain(source, options) for source in sources]
    plain = [source for source, is_plain in zip(sources, are_plain) if is_plain]
    try:
        # Together, so that they are stretched in the same way.
        images, notes = read_images(plain, bands=options.bands, stretch=options.stretch) if plain else ([], [])
    except (OSError, ValueError) as error:
        raise UserError(one_line(error)) from error
    ready = [PlainImage(source, image) for source, image in zip(plain, images)]
    if ready:
        ready[0].notes += notes
    following = iter(ready)
    for source, is_plain in zip(sources, are_plain):
        yield next(following) if is_plain else RasterImage(source, options)


def _is_plain(source: Any, options: ReadOptions) -> bool:
    """Whether an image is read completely; raises [`UserError`] if it can be read neither this way nor in windows."""
    if not is_raster(source):
        return True
    path = Path(source)
    if suffix_of(source) not in _DRIVERS or not path.is_file():
        return False
    try:
        with decoding(str(source)):
            tags = read_tags(path)
    except ImageError:  # GDAL may be able to open it.
        return False
    if tags is None:
        return True
    if tags.has_other_pages:
        raise UserError(f"cannot read {source}: {OTHER_PAGES}")
    is_lab, is_turned = tags.photometric == _LAB, tags.orientation in range(2, 9)
    if not (is_lab or is_turned):
        return False
    with reading(str(source)), open_raster(path, driver="GTiff") as file:
        has_place = bool(file.crs)
    if has_place and not is_lab:
        return False
    if not has_place and not tags.is_deep and options.bands is None:
        return True
    if is_lab:
        raise UserError(f"cannot read {source}: it is in Lab colours; save it as RGB")
    problem = "its orientation tag rotates it, which is only supported for 8 bits and all bands; save it upright"
    raise UserError(f"cannot read {source}: {problem}")


def shrunk(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width after the longer side is reduced to `side`, if it is longer."""
    scale = min(1.0, side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))
