# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
What running an exported model takes besides its graphs: preparing images and sentences, and masks from logits. Needs
neither PyTorch nor transformers.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
from PIL import Image

from modeling_mtrefseg.canvas_mtrefseg import Align, as_list, load_pair, to_pixel_values
from modeling_mtrefseg.closest_changes_mtrefseg import closest_changes
from modeling_mtrefseg.image_reading_mtrefseg import ImageSource
from modeling_mtrefseg.mask_scores_mtrefseg import keep_chosen_with_score
from modeling_mtrefseg.mask_steps_mtrefseg import check_thresholds, keep_colors, pair_result
from modeling_mtrefseg.object_choice_mtrefseg import ObjectChoice
from modeling_mtrefseg.object_colors_mtrefseg import logit_of
from modeling_mtrefseg.pairs_mtrefseg import check_batch, check_pair, entries_of
from modeling_mtrefseg.sentence_encoding_mtrefseg import SentenceEncoder
from mtrefseg.errors import UserError, one_line

from .masks import sample_masks, sigmoid
from .names import ANSWER, ANSWERS, CHANGES, ENCODE, FEATURES, PAIR, PROMPT, SENTENCES, TEXT_ENCODING, TOKENIZER
from .settings import ExportSettings


RunGraph: TypeAlias = Callable[[Sequence[str], dict[str, np.ndarray]], list[np.ndarray]]
"""Computes outputs, by their names, from all inputs by name."""


@dataclass(frozen=True)
class ExportedEncoding:
    """
    The part of the computation that the sentences of pairs share; the result of [`~ExportedSegmenter.encode_pair`].

    Args:
        arrays (`dict[str, np.ndarray]`): Outputs of the graph, and the attention mask of the prompt.
        domains (`list[str | None]`): Kind of scene of each pair.
        image_colors (`np.ndarray` of shape `(batch_size, 2, 3, height / 4, width / 4)`): t1 and t2 at the size of the
            masks, RGB, 0 to 1.
    """

    arrays: dict[str, np.ndarray]
    domains: list[str | None]
    image_colors: np.ndarray


