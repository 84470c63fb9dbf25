# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The settings of a run. They are stored in its folder, and later calls must agree with them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RunSettings:
    """
    The settings of a run.

    Args:
        pairs (`str`): Absolute path of the folder of pairs.
        perceiver, segmenter (`str`): Names of the backends.
        backend (`dict[str, str]`, *optional*): Further options that the answers depend on.
        prompts (`dict[str, str]`, *optional*): Version of every prompt, by name.
        grid (`int`, *optional*): Cells per side; `None` chooses by image size.
        rounds (`int`, *optional*, defaults to 3): Maximum number of attempts to segment a candidate.
        attempts (`int`, *optional*, defaults to 2): How often a question is asked if the answer cannot be read.
        paraphrases (`int`, *optional*, defaults to 2): Number of further sentences for a region.
        grounding_iou (`float`, *optional*, defaults to 0.5): Minimum IoU, in `(0, 1]`, between a region and what its
            sentence alone leads to.
        domain (`str`, *optional*): "NS" or "RS"; `None` if unknown.
        view, source (`str`, *optional*): As in the columns of the dataset.
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
"""Settings that a later call may change: the folder may be moved (files are compared by hash), prices may change."""
AUDIT_PLAN = "audit_plan"
"""Key of the audit's plan, which is stored beside the settings and is none of them."""
