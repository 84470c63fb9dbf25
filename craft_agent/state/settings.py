# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What a run is made with; it is written into its folder, and later calls must agree with it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RunSettings:
    """
    The settings of a run.

    Args:
        pairs (`str`): Absolute path of the folder of pairs.
        perceiver, segmenter (`str`): Names of the backends.
        backend (`dict[str, str]`, *optional*): What else their answers depend on.
        prompts (`dict[str, str]`, *optional*): Version of every prompt, by name.
        grid (`int`, *optional*): Cells a side; `None` chooses by the pictures' size.
        rounds (`int`, *optional*, defaults to 3): Most tries to segment a candidate.
        attempts (`int`, *optional*, defaults to 2): How often a question is asked whose answer cannot be read.
        paraphrases (`int`, *optional*, defaults to 2): Further sentences of a region.
        grounding_iou (`float`, *optional*, defaults to 0.5): How well the region must be found again by its sentence.
        domain (`str`, *optional*): "NS" or "RS", `None` if unknown.
        view, source (`str`, *optional*): As in the data set's columns.
        input_price, output_price (`float`, *optional*): US dollars for a million tokens.
    """

    pairs: str
    perceiver: str
    segmenter: str
    backend: dict[str, str] = field(default_factory=dict)
    prompts: dict[str, str] = field(default_factory=dict)
    grid: int | None = None
    rounds: int = 3
    attempts: int = 2
    paraphrases: int = 2
    grounding_iou: float = 0.5
    domain: str | None = None
    view: str = "unknown"
    source: str = "unknown"
    input_price: float = 0.0
    output_price: float = 0.0


CHANGEABLE = ("pairs", "input_price", "output_price")
"""What may differ in a later call: the folder may be moved (the files' hashes are compared), prices may change."""
