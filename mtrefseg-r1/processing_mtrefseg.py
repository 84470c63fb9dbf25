# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Processor of MTRefSeg: pairs of images and sentences to model inputs, model outputs to masks."""

import copy
import inspect
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase
from transformers.feature_extraction_utils import BatchFeature
from transformers.processing_utils import ProcessorMixin
from transformers.utils.generic import ModelOutput, TensorType

from .canvas_mtrefseg import Align, as_list
from .image_processing_mtrefseg import MTRefSegImageProcessor
from .image_reading_mtrefseg import ImageSource
from .prompt_mtrefseg import PromptTemplate, resolve_template
from .sentence_encoding_mtrefseg import SentenceEncoder


class MTRefSegProcessor(ProcessorMixin):
    """
    Combines an [`MTRefSegImageProcessor`] and a tokenizer into one processor.

    Args:
        image_processor ([`MTRefSegImageProcessor`]):
            Prepares the images and masks.
        tokenizer ([`PreTrainedTokenizerBase`]):
            Tokenizer of the language model, with the three special tokens below, a padding and an end-of-text token;
            [`~MTRefSegProcessor.from_tokenizer`] adds what is missing.
        prompt_template (`str` or [`PromptTemplate`], *optional*, defaults to `"default"`):
            Wording of the prompt: `"default"`, `"reference"` (the reference implementation's), or your own.
        num_image_tokens (`int`, *optional*):
            Number of tokens of each image in the prompt. Defaults to one per 128 x 128 pixels, rounded up.
        seg_token (`str`, *optional*, defaults to `"[SEG]"`):
            Token whose hidden state becomes the mask query.
        image_t1_token, image_t2_token (`str`, *optional*, default to `"<image_t1>"` and `"<image_t2>"`):
            Placeholder tokens of the earlier and the later image.
        choose_objects (`bool`, *optional*, defaults to `False`):
            Whether colours, places, ranks and exceptions ("the red car", "in the upper half", "the leftmost house",
            "all but the largest") are removed from sentences. The model then finds all objects that match the rest,
            and post-processing selects among them; see [`split_sentence`]. Sentences that say in other words that
            something appeared or disappeared are also prefixed with "appeared:" or "disappeared:"; see
            [`with_change`].

    Raises:
        ValueError: If the template is incomplete or unknown, or if the tokenizer lacks a token.
    """

    def __init__(
        self,
        image_processor: MTRefSegImageProcessor,
        tokenizer: PreTrainedTokenizerBase,
        prompt_template: str | PromptTemplate = "default",
        num_image_tokens: int | None = None,
        seg_token: str = "[SEG]",
        image_t1_token: str = "<image_t1>",
        image_t2_token: str = "<image_t2>",
        choose_objects: bool = False,
    ) -> None:
        super().__init__(image_processor, tokenizer)
        self.prompt_template = resolve_template(prompt_template)
        if num_image_tokens is None:
            num_image_tokens = math.ceil(image_processor.size["height"] / 128) ** 2
        self.num_image_tokens = num_image_tokens
        self.seg_token = seg_token
        self.image_t1_token = image_t1_token
        self.image_t2_token = image_t2_token
        self.choose_objects = choose_objects
        vocabulary = tokenizer.get_vocab()
        required = (seg_token, image_t1_token, image_t2_token, tokenizer.pad_token, tokenizer.eos_token)
        if not all(token in vocabulary for token in required):
            raise ValueError(
                f"The tokenizer must know {seg_token}, {image_t1_token} and {image_t2_token}, and have a padding and "
                "an end-of-text token. `MTRefSegProcessor.from_tokenizer` adds all of them but the end-of-text token."
            )

    @classmethod
    def from_tokenizer(
        cls,
        tokenizer: PreTrainedTokenizerBase | str,
        image_size: int | None = None,
        image_processor: MTRefSegImageProcessor | None = None,
        **kwargs: Any,
    ) -> "MTRefSegProcessor":
        """
        Make a processor from any language model's tokenizer.

        A copy of the tokenizer gets the special tokens that it lacks: a padding token `[PAD]`, then `seg_token`,
        `image_t1_token` and `image_t2_token`. A token that it already contains as an ordinary one keeps its id.

        Args:
            tokenizer ([`PreTrainedTokenizerBase`] or `str`):
                The tokenizer, or the folder or Hub id to load it from.
            image_size (`int`, *optional*):
                Side of the square canvas in pixels.
            image_processor ([`MTRefSegImageProcessor`], *optional*):
                Image processor to use instead of one with the default options for `image_size`.
            **kwargs:
                Further arguments of [`MTRefSegProcessor`].

        Returns:
            [`MTRefSegProcessor`]

        Raises:
            ValueError: If not exactly one of `image_size` and `image_processor` is given.
        """
        if (image_size is None) == (image_processor is None):
            raise ValueError("Give either `image_size` or `image_processor`.")
        if image_processor is None:
            image_processor = MTRefSegImageProcessor(size=image_size)
        if isinstance(tokenizer, str):
            tokenizer = AutoTokenizer.from_pretrained(tokenizer)
        tokenizer = copy.deepcopy(tokenizer)
        if tokenizer.pad_token is None:
            tokenizer.add_special_tokens({"pad_token": "[PAD]"})
        names = {"seg_token": "[SEG]", "image_t1_token": "<image_t1>", "image_t2_token": "<image_t2>"}
        tokens = [kwargs.get(name, default) for name, default in names.items()]
        tokenizer.add_special_tokens({"extra_special_tokens": tokens}, replace_extra_special_tokens=False)
        return cls(image_processor, tokenizer, **kwargs)

    def with_other(self, **kwargs: Any) -> "MTRefSegProcessor":
        """
        Make a processor that differs from this one in some arguments. This one stays as it is.

        Args:
            **kwargs:
                Arguments of [`MTRefSegProcessor`], such as `image_processor`. The others are those of this one, also
                `num_image_tokens`: for a canvas of another size, pass `None` to derive the number from it.

        Returns:
            [`MTRefSegProcessor`]: It shares the parts that are not replaced with this one.

        Raises:
            ValueError: See [`MTRefSegProcessor`].
        """
        own = {name: getattr(self, name) for name in inspect.signature(MTRefSegProcessor).parameters}
        return MTRefSegProcessor(**(own | kwargs))

    @property
    def seg_token_id(self) -> int:
        """`int`: Id of the `[SEG]` token."""
        return self.tokenizer.convert_tokens_to_ids(self.seg_token)

    @property
    def image_t1_token_id(self) -> int:
        """`int`: Id of the earlier image's placeholder."""
        return self.tokenizer.convert_tokens_to_ids(self.image_t1_token)

    @property
    def image_t2_token_id(self) -> int:
        """`int`: Id of the later image's placeholder."""
        return self.tokenizer.convert_tokens_to_ids(self.image_t2_token)

    @property
    def config_overrides(self) -> dict[str, int]:
        """`dict[str, int]`: Fields that a model and this processor must share: `image_size` and the three token
        ids, which are fields of [`MTRefSegConfig`], and `vocab_size`."""
        return {
            "image_size": self.image_processor.size["height"],
            "seg_token_id": self.seg_token_id,
            "image_t1_token_id": self.image_t1_token_id,
            "image_t2_token_id": self.image_t2_token_id,
            "vocab_size": len(self.tokenizer),
        }

    def check_fits(self, config: Any) -> None:
        """
        Compare the token ids of this processor with those that a model expects.

        Args:
            config ([`MTRefSegConfig`]):
                Configuration of the model.

        Raises:
            ValueError: If an id differs, or is beyond the model's vocabulary.
        """
        for name in ("seg_token", "image_t1_token", "image_t2_token"):
            own, expected = getattr(self, f"{name}_id"), getattr(config, f"{name}_id")
            if own != expected:
                raise ValueError(
                    f"the tokenizer gives {getattr(self, name)} the id {own}, but {name}_id of the model is "
                    f"{expected}; use model and processor of the same checkpoint."
                )
        # Image placeholders are not embedded.
        embedded = set(self.tokenizer.get_vocab().values()) - {self.image_t1_token_id, self.image_t2_token_id}
        if max(embedded) >= config.text_config.vocab_size:
            raise ValueError(
                f"the tokenizer has ids up to {max(embedded)}, but the model knows {config.text_config.vocab_size} "
                "tokens; use model and processor of the same checkpoint."
            )

    @property
    def model_input_names(self) -> list[str]:
        """`list[str]`: Names of the inputs that the model takes at inference."""
        return [
            *self.image_processor.model_input_names,
            "prompt_input_ids",
            "prompt_attention_mask",
            "input_ids",
            "attention_mask",
            "query_mask",
            "num_expressions",
            *(["object_choices"] if self.choose_objects else []),
        ]

    def __call__(
        self,
        images_t1: ImageSource | Sequence[ImageSource],
        images_t2: ImageSource | Sequence[ImageSource],
        text: str | Sequence[str] | Sequence[Sequence[str]] | None = None,
        masks: Any = None,
        change_masks: Any = None,
        domain: str | Sequence[str | None] | None = None,
        align: Align | None = None,
        generation: bool = False,
        choose_objects: bool | None = None,
        return_tensors: str | TensorType = "pt",
    ) -> BatchFeature:
        """
        Prepare one pair or a batch of pairs with their sentences.

        Args:
            images_t1 (`str`, `Path`, `PIL.Image.Image`, `np.ndarray`, `torch.Tensor` or a list of these):
                The earlier image of each pair, in any form that [`load_image`] reads.
            images_t2 (like `images_t1`):
                The later image of each pair.
            text (`str`, `list[str]` or `list[list[str]]`, *optional*):
                The sentences: one or several for a single pair; for several pairs, one each or a list each. Without
                sentences (stage 1) the model segments every change.
            masks (like `images_t1`, nested like `text`, *optional*):
                Ground-truth masks in any form that [`load_mask`] reads, at the size of the pair; without `text`, one
                per pair.
            change_masks (list of masks like those in `masks`, *optional*):
                The mask of every change of each pair, `None` if it is unknown, beside `text` and `masks`.
            domain (`str` or `list[str]`, *optional*):
                Domain of all pairs or of each pair, a key of the template's `scenes`: `"remote_sensing"` or
                `"normal_scene"`. `None` uses a neutral wording.
            align (`str`, *optional*):
                What to do with images of unequal sizes, `"error"` or `"resize"` (t2 to the size of t1). Defaults to
                the image processor's option.
            generation (`bool`, *optional*, defaults to `False`):
                Whether the language model will generate the answer. If so, the sequences end before it.
            choose_objects (`bool`, *optional*):
                Whether colours, places and ranks are removed from the sentences and used to select among objects.
                Defaults to the processor's option, or to `False` with `masks` or `generation`.
            return_tensors (`str`, *optional*, defaults to `"pt"`):
                `"pt"` for PyTorch tensors, `"np"` for NumPy arrays.

        Returns:
            [`BatchFeature`] with

            - **pixel_values_t1**, **pixel_values_t2** -- `float32` of shape `(batch_size, 3, size, size)`.
            - **labels** -- `float32` 0/1 of shape `(num_sentences, size, size)`, without `text` `(batch_size, size,
              size)`; if `masks` is given.
            - **change_labels** -- `float32` 0/1 of shape `(batch_size, size, size)`, -1 if unknown; if `change_masks`
              is given.

            and, if `text` is given, with the sentences of the first pair first,

            - **prompt_input_ids**, **prompt_attention_mask** -- `int64` of shape `(batch_size, prompt_length)`, the
              part before the sentence.
            - **input_ids**, **attention_mask** -- `int64` of shape `(num_sentences, sentence_length)`, the sentence
              and the part after it: in training the complete answer, otherwise only up to the last queried token.
            - **query_mask** -- `int64` 0/1 like `input_ids`, 1 for the positions that are averaged into the mask
              query: the sentence and `[SEG]`.
            - **num_expressions** -- `int64` of shape `(batch_size,)`, the number of sentences of each pair.
            - **object_choices** -- `float32` of shape `(num_sentences, 20)`, which objects each sentence selects
              ([`ObjectChoice.to_values`]); all zeros select every object. Only returned if words were removed.
            - **text_labels** -- `int64` like `input_ids`, the token ids of the answer and -100 elsewhere; if `masks`
              is given and `generation` is not set.

        Raises:
            TypeError: If a sentence is not a `str`.
            ValueError: If the inputs are inconsistent, if a domain is unknown, or if a sentence is empty, too
                long for the tokenizer's `model_max_length`, or contains a special token.
        """
        num_pairs = len(as_list(images_t1))
        if text is None and domain is not None:
            self.sentence_encoder.domains_of(domain, num_pairs)  # Not used, but a wrong one is a mistake.
        if masks is not None:
            masks = as_list(masks) if text is None else _nest(masks, num_pairs, "masks")
        if change_masks is not None and (masks is None or text is None or len(change_masks) != num_pairs):
            raise ValueError("`change_masks` needs `text` and `masks`: pass one mask for each pair.")
        data = self._encode_images(images_t1, images_t2, masks, change_masks, align)
        if text is not None:
            expressions = _nest(text, num_pairs, "text")
            if masks is not None and [len(group) for group in masks] != [len(group) for group in expressions]:
                raise ValueError("`masks` and `text` must have the same nesting: one mask for each sentence.")
            if choose_objects is None:
                choose_objects = self.choose_objects and masks is None and not generation
            data |= self.sentence_encoder.encode(expressions, domain, masks is not None, generation, choose_objects)
        return BatchFeature(data, tensor_type=return_tensors)

    def _encode_images(
        self, images_t1: Any, images_t2: Any, masks: Any, change_masks: Any, align: Align | None
    ) -> dict[str, np.ndarray]:
        """The entries of the image processor, and **change_labels**; with `change_masks`, `masks` has a list per
        pair."""
        if change_masks is not None:
            # One call reads the images once: the mask of every change follows those of the sentences of its pair.
            is_known = np.array([change_mask is not None for change_mask in change_masks])
            masks = [[*group, *([each] if known else [])] for group, each, known in zip(masks, change_masks, is_known)]
        data = self.image_processor(images_t1, images_t2, masks=masks, align=align, return_tensors="np").data
        if change_masks is not None:
            last = (np.cumsum([len(group) for group in masks]) - 1)[is_known]
            labels = data["labels"]
            data["change_labels"] = np.full((len(change_masks), *labels.shape[1:]), -1, labels.dtype)
            data["change_labels"][is_known] = labels[last]
            data["labels"] = np.delete(labels, last, axis=0)
        return data

    def encode_text(
        self,
        text: Sequence[Sequence[str]],
        domain: str | Sequence[str | None] | None = None,
        choose_objects: bool | None = None,
        return_tensors: str | TensorType = "pt",
    ) -> BatchFeature:
        """
        Prepare only the sentences, for pairs that are already encoded.

        Args:
            text (`list[list[str]]`): The sentences of each pair.
            domain (`str` or `list[str]`, *optional*): See [`~MTRefSegProcessor.__call__`].
            choose_objects (`bool`, *optional*): See [`~MTRefSegProcessor.__call__`].
            return_tensors (`str`, *optional*, defaults to `"pt"`): `"pt"` or `"np"`.

        Returns:
            [`BatchFeature`] with the text entries of [`~MTRefSegProcessor.__call__`].

        Raises:
            TypeError, ValueError: See [`~MTRefSegProcessor.__call__`].
        """
        expressions = [list(group) for group in text]
        chooses = self.choose_objects if choose_objects is None else choose_objects
        data = self.sentence_encoder.encode(expressions, domain, choose_objects=chooses)
        return BatchFeature(data, tensor_type=return_tensors)

    def post_process_referring_segmentation(
        self,
        outputs: ModelOutput,
        target_sizes: Sequence[tuple[int, int]] | torch.Tensor,
        threshold: float | None = None,
        no_target_threshold: float | None = None,
    ) -> list[dict[str, torch.Tensor]]:
        """See [`~MTRefSegImageProcessor.post_process_referring_segmentation`]."""
        return self.image_processor.post_process_referring_segmentation(
            outputs, target_sizes, threshold=threshold, no_target_threshold=no_target_threshold
        )

    @property
    def sentence_encoder(self) -> SentenceEncoder:
        """[`SentenceEncoder`]: Converts sentences to token ids, with the current template and tokenizer."""
        tokenizer = self.tokenizer
        return SentenceEncoder(
            template=self.prompt_template,
            tokenize=lambda texts: tokenizer(texts, add_special_tokens=False)["input_ids"],
            placeholder_ids={
                "<image_t1>": self.image_t1_token_id,
                "<image_t2>": self.image_t2_token_id,
                "[SEG]": self.seg_token_id,
            },
            num_image_tokens=self.num_image_tokens,
            special_tokens=[str(token) for token in tokenizer.added_tokens_decoder.values() if token.special],
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            max_length=tokenizer.model_max_length,
            padding_side=tokenizer.padding_side,
        )


def _nest(values: Any, num_pairs: int, name: str) -> list[list[Any]]:
    """Sentences or masks as one list per pair."""
    values = as_list(values)
    if all(isinstance(value, list | tuple) for value in values) and len(values) == num_pairs:
        return [list(value) for value in values]
    if not any(isinstance(value, list | tuple) for value in values):
        if num_pairs == 1:
            return [values]
        if len(values) == num_pairs:
            return [[value] for value in values]
    raise ValueError(
        f"`{name}` must hold one entry or one list of entries for each of the {num_pairs} pairs, but has length "
        f"{len(values)} or mixes the two."
    )


MTRefSegProcessor.register_for_auto_class()
__all__ = ["MTRefSegProcessor"]
