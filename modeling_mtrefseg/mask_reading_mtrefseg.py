# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads masks. A mask is read if its values have only one possible meaning; otherwise the error lists the values:

| What the file holds | Foreground |
|---|---|
| 1 bit, booleans | true |
| one value: 0 | nothing |
| one value: 1, 224 to 255, or 65535 in 16 bits | everything |
| 0 and one other value (1, 2, 38, 255, 1000, 0.3, ...) | the other value |
| two values, at most 127 and above 127 (floats in 0..1: 0.5; 16 bits: 32767) | the higher one |
| more values up to 224 or more, those between only along edges (JPEG, resizing) | above 127 |
| JPEG, lossy WebP, AVIF, HEIC: black and white with such edges, or one of them | above 127, all else is rejected |
| floats in 0..1 that go above 0.5 (probabilities) | above 0.5 |
| palette of greys | the same as grey values |
| palette, colours: black and one other colour | the other colour |
| palette, other colours: entry 0 and one other entry | the other entry |
| colours: black and one other colour, with or without soft edges | the other colour |
| transparency varies, colour is constant | the opacity, as a grey mask |
| transparency and colours vary | the mask composited on black, unless this would hide a part of it |
| a TIFF: the value declared as nodata | background, unless the mask has no other value |
| a TIFF: bands that could each be the mask | rejected |
| anything else: class ids, instance ids, several colours, NaN | rejected; `values` or `threshold` say what is meant |
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from PIL import Image

from .image_files_mtrefseg import DEEP_MODES, ImageError, decoding
from .image_reading_mtrefseg import ImageSource, name_source
from .mask_edges_mtrefseg import JPEG_COLOUR_EDGE, JPEG_EDGE, MIDDLE, STRAY_SHARE, WHITE, Compression, read_soft
from .mask_files_mtrefseg import decode_mask


MaskRepair: TypeAlias = Literal["ones", "values", "colour", "alpha"]

_NAMED_VALUES = 8
_WAY_OUT = (
    "say which values are foreground (values, --mask-values) or above which threshold (threshold, --mask-threshold), "
    "or save it with 0 and 255"
)


class AmbiguousMaskError(ImageError):
    """The values of a mask are ambiguous."""


@dataclass(frozen=True)
class MaskReading:
    """
    A mask and how it was interpreted.

    Args:
        mask (`np.ndarray`): Booleans of shape `(height, width)`.
        repairs (`tuple[tuple[str, str], ...]`, *optional*): Deviations from 0 and 255: "ones" (0 and 1), "values"
            (other than 0 and 255), "colour" or "alpha", each with the values of the mask. Empty for 0 and 255.
    """

    mask: np.ndarray
    repairs: tuple[tuple[MaskRepair, str], ...] = ()


@dataclass(frozen=True)
class _Planes:
    """Content of a decoded mask: grey values (for a palette, its entries), colours where they differ from grey, and
    opacity if it is not constant; and how a lossy format stored it."""

    grey: np.ndarray | None
    colours: np.ndarray | None = None
    alpha: np.ndarray | None = None
    mode: str = ""
    is_palette: bool = False
    compression: Compression | None = None


class _OpenError(Exception):
    """The meaning of a mask is ambiguous."""


def load_mask(source: ImageSource, values: Sequence[int] | None = None, threshold: float | None = None) -> np.ndarray:
    """
    Read one mask. The main rules (the docstring of this module has the full list):

    - 1 bit, booleans, 0/1 and 0/255: as they are. 0 and any other single value: the other value.
    - Two values, of which one is above the middle (127; 0.5 of floats in 0..1): the higher one.
    - More values that reach white, with intermediate values only along edges (JPEG, resizing): above 127. Floats in
      0..1 that go above 0.5: above 0.5.
    - Palettes and colours: black and one other colour, or the palette's entry 0 and one other entry: the other.
    - If transparency varies and the colour is constant, transparency is the mask.
    - Anything else (class ids, instance ids, several colours) is rejected as ambiguous. A mask that
      is not empty is never read as empty.

    Args:
        source (`str`, `Path`, `bytes`, `PIL.Image.Image`, `np.ndarray` or `torch.Tensor`):
            Path or http(s) URL of an image file, its content, or the mask itself.
        values (`Sequence[int]`, *optional*):
            The values of the foreground; for a palette, its entries. All other values are background.
        threshold (`float`, *optional*):
            Higher values are foreground; for colours, the highest channel counts.

    Returns:
        `np.ndarray`: Booleans of shape `(height, width)`.

    Raises:
        FileNotFoundError: If there is no such file.
        AmbiguousMaskError: An `ImageError`, if the values can have several meanings. The message names them.
        ImageError: A `ValueError`, if the URL cannot be fetched, or if the file is not an image or is damaged.
        TypeError: If `source` is of another type.
    """
    return read_mask(source, name_source(source), values, threshold).mask


