# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Wording of the prompt: the built-in templates, and the check of custom ones."""

import copy
from typing import TypedDict


class PromptTemplate(TypedDict):
    """
    Wording of the prompt. A sequence is `prefix`, `expression`, `suffix`, `answer`, `answer_end` and the tokenizer's
    end-of-text token.

    Attributes:
        prefix (`str`):
            The part that all sentences of a pair share. Contains "<image_t1>" and "<image_t2>" once each, where the
            image tokens are inserted, and may contain "{scene}".
        scenes (`dict[str, str]`):
            The replacement of "{scene}" in each domain; "unknown" is the wording for pairs without a domain.
        expression (`str`):
            The sentence, as "{expression}", with the words around it. "[SEG]" in it becomes the `[SEG]` token.
        suffix (`str`): The text between sentence and answer.
        answer (`str`):
            The answer up to its end. "[SEG]" in it becomes the `[SEG]` token, unless `expression` contains it.
        answer_end (`str`):
            The text between the answer and the end-of-text token.
    """

    prefix: str
    scenes: dict[str, str]
    expression: str
    suffix: str
    answer: str
    answer_end: str


PROMPT_TEMPLATES: dict[str, PromptTemplate] = {
    "default": {
        "prefix": "<image_t1> is the earlier image, and <image_t2> is the later image{scene}. "
        "Compare the two images and segment",
        "scenes": {
            "remote_sensing": " of a remote sensing scene",
            "normal_scene": " of an everyday scene",
            "unknown": "",
        },
        "expression": " {expression}",
        "suffix": "\n",
        "answer": "Sure. It is [SEG]",
        "answer_end": ".",
    },
    # Verbatim from the training of the reference implementation, which calls every scene remote sensing.
    "reference": {
        "prefix": "[INST] <<SYS>>\nYou are a helpful language and vision assistant. You are able to understand the "
        "visual content that the user provides, and assist the user with a variety of tasks using natural language."
        "\n<</SYS>>\n\nThese are two temporal remote sensing images <image_t1> and <image_t2>. Please do Referring "
        "Change Detection Segmentation according to the following instruction:\n",
        "scenes": {"remote_sensing": "", "normal_scene": "", "unknown": ""},
        "expression": " {expression}[SEG]",
        "suffix": " [/INST]",
        "answer": " \nSure. It is ",
        "answer_end": ".  ",
    },
}


def resolve_template(template: str | PromptTemplate) -> PromptTemplate:
    """
    Returns a built-in template by name, or checks that a custom one is complete.

    Args:
        template (`str` or [`PromptTemplate`]): A key of `PROMPT_TEMPLATES`, or the wording itself.

    Returns:
        [`PromptTemplate`]: A copy.

    Raises:
        ValueError: If there is no such template, a part is missing, or a placeholder is missing or in a wrong part.
    """
    if isinstance(template, str):
        if template not in PROMPT_TEMPLATES:
            raise ValueError(
                f"Unknown prompt template {template!r}: expected {', '.join(map(repr, PROMPT_TEMPLATES))} or a dict."
            )
        return copy.deepcopy(PROMPT_TEMPLATES[template])
    keys = PromptTemplate.__annotations__.keys()
    if template.keys() != keys:
        raise ValueError(f"A prompt template has the keys {', '.join(keys)}, not {', '.join(template)}.")
    if any(template["prefix"].count(token) != 1 for token in ("<image_t1>", "<image_t2>")):
        raise ValueError("The prefix of a prompt template must hold '<image_t1>' and '<image_t2>' once each.")
    rest = "".join([*template["scenes"].values(), template["suffix"], template["answer_end"]])
    if any(token in rest + template["expression"] + template["answer"] for token in ("<image_t1>", "<image_t2>")):
        raise ValueError("Only the prefix of a prompt template may hold '<image_t1>' and '<image_t2>'.")
    if "unknown" not in template["scenes"]:
        raise ValueError("The scenes of a prompt template must have a wording for 'unknown'.")
    if template["expression"].count("{expression}") != 1:
        raise ValueError("The expression of a prompt template must hold '{expression}' once.")
    if (template["expression"] + template["answer"]).count("[SEG]") != 1:
        raise ValueError("A prompt template must hold '[SEG]' once, in its expression or in its answer.")
    if "[SEG]" in template["prefix"] + rest:
        raise ValueError("Only the expression or the answer of a prompt template may hold '[SEG]'.")
    return copy.deepcopy(template)


__all__ = ["PROMPT_TEMPLATES", "PromptTemplate", "resolve_template"]
