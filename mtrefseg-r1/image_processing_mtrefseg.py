# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Image processor of MTRefSeg: from two images to pixel values, and from mask logits to masks of their own size."""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypedDict

import numpy as np
import torch
from huggingface_hub.utils import httpx
from PIL import Image, ImageOps, UnidentifiedImageError
from transformers.feature_extraction_utils import BatchFeature
from transformers.image_processing_backends import PilBackend
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD, PILImageResampling, SizeDict
from transformers.processing_utils import Unpack
from transformers.utils.generic import ModelOutput, TensorType


ImageSource: TypeAlias = str | Path | Image.Image | np.ndarray | torch.Tensor
Align: TypeAlias = Literal["error", "resize"]

DOWNLOAD_TIMEOUT_SECONDS = 30.0
# What downloading, and what PIL's decoders raise on damaged files beside its own error classes.
_READING_ERRORS = (httpx.HTTPError, httpx.InvalidURL, OSError, SyntaxError, ValueError, EOFError, struct.error)
# Grey modes of more than 8 bits, which PIL would clip instead of scale.
_DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")
# Floats in a band of rows while masks are sampled at their own size; a handful of such bands live at a time.
_FLOATS_PER_BAND = 1 << 20


@contextmanager
def _naming(source: ImageSource) -> Iterator[None]:
    """Turn whatever PIL raises while reading `source` into an error that names it."""
    name = _name(source)
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no file {name}.") from error
    except UnidentifiedImageError as error:
        raise ValueError(f"{name} is not an image file that PIL can read.") from error
    except Image.DecompressionBombError as error:
        raise ValueError(
            f"{name} is too large: {error} Shrink or cut it, or, if you trust it, raise `PIL.Image.MAX_IMAGE_PIXELS`."
        ) from error
    except _READING_ERRORS as error:
        raise ValueError(f"Cannot read {name}: {error}") from error


def _name(source: ImageSource) -> str:
    return f"'{source}'" if isinstance(source, str | Path) else f"the given {type(source).__name__}"


def _decode(source: str | Path | Image.Image) -> Image.Image:
    """Read a file, URL or PIL image into memory, turned upright as its EXIF orientation says."""
    if isinstance(source, Image.Image):
        return ImageOps.exif_transpose(source)
    file: Path | BytesIO = Path(source)
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        response = httpx.get(source, timeout=DOWNLOAD_TIMEOUT_SECONDS, follow_redirects=True)
        file = BytesIO(response.raise_for_status().content)
    with Image.open(file) as image:
        image.load()
        return ImageOps.exif_transpose(image)


