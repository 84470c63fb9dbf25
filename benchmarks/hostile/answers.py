# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Answers of language models: the last fitting object behind all thoughts is read, or the answer is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from craft_agent.backends import AnswerError, read_answer
from craft_agent.prompts import GROUND, PERCEIVE, REVIEW

from .cases import Case, Random


SCHEMAS = {"perceive": PERCEIVE, "review": REVIEW, "ground": GROUND}
TAGS = ("think", "thinking", "thought", "thoughts", "reasoning", "THINK", "Thinking")
CHANGES = ("appear", "disappear", "state_change")
WORDS = (
    "the red house",
    "ein Auto",
    "屋根",
    "a {curly} one",
    'so-called "new" one',
    "line\nbreak",
    "back\\slash",
    "🏠",
    "<b>",
)
BEFORE = (
    "",
    "Here is the JSON:\n",
    "Sure! ",
    "\ufeff",
    "{not json} ",
    "{'a': 1}\n",
    '{"draft": true}\n',
    "\\boxed{",
    "[",
)
AFTER = ("", "\nDone.", "}", "\n```", " {", "]", '\n{"note": "bye"}')


def make(random: Random, folder: Path) -> Case:
    """A case of any sort."""
    sorts = (_wrapped, _wrapped, _thoughts, _thoughts, _unclosed, _cut, _odd, _repeated)
    return sorts[random.integers(0, len(sorts))](random)


def _words(random: Random) -> str:
    return f"{WORDS[random.integers(0, len(WORDS))]} {random.integers(0, 10**6)}"


def _answer(random: Random) -> tuple[Any, dict[str, Any]]:
    """A schema and an object that conforms to it."""
    name = ("perceive", "review", "ground")[random.integers(0, 3)]
    change = CHANGES[random.integers(0, 3)]
    left, top, width, height = (int(value) for value in random.integers((0, 0, 2, 2), 500))
    box = [left, top, left + width, top + height]
    if name == "perceive":
        entry = {"expression": _words(random), "object": "house", "change_type": change, "confidence": 0.5, "box": box}
        return SCHEMAS[name], {
            "differences": [{**entry, "object": _words(random)} for _ in range(random.integers(0, 4))]
        }
    if name == "ground":
        return SCHEMAS[name], {"found": True, "box": box, "object": _words(random), "change_type": change}
    content = {
        "verdict": "accept",
        "fit": 0.75,
        "expression": _words(random),
        "object": "house",
        "change_type": change,
    }
    return SCHEMAS[name], {**content, "box": box, "points": [[1, 2, 1]], "comment": _words(random)}


def _text(random: Random, content: Any) -> str:
    text = json.dumps(content, ensure_ascii=bool(random.random() < 0.5), indent=(None, 1)[random.integers(0, 2)])
    return f"```json\n{text}\n```" if random.random() < 0.3 else text


def _read(text: str, schema: Any) -> Callable[[], Any]:
    return lambda: read_answer(text, schema)


def _wrapped(random: Random) -> Case:
    """Words, other objects and drafts around the answer; of several fitting ones the last counts."""
    schema, content = _answer(random)
    before = BEFORE[random.integers(0, len(BEFORE))]
    if random.random() < 0.3:
        before = f"{json.dumps(_other(content))} No, rather:\n{before}"
    after = AFTER[random.integers(0, len(AFTER))]
    text = f"{before}{_text(random, content)}{after}"
    return Case(f"{before!r:.60} ... {after!r}", _read(text, schema), (AnswerError,), content.__eq__, must_read=True)


def _other(content: dict[str, Any]) -> dict[str, Any]:
    """A draft: it conforms to the same schema and says something else."""
    if "differences" in content:
        draft = {
            "expression": "a draft",
            "object": "draft",
            "change_type": "appear",
            "confidence": 1,
            "box": [0, 0, 9, 9],
        }
        return {"differences": [draft]}
    return {**content, "object": "draft", "box": [0, 0, 9, 9]}


