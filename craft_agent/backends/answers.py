# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads what a model says: JSON, exactly as the schema has it, or a problem in words.

The schemas of this package use a small part of JSON Schema: type, properties, required, additionalProperties, items,
enum, minimum, maximum, minItems, maxItems, minLength, maxLength. Another keyword is an error in the schema.
"""

import json
import re
from collections.abc import Mapping
from typing import Any


LONGEST_ANSWER = 200_000
"""Characters; what is longer is no answer to any question asked here."""

_KEYWORDS = {
    *("title", "description", "type", "properties", "required", "additionalProperties", "items", "enum"),
    *("minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength"),
}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
}
# Reasoning models think aloud before they answer.
_THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)


class AnswerError(ValueError):
    """An answer cannot be used; the message tells the model what is wrong with it."""


def read_answer(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """
    Reads an answer.

    Args:
        text (`str`): What the model said. JSON may stand in a code fence, behind thoughts or between words.
        schema (`Mapping`): The schema of a JSON object.

    Returns:
        `dict`: The object.

    Raises:
        AnswerError: If there is no such object, or it is not exactly as the schema has it.
    """
    if len(text) > LONGEST_ANSWER:
        raise AnswerError(f"the answer has {len(text):,} characters")
    content = _first_object(_THOUGHTS.sub(" ", text))
    problem = find_problem(content, schema, "the answer")
    if problem is not None:
        raise AnswerError(problem)
    return content


def find_problem(value: Any, schema: Mapping[str, Any], where: str) -> str | None:
    """
    Compares a value with a schema.

    Args:
        value: As `json.loads` gives it.
        schema (`Mapping`): The schema.
        where (`str`): What the value is called in the message.

    Returns:
        `str` or `None`: What is wrong, `None` if nothing is.
    """
    unknown = schema.keys() - _KEYWORDS
    if unknown:
        raise ValueError(f"the schema of {where} uses {', '.join(sorted(unknown))}, which nothing here checks")
    kind = schema["type"]
    # In Python, a boolean is a number, and so are NaN and the infinities that its JSON reader accepts.
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return f"{where} must be of type {kind}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} must be one of {', '.join(map(str, schema['enum']))}"
    if isinstance(value, dict):
        return _object_problem(value, schema, where)
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            return f"{where} has {len(value)} items"
        problems = (find_problem(item, schema["items"], f"{where}[{index}]") for index, item in enumerate(value))
        return next((problem for problem in problems if problem is not None), None)
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value.strip()) <= schema.get("maxLength", len(value)):
            return f"{where} has {len(value.strip())} characters"
        return None
    if not isinstance(value, bool) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return f"{where} is {value}, which is out of range"
    return None


def _object_problem(value: dict[str, Any], schema: Mapping[str, Any], where: str) -> str | None:
    properties = schema["properties"]
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        return f"{where} lacks {', '.join(missing)}"
    extra = sorted(value.keys() - properties.keys())
    if extra:
        return f"{where} has {', '.join(map(repr, extra[:5]))}, which it must not have"
    problems = (find_problem(item, properties[name], f"{where}.{name}") for name, item in value.items())
    return next((problem for problem in problems if problem is not None), None)


def _first_object(text: str) -> Any:
    """The first JSON object in a text."""
    if not text.strip():
        raise AnswerError("the answer is empty")
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    problem = "the answer holds no JSON object"
    # Only a few braces are tried: prose with thousands of them must not take minutes.
    for match in list(re.finditer(r"\{", text))[:20]:
        try:
            return decoder.raw_decode(text, match.start())[0]
        except json.JSONDecodeError as error:
            problem = f"the answer is no valid JSON: {error.msg} at character {error.pos}"
        except RecursionError:
            problem = "the answer is nested too deeply"
    raise AnswerError(problem)


def _refuse_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"{name} is no JSON number", name, 0)
