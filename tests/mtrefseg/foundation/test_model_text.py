# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What stands around an answer."""

import pytest

from mtrefseg.foundation import drop_thoughts, json_objects, json_values
from mtrefseg.foundation.model_text import ends_in_thoughts


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("{}", "{}"),
        ("<think>no</think>{}", "{}"),
        ("no</think>yes</THINKING>{}", "{}"),
        ("[THINK]a[/THINK]{}", "{}"),
        ("<|channel|>analysis<|message|>a<|end|><|channel|>final<|message|>{}", "{}"),
    ],
)
def test_thoughts_that_end(text: str, rest: str) -> None:
    assert drop_thoughts(text) == rest
    assert not ends_in_thoughts(rest)


def test_thoughts_that_do_not_end() -> None:
    assert ends_in_thoughts(drop_thoughts("<think>a</think><think>b"))


def test_values_of_a_text() -> None:
    text = 'See [1, 2] and {"a": [3, " b "]}, but not {"c": [4], NaN'
    values = list(json_values(text))
    assert values[:2] == [[1, 2], {"a": [3, "b"]}]
    assert isinstance(values[2], ValueError)
    assert values[3] == [4]
    first, second = json_objects(text)
    assert first == {"a": [3, "b"]}
    assert isinstance(second, ValueError)