def _to_bytes(array: np.ndarray) -> np.ndarray:
    """Grey or colour values as 0..255: booleans, bytes, 16-bit (value / 257) and floats in 0..1 are understood."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    is_float = np.issubdtype(array.dtype, np.floating)
    highest = 1 if is_float else 255
    # Written so that NaN, which no comparison accepts, fails as well.
    if not (array.min() >= 0 and array.max() <= highest):
        raise ValueError(
            f"its {array.dtype} values span {array.min()} to {array.max()}, expected 0 to {highest}. "
            "Rescale them, or cast them to uint8 (0 to 255) or uint16 (0 to 65535)."
        )
    return np.rint(array * 255).astype(np.uint8) if is_float else array.astype(np.uint8)


def _deep_values(image: Image.Image) -> np.ndarray:
    """Values of an image in one of `_DEEP_MODES`; 16-bit ones, which PIL may hold as 32-bit integers, as `uint16`."""
    values = np.asarray(image)
    is_16_bit = values.dtype == np.int32 and values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max
    return values.astype(np.uint16) if is_16_bit else values


def _channels_last(array: np.ndarray, channels_first: bool) -> np.ndarray:
    """View an image of shape `(height, width)`, `(height, width, channels)` or `(channels, height, width)` as the
    first or second of these. `channels_first` decides where both of the last two readings are possible."""
    if array.ndim == 2 and array.size:
        return array
    if array.ndim == 3 and array.size:
        for axis in (0, -1) if channels_first else (-1, 0):
            if array.shape[axis] in (1, 3, 4):
                array = np.moveaxis(array, axis, -1)
                return array[..., 0] if array.shape[-1] == 1 else array
    raise ValueError(
        f"its shape is {array.shape}, expected (height, width), (height, width, channels) or "
        "(channels, height, width) with 1, 3 or 4 channels."
    )


def _from_array(array: np.ndarray | torch.Tensor) -> np.ndarray:
    """A NumPy array or tensor as an array of shape `(height, width)` or `(height, width, 3 or 4)`."""
    if isinstance(array, torch.Tensor):
        array = array.detach().cpu()
        # NumPy has no bfloat16.
        return _channels_last((array.float() if array.is_floating_point() else array).numpy(), channels_first=True)
    return _channels_last(array, channels_first=False)


def load_image(source: ImageSource) -> Image.Image:
    """
    Read one image as 8-bit RGB.

    Whatever PIL reads will do: EXIF orientation is applied, transparent images are laid on black, 16-bit values are
    divided by 257, and grey, palette, 1-bit and CMYK images are converted.

    Args:
        source (`str`, `Path`, `PIL.Image.Image`, `np.ndarray` or `torch.Tensor`):
            Path or http(s) URL of an image file, or the image itself. Arrays and tensors have the shape `(height,
            width)`, `(height, width, channels)` or `(channels, height, width)` with 1, 3 or 4 channels (where both
            are possible, arrays are read channels last and tensors channels first), and hold booleans, integers in
            0..255, 16-bit unsigned integers or floats in 0..1.

    Returns:
        `PIL.Image.Image`: The image in mode "RGB".

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the URL cannot be fetched, if the file is no image, damaged or larger than PIL's decompression
            bomb limit, or if the values or the shape of an array cannot be understood. The message names the file.
        TypeError: If `source` is of another type.
    """
    with _naming(source):
        if isinstance(source, np.ndarray | torch.Tensor):
            image = Image.fromarray(np.ascontiguousarray(_to_bytes(_from_array(source))))
        elif isinstance(source, str | Path | Image.Image):
            image = _decode(source)
        else:
            raise TypeError(f"An image must be a path, a URL, a PIL image, an array or a tensor, not {type(source)}.")
        if image.mode in _DEEP_MODES:
            image = Image.fromarray(_to_bytes(_deep_values(image)))
        if image.has_transparency_data:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image.convert("RGBA"))
        return image.convert("RGB")


def load_mask(source: ImageSource) -> np.ndarray:
    """
    Read one mask.

    Args:
        source (`str`, `Path`, `PIL.Image.Image`, `np.ndarray` or `torch.Tensor`):
            Path or http(s) URL of an image file, or the mask itself: booleans, 0/1, or grey values of which those
            above 127 belong to the mask.

    Returns:
        `np.ndarray`: Booleans of shape `(height, width)`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the URL cannot be fetched, if the file is no image or damaged, or if the values are neither 0/1
            nor reach above 127. The message names the file.
        TypeError: If `source` is of another type.
    """
    with _naming(source):
        if isinstance(source, np.ndarray | torch.Tensor):
            values = _from_array(source)
        elif isinstance(source, str | Path | Image.Image):
            image = _decode(source)
            values = np.asarray(image if image.mode in _DEEP_MODES else image.convert("L"))
        else:
            raise TypeError(f"A mask must be a path, a URL, a PIL image, an array or a tensor, not {type(source)}.")
        if values.ndim == 3:
            values = values[..., :3].max(axis=-1)
        highest = values.max()
        if highest <= 1:
            return values > 0.5
        if highest > 127:
            return values > 127
        raise ValueError(f"mask values reach up to {highest}, expected 0/1 or 0/255. Save it as 0 and 255.")


def _resized(height: int, width: int, size: int) -> tuple[int, int]:
    """Height and width after the longer side was brought to `size`; no side vanishes."""
    longest = max(height, width)
    return max(1, height * size // longest), max(1, width * size // longest)


def _neighbours(length: int, new_length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each of `new_length` positions the two source indices around it and the second one's weight in 1/2048."""
    positions = ((np.arange(new_length) + 0.5) * length / new_length - 0.5).clip(0, length - 1)
    lower = np.floor(positions).astype(np.int64)
    return lower, np.minimum(lower + 1, length - 1), np.rint((positions - lower) * 2048).astype(np.int64)


