# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""JSON schemas of the answers. Every property is required and no other is allowed, as strict endpoints demand."""

from typing import Any

from ..geometry import FULL_SCALE
from ..records import ChangeType, Verdict


MOST_DIFFERENCES = 40
"""Maximum number of differences in one answer."""

_CHANGE_TYPE = {"type": "string", "enum": [change_type.value for change_type in ChangeType]}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_COORDINATE = {"type": "number", "minimum": 0, "maximum": FULL_SCALE}
_SENTENCE = {"type": "string", "minLength": 3, "maxLength": 300}
_THING = {"type": "string", "minLength": 1, "maxLength": 120}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(item: dict[str, Any], least: int, most: int) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": least, "maxItems": most}


PERCEIVE = {
    "title": "differences",
    **_object(
        differences=_list(
            _object(
                expression=_SENTENCE,
                object=_THING,
                change_type=_CHANGE_TYPE,
                confidence=_SHARE,
                box=_list(_COORDINATE, 4, 4),
            ),
            0,
            MOST_DIFFERENCES,
        )
    ),
}
REVIEW = {
    "title": "review",
    **_object(
        verdict={
            "type": "string",
            "enum": [verdict.value for verdict in Verdict if verdict is not Verdict.UNANSWERED],
        },
        fit=_SHARE,
        expression=_SENTENCE,
        object=_THING,
        change_type=_CHANGE_TYPE,
        box=_list(_COORDINATE, 0, 4),
        points=_list(_list(_COORDINATE, 3, 3), 0, 6),
        comment={"type": "string", "maxLength": 600},
    ),
}
GROUND = {
    "title": "grounding",
    **_object(
        found={"type": "boolean"},
        box=_list(_COORDINATE, 0, 4),
        object={"type": "string", "maxLength": 120},
        change_type=_CHANGE_TYPE,
    ),
}


def refine_schema(paraphrases: int) -> dict[str, Any]:
    """The schema of a refined sentence with at most this number of paraphrases."""
    return {
        "title": "refinement",
        **_object(expression=_SENTENCE, paraphrases=_list(_SENTENCE, 0, paraphrases)),
    }
