# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Runs the model on windows of a scene."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d

from modeling_mtrefseg.image_reading_mtrefseg import CHECKED
from modeling_mtrefseg.mask_steps_mtrefseg import check_thresholds
from modeling_mtrefseg.object_choice_mtrefseg import split_color
from modeling_mtrefseg.object_colors_mtrefseg import logit_of
from modeling_mtrefseg.plain_sentences_mtrefseg import with_change

from .reading import Views


_SENTENCES_AT_ONCE = 32
_MOST_KNOWN_INPUTS = 256  # A run over many pairs, each with its own sentences, must not collect the inputs of all.

Interval = tuple[int, int]
"""Two dates of a scene, the earlier and the later, numbered from 0."""


@dataclass(frozen=True)
class WindowAnswer:
    """
    The model's output for a batch of windows. Rows are all sentences of the first interval, then of the next.

    Args:
        logits (`Tensor` of shape `(batch_size, rows, height / 4, width / 4)`): Mask logits on the canvas. If a
            window has no target, all are at or below the threshold.
        no_target_logits (`Tensor` of shape `(batch_size, rows)`): Logit that a window has no target.
        is_closest (`Tensor` of shape `(batch_size, rows)`): Booleans: whether nothing fits the sentence clearly, and
            the changes that fit it best are selected.
    """

    logits: Tensor
    no_target_logits: Tensor
    is_closest: Tensor


