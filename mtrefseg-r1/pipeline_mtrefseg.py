# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Pipeline of MTRefSeg: `pipeline("multi-temporal-referring-segmentation")`."""

import os
from collections.abc import Generator, Iterable, Iterator, Sized
from importlib import import_module
from typing import Any

from PIL import Image
from torch.utils.data import DataLoader, Dataset
from transformers import Pipeline
from transformers.pipelines.pt_utils import PipelineDataset, PipelineIterator
from transformers.utils import logging
from transformers.utils.generic import ModelOutput

from .canvas_mtrefseg import Align, Window, as_list, check_window, describe_shrinking, needs_windows
from .pairs_mtrefseg import check_batch, check_pair, entries_of, entry_of


logger = logging.get_logger(__name__)


class MTRefSegPipeline(Pipeline):
    """
    Segments the changes that sentences describe in a pair of images of one scene.

    The pairs of a batch may differ in size and in number of sentences: each is encoded once, and all sentences of the
    batch pass through the model in one call.

    If the package `mtrefseg` is installed with its extra `geo`, images larger than 1.5 times the model's canvas are
    cut into windows, GeoTIFF and other rasters are read with their georeference, and the masks are those of
    `mtrefseg.segment`. Otherwise, large images are shrunk, and a warning states the factor.

    Example:

    ```python
    >>> from transformers import pipeline

    >>> segmenter = pipeline("multi-temporal-referring-segmentation", model="mtrefseg-r1", trust_remote_code=True)
    >>> pair = {"image_t1": "2019.png", "image_t2": "2024.png", "text": "the new house by the road"}
    >>> segmenter(pair)[0]["mask"].save("mask.png")
    ```
    """

    _load_processor = True
    _load_image_processor = False
    _load_feature_extractor = False
    _load_tokenizer = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.processor.check_fits(self.model.config)

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """
        Segment one pair or many.

        Args:
            inputs (`dict`, or a list, generator or dataset of these):
                A pair: **image_t1** and **image_t2**, the earlier and the later image, in any form that
                [`load_image`] reads, and optionally **text**, one sentence or a list, and **domain**, which replaces
                the argument `domain`. Without **text** every change is segmented.
            threshold (`float`, *optional*):
                Probability above which a pixel belongs to the mask. Defaults to the image processor's.
            no_target_threshold (`float`, *optional*):
                No-target score above which a mask is emptied. Defaults to the image processor's.
            align (`str`, *optional*):
                What to do with a pair of unequal sizes, `"error"` or `"resize"` (t2 to the size of t1). Defaults to
                the image processor's.
            domain (`str`, *optional*):
                Domain of all pairs, `"remote_sensing"` or `"normal_scene"`.
            window (`int` or `str`, *optional*, defaults to `"auto"`):
                Side of the windows of large images in pixels of t1; `"auto"` uses that of the model's canvas (at the
                ground resolution of the training images if both are known; remote sensing images without a known
                resolution count as half a metre per pixel), but shrinks images of normal scenes; `"off"` shrinks all
                images.
            batch_size (`int`, *optional*, defaults to 1):
                Number of pairs of a list, generator or dataset per batch.
            num_workers (`int`, *optional*, defaults to 0):
                Number of processes that read and prepare images.

        Returns:
            For one pair a `list[dict]` with one entry per sentence (without **text** a single one):

            - **text** (`str` or `None`) -- The sentence.
            - **mask** (`PIL.Image.Image` in mode "L", of the size of t1) -- 255 for pixels of the described change,
              0 elsewhere.
            - **score** (`float`) -- The mean probability inside the mask, 0 if it is empty.
            - **no_target_score** (`float`) -- The probability that the sentence has no target.
            - **answered_by** (`str`) -- `"image"`, `"objects"` (some words select among the objects found for the
              rest of the sentence), `"windows"` or `"shrunk scene"`.
            - **is_closest** (`bool`) -- Whether nothing fits the sentence clearly, and the mask contains the changed
              objects that fit it best (`fallback_threshold` of the image processor).

            For a list of pairs a list of these, for a generator or a dataset an iterator over these.

        Raises:
            TypeError: If a pair is not a dictionary.
            ValueError: If `window` is none of these, a pair has missing or unknown keys, a batch mixes pairs with and
                without **text**, or the processor rejects an image or sentence (as a `mtrefseg.errors.UserError` for
                large images).
        """
        if isinstance(inputs, list) and not inputs:
            return []  # The base class looks at the first element.
        if not isinstance(inputs, str | dict | list | Dataset | Generator):
            # The base class treats other iterables, such as `datasets.Dataset`, as a single input.
            inputs = (pair for pair in inputs)
        return super().__call__(inputs, **kwargs)

    def save_pretrained(self, save_directory: str | os.PathLike, **kwargs: Any) -> None:
        """
        Save the model, the processor and the code that loads them.

        Args:
            save_directory (`str` or `os.PathLike`):
                Folder to save to.
            **kwargs:
                Further arguments of `save_pretrained`, such as `push_to_hub`.
        """
        # The base class would save the processor's parts, but not the processor itself.
        self.model.save_pretrained(save_directory, **kwargs)
        self.processor.save_pretrained(save_directory, **kwargs)

    def _sanitize_parameters(
        self,
        threshold: float | None = None,
        no_target_threshold: float | None = None,
        align: str | None = None,
        domain: str | None = None,
        window: Window | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        if window is not None:
            check_window(window)
        preprocess_params = {"align": align, "domain": domain, "window": window}
        postprocess_params = {"threshold": threshold, "no_target_threshold": no_target_threshold}
        return _without_none(preprocess_params), {}, _without_none(postprocess_params)

    def preprocess(
        self,
        inputs: dict[str, Any],
        align: Align | None = None,
        domain: str | None = None,
        window: Window = "auto",
    ) -> dict[str, Any]:
        """Read the images of one pair, see [`~MTRefSegPipeline.__call__`]. The rest is done for whole batches; large
        images and rasters are only named here."""
        check_pair(inputs)
        sources = (inputs["image_t1"], inputs["image_t2"])
        text, domain = inputs.get("text"), inputs.get("domain", domain)
        pair = {"text": None if text is None else as_list(text), "domain": domain}
        processor = self.processor.image_processor
        scenes = None if window == "off" else _find_scenes()
        if scenes is None or not any(map(scenes.is_raster, sources)):
            images = processor.load_pair(*sources, align=align)
            canvas_size = processor.size["height"]
            wants_windows = needs_windows(images[0].height, images[0].width, window, canvas_size, domain)
            if scenes is None or not wants_windows:
                _warn_of_shrinking(images[0], canvas_size, domain, is_package_missing=wants_windows)
                return {**pair, "images": images}
            sources = images
        options = {"window": window, "align": processor.align if align is None else align, "progress": False}
        return {**pair, "scene": sources, "options": options}

    def collate(self, pairs: list[dict[str, Any]]) -> dict[str, Any]:
        """Make model inputs from the outputs of [`~MTRefSegPipeline.preprocess`] for the pairs of a batch."""
        texts = [pair["text"] for pair in pairs]
        check_batch(texts)
        collated: dict[str, Any] = {"scenes": [pair if "scene" in pair else None for pair in pairs]}
        plain = [pair for pair in pairs if "images" in pair]
        if not plain:
            return collated
        texts = [pair["text"] for pair in plain]
        images_t1, images_t2 = zip(*(pair["images"] for pair in plain), strict=True)
        inputs = self.processor(
            images_t1=images_t1,
            images_t2=images_t2,
            text=None if None in texts else texts,
            domain=[pair["domain"] for pair in plain],
        )
        return {
            **collated,
            "inputs": dict(inputs.to(self.dtype)),
            "texts": [[None] if text is None else text for text in texts],
            "target_sizes": [(image.height, image.width) for image in images_t1],
        }

    def _forward(self, model_inputs: dict[str, Any]) -> dict[str, Any]:
        if "inputs" not in model_inputs:
            return model_inputs
        outputs = self.model(**model_inputs.pop("inputs"))
        # Only these are copied from the device.
        names = (
            "mask_logits",
            "no_target_logits",
            "num_expressions",
            "object_choices",
            "image_colors",
            "change_logits",
        )
        return {**model_inputs, "outputs": ModelOutput({name: outputs[name] for name in names if name in outputs})}

    def postprocess(
        self,
        model_outputs: dict[str, Any],
        threshold: float | None = None,
        no_target_threshold: float | None = None,
    ) -> list[list[dict[str, Any]]]:
        """Masks as images and scores as numbers, one list for each pair of the batch. Scenes pass through the model
        here, since their windows need the thresholds."""
        plain = iter(self._postprocess_images(model_outputs, threshold, no_target_threshold))
        return [
            next(plain) if scene is None else self._segment_scene(scene, threshold, no_target_threshold)
            for scene in model_outputs["scenes"]
        ]

    def _postprocess_images(
        self, model_outputs: dict[str, Any], threshold: float | None, no_target_threshold: float | None
    ) -> list[list[dict[str, Any]]]:
        if "outputs" not in model_outputs:
            return []
        results = self.processor.post_process_referring_segmentation(
            model_outputs["outputs"],
            model_outputs["target_sizes"],
            threshold=threshold,
            no_target_threshold=no_target_threshold,
        )
        return [
            entries_of(texts, result, self.processor.choose_objects)
            for texts, result in zip(model_outputs["texts"], results, strict=True)
        ]

    def _segment_scene(
        self, scene: dict[str, Any], threshold: float | None, no_target_threshold: float | None
    ) -> list[dict[str, Any]]:
        """Results of `mtrefseg.segment` for a pair of large images."""
        if scene["text"] == []:
            return []
        scenes = import_module("mtrefseg.scenes")
        predictor = scenes.ScenePredictor(
            self.model, self.processor, threshold, no_target_threshold, domain=scene["domain"]
        )
        options = scenes.SceneOptions(**scene["options"])
        result = scenes.segment_pair(*scene["scene"], scene["text"], predictor, options, say=logger.warning_once)
        return [
            entry_of(one.text, mask, one.score, one.no_target_score, one.answered_by, one.is_closest)
            for one, mask in zip(result.sentences, result.masks, strict=True)
        ]

    def run_single(
        self,
        inputs: dict[str, Any],
        preprocess_params: dict[str, Any],
        forward_params: dict[str, Any],
        postprocess_params: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Run one pair as a batch of one."""
        (result,) = self.get_iterator([inputs], 0, 1, preprocess_params, forward_params, postprocess_params)
        return result

    def get_iterator(
        self,
        inputs: Iterable[dict[str, Any]],
        num_workers: int,
        batch_size: int,
        preprocess_params: dict[str, Any],
        forward_params: dict[str, Any],
        postprocess_params: dict[str, Any],
    ) -> Iterator[list[dict[str, Any]]]:
        """
        Run batches of pairs. The base class splits outputs along their first dimension. Here it is the number of
        sentences and not of pairs, so batches are not split until the end.
        """
        dataset: PipelineDataset | PipelineIterator
        if isinstance(inputs, Sized):
            dataset = PipelineDataset(inputs, self.preprocess, preprocess_params)
        else:
            # Each further worker would yield the same inputs again.
            num_workers = min(num_workers, 1)
            dataset = PipelineIterator(inputs, self.preprocess, preprocess_params)
        batches = DataLoader(dataset, batch_size=batch_size, num_workers=num_workers, collate_fn=self.collate)
        for batch in batches:
            outputs = self.forward(batch, **forward_params)
            yield from self.postprocess(outputs, **postprocess_params)


def _find_scenes() -> Any | None:
    """The part of the package `mtrefseg` that segments large images, if it is installed with its extra `geo`. It is
    found by name: this file also works from the Hub, without the package."""
    try:
        scenes = import_module("mtrefseg.scenes")
        scenes.segment_pair  # noqa: B018  # Loads rasterio and the rest.
    except ImportError:
        return None
    return scenes


def _warn_of_shrinking(image: Image.Image, canvas: int, domain: str | None, is_package_missing: bool) -> None:
    """Warns that a large image is shrunk, and says what gives windows, which would keep its resolution."""
    if not needs_windows(image.height, image.width, "auto", canvas):
        return
    if is_package_missing:
        hint = "pip install 'mtrefseg[geo]'"
    elif needs_windows(image.height, image.width, "auto", canvas, domain):
        hint = "window='auto'"
    else:  # Normal scenes are cut only into windows of a given size.
        hint = f"window={canvas}"
    what = f"An image of {image.width}x{image.height} pixels is"
    logger.warning_once(f"{describe_shrinking(what, max(image.size), canvas)}. For windows: {hint}")


def _without_none(parameters: dict[str, Any]) -> dict[str, Any]:
    """Drops options that the caller did not set, so that they do not override those of the constructor."""
    return {name: value for name, value in parameters.items() if value is not None}


__all__ = ["MTRefSegPipeline"]