class ExportedSegmenter(ABC):
    """
    Segments the changes that sentences describe in pairs of images of one scene: the pipeline for exported models. The
    results are those of [`MTRefSegPipeline`] with `window="off"`, up to rounding. [`OnnxSegmenter`] and
    [`OpenVinoSegmenter`] run the graphs.

    Args:
        folder (`str` or `Path`): Output folder of `mtrefseg export`.

    Raises:
        UserError: If the folder is not an exported model of this format, one of its files is of another export, or the
            runtime is not installed.
    """

    format: ClassVar[str]
    """The `--format` of the folders that it runs."""
    runtime: ClassVar[str]
    """What runs the graphs, for messages."""

    def __init__(self, folder: str | Path) -> None:
        # Some files are opened later, when the working directory may be another one.
        self.folder = Path(folder).absolute()
        self.settings = ExportSettings.read(self.folder)
        if self.settings.format != self.format:
            raise UserError(
                f'"{folder}" was exported as {self.settings.format}; export it with --format {self.format}'
            )
        self.settings.check_files(self.folder)
        self._encode, self._answer = self._open(ENCODE), self._open(ANSWER)

    @abstractmethod
    def _open(self, graph: str) -> RunGraph:
        """
        Loads a graph.

        Raises:
            UserError: If the runtime is not installed, or cannot load the file.
        """

    @cached_property
    def sentence_encoder(self) -> SentenceEncoder:
        """[`SentenceEncoder`]: Converts sentences to token ids."""
        try:
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise UserError("tokenizers is not installed: pip install tokenizers") from error
        path = self.folder / TOKENIZER
        try:
            tokenizer = Tokenizer.from_file(str(path))
        # The library raises nothing more special.
        except Exception as error:
            raise UserError(f"cannot read {path}: {one_line(error)}; export the model again") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()

        def tokenize(texts: list[str]) -> list[list[int]]:
            return [encoded.ids for encoded in tokenizer.encode_batch(texts, add_special_tokens=False)]

        fields = {name: value for name, value in vars(self.settings.text).items() if name != "choose_objects"}
        return SentenceEncoder(tokenize=tokenize, **fields)

    def __call__(
        self,
        inputs: dict[str, Any] | Sequence[dict[str, Any]],
        threshold: float | None = None,
        no_target_threshold: float | None = None,
        align: Align | None = None,
        domain: str | None = None,
        batch_size: int = 1,
    ) -> Any:
        """
        Segment one pair or many.

        Args:
            inputs (`dict` or a list of these):
                A pair: **image_t1** and **image_t2**, the earlier and the later image, in any form that
                [`load_image`] reads, and optionally **text**, one sentence or a list, and **domain**, which replaces
                the argument `domain`. Without **text** every change is segmented.
            threshold (`float`, *optional*): Probability above which a pixel belongs to the mask. Defaults to that of
                the folder.
            no_target_threshold (`float`, *optional*): No-target score above which a mask is emptied, likewise.
            align (`str`, *optional*): What to do with a pair of unequal sizes, `"error"` or `"resize"`, likewise.
            domain (`str`, *optional*): Kind of scene of all pairs, `"remote_sensing"` or `"normal_scene"`.
            batch_size (`int`, *optional*, defaults to 1): Number of pairs of a list per batch.

        Returns:
            For one pair a `list[dict]` with one entry per sentence (without **text** a single one), as
            [`~MTRefSegPipeline.__call__`] returns it: **text**, **mask** (`PIL.Image.Image` in mode "L", of the size
            of t1), **score**, **no_target_score**, **answered_by** and **is_closest**. For a list of pairs a
            list of these.

        Raises:
            TypeError: If a pair is not a dictionary.
            ValueError: If a pair has missing or unknown keys, if a batch mixes pairs with and without **text**, or if
                an image or a sentence is rejected.
        """
        pairs = [inputs] if isinstance(inputs, dict) else list(inputs)
        results: list[list[dict[str, Any]]] = []
        for start in range(0, len(pairs), batch_size):
            batch = pairs[start : start + batch_size]
            results += self._segment(batch, threshold, no_target_threshold, align, domain)
        return results[0] if isinstance(inputs, dict) else results

    def load_pair(
        self, image_t1: ImageSource, image_t2: ImageSource, align: Align | None = None
    ) -> tuple[Image.Image, Image.Image]:
        """Reads the two images of a pair, at one size; see [`~MTRefSegImageProcessor.load_pair`]."""
        image = self.settings.image
        return load_pair(image_t1, image_t2, align or image.align, image.resample, image.antialias)

    def encode_pair(
        self,
        images_t1: ImageSource | Sequence[ImageSource],
        images_t2: ImageSource | Sequence[ImageSource],
        domain: str | Sequence[str | None] | None = None,
        align: Align | None = None,
    ) -> ExportedEncoding:
        """
        Computes what all sentences of each pair share.

        Args:
            images_t1, images_t2 (`str`, `Path`, `PIL.Image.Image`, `np.ndarray` or a list of these):
                The earlier and the later image of each pair, in any form that [`load_image`] reads.
            domain (`str` or `list[str]`, *optional*): Kind of scene of all pairs or of each pair.
            align (`str`, *optional*): See `__call__`.

        Raises:
            ValueError: If the numbers of earlier and later images differ, or if a pair is rejected.
        """
        sources = list(zip(as_list(images_t1), as_list(images_t2), strict=True))
        domains = [domain] * len(sources) if domain is None or isinstance(domain, str) else list(domain)
        return self._encode_images([self.load_pair(*pair, align) for pair in sources], domains)

    def answer(self, encoding: ExportedEncoding, text: Sequence[Sequence[str]] | None = None) -> dict[str, Any]:
        """
        Segments sentences about encoded pairs.

        Args:
            encoding ([`ExportedEncoding`]): Result of [`~ExportedSegmenter.encode_pair`].
            text (`list[list[str]]`, *optional*): The sentences of each pair; without it, every change is segmented.

        Returns:
            `dict`: The entries **mask_logits**, **no_target_logits** and **num_expressions** of [`MTRefSegOutput`] as
            arrays. With `text`, also the **encoding**; and with the option `choose_objects` of the processor,
            **object_choices** and **image_colors** (here RGB, 0 to 1).

        Raises:
            ValueError: If a sentence is empty, too long, or contains a special token.
        """
        num_pairs = len(encoding.domains)
        if text is None:
            features = {name: encoding.arrays[name] for name in FEATURES}
            masks, no_target = self._find_changes(list(ANSWERS), features)
            return {
                "mask_logits": masks[:, 0],
                "no_target_logits": no_target[:, 0],
                "num_expressions": np.ones(num_pairs, dtype=np.int64),
            }
        if len(text) != num_pairs:
            raise ValueError(f"Got sentences for {len(text)} pairs, but {num_pairs} pairs are encoded.")
        choose_objects = self.settings.text.choose_objects
        inputs = self.sentence_encoder.encode(
            [list(group) for group in text], encoding.domains, choose_objects=choose_objects
        )
        counts = inputs["num_expressions"]
        # The sentences of each pair, with rows of zeros if a pair has fewer.
        is_sentence = np.arange(counts.max(initial=1)) < counts[:, None]
        sentences = {}
        for name in SENTENCES:
            rows = inputs[name] if counts.sum() else np.zeros((0, 1), dtype=np.int64)
            sentences[name] = np.zeros((*is_sentence.shape, rows.shape[1]), dtype=np.int64)
            sentences[name][is_sentence] = rows
        encoded = {name: encoding.arrays[name] for name in (*FEATURES, *TEXT_ENCODING, PROMPT[1])}
        masks, no_target = self._answer(list(ANSWERS), {**encoded, **sentences})
        answers = {
            "mask_logits": masks[is_sentence],
            "no_target_logits": no_target[is_sentence],
            "num_expressions": counts,
            "encoding": encoding,
        }
        if choose_objects:
            answers |= {"object_choices": inputs["object_choices"], "image_colors": encoding.image_colors}
        return answers

    def post_process_referring_segmentation(
        self,
        outputs: dict[str, Any],
        target_sizes: Sequence[tuple[int, int]],
        threshold: float | None = None,
        no_target_threshold: float | None = None,
    ) -> list[dict[str, np.ndarray]]:
        """
        Converts mask logits to masks at the original size of the images; see
        [`~MTRefSegImageProcessor.post_process_referring_segmentation`].

        Args:
            outputs (`dict`): Result of [`~ExportedSegmenter.answer`].
            target_sizes (`list[tuple[int, int]]`): Original size (height, width) of each pair's images.
            threshold, no_target_threshold (`float`, *optional*): See `__call__`.

        Returns:
            `list[dict[str, np.ndarray]]`: For each pair **masks** (`bool` of shape `(num_expressions, height,
            width)`), **scores** and **no_target_scores** (`float32` of shape `(num_expressions,)`), and **is_closest**
            (`bool` of the same shape).

        Raises:
            ValueError: If a threshold is not in 0..1, or if there is not one size per pair.
        """
        threshold = self.settings.threshold if threshold is None else threshold
        if no_target_threshold is None:
            no_target_threshold = self.settings.no_target_threshold
        check_thresholds(threshold, no_target_threshold)
        ends = outputs["num_expressions"].cumsum()
        if len(target_sizes) != len(ends):
            raise ValueError(f"There are {len(target_sizes)} target sizes for {len(ends)} pairs.")
        limit = logit_of(threshold)
        colors, changes = outputs.get("image_colors"), self._changes_for(outputs, limit)
        results = []
        starts = ends - outputs["num_expressions"]
        for pair, ((height, width), start, end) in enumerate(zip(target_sizes, starts, ends, strict=True)):
            choices = [ObjectChoice.from_values(row.tolist()) for row in outputs.get("object_choices", ())[start:end]]
            logits = outputs["mask_logits"][start:end]
            is_closest = np.zeros(len(logits), dtype=bool)
            if changes is not None and self.settings.fallback_threshold is not None:
                lowest = logit_of(self.settings.fallback_threshold)
                logits, is_closest = closest_changes(logits, changes[pair], limit, lowest)
            if colors is not None:
                logits = keep_colors(logits, colors[pair], choices, limit)
            masks, scores = sample_masks(logits, self.settings.image.size, height, width, threshold)
            for index, choice in enumerate(choices):
                if choice is not None and masks[index].any():
                    masks[index], scores[index] = keep_chosen_with_score(
                        masks[index], float(scores[index]), logits[index], choice, self.settings.image.size
                    )
            no_target_scores = sigmoid(outputs["no_target_logits"][start:end])
            results.append(pair_result(masks, scores, no_target_scores, is_closest, no_target_threshold))
        return results

    @cached_property
    def _find_changes(self) -> RunGraph:
        # Loaded on first use: many sessions never need this graph.
        return self._open(CHANGES)

    def _changes_for(self, outputs: dict[str, Any], limit: float) -> np.ndarray | None:
        """Mask logits of every change `(batch_size, height, width)`, if the mask of any sentence is empty."""
        is_empty = outputs["mask_logits"].max((1, 2), initial=-np.inf) <= limit
        if "encoding" not in outputs or self.settings.fallback_threshold is None or not is_empty.any():
            return None
        masks, _ = self._find_changes(list(ANSWERS), {name: outputs["encoding"].arrays[name] for name in FEATURES})
        return np.asarray(masks[:, 0])

    def _segment(
        self,
        pairs: list[dict[str, Any]],
        threshold: float | None,
        no_target_threshold: float | None,
        align: Align | None,
        domain: str | None,
    ) -> list[list[dict[str, Any]]]:
        """The entries of the pairs of a batch."""
        for pair in pairs:
            check_pair(pair)
        texts = [pair.get("text") for pair in pairs]
        check_batch(texts)
        asked = None if None in texts else [as_list(text) for text in texts]
        images = [self.load_pair(pair["image_t1"], pair["image_t2"], align) for pair in pairs]
        encoding = self._encode_images(images, [pair.get("domain", domain) for pair in pairs])
        sizes = [(image.height, image.width) for image, _ in images]
        results = self.post_process_referring_segmentation(
            self.answer(encoding, asked), sizes, threshold, no_target_threshold
        )
        shown: Iterable[list[str | None]] = [[None] for _ in pairs] if asked is None else asked
        choose_objects = self.settings.text.choose_objects
        return [entries_of(group, result, choose_objects) for group, result in zip(shown, results, strict=True)]

    def _encode_images(
        self, images: list[tuple[Image.Image, Image.Image]], domains: list[str | None]
    ) -> ExportedEncoding:
        image = self.settings.image
        pixel_values = {
            name: to_pixel_values(side, image.size, image.resample, image.antialias, image.mean, image.std)
            for name, side in zip(PAIR, zip(*images, strict=True))
        }
        prompts = self.sentence_encoder.encode([[] for _ in images], domains)
        prompt = {name: prompts[name] for name in PROMPT}
        names = [*FEATURES, *TEXT_ENCODING]
        encoded = self._encode(names, {**pixel_values, **prompt})
        arrays = {**dict(zip(names, encoded)), PROMPT[1]: prompt[PROMPT[1]]}
        return ExportedEncoding(arrays, domains, self._colors([pixel_values[name] for name in PAIR]))

    def _colors(self, pixel_values: list[np.ndarray]) -> np.ndarray:
        """The mean colours of 4 x 4 pixels, RGB, 0 to 1."""
        image = self.settings.image
        mean, std = (
            np.array(default if values is None else values, dtype=np.float32)
            for values, default in ((image.mean, 0.0), (image.std, 1.0))
        )
        colors = []
        for pixels in pixel_values:
            batch_size, channels, height, width = pixels.shape
            # Along complete rows of pixels first, which is several times faster than block by block.
            rows = pixels.transpose(0, 2, 3, 1).reshape(batch_size, height // 4, 4, width * channels).sum(2)
            columns = rows.reshape(batch_size, height // 4, width // 4, 4, channels)
            blocks = sum(columns[..., place, :] for place in range(4)) / np.float32(16)
            colors.append((blocks * std + mean).transpose(0, 3, 1, 2))
        return np.stack(colors, axis=1, dtype=np.float32)