class ScenePredictor:
    """
    A model with its processor and thresholds.

    Args:
        model ([`MTRefSegModel`]): The model.
        processor ([`MTRefSegProcessor`]): Its processor.
        threshold (`float`, *optional*): Probability above which a pixel is masked; the processor's by default.
        no_target_threshold (`float`, *optional*): No-target score above which a window's mask is emptied; the
            processor's by default.
        domain (`str`, *optional*): Kind of scene, see [`MTRefSegProcessor`].
        lock (`AbstractContextManager`, *optional*): Held while the model runs on a batch of windows; for a model that
            others use, too. It must be possible to enter it many times.

    Raises:
        ValueError: If a threshold is not from 0 to 1, or the domain is unknown.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        threshold: float | None = None,
        no_target_threshold: float | None = None,
        domain: str | None = None,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        check_thresholds(threshold, no_target_threshold)
        if domain is not None:
            processor.sentence_encoder.domains_of([domain], 1)
        self.model = model
        self.processor = processor
        self.images = processor.image_processor
        self.canvas: int = self.images.size["height"]
        self.threshold = self.images.threshold if threshold is None else threshold
        self.no_target_threshold = (
            self.images.no_target_threshold if no_target_threshold is None else no_target_threshold
        )
        self.domain = domain
        self.lock: AbstractContextManager[Any] = nullcontext() if lock is None else lock
        self.choose_objects: bool = processor.choose_objects
        self._inputs: dict[tuple[int, tuple[str, ...]], dict[str, Tensor]] = {}

    @property
    def pixel_size(self) -> float | None:
        """Side of a pixel, in metres, of the images that the model was trained on, if it was saved with the model."""
        return getattr(self.images, "pixel_size", None)

    @property
    def threshold_logit(self) -> float:
        """The logit above which a pixel is masked."""
        return logit_of(self.threshold)

    def predict(
        self,
        views: Sequence[Views],
        texts: Sequence[str] | None,
        intervals: Sequence[Interval] = ((0, 1),),
        is_whole: bool = False,
    ) -> WindowAnswer:
        """
        Segments windows. The backbone processes each date once, the language model the prompt once per interval.

        Args:
            views (`Sequence[Views]`): The windows, all of the same size.
            texts (`Sequence[str]`, *optional*): The sentences; `None` segments every change.
            intervals (`Sequence[Interval]`, *optional*): Which dates are compared.
            is_whole (`bool`, *optional*, defaults to `False`): Whether the window is the whole scene, so that a
                sentence whose mask is empty gets the changes that fit it best (`fallback_threshold`). In one of many
                windows, an empty mask is nothing unusual.

        Returns:
            [`WindowAnswer`]: With a row for each sentence of each interval; without sentences, one for each interval.

        Raises:
            ValueError: If the processor rejects a sentence.
        """
        with self.lock, torch.inference_mode():
            feature_maps, colors = self._encode_dates(views)
            answers = [
                self._ask(views, texts, interval, feature_maps, [colors[date] for date in interval], is_whole)
                for interval in intervals
            ]
        logits, no_target, is_closest = (torch.cat(parts, dim=1) for parts in zip(*answers))
        return WindowAnswer(self._without_refused(logits, no_target), no_target, is_closest)

    def sample(self, logits: Tensor, height: int, width: int, band: tuple[int, int] | None = None) -> Tensor:
        """
        Logits of the canvas at the size of a window.

        Args:
            logits (`Tensor` of shape `(rows, canvas_height, canvas_width)`): Logits of one window.
            height, width (`int`): Size of the window in pixels.
            band (`tuple[int, int]`, *optional*): First row, and the one after the last, if only some are needed.

        Returns:
            `Tensor`: `float32` of shape `(rows, height, width)`.
        """
        return self.images.sample_maps(logits, height, width, band)

    def _encode_dates(self, views: Sequence[Views]) -> tuple[list[list[Tensor]], list[Tensor]]:
        """The backbone's levels of each date, for all windows; and the colours of each date."""
        dates = len(views[0].images)
        images = [Image.fromarray(view.images[date]) for date in range(dates) for view in views]
        for image in images:
            image.info[CHECKED] = True  # A dark window of a scene is not a dark image.
        # The processor takes pairs of images; with an odd number, the last one is repeated.
        half = (len(images) + 1) // 2
        inputs = self.images(images[:half], images[half:] + images[-1:] * (len(images) % 2), return_tensors="pt")
        pixels = torch.cat([inputs["pixel_values_t1"], inputs["pixel_values_t2"]])[: len(images)]
        levels = self.model.vision_model.backbone(pixels.to(self.model.device, self.model.dtype)).feature_maps
        return [list(level.chunk(dates)) for level in levels], list(avg_pool2d(pixels, 4).chunk(dates))

    def _ask(
        self,
        views: Sequence[Views],
        texts: Sequence[str] | None,
        interval: Interval,
        feature_maps: list[list[Tensor]],
        colors: list[Tensor],
        is_whole: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Mask logits and no-target logits of all sentences, and whether they are those of the closest changes,
        `(windows, sentences, ...)`."""
        levels = [torch.cat([level[interval[0]], level[interval[1]]]) for level in feature_maps]
        if texts is None:
            output = self.model(pair_encoding=self.model.vision_model.encode_features(levels))
            no_target = output.no_target_logits.unsqueeze(1).float()
            return output.mask_logits.unsqueeze(1).float(), no_target, torch.zeros_like(no_target, dtype=torch.bool)
        chunks = [texts[start : start + _SENTENCES_AT_ONCE] for start in range(0, len(texts), _SENTENCES_AT_ONCE)]
        parts, encoding = [], None
        for chunk in chunks:
            inputs = self._sentence_inputs(len(views), chunk)
            if encoding is None:
                encoding = self.model.encode_pair(
                    prompt_input_ids=inputs["prompt_input_ids"],
                    prompt_attention_mask=inputs["prompt_attention_mask"],
                    feature_maps=levels,
                )
            del inputs["prompt_input_ids"], inputs["prompt_attention_mask"]
            output = self.model(pair_encoding=encoding, **inputs)
            masks = output.mask_logits.float().unflatten(0, (len(views), len(chunk)))
            parts.append((masks, output.no_target_logits.float().unflatten(0, (len(views), len(chunk)))))
        masks, no_target = (torch.cat(tensors, dim=1) for tensors in zip(*parts))
        is_closest = torch.zeros_like(no_target, dtype=torch.bool)
        if is_whole and self.images.fallback_threshold is not None:
            changes = self.model.vision_model(pair_encoding=encoding).mask_logits
            raised = [
                self.images.with_closest_changes(logits, change, self.threshold)
                for logits, change in zip(masks, changes)
            ]
            masks, is_closest = (torch.stack(tensors) for tensors in zip(*raised))
        if self.choose_objects:
            choices = [split_color(text)[1] for text in texts]
            pairs = zip(masks, torch.stack(colors, dim=1))
            masks = torch.stack(
                [self.images.without_other_colors(logits, each, choices, self.threshold) for logits, each in pairs]
            )
        return masks, no_target, is_closest

    def _sentence_inputs(self, windows: int, texts: Sequence[str]) -> dict[str, Tensor]:
        """The model's inputs for sentences about every window."""
        key = (windows, tuple(texts))
        if key not in self._inputs:
            blank = [Image.new("RGB", (1, 1))] * windows
            asked = [with_change(split_color(text)[0]) for text in texts] if self.choose_objects else list(texts)
            inputs = self.processor(
                images_t1=blank,
                images_t2=blank,
                text=[asked] * windows,
                domain=self.domain,
                choose_objects=False,  # Colours are removed here, places and ranks before.
            )
            names = ("prompt_input_ids", "prompt_attention_mask", "input_ids", "attention_mask", "query_mask")
            if len(self._inputs) >= _MOST_KNOWN_INPUTS:
                self._inputs.clear()
            self._inputs[key] = {name: inputs[name].to(self.model.device) for name in (*names, "num_expressions")}
        return dict(self._inputs[key])

    def _without_refused(self, logits: Tensor, no_target: Tensor) -> Tensor:
        """
        Lowers the logits of no-target windows to the threshold, and further by the certainty of the no-target score.
        So a single window gives an empty mask, like an image. Where a neighbour overlaps it and detects an object
        clearly, an uncertain no-target score does not cut the object off, but a certain one does.
        """
        if self.no_target_threshold is None:
            return logits
        margin = (logit_of(self.no_target_threshold) - no_target)[..., None, None]
        return torch.where(margin < 0, logits.clamp(max=self.threshold_logit) + margin, logits)
