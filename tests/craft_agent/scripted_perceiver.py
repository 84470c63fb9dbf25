# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Perceivers and segmenters that do what a test says."""

import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from craft_agent.backends.protocols import Answer, Question, Segmentation, SegmentationPrompt, Usage
from craft_agent.geometry import box_mask
from craft_agent.prompts.templates import Prompts
from craft_agent.records import ImagePair
from craft_agent.state.journal import Journal, MemoryJournal
from craft_agent.steps.asking import Asker


class ScriptedPerceiver:
    """Answers with what `script(question, number)` gives: text as it is, anything else as JSON. It may raise, too."""

    name = "scripted"

    def __init__(self, script: Callable[[Question, int], Any]) -> None:
        self._script = script
        self._lock = threading.Lock()
        self.asked: list[Question] = []

    def ask(self, question: Question) -> Answer:
        with self._lock:
            number = len(self.asked)
            self.asked.append(question)
        answer = self._script(question, number)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return Answer(text, Usage(prompt_tokens=10, completion_tokens=2))


class BoxSegmenter:
    """Gives back the box that it is asked for."""

    name = "box"

    def __init__(self) -> None:
        self.prompts: list[SegmentationPrompt] = []

    def segment(self, prompt: SegmentationPrompt) -> Segmentation:
        self.prompts.append(prompt)
        if prompt.box is None:
            return Segmentation(np.zeros((prompt.image.height, prompt.image.width), dtype=bool), 0.0)
        return Segmentation(box_mask(prompt.box, prompt.image.size), 0.8)


def make_asker(
    script: Callable[[Question, int], Any], segmenter: Any = None, journal: Journal | None = None, attempts: int = 2
) -> Asker:
    return Asker(
        ScriptedPerceiver(script), segmenter or BoxSegmenter(), Prompts(), journal or MemoryJournal(), attempts
    )


def make_pair(size: tuple[int, int] = (120, 90)) -> ImagePair:
    return ImagePair("pair", Image.new("RGB", size, (90, 110, 70)), Image.new("RGB", size, (90, 110, 75)))


def difference(**changes: Any) -> dict[str, Any]:
    """An entry of a good answer."""
    return {
        "expression": "the white car that appeared at the top-left",
        "object": "white car",
        "change_type": "appear",
        "confidence": 0.8,
        "box": [100, 100, 300, 300],
        **changes,
    }


def review(**changes: Any) -> dict[str, Any]:
    """A good answer about a mask."""
    return {
        "verdict": "accept",
        "fit": 0.9,
        "expression": "the white car that appeared at the top-left",
        "object": "white car",
        "change_type": "appear",
        "box": [],
        "points": [],
        "comment": "fits",
        **changes,
    }