def read_mask(
    source: ImageSource, name: str, values: Sequence[int] | None = None, threshold: float | None = None
) -> MaskReading:
    """
    Read one mask as [`load_mask`] does, and also return how it was interpreted.

    Args:
        source: See [`load_mask`].
        name (`str`): Its name in messages.
        values, threshold: See [`load_mask`].

    Returns:
        [`MaskReading`]: The mask.

    Raises:
        FileNotFoundError, ImageError, TypeError, AmbiguousMaskError: See [`load_mask`].
    """
    decoded, compression = decode_mask(source, name)
    with decoding(name):
        planes = replace(_split(decoded), compression=compression)
    try:
        if values is not None or threshold is not None:
            reading = MaskReading(_chosen(planes, values, threshold))
        elif planes.alpha is not None:
            reading = _read_alpha(planes, planes.alpha)
        else:
            reading = _read_planes(planes)
    except _OpenError as error:
        raise AmbiguousMaskError(name, f"{error}; {_WAY_OUT}") from None
    if planes.mode in ("", "1", "L", *DEEP_MODES):
        return reading
    return replace(reading, repairs=(("colour", f'is of mode "{planes.mode}"'), *reading.repairs))


def _split(decoded: Image.Image | np.ndarray) -> _Planes:
    """Grey values, colours and opacity of a decoded mask."""
    if isinstance(decoded, np.ndarray):
        if decoded.ndim == 2:
            return _Planes(decoded)
        return _split_channels(decoded[..., :3], decoded[..., 3] if decoded.shape[-1] == 4 else None, "")
    mode = decoded.mode
    if mode in ("1", "L", *DEEP_MODES):
        # PIL reports a transparent value for PNG and GIF.
        grey, hidden = np.asarray(decoded), decoded.info.get("transparency")
        alpha = np.where(grey == hidden, 0, 255).astype(np.uint8) if isinstance(hidden, int) else None
        return _Planes(grey, None, _telling(alpha), mode)
    alpha = np.asarray(decoded.convert("RGBA"))[..., 3] if decoded.has_transparency_data else None
    if mode in ("P", "PA"):
        return _split_palette(decoded, alpha)
    return _split_channels(np.asarray(decoded.convert("RGB")), alpha, mode)


def _split_channels(colours: np.ndarray, alpha: np.ndarray | None, mode: str) -> _Planes:
    alpha = _telling(alpha)
    is_grey = bool((colours[..., 0] == colours[..., 1]).all() and (colours[..., 0] == colours[..., 2]).all())
    if is_grey:
        return _Planes(colours.max(axis=-1), None, alpha, mode)
    return _Planes(None, colours, alpha, mode)


def _telling(alpha: np.ndarray | None) -> np.ndarray | None:
    """Opacity, unless it is constant and hides nothing."""
    return None if alpha is None or alpha.min() == alpha.max() > 0 else alpha


def _split_palette(image: Image.Image, alpha: np.ndarray | None) -> _Planes:
    """The greys of a grey palette; for any other, its entries, and its colours if they carry more information."""
    alpha = _telling(alpha)
    entries = np.asarray(image.getchannel(0) if image.mode == "PA" else image)
    colours = np.asarray(image.convert("RGB"))
    used = np.unique(entries)
    first = [np.argmax(entries.ravel() == entry) for entry in used]
    shown = {tuple(colour) for colour in colours.reshape(-1, 3)[first].tolist()}
    if len(shown) == len(used) and all(red == green == blue for red, green, blue in shown):
        return _Planes(colours[..., 0], None, alpha, image.mode)
    has_background = (0, 0, 0) in shown and len(shown) == len(used)
    return _Planes(entries, colours if has_background else None, alpha, image.mode, is_palette=True)


