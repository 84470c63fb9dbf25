# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Image processor of MTRefSeg: from two images to pixel values, and from mask logits to masks at the original size."""

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import torch
from PIL import Image
from transformers.feature_extraction_utils import BatchFeature
from transformers.image_processing_backends import PilBackend
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD, PILImageResampling, SizeDict
from transformers.processing_utils import Unpack
from transformers.utils.generic import ModelOutput, TensorType

from .canvas_mtrefseg import (
    Align,
    as_list,
    center_on_canvas,
    check_align,
    fitted_size,
    load_pair,
    resize_mask,
    to_pixel_values,
)
from .closest_changes_mtrefseg import closest_changes
from .image_reading_mtrefseg import ImageSource, name_source
from .mask_reading_mtrefseg import load_mask
from .mask_scores_mtrefseg import keep_chosen_with_score
from .mask_steps_mtrefseg import check_thresholds, keep_colors, pair_result
from .object_choice_mtrefseg import ObjectChoice
from .object_colors_mtrefseg import logit_of
from .resampling_mtrefseg import sample_maps, sample_masks


class MTRefSegImageProcessorKwargs(TypedDict, total=False):
    """
    Options of [`MTRefSegImageProcessor`].

    Attributes:
        size (`int` or `dict[str, int]`, *optional*, defaults to `{"height": 1024, "width": 1024}`):
            Side of the square canvas; the longer side of an image is resized to it.
        resample (`PILImageResampling`, *optional*, defaults to `PILImageResampling.BILINEAR`):
            Filter used to resize images.
        antialias (`bool`, *optional*, defaults to `True`):
            Whether to average over the source pixels when shrinking. `False` gives the same as `cv2.INTER_LINEAR` (for
            masks `cv2.INTER_NEAREST`), bit for bit, and does not use `resample`.
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
            No-target score above which a mask is emptied. By default, no mask is.
        fallback_threshold (`float`, *optional*):
            If the mask of a sentence is empty, the changed objects that fit it best are selected, provided that the
            probability of the best one (from its mean logit) is above this value, which is usually far below
            `threshold`. By default, the mask stays empty.
        pixel_size (`float`, *optional*):
            Ground resolution of the training images, in metres per pixel. Windows of large scenes are resampled to it.
            The processor itself does not use it.
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
    fallback_threshold: float | None
    pixel_size: float | None


class MTRefSegImageProcessor(PilBackend):
    """
    Prepares pairs of images for [`MTRefSegModel`], and converts its mask logits to masks at the original size of the
    images.

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
    fallback_threshold: float | None = None
    pixel_size = None

    def __init__(self, **kwargs: Unpack[MTRefSegImageProcessorKwargs]) -> None:
        super().__init__(**kwargs)
        if self.size["height"] is None or self.size["height"] != self.size["width"]:
            raise ValueError(f"The canvas is a square: give `size` as one number, not {dict(self.size)}.")
        check_align(self.align)

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
                Ground-truth masks in any form that [`load_mask`] reads, at the size of the pair: one or a list for
                each pair.
            align (`str`, *optional*, defaults to `self.align`):
                `"error"` or `"resize"`, see [`MTRefSegImageProcessorKwargs`].
            return_tensors (`str`, *optional*, defaults to `"pt"`):
                `"pt"` for PyTorch tensors, `"np"` for NumPy arrays.

        Returns:
            [`BatchFeature`] with **pixel_values_t1** and **pixel_values_t2** (`float32` of shape `(batch_size, 3,
            size, size)`) and, if `masks` is given, **labels** (`float32` 0/1 of shape `(num_masks, size, size)`, the
            masks of the first pair first).

        Raises:
            ValueError: If the numbers of earlier images, later images or lists of masks differ, if the two images of a
                pair differ in size and `align` is `"error"`, or if a mask differs in size from its pair.
        """
        sources_t1, sources_t2 = as_list(images_t1), as_list(images_t2)
        if len(sources_t1) != len(sources_t2):
            raise ValueError(
                f"Got {len(sources_t1)} images for t1 and {len(sources_t2)} for t2: the numbers must be equal."
            )
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
        Read the two images of a pair as [`load_images`] does, at one size.

        Args:
            source_t1, source_t2 (`str`, `Path`, `PIL.Image.Image`, `np.ndarray` or `torch.Tensor`):
                The earlier and the later image.
            align (`str`, *optional*, defaults to `self.align`):
                `"error"` or `"resize"`, see [`MTRefSegImageProcessorKwargs`].

        Returns:
            `tuple[PIL.Image.Image, PIL.Image.Image]`: Both images in mode "RGB", at the original size of t1.

        Raises:
            ValueError: If the images differ in size and `align` is `"error"`.
        """
        align = self.align if align is None else align
        return load_pair(source_t1, source_t2, align, self.resample, self.antialias)

    def _to_pixel_values(self, images: list[Image.Image]) -> np.ndarray:
        """Images on their canvases as `float32` of shape `(batch_size, 3, size, size)`."""
        mean, std = (self.image_mean, self.image_std) if self.do_normalize else (None, None)
        return to_pixel_values(images, self.size["height"], self.resample, self.antialias, mean, std)

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
                        f"The mask {name_source(source)} is {mask.shape[1]}x{mask.shape[0]} (width x height), but its "
                        f"pair is {width}x{height}."
                    )
                resized = resize_mask(mask, *fitted_size(height, width, size), self.resample, self.antialias)
                labels.append(center_on_canvas(resized, size))
        return np.stack(labels).astype(np.float32) if labels else np.zeros((0, size, size), dtype=np.float32)

    def post_process_referring_segmentation(
        self,
        outputs: ModelOutput,
        target_sizes: Sequence[tuple[int, int]] | torch.Tensor,
        threshold: float | None = None,
        no_target_threshold: float | None = None,
    ) -> list[dict[str, torch.Tensor]]:
        """
        Convert the model's mask logits to masks at the original size of the images.

        The logits are sampled once, bilinearly, directly at the pixel centres of the image; padding is removed. If
        colours, places or ranks were removed from a sentence (`object_choices`), only the objects that they select are
        kept. With `fallback_threshold`, a sentence whose mask is empty gets the changed objects that fit it best, with
        a low score.

        Args:
            outputs ([`MTRefSegOutput`]):
                Output of the model. These fields are used: `mask_logits` of shape `(num_sentences, height, width)`,
                which cover the complete canvas; `no_target_logits` of shape `(num_sentences,)`; `num_expressions` of
                shape `(batch_size,)`, the number of sentences of each pair; and `object_choices`, `image_colors` and
                `change_logits` if they are present.
            target_sizes (`list[tuple[int, int]]` or `torch.Tensor` of shape `(batch_size, 2)`):
                Original size (height, width) of each pair's images.
            threshold (`float`, *optional*, defaults to `self.threshold`):
                Probability, 0..1, above which a pixel belongs to the mask.
            no_target_threshold (`float`, *optional*, defaults to `self.no_target_threshold`):
                No-target score, 0..1, above which a mask is emptied. With `None`, no mask is.

        Returns:
            `list[dict[str, torch.Tensor]]`: For each pair
            - **masks** (`bool` of shape `(num_expressions, height, width)`),
            - **scores** (`float32` of shape `(num_expressions,)`): the mean probability inside the mask, 0 if it is
              empty,
            - **no_target_scores** (`float32` of shape `(num_expressions,)`): the probability that the sentence has no
              target,
            - **is_closest** (`bool` of shape `(num_expressions,)`): whether nothing fits the sentence clearly, and the
              mask contains the changed objects that fit it best (`fallback_threshold`).

        Raises:
            ValueError: If `target_sizes` does not contain one size for each pair, or a threshold is not in 0..1.
        """
        threshold = self.threshold if threshold is None else threshold
        no_target_threshold = self.no_target_threshold if no_target_threshold is None else no_target_threshold
        check_thresholds(threshold, no_target_threshold)
        counts = outputs["num_expressions"].tolist()
        if len(target_sizes) != len(counts):
            raise ValueError(
                f"`target_sizes` holds {len(target_sizes)} sizes, but the outputs are for {len(counts)} pairs."
            )

        results = []
        # Detached: without `torch.no_grad()`, the results would carry gradients and NumPy would refuse the logits.
        mask_logits, no_target_logits = (
            outputs[name].detach().split(counts) for name in ("mask_logits", "no_target_logits")
        )
        nothing = [None] * len(counts)
        colors, changes = outputs.get("image_colors"), outputs.get("change_logits")
        for (height, width), pair_masks, pair_no_target, choices, pair_colors, pair_changes in zip(
            target_sizes,
            mask_logits,
            no_target_logits,
            _choices_of(outputs, counts),
            nothing if colors is None else colors,
            nothing if changes is None else changes,
        ):
            logits, is_closest = self.with_closest_changes(pair_masks.float(), pair_changes, threshold)
            logits = self.without_other_colors(logits, pair_colors, choices, threshold)
            masks, scores = sample_masks(logits, self.size["height"], int(height), int(width), threshold)
            _choose(masks, scores, logits, choices, self.size["height"])
            no_target_scores = pair_no_target.float().sigmoid()
            results.append(pair_result(masks, scores, no_target_scores, is_closest, no_target_threshold))
        return results

    def with_closest_changes(
        self, mask_logits: torch.Tensor, change_logits: torch.Tensor | None, threshold: float | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """
        Select the changed objects that fit best, for sentences whose mask is empty.

        Args:
            mask_logits (`torch.Tensor` of shape `(num_sentences, height, width)`):
                Logits of one pair.
            change_logits (`torch.Tensor` of shape `(height, width)`, *optional*):
                Logits of every change; without them or `self.fallback_threshold`, nothing is selected.
            threshold (`float`, *optional*, defaults to `self.threshold`):
                Probability, 0..1, above which a pixel belongs to the mask.

        Returns:
            `torch.Tensor`: Like `mask_logits`, `float32`.
            `torch.Tensor` of shape `(num_sentences,)`: Booleans: for which sentences objects were selected.
        """
        if change_logits is None or self.fallback_threshold is None or not len(mask_logits):
            return mask_logits, torch.zeros(len(mask_logits), dtype=torch.bool, device=mask_logits.device)
        limit = logit_of(self.threshold if threshold is None else threshold)
        raised, is_closest = closest_changes(
            _to_numpy(mask_logits), _to_numpy(change_logits), limit, logit_of(self.fallback_threshold)
        )
        return torch.from_numpy(raised).to(mask_logits.device), torch.from_numpy(is_closest).to(mask_logits.device)

    def without_other_colors(
        self,
        mask_logits: torch.Tensor,
        image_colors: torch.Tensor | None,
        choices: Sequence[ObjectChoice | None],
        threshold: float | None = None,
    ) -> torch.Tensor:
        """
        Remove the components of masks whose colour differs from that in the sentence.

        Args:
            mask_logits (`torch.Tensor` of shape `(num_sentences, height, width)`):
                Logits of one pair.
            image_colors (`torch.Tensor` of shape `(2, 3, height, width)`, *optional*):
                t1 and t2, normalised like pixel values; without them, nothing is removed.
            choices (`list[ObjectChoice | None]`):
                The colour in each sentence, if any.
            threshold (`float`, *optional*, defaults to `self.threshold`):
                Probability, 0..1, above which a pixel belongs to the mask.

        Returns:
            `torch.Tensor`: Like `mask_logits`, `float32`.
        """
        if image_colors is None or not any(choice is not None and choice.color for choice in choices):
            return mask_logits
        colors = _to_numpy(image_colors)
        if self.do_normalize:
            mean, std = (np.array(values, np.float32)[:, None, None] for values in (self.image_mean, self.image_std))
            colors = colors * std + mean
        limit = logit_of(self.threshold if threshold is None else threshold)
        kept = keep_colors(_to_numpy(mask_logits), colors, choices, limit)
        return torch.from_numpy(kept).to(mask_logits.device)

    def sample_maps(
        self, maps: torch.Tensor, height: int, width: int, band: tuple[int, int] | None = None
    ) -> torch.Tensor:
        """
        Resample maps of the canvas, such as attention, to the original size of an image, like mask logits.

        Args:
            maps (`torch.Tensor` of shape `(num_maps, map_height, map_width)`):
                Values that cover the complete canvas, padding included.
            height, width (`int`):
                Original size of the image.
            band (`tuple[int, int]`, *optional*):
                First row, and the one after the last, if only some rows are needed.

        Returns:
            `torch.Tensor`: `float32` of shape `(num_maps, height, width)`, sampled bilinearly at the pixel centres.
        """
        return sample_maps(maps, self.size["height"], height, width, band)


def _to_numpy(values: torch.Tensor) -> np.ndarray:
    """The same values as `float32`, which NumPy has unlike bfloat16."""
    return values.detach().float().cpu().numpy()


def _choices_of(outputs: ModelOutput, counts: list[int]) -> list[list[ObjectChoice | None]]:
    """The choice of each sentence, by pair."""
    if outputs.get("object_choices") is None:
        return [[None] * count for count in counts]
    pairs = outputs["object_choices"].float().cpu().split(counts)
    return [[ObjectChoice.from_values(values) for values in pair.tolist()] for pair in pairs]


def _choose(
    masks: torch.Tensor,
    scores: torch.Tensor,
    mask_logits: torch.Tensor,
    choices: list[ObjectChoice | None],
    canvas_size: int,
) -> None:
    """Keeps only the chosen objects in the masks of one pair and updates their scores, in place."""
    for index, choice in enumerate(choices):
        if choice is not None and masks[index].any():
            mask, logits = masks[index].cpu().numpy(), _to_numpy(mask_logits[index])
            kept, score = keep_chosen_with_score(mask, float(scores[index]), logits, choice, canvas_size)
            masks[index], scores[index] = torch.from_numpy(kept).to(masks.device), score


MTRefSegImageProcessor.register_for_auto_class()
__all__ = ["MTRefSegImageProcessor"]
