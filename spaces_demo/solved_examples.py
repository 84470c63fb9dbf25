# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The examples of the page and their answers, which were computed beforehand: the page opens with one of them solved.

`make images` computes them again with the shipped checkpoint, and a test compares each with its truth.
"""

import base64
import io
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mtrefseg.view.drawing import to_panel
from mtrs_iou import decode_rle, encode_rle

from .segmenting import Segmentation, Segmenter, shown_size


FOLDER = Path(__file__).with_name("examples")
ANSWERS = FOLDER / "answers.json"
CARD = (132, 88)  # pixels
CHOOSE = (
    "element.addEventListener('click', (event) => { const card = event.target.closest('[data-index]');"
    "if (card) trigger('click', { index: Number(card.dataset.index) }); });"
)
"""What tells the server which card was clicked."""


@dataclass(frozen=True)
class Example:
    """
    A pair and sentences.

    Args:
        name (`str`): Of its files.
        title (`str`): What stands on its card.
        domain (`str`): `"remote_sensing"` or `"normal_scene"`.
        sentences (`tuple[str, ...]`): The sentences.
    """

    name: str
    title: str
    domain: str
    sentences: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, str]:
        """`tuple[str, str]`: The files of t1 and t2."""
        return str(FOLDER / f"{self.name}_t1.jpg"), str(FOLDER / f"{self.name}_t2.jpg")

    @property
    def text(self) -> str:
        """`str`: The sentences as they stand in the text box."""
        return "\n".join(self.sentences)


ABOVE, EVERYDAY = "remote_sensing", "normal_scene"
EXAMPLES = (
    Example(
        "town",
        "Town",
        ABOVE,
        (
            "which buildings are new?",
            "which building is new at the top?",
            "the house that no longer exists",
            "the swimming pool that was filled in",
        ),
    ),
    Example(
        "lagoon",
        "Lagoon",
        ABOVE,
        ("which building is new?", "the buildings that no longer exist", "the swimming pool that was filled in"),
    ),
    Example("crescents", "Crescents", ABOVE, ("the building that turned grey", "the swimming pool that was added")),
    Example(
        "parking",
        "Roadside",
        ABOVE,
        ("the building that was built beside the road", "the house that no longer exists"),
    ),
    Example(
        "storeroom",
        "Storeroom",
        EVERYDAY,
        ("the bookcase that was removed", "what is missing in the second image?"),
    ),
    Example("highway", "Highway", EVERYDAY, ("the blue car that left",)),
)


def solve(segmenter: Segmenter) -> dict[str, Any]:
    """
    Answers the sentences of all examples.

    Args:
        segmenter ([`Segmenter`]): The model.

    Returns:
        `dict`: What `answers.json` holds: for each example its answers with "sentence", "mask" (COCO RLE), "score",
        "no_target_score" and "is_closest".
    """
    solved = {}
    for example in EXAMPLES:
        found = segmenter.segment(
            "",
            example.paths,
            example.sentences,
            example.domain,
            threshold=segmenter.threshold,
            no_target_threshold=segmenter.no_target_threshold,
        )
        rows = zip(found.sentences, found.masks, found.scores, found.no_target_scores, found.is_closest, strict=True)
        solved[example.name] = [
            {
                "sentence": sentence,
                "mask": encode_rle(mask),
                "score": round(score, 4),
                "no_target_score": round(no_target_score, 4),
                "is_closest": is_closest,
            }
            for sentence, mask, score, no_target_score, is_closest in rows
        ]
    return solved


def write_answers(segmenter: Segmenter) -> None:
    """Writes `answers.json` anew."""
    ANSWERS.write_text(json.dumps(solve(segmenter), indent=1) + "\n", encoding="utf-8", newline="\n")


def load_solved(example: Example) -> Segmentation:
    """
    An example with the answers that were computed beforehand; the model is not needed.

    Args:
        example ([`Example`]): The example.

    Returns:
        [`Segmentation`]: As the model gave it.
    """
    answers = json.loads(ANSWERS.read_text(encoding="utf-8"))[example.name]
    images = []
    for path in example.paths:
        with Image.open(path) as image:
            images.append(to_panel(image, shown_size(image.size)))
    return Segmentation(
        shown=(images[0], images[1]),
        sentences=[answer["sentence"] for answer in answers],
        masks=np.stack([decode_rle(answer["mask"]) for answer in answers]),
        scores=[answer["score"] for answer in answers],
        no_target_scores=[answer["no_target_score"] for answer in answers],
        is_closest=[answer["is_closest"] for answer in answers],
        encoding_seconds=None,
        answering_seconds=0.0,
        num_asked=0,
    )


def cards_html() -> str:
    """The examples as cards to click, half of each the earlier and half the later image."""
    cards = "".join(
        f'<button type="button" data-index="{index}" title="{escape(example.text)}"><img src="{_card(example)}" '
        f'alt="" width="{CARD[0]}" height="{CARD[1]}"><span>{escape(example.title)}</span></button>'
        for index, example in enumerate(EXAMPLES)
    )
    return f'<p id="examples-title">Try one</p><div role="group" aria-labelledby="examples-title">{cards}</div>'


def _card(example: Example) -> str:
    width, height = CARD[0] * 2, CARD[1] * 2
    halves = []
    for path in example.paths:
        with Image.open(path) as image:
            side = image.convert("RGB").resize((width, width), Image.Resampling.LANCZOS)
            halves.append(side.crop((0, (width - height) // 2, width, (width + height) // 2)))
    card = halves[1]
    card.paste(halves[0].crop((0, 0, width // 2 - 1, height)), (0, 0))
    card.paste((255, 255, 255), (width // 2 - 1, 0, width // 2 + 1, height))
    file = io.BytesIO()
    card.save(file, "JPEG", quality=82, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