def _read_planes(planes: _Planes) -> MaskReading:
    """A mask without opacity."""
    grey = planes.grey
    if planes.colours is not None:
        try:
            return _read_colours(planes.colours, planes.compression)
        except _OpenError:
            if grey is None:
                raise
            # `values` refers to its entries.
            raise _OpenError(f"it has the palette entries {_listed(np.unique(grey))}, in several colours") from None
    assert grey is not None
    return _read_grey(grey, "palette entries" if planes.is_palette else "values", compression=planes.compression)


def _chosen(planes: _Planes, values: Sequence[int] | None, threshold: float | None) -> np.ndarray:
    """Applies the caller's `values` or `threshold`."""
    if values is not None and threshold is not None:
        raise _OpenError("values and a threshold are both given: leave out one of them")
    plane = planes.grey
    if planes.alpha is not None and (planes.colours is None or _is_constant(planes.colours)):
        plane = planes.alpha if plane is None or _is_constant(plane) else plane
    if values is not None:
        if plane is None:
            raise _OpenError("it is in colour, so single values cannot be selected: use a threshold")
        return np.isin(plane, np.asarray(values))
    if plane is None:
        assert planes.colours is not None
        plane = planes.colours.max(axis=-1)
    return plane > threshold


def _read_alpha(planes: _Planes, alpha: np.ndarray) -> MaskReading:
    """A mask with opacity that varies, or is 0 everywhere."""
    grey, colours = planes.grey, planes.colours
    if _is_constant(grey if colours is None else colours):
        if alpha.max() > 0:
            opacity = _read_grey(alpha, compression=planes.compression)
            return MaskReading(opacity.mask, (("alpha", "has one colour; its opacity is the mask"),))
        if grey is None or grey.max() > 0:
            raise _OpenError("it has one colour and is transparent everywhere")
        return MaskReading(np.zeros(alpha.shape, dtype=bool))
    hidden = alpha == 0
    shown_grey = None if grey is None else np.where(hidden, 0, grey).astype(grey.dtype)
    shown_colours = None if colours is None else np.where(hidden[..., None], 0, colours).astype(colours.dtype)
    shown = _read_planes(replace(planes, grey=shown_grey, colours=shown_colours))
    try:
        plain = _read_planes(planes)
    except _OpenError:
        if not shown.mask.any():
            raise
        return shown
    if (plain.mask != shown.mask).any():
        raise _OpenError("its transparency hides a part of what its colours mark")
    return plain


def _read_colours(colours: np.ndarray, compression: Compression | None = None) -> MaskReading:
    """Reads a mask with colours, some of which are not grey."""
    if colours.dtype != np.uint8:
        found = np.unique(colours.reshape(-1, 3), axis=0)
        if len(found) == 2 and not found[0].any():
            return MaskReading(np.asarray(colours.any(axis=-1)))
        raise _OpenError(f"it has {len(found)} colours of {colours.dtype} values, not black and one other")
    flat = colours.reshape(-1, 3).astype(np.uint32)
    keys, counts = np.unique(flat[:, 0] << 16 | flat[:, 1] << 8 | flat[:, 2], return_counts=True)
    bright = colours.max(axis=-1)
    if len(keys) == 2 and keys[0] == 0 and compression is None:
        return MaskReading(bright > 0)
    named = [f"#{key:06x}" for key in keys[np.argsort(-counts.astype(np.int64), kind="stable")][:_NAMED_VALUES]]
    marked = colours[bright >= WHITE]
    # The channels that a colour consists of: soft edges and JPEG make it darker, but keep these.
    hues = np.bincount((marked > MIDDLE) @ np.array([4, 2, 1]), minlength=8)
    # In lossless formats, a small object of another colour is not an artefact.
    is_kept = compression is None and len(keys) <= _NAMED_VALUES
    if len(marked) and hues.max() >= (1 if is_kept else 1 - STRAY_SHARE) * len(marked):
        try:
            # The table of a JPEG is for brightness, and every colour has a different brightness.
            return _read_grey(bright, "values", JPEG_COLOUR_EDGE, None if compression is None else Compression())
        except _OpenError:
            pass
    more = ", ..." if len(keys) > len(named) else ""
    raise _OpenError(f"it has {len(keys)} colours ({', '.join(named)}{more}), not black and one other")


