# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The model behind the demo and the API, in three steps: encode a pair, process sentences about it, create the
masks."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers.utils.generic import ModelOutput

from modeling_mtrefseg.canvas_mtrefseg import SHRINK_LIMIT, describe_shrinking
from modeling_mtrefseg.object_choice_mtrefseg import NUM_CHOICE_VALUES, ObjectChoice

# This also registers the model's classes, so AutoModel runs no code from a model repository.
from mtrefseg.build.loading import find_device, load_model, load_processor

from .limits import InputError


SENTENCE_INPUTS = ("input_ids", "attention_mask", "query_mask", "num_expressions")
PAIR_INPUTS = ("pixel_values_t1", "pixel_values_t2", "prompt_input_ids", "prompt_attention_mask")
BLANK = Image.new("RGB", (8, 8))

# For requests without a sentence: segment every change.
EVERY_CHANGE = None
Sentence = str | None


@dataclass(frozen=True)
class Answer:
    """
    The model's output for one sentence, before thresholds are applied.

    Args:
        mask_logits (`Tensor` of shape `(height / 4, width / 4)`): Logits on the padded canvas.
        no_target_logit (`Tensor` of shape `()`): Logit that the sentence has no target.
        object_choice (`Tensor` of shape `(20,)`): The objects that the sentence selects, if the processor removed
            colours, places or ranks from it; zeros for all.
        image_colors (`Tensor` of shape `(2, 3, height / 4, width / 4)`, *optional*): Colours of both images, for the
            selection.
        change_logits (`Tensor` of shape `(height / 4, width / 4)`, *optional*): Logits of every change, for sentences
            whose mask is empty.
    """

    mask_logits: Tensor
    no_target_logit: Tensor
    object_choice: Tensor
    image_colors: Tensor | None = None
    change_logits: Tensor | None = None


