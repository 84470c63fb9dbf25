# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Segmenters by name, for `mtrefseg benchmark run --models`: `NAME`, or `NAME:MODEL`, or
`NAME:MODEL,OPTION=VALUE,...`, such as `mtrefseg:mtrefseg-r1` or `clipseg:CIDAS/clipseg-rd64-refined,images=later`.
"""

import difflib
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from trainer.errors import TrainingError


if TYPE_CHECKING:
    from trainer.evaluation.segmenter import Segmenter  # Imports PyTorch, which a wrong name does not need.

Make = Callable[..., "Segmenter"]
MakeT = TypeVar("MakeT", bound=Make)

# Imported on first use, so that listing names is fast.
_BUILT_IN = {
    "image_difference": "trainer.baselines.untrained:ImageDifference",
    "mtrefseg": "trainer.baselines.checkpoint:CheckpointSegmenter",
    "nothing": "trainer.baselines.untrained:EmptyMask",
    "whole_image": "trainer.baselines.untrained:WholeImage",
    "change_vectors": "trainer.baselines.untrained:ChangeVectors",
    "union_oracle": "trainer.baselines.untrained:UnionOracle",
    # Third-party models, used directly.
    "chat": "trainer.baselines.direct.opening:chat",
    "clipseg": "trainer.baselines.direct.opening:clipseg",
    "endpoint": "trainer.baselines.direct.opening:endpoint",
    "florence2": "trainer.baselines.direct.opening:florence2",
    "grounded_sam2": "trainer.baselines.direct.opening:grounded_sam2",
    "paligemma": "trainer.baselines.direct.opening:paligemma",
    "sa2va": "trainer.baselines.direct.opening:sa2va",
    "sam3": "trainer.baselines.direct.opening:sam3",
}
_REGISTERED: dict[str, Make] = {}


def register_segmenter(name: str) -> Callable[[MakeT], MakeT]:
    """
    Decorator that registers a custom segmenter.

    Args:
        name (`str`): Its name for `--models`, of letters, digits, "_" and "-".

    Returns:
        `Callable`: Registers a class or function that makes a [`Segmenter`]. Its first argument is the text after the
        colon, if it has one; the others are options, as text.

    Raises:
        TrainingError: If the name is taken, or has other characters.
    """
    if not name.replace("-", "_").isidentifier():
        raise TrainingError(f"A segmenter cannot be called {name!r}: use letters, digits, '_' and '-'.")
    if name in known_segmenters():
        raise TrainingError(f"A segmenter named {name!r} exists already; choose another name.")

    def register(make: MakeT) -> MakeT:
        _REGISTERED[name] = make
        return make

    return register


def known_segmenters() -> list[str]:
    """The names of all segmenters, sorted."""
    return sorted({*_BUILT_IN, *_REGISTERED})


def parse_segmenter(text: str) -> tuple[str, str, dict[str, str]]:
    """
    Parses the specification of a segmenter.

    Args:
        text (`str`): `NAME`, `NAME:MODEL` or `NAME:MODEL,OPTION=VALUE,...`.

    Returns:
        `tuple[str, str, dict[str, str]]`: Name, model ("" for none) and options.

    Raises:
        TrainingError: If there is no segmenter of that name, or an option has another form.
    """
    name, _, rest = text.partition(":")
    model, *pieces = rest.split(",")
    if name not in known_segmenters():
        near = difflib.get_close_matches(name, known_segmenters(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known_segmenters())}"
        raise TrainingError(f"--models {text}: there is no segmenter called {name!r}; {hint}")
    options = {}
    for piece in pieces:
        key, equals, value = piece.partition("=")
        if not equals or not key.isidentifier():
            raise TrainingError(f"--models {text}: {piece!r} is not of the form OPTION=VALUE.")
        options[key] = value
    return name, model, options


def open_segmenter(text: str) -> "Segmenter":
    """
    Creates a segmenter.

    Args:
        text (`str`): See [`parse_segmenter`].

    Returns:
        [`Segmenter`]

    Raises:
        TrainingError: If there is no segmenter of that name, or it does not have these options.
    """
    name, model, options = parse_segmenter(text)
    make: Any = _REGISTERED[name] if name in _REGISTERED else pkgutil.resolve_name(_BUILT_IN[name])
    arguments = (model,) if model else ()
    try:
        inspect.signature(make).bind(*arguments, **options)
    except TypeError as error:
        raise TrainingError(f"--models {text}: {name} does not take these options ({error}).") from error
    return make(*arguments, **options)


def load_plugin(path: Path) -> None:
    """
    Runs a file of Python that registers segmenters with [`register_segmenter`].

    Args:
        path (`Path`): The file.

    Raises:
        TrainingError: If there is no such file.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise TrainingError(f"--plugin {path}: there is no such Python file.")
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