def _read_grey(
    values: np.ndarray,
    called: str = "values",
    jpeg_edge: int = JPEG_EDGE,
    compression: Compression | None = None,
) -> MaskReading:
    """A mask of one channel, or of palette entries."""
    if values.dtype == np.bool_:
        return MaskReading(values)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise _OpenError("it holds nan or infinite values")
    if values.dtype == np.uint8 and called == "values" and ((values == 0) | (values == 255)).all():
        return MaskReading(values > MIDDLE)
    held = np.unique(values)
    if compression is not None:
        mask = _lossy(values, held, jpeg_edge, compression)
    elif len(held) <= 2:
        mask = _one_value(values, held) if len(held) == 1 else _two_values(values, held)
    else:
        mask = _many_values(values, held, jpeg_edge) if called == "values" else None
    if mask is None:
        raise _OpenError(f"it holds the {called} {_listed(held)}")
    return MaskReading(mask, _repairs(held, mask, values))


def _repairs(held: np.ndarray, mask: np.ndarray, values: np.ndarray) -> tuple[tuple[MaskRepair, str], ...]:
    if len(held) == 1 and not mask.any():
        return ()
    if held[-1] == 1 and len(held) <= 2:
        return (("ones", "holds 0 and 1"),)
    if set(held.tolist()) <= {0, 255} or (values.dtype == np.uint16 and set(held.tolist()) <= {0, 65535}):
        return ()
    if len(held) == 2:
        return (("values", f"holds {_listed(held)}; {held[-1]} is foreground"),)
    middle = "0.5" if held[-1] <= 1 else "the middle"
    return (("values", f"holds {len(held)} values; those above {middle} are foreground"),)


def _one_value(values: np.ndarray, held: np.ndarray) -> np.ndarray | None:
    value = held[0]
    if value == 0:
        return np.zeros(values.shape, dtype=bool)
    is_white = value == 1 or WHITE <= value <= 255 or (values.dtype.kind != "f" and value == 65535)
    return np.ones(values.shape, dtype=bool) if is_white else None


def _two_values(values: np.ndarray, held: np.ndarray) -> np.ndarray | None:
    low, high = held
    if low == 0 and high > 0:
        return values == high
    if low < 0:
        return None
    middle = 0.5 if high <= 1 else MIDDLE if high <= 255 else np.iinfo(np.uint16).max // 2
    return values == high if low <= middle < high else None


def _many_values(values: np.ndarray, held: np.ndarray, jpeg_edge: int) -> np.ndarray | None:
    low, high = held[0], held[-1]
    if low < 0:
        return None
    if values.dtype.kind == "f" and high <= 1:
        return values > 0.5 if high > 0.5 else None
    return read_soft(values, jpeg_edge)


def _lossy(values: np.ndarray, held: np.ndarray, edge: int, compression: Compression) -> np.ndarray | None:
    """
    Reads a mask of a lossy format. It must be black and white, since other values may come from classes that were
    lost.
    """
    if len(held) > 1:
        return read_soft(values, edge, compression)
    is_white = held[0] >= WHITE
    return np.full(values.shape, is_white) if is_white or held[0] in (0, compression.black) else None


def _is_constant(plane: np.ndarray | None) -> bool:
    """Whether all pixels are the same."""
    return plane is not None and bool((plane == plane[:1, :1]).all())


def _listed(held: np.ndarray) -> str:
    named = [f"{value:g}" if held.dtype.kind == "f" else str(value) for value in held[:_NAMED_VALUES].tolist()]
    if len(held) > _NAMED_VALUES:
        return f"{', '.join(named)}, ... up to {held[-1]:g} ({len(held)} of them)"
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


__all__ = ["AmbiguousMaskError", "MaskReading", "MaskRepair", "load_mask", "read_mask"]