def _marks(random: Random) -> tuple[str, str]:
    tag = TAGS[random.integers(0, len(TAGS))]
    marks = (
        (f"<{tag}>", f"</{tag}>"),
        (f"<{tag}>", f"</{tag}>"),
        ("◁think▷", "◁/think▷"),
        ("[THINK]", "[/THINK]"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("<|channel|>commentary<|message|>", "<|channel|>final <|constrain|>json<|message|>"),
    )
    return marks[random.integers(0, len(marks))]


def _thoughts(random: Random) -> Case:
    """Drafts within thoughts never count, however often thoughts begin, and even where their beginning is missing."""
    schema, content = _answer(random)
    begin, end = _marks(random)
    draft = json.dumps(_other(content))
    begin = "" if random.random() < 0.3 else begin
    text = f"{begin}Hm. {draft} or {draft}?{end}" * int(random.integers(1, 4)) + _text(random, content)
    return Case(f"thoughts in {begin}{end}", _read(text, schema), (AnswerError,), content.__eq__, must_read=True)


def _unclosed(random: Random) -> Case:
    """Thoughts that never end hold no answer."""
    schema, content = _answer(random)
    begin, end = _marks(random)
    closed = f"{begin}well{end}\n" if random.random() < 0.5 else ""
    text = f"{closed}{begin}Perhaps {_text(random, content)}, or rather {json.dumps(_other(content))}"
    return Case(f"unclosed {begin}", _read(text, schema), (AnswerError,))


def _cut(random: Random) -> Case:
    schema, content = _answer(random)
    text = json.dumps(content)
    begin, end = _marks(random)
    thoughts = f"{begin}{json.dumps(_other(content))}{end}" if random.random() < 0.5 else ""
    text = thoughts + text[: random.integers(0, len(text))]
    return Case("cut off", _read(text, schema), (AnswerError,))


def _odd(random: Random) -> Case:
    """One value that is out of range, of another type, or no text."""
    schema, content = _answer(random)
    numbers = (
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1",
        "1001",
        "9" * 5000,
        "true",
        "null",
        '"1"',
        "[1]",
        "{}",
        "1e-400",
    )
    texts = ('"\\ud800"', '"a \\udcff b"', '""', '"' + "x" * 5000 + '"', "null", "3", "[]", '"\\ud83d"')
    name = list(content)[random.integers(0, len(content))]
    is_number = name in ("box", "fit")
    odd = (numbers if is_number else texts)[random.integers(0, len(numbers if is_number else texts))]
    if name == "box":
        odd = f"[{odd}, 0, 5, 5]"
    elif name in ("differences", "points"):
        odd = ("null", "[[]]", "[{}]", '"x"', "[" + "[]," * 50 + "[]]")[random.integers(0, 5)]
    elif name == "found":
        odd = ("1", '"yes"', "null")[random.integers(0, 3)]
    text = json.dumps({**content, name: "ODD"}).replace('"ODD"', odd)
    # Texts that may be empty, and the smallest number, which is 0.
    is_allowed = (odd == '""' and name in ("comment", "object")) or "1e-400" in odd
    return Case(f"{name}: {odd[:40]}", _read(text, schema), (AnswerError,), (lambda _: True) if is_allowed else None)


def _repeated(random: Random) -> Case:
    """Tens of thousands of the same few characters, which must not take long; then perhaps an answer."""
    schema, content = _answer(random)
    piece = (
        "<think>",
        "</think>",
        "{",
        "[",
        '{"a":',
        "<",
        "```json\n",
        "<|channel|>final",
        '"',
        "\\",
        "{}",
        '{"a":{}}',
    )[random.integers(0, 12)]
    text = piece * int(random.integers(1000, 1 + 300_000 // len(piece)))
    is_answered = bool(random.random() < 0.5)
    text += ("</think>" + json.dumps(content)) if is_answered else ""
    return Case(f"{piece!r} many times", _read(text, schema), (AnswerError,), content.__eq__ if is_answered else None)