class FairLock:
    """
    A fair lock, as a context manager: threads acquire it in the order of their requests. A busy worker would reacquire
    a plain lock before other threads wake up, and visitors of the demo would wait forever.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._is_held:
                self._is_held = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(self, *error: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()  # The lock passes to the next thread without being released.
            else:
                self._is_held = False


class Engine:
    """
    A model with its processor. `encode` and `answer` run the model; callers must hold `lock`.

    Args:
        model ([`MTRefSegModel`]): The model, on any device.
        processor ([`MTRefSegProcessor`]): Its processor.
        name (`str`, *optional*): Name of the model.
    """

    def __init__(self, model: Any, processor: Any, name: str = "") -> None:
        self.model = model
        self.processor = processor
        self.name = name
        self.lock = FairLock()
        self.threshold = float(processor.image_processor.threshold)
        no_target_threshold = processor.image_processor.no_target_threshold
        # Without one, no mask is emptied, as everywhere else.
        self.no_target_threshold = 1.0 if no_target_threshold is None else float(no_target_threshold)

    @classmethod
    def from_pretrained(cls, name: str, revision: str | None = None) -> "Engine":
        """
        Loads a checkpoint, on a GPU if there is one.

        Args:
            name (`str`): Folder or Hub id.
            revision (`str`, *optional*): Commit of the Hub repository.

        Raises:
            [`CheckpointError`]: If it cannot be loaded.
        """
        processor = load_processor(name, revision=revision)
        label = Path(name).resolve().name if Path(name).is_dir() else name
        return cls(load_model(name, processor, find_device(), revision=revision), processor, label)

    @property
    def special_tokens(self) -> list[str]:
        """`list[str]`: Tokens that a sentence must not contain."""
        processor = self.processor
        own = [processor.seg_token, processor.image_t1_token, processor.image_t2_token]
        return [*own, *processor.tokenizer.all_special_tokens]

    def shrinking_note(self, image: Image.Image) -> str:
        """Says by how much an image is shrunk, if it is much larger than the canvas; otherwise ""."""
        canvas = self.processor.image_processor.size["height"]
        longest = max(image.size)
        return describe_shrinking("the images are", longest, canvas) if longest > SHRINK_LIMIT * canvas else ""

    @torch.inference_mode()
    def encode(self, image_t1: Image.Image, image_t2: Image.Image, domain: str | None) -> Any:
        """
        Computes what all sentences of a pair share.

        Args:
            image_t1, image_t2 (`PIL.Image.Image`): RGB, of one size.
            domain (`str`, *optional*): `"remote_sensing"` or `"normal_scene"`.

        Returns:
            [`MTRefSegPairEncoding`]
        """
        # No sentence yet: only the prompt, which all sentences share.
        inputs = self.processor(image_t1, image_t2, text=[[]], domain=domain)
        inputs = inputs.to(self.model.device, self.model.dtype)
        return self.model.encode_pair(*(inputs[name] for name in PAIR_INPUTS))

    @torch.inference_mode()
    def answer(self, encoding: Any, sentences: Sequence[Sentence]) -> dict[Sentence, Answer]:
        """
        Runs the model on sentences.

        Args:
            encoding ([`MTRefSegPairEncoding`]): The pair.
            sentences (`Sequence[str | None]`): Distinct sentences; `None` for every change.

        Returns:
            `dict[str | None, Answer]`: The output for each.

        Raises:
            [`InputError`]: If a sentence is too long for the model.
        """
        answers: dict[Sentence, Answer] = {}
        texts = [sentence for sentence in sentences if sentence is not EVERY_CHANGE]
        if texts:
            try:
                inputs = self.processor(BLANK, BLANK, text=[texts]).to(self.model.device)
            except ValueError as error:
                raise InputError(f"The model rejects a sentence: {error}") from error
            outputs = self.model(pair_encoding=encoding, **{name: inputs[name] for name in SENTENCE_INPUTS})
            choices = inputs.get("object_choices", torch.zeros(len(texts), NUM_CHOICE_VALUES))
            colors = None if encoding.image_colors is None else encoding.image_colors[0]
            changes = None if encoding.change_logits is None else encoding.change_logits[0]
            rows = zip(texts, outputs.mask_logits, outputs.no_target_logits, choices, strict=True)
            for text, logits, no_target, choice in rows:
                read = ObjectChoice.from_values(choice.tolist())
                # Where no sentence needs them, nothing is selected by colour.
                needed = colors if read is not None and read.color is not None else None
                answers[text] = Answer(logits.clone(), no_target, choice, needed, changes)
        if len(texts) < len(sentences):
            outputs = self.model(pair_encoding=encoding)
            every_object = torch.zeros(NUM_CHOICE_VALUES)
            answers[EVERY_CHANGE] = Answer(outputs.mask_logits[0], outputs.no_target_logits[0], every_object)
        return answers

    def masks_of(
        self, answers: Sequence[Answer], size: tuple[int, int], threshold: float, no_target_threshold: float
    ) -> dict[str, Tensor]:
        """
        Masks at the size of the images.

        Args:
            answers (`Sequence[Answer]`): Outputs for one pair.
            size (`tuple[int, int]`): Height and width of the masks, in pixels.
            threshold (`float`): Probability above which a pixel is masked.
            no_target_threshold (`float`): No-target score above which a mask is emptied.

        Returns:
            `dict[str, Tensor]`: "masks", "scores", "no_target_scores" and "is_closest", see
            [`~MTRefSegImageProcessor.post_process_referring_segmentation`].
        """
        outputs = ModelOutput(
            mask_logits=torch.stack([answer.mask_logits for answer in answers]),
            no_target_logits=torch.stack([answer.no_target_logit for answer in answers]),
            num_expressions=torch.tensor([len(answers)]),
            object_choices=torch.stack([answer.object_choice.cpu() for answer in answers]),
            image_colors=_of_any(answers, "image_colors"),
            change_logits=_of_any(answers, "change_logits"),
        )
        (result,) = self.processor.post_process_referring_segmentation(
            outputs, [size], threshold=threshold, no_target_threshold=no_target_threshold
        )
        return dict(result)


def _of_any(answers: Sequence[Answer], name: str) -> Tensor | None:
    """What the answers about a pair have in common, if any of them has it: `(1, ...)`."""
    values = (getattr(answer, name) for answer in answers)
    return next((value[None] for value in values if value is not None), None)
