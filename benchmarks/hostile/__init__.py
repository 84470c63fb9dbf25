# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The kinds of hostile inputs. Each has a function that makes cases and knows their right results."""

from . import answers, images, masks, models, runs, servers, texts, uploads
from .cases import Case, Kind, Outcome, Verdict, judge
from .isolation import run_cases


KINDS = (
    Kind("image files", 28_000, images.make),
    Kind("mask files", 20_000, masks.make),
    Kind("run-length masks", 14_000, runs.make),
    Kind("JSON and YAML files", 6_000, texts.make_file),
    Kind("metadata.jsonl", 4_000, texts.make_rows),
    Kind("JSON of pairs", 3_000, texts.make_layout),
    Kind("cards of exports", 2_500, texts.make_card, texts.prepare_export),
    Kind("answers of models", 14_000, answers.make),
    Kind("responses of servers", 2_500, servers.make, servers.prepare),
    Kind("uploaded images", 2_500, uploads.make_images),
    Kind("typed sentences", 1_300, uploads.make_sentences),
    Kind("uploaded Parquet", 2_000, uploads.make_report),
    Kind("model folders", 200, models.make, models.prepare, seconds=60.0, memory=2 << 30),
)
"""The shares add up to 100,000."""

__all__ = ["KINDS", "Case", "Kind", "Outcome", "Verdict", "judge", "run_cases"]
