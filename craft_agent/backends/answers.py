# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads the answers of models: one JSON object that conforms to a schema, anywhere in the text.

Reasoning models write drafts before they answer. Everything up to the last closing tag of their thoughts is dropped,
and of several fitting objects the last one is the answer.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match


LONGEST_ANSWER = 200_000
"""Maximum length of an answer in characters; no question here needs more."""
CUT_OFF = "the answer is cut off"
"""Problems of incomplete answers begin with this."""
LONGEST_PROBLEM = 300
"""Maximum length of a message in characters."""
MOST_BROKEN_OBJECTS = 1000
"""Reading stops after this number of invalid objects, so that hostile text takes a second at most."""

_TAGS = r"think|thinking|thought|thoughts|reasoning"
_FINAL_CHANNEL = r"<\|channel\|>final[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>"
_THOUGHTS_END = re.compile(rf"</(?:{_TAGS})>|◁/think▷|\[/THINK\]|{_FINAL_CHANNEL}", re.IGNORECASE)
_THOUGHTS_BEGIN = re.compile(rf"<(?:{_TAGS})>|◁think▷|\[THINK\]|<\|channel\|>(?:analysis|commentary)", re.IGNORECASE)


class AnswerError(ValueError):
    """An answer cannot be used. The message says what is wrong, for the next request to the model."""


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
    if len(text) > LONGEST_ANSWER:
        raise AnswerError(f"the answer has {len(text):,} characters, more than {LONGEST_ANSWER:,}")
    text = drop_thoughts(text)
    if _THOUGHTS_BEGIN.search(text):
        raise AnswerError(f"{CUT_OFF}: it ends inside the thoughts before it")
    if not text.strip():
        raise AnswerError("the answer is empty")
    validator = Draft202012Validator(schema)
    problem, answer = "the answer holds no JSON object", None
    for content in _objects(text):
        found = str(content) if isinstance(content, ValueError) else _find_problem(content, validator)
        if found is None:
            answer = content
        elif answer is None:
            problem = found
    if answer is None:
        raise AnswerError(problem)
    return answer


def drop_thoughts(text: str) -> str:
    """The part of an answer after the thoughts of a reasoning model; the whole text if no thoughts end in it."""
    end = 0
    for match in _THOUGHTS_END.finditer(text):
        end = match.end()
    return text[end:]


def _find_problem(content: dict[str, Any], validator: Draft202012Validator) -> str | None:
    try:
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return "the answer holds a surrogate character (\\ud800 to \\udfff), which is no text"
    error = best_match(validator.iter_errors(content))
    if error is None:
        return None
    message = error.message
    # The message begins with the value, which may be long, and ends with what is wrong with it.
    if len(message) > LONGEST_PROBLEM:
        message = f"{message[: LONGEST_PROBLEM // 3]} … {message[-LONGEST_PROBLEM // 2 :]}"
    return f"{error.json_path.replace('$', 'the answer', 1)}: {message}"


def _objects(text: str) -> Iterator[Any]:
    """The outermost JSON objects in a text; instead of one that is broken, a `ValueError` that says why."""
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    start, broken = text.find("{"), 0
    while start >= 0 and broken < MOST_BROKEN_OBJECTS:
        end = start + 1
        try:
            content, end = decoder.raw_decode(text, start)
            yield _stripped(content)
        except json.JSONDecodeError as error:
            broken += 1
            yield ValueError(f"the answer is not valid JSON: {error.msg} at character {error.pos}")
        except RecursionError:
            broken += 1
            yield ValueError("the answer is nested too deeply")
        # Python refuses integers with thousands of digits.
        except ValueError as error:
            broken += 1
            yield ValueError(f"the answer holds a number that cannot be read: {error}")
        start = text.find("{", end)


def _stripped(value: Any) -> Any:
    """The value with white space at both ends of its texts removed, so that it does not count as length."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [_stripped(item) for item in value]
    if isinstance(value, dict):
        return {name: _stripped(item) for name, item in value.items()}
    return value


def _refuse_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"{name} is not a JSON number", name, 0)