def _resize_without_antialias(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Plain bilinear resize of `(height, width, channels)` bytes, bit for bit as `cv2.INTER_LINEAR` does it: 11-bit
    weights, and the same intermediate shifts."""
    top, bottom, row_weights = _neighbours(image.shape[0], height)
    left, right, column_weights = _neighbours(image.shape[1], width)
    column_weights, row_weights = column_weights[:, None], row_weights[:, None, None]

    def blend_columns(rows: np.ndarray) -> np.ndarray:
        lines = image[rows].astype(np.int64)
        return (lines[:, left] * (2048 - column_weights) + lines[:, right] * column_weights) >> 4

    upper_part = (blend_columns(top) * (2048 - row_weights)) >> 16
    lower_part = (blend_columns(bottom) * row_weights) >> 16
    return ((upper_part + lower_part + 2) >> 2).astype(np.uint8)


def _place(image: np.ndarray, size: int) -> np.ndarray:
    """Put `(height, width, ...)` values in the middle of a square of zeros."""
    height, width = image.shape[:2]
    top, left = (size - height) // 2, (size - width) // 2
    canvas = np.zeros((size, size, *image.shape[2:]), dtype=image.dtype)
    canvas[top : top + height, left : left + width] = image
    return canvas


def _sample_axis(
    own_length: int, resized_length: int, canvas_length: int, logits_length: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """For each pixel centre of an image's own axis, the two logits around it and the second one's weight."""
    offset = (canvas_length - resized_length) // 2
    # On the CPU, for not every device has float64, which an image of many thousand pixels needs.
    own_positions = torch.arange(own_length, dtype=torch.float64) + 0.5
    canvas_positions = offset + own_positions * (resized_length / own_length)
    positions = (canvas_positions * (logits_length / canvas_length) - 0.5).clamp(0, logits_length - 1)
    lower = positions.floor()
    upper = (lower + 1).clamp(max=logits_length - 1)
    return lower.long().to(device), upper.long().to(device), (positions - lower).float().to(device)


class MTRefSegImageProcessorKwargs(TypedDict, total=False):
    """
    Options of [`MTRefSegImageProcessor`].

    Attributes:
        size (`int` or `dict[str, int]`, *optional*, defaults to `{"height": 1024, "width": 1024}`):
            Side of the square canvas; the longer side of an image is brought to it.
        resample (`PILImageResampling`, *optional*, defaults to `PILImageResampling.BILINEAR`):
            Filter used to resize images.
        antialias (`bool`, *optional*, defaults to `True`):
            Whether to average over the source pixels when shrinking. `False` gives what `cv2.INTER_LINEAR` (for masks
            `cv2.INTER_NEAREST`) gives, bit for bit, and does not use `resample`.
        do_normalize (`bool`, *optional*, defaults to `True`):
            Whether to subtract `image_mean` and divide by `image_std`. Otherwise pixel values are 0..1.
        image_mean (`list[float]`, *optional*, defaults to the ImageNet mean):
            Mean of each channel, for values in 0..1.
        image_std (`list[float]`, *optional*, defaults to the ImageNet standard deviation):
            Standard deviation of each channel, for values in 0..1.
        align (`str`, *optional*, defaults to `"error"`):
            What to do with a pair of unequal sizes: `"error"` raises, `"resize"` resamples t2 to the size of t1.
        threshold (`float`, *optional*, defaults to 0.5):
            Probability above which a pixel belongs to the mask.
        no_target_threshold (`float`, *optional*):
            No-target score above which a mask is emptied. By default none is.
    """

    size: int | dict[str, int] | SizeDict
    resample: PILImageResampling | int
    antialias: bool
    do_normalize: bool
    image_mean: list[float] | tuple[float, ...]
    image_std: list[float] | tuple[float, ...]
    align: Align
    threshold: float
    no_target_threshold: float | None


class MTRefSegImageProcessor(PilBackend):
    """
    Prepares pairs of images for [`MTRefSegModel`], and turns its mask logits into masks of the images' own sizes.

    Both images of a pair are resized alike, so that the longer side fills a square canvas; the rest of the canvas is
    zero (black) before normalisation, with the image in the middle.

    Args:
        **kwargs: The options of [`MTRefSegImageProcessorKwargs`].

    Raises:
        ValueError: If `size` is not a square or `align` is unknown.
    """

    valid_kwargs = MTRefSegImageProcessorKwargs
    model_input_names = ["pixel_values_t1", "pixel_values_t2"]

    size = {"height": 1024, "width": 1024}
    resample = PILImageResampling.BILINEAR
    antialias = True
    do_normalize = True
    image_mean = IMAGENET_DEFAULT_MEAN
    image_std = IMAGENET_DEFAULT_STD
    align: Align = "error"
    threshold = 0.5
    no_target_threshold = None

    def __init__(self, **kwargs: Unpack[MTRefSegImageProcessorKwargs]) -> None:
        super().__init__(**kwargs)
        if self.size["height"] is None or self.size["height"] != self.size["width"]:
            raise ValueError(f"The canvas is a square: give `size` as one number, not {dict(self.size)}.")
        _check_align(self.align)

    def _standardize_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super()._standardize_kwargs(**kwargs, default_to_square=True)

    def __call__(
        self,
        images_t1: ImageSource | Sequence[ImageSource],
        images_t2: ImageSource | Sequence[ImageSource],
        masks: Any = None,
        align: Align | None = None,
        return_tensors: str | TensorType = "pt",
    ) -> BatchFeature:
        """See [`~MTRefSegImageProcessor.preprocess`]."""
        return self.preprocess(images_t1, images_t2, masks=masks, align=align, return_tensors=return_tensors)

    def preprocess(
        self,
        images_t1: ImageSource | Sequence[ImageSource],
        images_t2: ImageSource | Sequence[ImageSource],
        masks: ImageSource | Sequence[ImageSource] | Sequence[Sequence[ImageSource]] | None = None,
        align: Align | None = None,
        return_tensors: str | TensorType = "pt",
    ) -> BatchFeature:
        """
        Prepare one pair or a batch of pairs.

        Args:
            images_t1 (`str`, `Path`, `PIL.Image.Image`, `np.ndarray`, `torch.Tensor` or a list of these):
                The earlier image of each pair, in any form that [`load_image`] reads.
            images_t2 (like `images_t1`):
                The later image of each pair.
            masks (like `images_t1`, or a list of lists, *optional*):
                Truth masks in any form that [`load_mask`] reads, of the pair's own size: for each pair one, or a list.
            align (`str`, *optional*, defaults to `self.align`):
                `"error"` or `"resize"`, see [`MTRefSegImageProcessorKwargs`].
            return_tensors (`str`, *optional*, defaults to `"pt"`):
                `"pt"` for PyTorch tensors, `"np"` for NumPy arrays.

        Returns:
            [`BatchFeature`] with **pixel_values_t1** and **pixel_values_t2** (`float32` of shape `(batch_size, 3,
            size, size)`) and, if `masks` is given, **labels** (`float32` 0/1 of shape `(num_masks, size, size)`, the
            masks of the first pair first).

        Raises:
            ValueError: If there are not as many earlier as later images or lists of masks, if the two images of a
                pair differ in size and `align` is `"error"`, or if a mask differs in size from its pair.
        """
        sources_t1, sources_t2 = as_list(images_t1), as_list(images_t2)
        if len(sources_t1) != len(sources_t2):
            raise ValueError(f"Got {len(sources_t1)} images for t1 and {len(sources_t2)} for t2: they must pair up.")
        pairs = [self.load_pair(*sources, align=align) for sources in zip(sources_t1, sources_t2, strict=True)]
        data = {
            "pixel_values_t1": self._to_pixel_values([image for image, _ in pairs]),
            "pixel_values_t2": self._to_pixel_values([image for _, image in pairs]),
        }
        if masks is not None:
            sizes = [image.size for image, _ in pairs]
            data["labels"] = self._to_labels(as_list(masks), sizes)
        return BatchFeature(data, tensor_type=return_tensors)

    def load_pair(
        self, source_t1: ImageSource, source_t2: ImageSource, align: Align | None = None
    ) -> tuple[Image.Image, Image.Image]:
        """
        Read the two images of a pair as [`load_image`] does, at one size.

        Args:
            source_t1, source_t2 (`str`, `Path`, `PIL.Image.Image`, `np.ndarray` or `torch.Tensor`):
                The earlier and the later image.
            align (`str`, *optional*, defaults to `self.align`):
                `"error"` or `"resize"`, see [`MTRefSegImageProcessorKwargs`].

        Returns:
            `tuple[PIL.Image.Image, PIL.Image.Image]`: Both images in mode "RGB", of the own size of t1.

        Raises:
            ValueError: If the images differ in size and `align` is `"error"`.
        """
        align = _check_align(self.align if align is None else align)
        image_t1, image_t2 = load_image(source_t1), load_image(source_t2)
        if image_t1.size != image_t2.size:
            if align == "error":
                raise ValueError(
                    f"The images of a pair differ in size (width x height): t1, {_name(source_t1)}, is "
                    f"{image_t1.width}x{image_t1.height} and t2, {_name(source_t2)}, is "
                    f"{image_t2.width}x{image_t2.height}. If they show the same area, align='resize' resamples t2 "
                    "to the size of t1."
                )
            image_t2 = self._resize_image(image_t2, image_t1.height, image_t1.width)
        return image_t1, image_t2

    def _resize_image(self, image: Image.Image, height: int, width: int) -> Image.Image:
        if self.antialias or image.size == (width, height):
            return image.resize((width, height), resample=self.resample)
        return Image.fromarray(_resize_without_antialias(np.asarray(image), height, width))

    def _to_pixel_values(self, images: list[Image.Image]) -> np.ndarray:
        """Images on their canvases as `float32` of shape `(batch_size, 3, size, size)`."""
        size = self.size["height"]
        canvases = [
            _place(np.asarray(self._resize_image(image, *_resized(image.height, image.width, size))), size)
            for image in images
        ]
        # (B, H, W, C) -> (B, C, H, W)
        pixel_values = np.stack(canvases).transpose(0, 3, 1, 2).astype(np.float32)
        if not self.do_normalize:
            return pixel_values / 255
        mean, std = (255 * np.array(values, dtype=np.float64) for values in (self.image_mean, self.image_std))
        return (pixel_values - mean.astype(np.float32)[:, None, None]) / std.astype(np.float32)[:, None, None]

    def _to_labels(self, masks: list[Any], sizes: list[tuple[int, int]]) -> np.ndarray:
        """Masks on their canvases as `float32` of shape `(num_masks, size, size)`; `sizes` are (width, height)."""
        if len(masks) != len(sizes):
            raise ValueError(f"Got masks for {len(masks)} pairs, but {len(sizes)} pairs of images.")
        size = self.size["height"]
        labels = []
        for pair_masks, (width, height) in zip(masks, sizes, strict=True):
            for source in as_list(pair_masks):
                mask = load_mask(source)
                if mask.shape != (height, width):
                    raise ValueError(
                        f"The mask {_name(source)} is {mask.shape[1]}x{mask.shape[0]} (width x height), but its pair "
                        f"is {width}x{height}."
                    )
                labels.append(_place(self._resize_mask(mask, *_resized(height, width, size)), size))
        return np.stack(labels).astype(np.float32) if labels else np.zeros((0, size, size), dtype=np.float32)

    def _resize_mask(self, mask: np.ndarray, height: int, width: int) -> np.ndarray:
        own_height, own_width = mask.shape
        if self.antialias:
            resized = np.asarray(Image.fromarray(mask).convert("L").resize((width, height), resample=self.resample))
            resized = resized > 127
        else:
            rows, columns = np.arange(height) * own_height // height, np.arange(width) * own_width // width
            resized = mask[rows][:, columns]
        if mask.any() and not resized.any():
            # Too thin to survive: keep every pixel that it touches, so that a truth never turns into "no target".
            rows, columns = mask.nonzero()
            resized = np.zeros((height, width), dtype=bool)
            resized[rows * height // own_height, columns * width // own_width] = True
        return resized

    def post_process_referring_segmentation(
        self,
        outputs: ModelOutput,
        target_sizes: Sequence[tuple[int, int]] | torch.Tensor,
        threshold: float | None = None,
        no_target_threshold: float | None = None,
    ) -> list[dict[str, torch.Tensor]]:
        """
        Turn the model's mask logits into masks of the images' own sizes.

        The logits are sampled once, bilinearly, straight at the pixel centres of the image; padding is left out.

        Args:
            outputs ([`MTRefSegOutput`]):
                Output of the model. Used are `mask_logits` of shape `(num_sentences, height, width)`, which cover the
                whole canvas, `no_target_logits` of shape `(num_sentences,)`, and `num_expressions` of shape
                `(batch_size,)`, how many of the sentences belong to each pair.
            target_sizes (`list[tuple[int, int]]` or `torch.Tensor` of shape `(batch_size, 2)`):
                Own size (height, width) of each pair's images.
            threshold (`float`, *optional*, defaults to `self.threshold`):
                Probability, 0..1, above which a pixel belongs to the mask.
            no_target_threshold (`float`, *optional*, defaults to `self.no_target_threshold`):
                No-target score, 0..1, above which a mask is emptied. `None` empties none.

        Returns:
            `list[dict[str, torch.Tensor]]`: For each pair
            - **masks** (`bool` of shape `(num_expressions, height, width)`),
            - **scores** (`float32` of shape `(num_expressions,)`): the mean probability inside the mask, 0 if empty,
            - **no_target_scores** (`float32` of shape `(num_expressions,)`): the probability that nothing fits.

        Raises:
            ValueError: If `target_sizes` does not hold one size for each pair, or a threshold is not in 0..1.
        """
        threshold = self.threshold if threshold is None else threshold
        no_target_threshold = self.no_target_threshold if no_target_threshold is None else no_target_threshold
        for name, value in (("threshold", threshold), ("no_target_threshold", no_target_threshold)):
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"`{name}` is a probability: it must lie in 0..1, not {value}.")
        counts = outputs["num_expressions"].tolist()
        if len(target_sizes) != len(counts):
            raise ValueError(
                f"`target_sizes` holds {len(target_sizes)} sizes, but the outputs are of {len(counts)} pairs."
            )

        results = []
        mask_logits, no_target_logits = outputs["mask_logits"].split(counts), outputs["no_target_logits"].split(counts)
        for (height, width), pair_masks, pair_no_target in zip(target_sizes, mask_logits, no_target_logits):
            masks, scores = self._sample_masks(pair_masks.float(), int(height), int(width), threshold)
            no_target_scores = pair_no_target.float().sigmoid()
            if no_target_threshold is not None:
                rejected = no_target_scores > no_target_threshold
                masks[rejected], scores[rejected] = False, 0.0
            results.append({"masks": masks, "scores": scores, "no_target_scores": no_target_scores})
        return results

    def sample_maps(self, maps: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """
        Bring maps of the canvas, such as attention, to an image's own size, as is done with mask logits.

        Args:
            maps (`torch.Tensor` of shape `(num_maps, map_height, map_width)`):
                Values that cover the whole canvas, padding included.
            height, width (`int`):
                Own size of the image.

        Returns:
            `torch.Tensor`: `float32` of shape `(num_maps, height, width)`, sampled bilinearly at the pixel centres.
        """
        rows, columns = self._sample_axes(maps, height, width)
        lines = torch.lerp(maps[..., columns[0]].float(), maps[..., columns[1]].float(), columns[2])
        return torch.lerp(lines[:, rows[0]], lines[:, rows[1]], rows[2][:, None])

    def _sample_axes(
        self, maps: torch.Tensor, height: int, width: int
    ) -> tuple[tuple[torch.Tensor, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """[`_sample_axis`] of the rows and of the columns of an image."""
        size, own_size = self.size["height"], (height, width)
        rows, columns = (
            _sample_axis(own_length, resized_length, size, map_length, maps.device)
            for own_length, resized_length, map_length in zip(
                own_size, _resized(*own_size, size), maps.shape[-2:], strict=True
            )
        )
        return rows, columns

    def _sample_masks(
        self, mask_logits: torch.Tensor, height: int, width: int, threshold: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Masks of shape `(num_expressions, height, width)` and their scores, computed in bands of rows so that the
        float buffers stay small whatever the size of the image."""
        device = mask_logits.device
        (top, bottom, row_weights), (left, right, column_weights) = self._sample_axes(mask_logits, height, width)

        num_masks = len(mask_logits)
        masks = torch.empty((num_masks, height, width), dtype=torch.bool, device=device)
        probability_sums = torch.zeros(num_masks, device=device)
        areas = torch.zeros(num_masks, dtype=torch.long, device=device)
        rows_per_band = max(1, _FLOATS_PER_BAND // max(1, num_masks * width))
        for start in range(0, height, rows_per_band):
            rows = slice(start, start + rows_per_band)
            first, last = int(top[start]), int(bottom[rows][-1])
            # (num_masks, few rows of logits, width of the logits) -> (num_masks, the same rows, width)
            lines = mask_logits[:, first : last + 1]
            lines = torch.lerp(lines[..., left], lines[..., right], column_weights)
            # -> (num_masks, rows of the band, width)
            band = torch.lerp(lines[:, top[rows] - first], lines[:, bottom[rows] - first], row_weights[rows, None])
            probabilities = band.sigmoid_()
            inside = probabilities > threshold
            masks[:, rows] = inside
            probability_sums += probabilities.mul_(inside).sum(dim=(-2, -1))
            areas += inside.sum(dim=(-2, -1))
        return masks, probability_sums / areas.clamp(min=1)


def _check_align(align: Align) -> Align:
    if align not in ("error", "resize"):
        raise ValueError(f"`align` must be 'error' or 'resize', not {align!r}.")
    return align


def as_list(value: Any) -> list[Any]:
    """A list or tuple as a list, anything else as a list that holds it alone."""
    return list(value) if isinstance(value, list | tuple) else [value]


MTRefSegImageProcessor.register_for_auto_class()
__all__ = ["MTRefSegImageProcessor", "load_image", "load_mask"]
