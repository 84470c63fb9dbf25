# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads the answers of models: one JSON object that conforms to a schema, anywhere in the text.

Reasoning models write drafts before they answer. Everything up to the last closing tag of their thoughts is dropped,
and of several fitting objects the last one is the answer.
"""

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from mtrefseg.foundation import AnswerError, final_text, json_objects

from ..geometry import FULL_SCALE


_FRACTION = 1
"""No coordinate of a box that fits is as small as this, of 1000: they are fractions, which the schema cannot tell."""
LONGEST_PROBLEM = 300
"""Maximum length of a message in characters."""


def read_answer(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """
    Reads an answer.

    Args:
        text (`str`): The text of the model. The JSON may stand in a code fence, after thoughts or between words.
        schema (`Mapping`): JSON schema of an object.

    Returns:
        `dict`: The last object in the text that conforms to the schema.

    Raises:
        AnswerError: If there is none, or the text ends inside the model's thoughts.
    """
    text = final_text(text)
    validator = Draft202012Validator(schema)
    answer: dict[str, Any] | None = None
    problem = "the answer holds no JSON object"
    for content in json_objects(text):
        found = str(content) if isinstance(content, ValueError) else _find_problem(content, validator)
        if found is None and isinstance(content, dict):
            answer = content
        elif found is not None and answer is None:
            problem = found
    if answer is None:
        raise AnswerError(problem)
    return answer


def _find_problem(content: dict[str, Any], validator: Draft202012Validator) -> str | None:
    try:
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return "the answer holds a surrogate character (\\ud800 to \\udfff), which is no text"
    error = best_match(validator.iter_errors(content))
    if error is None:
        return _find_other_coordinates(content)
    message = error.message
    # The message begins with the value, which may be long, and ends with what is wrong with it.
    if len(message) > LONGEST_PROBLEM:
        message = f"{message[: LONGEST_PROBLEM // 3]} … {message[-LONGEST_PROBLEM // 2 :]}"
    return f"{error.json_path.replace('$', 'the answer', 1)}: {message}"


def _find_other_coordinates(content: dict[str, Any]) -> str | None:
    """What is wrong with boxes and points that fit the schema, but are of another kind: fractions of the image, or a
    corner with width and height. Taken for corners from 0 to 1000, they would lie elsewhere."""
    if content.get("found") is False:
        return None
    found = {f"the answer.differences[{number}]": each for number, each in enumerate(content.get("differences", ()))}
    for where, entry in {"the answer": content, **found}.items():
        box: list[float] = entry.get("box") or []
        points: list[list[float]] = entry.get("points") or []
        if len(box) == 4 and (any(box) or where in found):
            if any(box) and max(box) <= _FRACTION:
                return f"{where}.box: {box} are fractions; write left, top, right, bottom from 0 to {FULL_SCALE}"
            if box[0] >= box[2] or box[1] >= box[3]:
                wanted = "write left, top, right, bottom, not width and height"
                return f"{where}.box: {box} ends before it begins; {wanted}"
        corners = [value for point in points for value in point[:2]]
        if any(value % 1 for value in corners) and max(corners) <= _FRACTION:
            return f"{where}.points: {points} hold fractions; write x and y from 0 to {FULL_SCALE}"
    return None
