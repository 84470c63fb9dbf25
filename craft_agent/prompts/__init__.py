# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What perceivers are asked: the texts (`*.txt`), which `Prompts` fills in, and the JSON schemas of the answers."""

from .schemas import GROUND, PERCEIVE, REVIEW, refine_schema
from .templates import Prompts


__all__ = ["GROUND", "PERCEIVE", "REVIEW", "Prompts", "refine_schema"]
