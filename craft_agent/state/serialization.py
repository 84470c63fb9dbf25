# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The records of `records.py` as JSON text, and back."""

import json
from typing import Any

from mtrs_iou import decode_rle, encode_rle

from ..records import BoolMask, Box, Candidate, ChangeType, Point, Round, Verdict


def dump(content: Any) -> str:
    """JSON on one line; equal content always gives equal text."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def dump_mask(mask: BoolMask) -> str:
    """JSON of the mask's compressed COCO run-length encoding."""
    return dump(encode_rle(mask))


def load_mask(text: str) -> BoolMask:
    """The mask that `dump_mask` wrote, booleans `(height, width)`."""
    return decode_rle(json.loads(text))


def dump_candidate(candidate: Candidate) -> str:
    """JSON of a candidate without its index."""
    return dump(
        {
            "expression": candidate.expression,
            "thing": candidate.thing,
            "position": candidate.position,
            "change_type": candidate.change_type.value,
            "confidence": candidate.confidence,
            "box": candidate.box,
            "cells": candidate.cells,
        }
    )


def load_candidate(index: int, text: str) -> Candidate:
    """The candidate that `dump_candidate` wrote."""
    content = json.loads(text)
    return Candidate(
        index=index,
        expression=content["expression"],
        thing=content["thing"],
        position=content["position"],
        change_type=ChangeType(content["change_type"]),
        confidence=content["confidence"],
        box=Box(*content["box"]),
        cells=tuple(content["cells"]),
    )


def dump_round(round_: Round) -> str:
    """JSON of a round without its number."""
    return dump(
        {
            "expression": round_.expression,
            "thing": round_.thing,
            "change_type": round_.change_type.value,
            "box": round_.box,
            "points": round_.points,
            "mask": encode_rle(round_.mask),
            "score": round_.score,
            "verdict": round_.verdict.value,
            "fit": round_.fit,
            "comment": round_.comment,
        }
    )


def load_round(number: int, text: str) -> Round:
    """The round that `dump_round` wrote."""
    content = json.loads(text)
    return Round(
        number=number,
        expression=content["expression"],
        thing=content["thing"],
        change_type=ChangeType(content["change_type"]),
        box=None if content["box"] is None else Box(*content["box"]),
        points=tuple(Point(*point) for point in content["points"]),
        mask=decode_rle(content["mask"]),
        score=content["score"],
        verdict=Verdict(content["verdict"]),
        fit=content["fit"],
        comment=content["comment"],
    )
