# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Removes what language models write around an answer: reasoning before it, and words and code fences around its JSON.
"""

import json
import re
from collections.abc import Iterator
from typing import Any


MOST_BROKEN_VALUES = 1000
"""Reading stops after this number of invalid values, so that hostile text takes at most a second."""
LONGEST_ANSWER = 200_000
"""Maximum length of an answer in characters; no question needs more."""
CUT_OFF = "the answer is cut off"
"""Problems of incomplete answers begin with this."""

_TAGS = r"think|thinking|thought|thoughts|reasoning"
_FINAL_CHANNEL = r"<\|channel\|>final[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>"
_THOUGHTS_END = re.compile(rf"</(?:{_TAGS})>|◁/think▷|\[/THINK\]|{_FINAL_CHANNEL}", re.IGNORECASE)
_THOUGHTS_BEGIN = re.compile(rf"<(?:{_TAGS})>|◁think▷|\[THINK\]|<\|channel\|>(?:analysis|commentary)", re.IGNORECASE)


class AnswerError(ValueError):
    """An answer cannot be used. The message says what is wrong, for the next request to the model."""


def final_text(text: str) -> str:
    """
    The part of an answer after the reasoning of a model.

    Args:
        text (`str`): The answer, with or without reasoning before it.

    Returns:
        `str`: The part, not blank.

    Raises:
        AnswerError: If the answer is too long, ends inside the reasoning, or is empty.
    """
    if len(text) > LONGEST_ANSWER:
        raise AnswerError(f"the answer has {len(text):,} characters, more than {LONGEST_ANSWER:,}")
    text = drop_thoughts(text)
    if ends_in_thoughts(text):
        raise AnswerError(f"{CUT_OFF}: it ends inside the thoughts before it")
    if not text.strip():
        raise AnswerError("the answer is empty")
    return text


def drop_thoughts(text: str) -> str:
    """The part of an answer after the reasoning of a model; the complete text if no reasoning ends in it."""
    end = 0
    for match in _THOUGHTS_END.finditer(text):
        end = match.end()
    return text[end:]


def ends_in_thoughts(text: str) -> bool:
    """Whether a text ends inside its reasoning, so that the answer is missing."""
    return _THOUGHTS_BEGIN.search(text) is not None


def json_objects(text: str) -> Iterator[dict[str, Any] | ValueError]:
    """The outermost JSON objects in a text; for an invalid one, a `ValueError` with the reason."""
    yield from _values(text, re.compile(r"\{"))


def json_values(text: str) -> Iterator[dict[str, Any] | list[Any] | ValueError]:
    """The outermost JSON objects and arrays in a text; for an invalid one, a `ValueError` with the reason.
    For an invalid one, such as a truncated one, the values inside follow."""
    yield from _values(text, re.compile(r"[{\[]"))


def _values(text: str, opening: "re.Pattern[str]") -> Iterator[Any]:
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    start, broken = opening.search(text), 0
    while start is not None and broken < MOST_BROKEN_VALUES:
        end = start.end()
        try:
            content, end = decoder.raw_decode(text, start.start())
            yield _stripped(content)
        except json.JSONDecodeError as error:
            broken += 1
            yield ValueError(f"the answer is not valid JSON: {error.msg} at character {error.pos}")
        except RecursionError:
            broken += 1
            yield ValueError("the answer is nested too deeply")
        # Python rejects integers with thousands of digits.
        except ValueError as error:
            broken += 1
            yield ValueError(f"the answer holds a number that cannot be read: {error}")
        start = opening.search(text, end)


def _stripped(value: Any) -> Any:
    """The value with white space at both ends of its texts removed, so that this does not count as length."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [_stripped(item) for item in value]
    if isinstance(value, dict):
        return {name: _stripped(item) for name, item in value.items()}
    return value


def _refuse_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"{name} is not a JSON number", name, 0)
