# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Segmenters by name, for `mtrefseg benchmark run --models`: `NAME`, or `NAME:MODEL`, or
`NAME:MODEL,OPTION=VALUE,...`, such as `mtrefseg:mtrefseg-r1` or `clipseg:CIDAS/clipseg-rd64-refined,images=later`.
"""

import difflib
import hashlib
import importlib.util
import inspect
import pkgutil
import re
import sys
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
# Options of built-in segmenters that do not affect the answers.
_WITHOUT_EFFECT = frozenset(("device", "trust_remote_code", "url"))


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
        raise TrainingError(f"a segmenter named {name!r} exists already ({_home(name)}); choose another name.")

    def register(make: MakeT) -> MakeT:
        _REGISTERED[name] = make
        return make

    return register


def _home(name: str) -> str:
    """Where a segmenter was registered: the file, if it is that of a plugin."""
    if name in _BUILT_IN:
        return "it is built in"
    module = _REGISTERED[name].__module__
    return str(getattr(sys.modules.get(module), "__file__", None) or module)


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


def shown_model(model: str) -> str:
    """The name of a model in tables: a Hub id as it is, the last part of a folder, and RUN/checkpoint-N of a run."""
    if not Path(model).exists():
        return model
    folder = Path(model).resolve()
    return f"{folder.parent.name}/{folder.name}" if re.fullmatch(r"checkpoint-\d+", folder.name) else folder.name


def planned_name(text: str) -> str:
    """
    A name that is equal for two specifications if the segmenters get the same name. Those of the project are not
    opened for this. Those of plugins choose their names themselves, so they are opened and closed again.
    """
    name, model, _ = parse_segmenter(text)
    if name in _REGISTERED:
        return open_segmenter(text).name
    changed = _changed_options(text)
    if "name" in changed:
        return changed["name"]
    if name == "mtrefseg":
        return shown_model(model or inspect.signature(_maker(name)).parameters["model"].default)
    return (f"{name}:{shown_model(model)}" if model else name) + _in_brackets(changed)


def open_segmenter(text: str) -> "Segmenter":
    """
    Creates a segmenter. The name of a built-in one ends with the options that differ from the defaults.

    Args:
        text (`str`): See [`parse_segmenter`].

    Returns:
        [`Segmenter`]

    Raises:
        TrainingError: If there is no segmenter of that name, or it does not have these options.
    """
    name, model, options = parse_segmenter(text)
    changed = _changed_options(text)
    segmenter = _maker(name)(*((model,) if model else ()), **options)
    if name in _BUILT_IN:
        # Names of checkpoints and ways to use the images are in the name already.
        shown = _in_brackets({key: value for key, value in changed.items() if key not in ("name", "images")})
        if shown:
            segmenter.name += shown
    return segmenter


def _maker(name: str) -> Any:
    return _REGISTERED[name] if name in _REGISTERED else pkgutil.resolve_name(_BUILT_IN[name])


def _changed_options(text: str) -> dict[str, str]:
    """The options that differ from the defaults and affect the answers."""
    name, model, options = parse_segmenter(text)
    signature = inspect.signature(_maker(name))
    try:
        signature.bind(*((model,) if model else ()), **options)
    except TypeError as error:
        raise TrainingError(f"--models {text}: {name} does not take these options ({error}).") from error
    defaults = {key: parameter.default for key, parameter in signature.parameters.items()}
    return {
        key: value
        for key, value in options.items()
        if key not in _WITHOUT_EFFECT and (key not in defaults or str(defaults[key]) != value)
    }


def _in_brackets(options: dict[str, str]) -> str:
    shown = (f"{key}={shown_model(value)}" for key, value in sorted(options.items()))
    return f" ({', '.join(shown)})" if options else ""


def plugin_module(path: Path) -> str:
    """The name of the module of a plugin: that of no other module, even if the file is called like one."""
    place = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    return f"_plugin_{place}_{path.stem}"


def load_plugin(path: Path) -> None:
    """
    Runs a file of Python that registers segmenters with [`register_segmenter`].

    Args:
        path (`Path`): The file.

    Raises:
        TrainingError: If there is no such file, or it registers a name that is taken.
    """
    name = plugin_module(path)
    spec = importlib.util.spec_from_file_location(name, path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise TrainingError(f"--plugin {path}: there is no such Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Dataclasses look up the names in their annotations there.
    try:
        spec.loader.exec_module(module)
    except TrainingError as error:
        del sys.modules[name]
        raise TrainingError(f"--plugin {path}: {error}") from error
    except BaseException:
        del sys.modules[name]
        raise
