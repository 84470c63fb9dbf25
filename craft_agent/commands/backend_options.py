# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The options of `run` that choose the models, and the functions that create the models."""

import argparse
import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..backends.model_names import (
    CLIPSEG_MODEL,
    DETECTOR_MODEL,
    DIFFERENCE,
    MTREFSEG_MODEL,
    SAM2_MODEL,
    SAM3_MODEL,
    model_name,
    offline_model,
    offline_name,
)
from ..backends.protocols import Perceiver, Segmenter
from ..errors import CraftError
from ..steps.pipeline import Backends


if TYPE_CHECKING:
    from ..backends.offline import Comparisons

OFFLINE = ("offline", "difference")
PERCEIVERS = ("offline", "difference", "chat", "transformers")
SEGMENTERS = ("offline", "difference", "sam3", "grounded-sam2", "clipseg", "mtrefseg", "mtrefseg-changes")


def add_backend_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    models = parser.add_argument_group("models")
    models.add_argument(
        "--perceiver",
        choices=PERCEIVERS,
        default="offline",
        help="model that finds and describes changes (default: offline, our own model, or difference without weights)",
    )
    models.add_argument(
        "--segmenter", choices=SEGMENTERS, default="offline", help="model that segments the changes (default: offline)"
    )
    models.add_argument(
        "--perceiver-model", metavar="MODEL", help="vision-language model: Hub id, folder, or name at the endpoint"
    )
    models.add_argument(
        "--segmenter-model", metavar="MODEL", help="Hub id or folder (default: the usual model for this segmenter)"
    )
    models.add_argument(
        "--detector-model", metavar="MODEL", help="Hub id or folder of the detector, with --segmenter grounded-sam2"
    )
    models.add_argument("--segmenter-threshold", metavar="P", type=float, help="minimum score or probability")
    models.add_argument(
        "--device", help="device of local models: cpu, cuda, cuda:1, mps (default: a GPU if available)"
    )
    models.add_argument(
        "--max-tokens", metavar="N", type=int, default=4096, help="maximum length of an answer (default: %(default)s)"
    )
    models.add_argument(
        "--temperature", metavar="T", type=float, default=0.0, help="sampling temperature (default: %(default)s)"
    )
    chat = parser.add_argument_group("with --perceiver chat")
    chat.add_argument("--endpoint", metavar="URL", help="OpenAI-compatible server (default: the Hugging Face router)")
    chat.add_argument("--provider", metavar="NAME", help="inference provider behind the router")
    chat.add_argument(
        "--api-key-env", metavar="NAME", help="environment variable that holds the API key; the key is never stored"
    )
    chat.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=float,
        default=180.0,
        help="time limit of a request (default: %(default)s)",
    )
    chat.add_argument(
        "--tries",
        metavar="N",
        type=int,
        default=6,
        help="maximum number of attempts per request (default: %(default)s)",
    )
    chat.add_argument(
        "--concurrency", metavar="N", type=int, default=8, help="parallel requests (default: %(default)s)"
    )


def backend_names(arguments: argparse.Namespace) -> tuple[str, str]:
    """
    Names the backends that the options choose. Nothing is loaded.

    Args:
        arguments (`argparse.Namespace`): The options.

    Returns:
        `tuple[str, str]`: The `name` of the perceiver and of the segmenter.

    Raises:
        CraftError: If the options contradict one another.
    """
    _check(arguments)
    if arguments.perceiver in OFFLINE:
        perceiver = _offline_name(_offline_perceiver_model(arguments))
    else:
        perceiver = model_name(arguments.perceiver, arguments.perceiver_model)
    if arguments.segmenter in OFFLINE:
        segmenter = _offline_name(_offline_segmenter_model(arguments))
    else:
        segmenter = model_name(arguments.segmenter, *_segmenter_models(arguments))
    return perceiver, segmenter


def make_backends(arguments: argparse.Namespace) -> Backends:
    """
    Creates both models, and checks that a chat server can be used.

    Args:
        arguments (`argparse.Namespace`): The options.

    Returns:
        `Backends`: The models.

    Raises:
        CraftError: If the options contradict one another, or a model cannot be used.
    """
    perceiver = make_perceiver(arguments)
    if arguments.perceiver == "chat":
        from ..backends.chat_perceiver import ChatPerceiver

        assert isinstance(perceiver, ChatPerceiver)
        perceiver.check_server()
    return Backends(perceiver, make_segmenter(arguments))


def make_perceiver(arguments: argparse.Namespace) -> Perceiver:
    """
    Creates the perceiver that the options choose.

    Args:
        arguments (`argparse.Namespace`): The options.

    Returns:
        `Perceiver`: The perceiver. A chat server has not been contacted yet.

    Raises:
        CraftError: If the options contradict one another.
        PermanentError: If a model cannot be loaded.
    """
    _check(arguments)
    if arguments.perceiver == "chat":
        from ..backends.chat_perceiver import ChatPerceiver

        return ChatPerceiver(
            arguments.perceiver_model,
            endpoint=arguments.endpoint,
            provider=arguments.provider,
            key=_key(arguments.api_key_env),
            timeout=arguments.timeout,
            tries=arguments.tries,
            concurrency=arguments.concurrency,
            max_tokens=arguments.max_tokens,
            temperature=arguments.temperature,
        )
    if arguments.perceiver == "transformers":
        from ..backends.transformers_perceiver import TransformersPerceiver

        return TransformersPerceiver(
            arguments.perceiver_model, arguments.device, arguments.max_tokens, arguments.temperature
        )
    from ..backends.offline import OfflinePerceiver

    return OfflinePerceiver(_comparisons(_offline_perceiver_model(arguments), arguments))


def make_segmenter(arguments: argparse.Namespace) -> Segmenter:
    """
    Creates the segmenter that the options choose.

    Args:
        arguments (`argparse.Namespace`): The options, and the domain of the pairs.

    Returns:
        `Segmenter`: The loaded segmenter.

    Raises:
        CraftError: If the options contradict one another.
        PermanentError: If a model cannot be loaded.
    """
    _check(arguments)
    kind, device, threshold = arguments.segmenter, arguments.device, arguments.segmenter_threshold
    if kind in OFFLINE:
        from ..backends.offline import OfflineSegmenter

        return OfflineSegmenter(_comparisons(_offline_segmenter_model(arguments), arguments))
    *detector, model = _segmenter_models(arguments)
    if kind == "clipseg":
        from ..backends.clipseg_segmenter import ClipSegSegmenter

        return ClipSegSegmenter(model, device, threshold)
    if kind in ("mtrefseg", "mtrefseg-changes"):
        from ..backends.mtrefseg_segmenter import MTRefSegSegmenter

        return MTRefSegSegmenter(model, kind == "mtrefseg", device, threshold, arguments.domain)
    from ..backends.text_segmenters import grounded_sam2_segmenter, sam3_segmenter

    if kind == "sam3":
        return sam3_segmenter(model, device, threshold)
    return grounded_sam2_segmenter(model, detector[0], device, threshold)


def backend_settings(arguments: argparse.Namespace) -> dict[str, str]:
    """Further options that the answers depend on, by name."""
    settings = {}
    if arguments.perceiver not in OFFLINE:
        settings = {"temperature": str(arguments.temperature), "max_tokens": str(arguments.max_tokens)}
    if arguments.segmenter_threshold is not None:
        settings["segmenter_threshold"] = str(arguments.segmenter_threshold)
    return settings


def _offline_perceiver_model(arguments: argparse.Namespace) -> str | None:
    """The model of the offline perceiver; `None` for image differencing."""
    if arguments.perceiver == "difference":
        return None
    return arguments.perceiver_model or offline_model()


def _offline_segmenter_model(arguments: argparse.Namespace) -> str | None:
    """The model of the offline segmenter: unless the options say otherwise, that of the offline perceiver."""
    if arguments.segmenter == "difference":
        return None
    if arguments.segmenter_model is None and arguments.perceiver in OFFLINE:
        return _offline_perceiver_model(arguments)
    return arguments.segmenter_model or offline_model()


def _offline_name(model: str | None) -> str:
    return DIFFERENCE if model is None else offline_name(model)


def _comparisons(model: str | None, arguments: argparse.Namespace) -> "Comparisons":
    from ..backends.offline import DIFFERENCES, model_comparisons

    return DIFFERENCES if model is None else model_comparisons(model, arguments.device, arguments.domain)


def _segmenter_models(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The models of a segmenter, in the order of its name."""
    usual = {
        "clipseg": CLIPSEG_MODEL,
        "mtrefseg": MTREFSEG_MODEL,
        "mtrefseg-changes": MTREFSEG_MODEL,
        "sam3": SAM3_MODEL,
        "grounded-sam2": SAM2_MODEL,
    }
    model = arguments.segmenter_model or usual[arguments.segmenter]
    if arguments.segmenter == "grounded-sam2":
        return arguments.detector_model or DETECTOR_MODEL, model
    return (model,)


def _check(arguments: argparse.Namespace) -> None:
    """Refuses bad options before anything is loaded."""
    if arguments.perceiver not in OFFLINE and not arguments.perceiver_model:
        raise CraftError(
            f"--perceiver {arguments.perceiver} needs --perceiver-model, such as Qwen/Qwen3-VL-8B-Instruct"
        )
    misplaced = {
        "--perceiver-model": arguments.perceiver_model and arguments.perceiver == "difference",
        "--segmenter-model": arguments.segmenter_model and arguments.segmenter == "difference",
        "--detector-model": arguments.detector_model and arguments.segmenter != "grounded-sam2",
        "--segmenter-threshold": arguments.segmenter_threshold is not None and arguments.segmenter in OFFLINE,
        "--endpoint": arguments.endpoint and arguments.perceiver != "chat",
        "--api-key-env": arguments.api_key_env and arguments.perceiver != "chat",
        "--provider": arguments.provider and (arguments.perceiver != "chat" or arguments.endpoint),
    }
    for name, is_misplaced in misplaced.items():
        if is_misplaced:
            raise CraftError(
                f"{name} has no effect with the other options: remove it, or see --help for the options that it needs"
            )
    if arguments.endpoint is not None:
        parts = urlsplit(arguments.endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CraftError("--endpoint must be a URL such as http://127.0.0.1:8000/v1")
        if parts.username or parts.password:
            raise CraftError("--endpoint must not contain a secret: name an environment variable with --api-key-env")
    counts = {
        "--max-tokens": arguments.max_tokens,
        "--tries": arguments.tries,
        "--concurrency": arguments.concurrency,
        "--timeout": arguments.timeout,
    }
    for name, value in counts.items():
        if not 0 < value <= 1_000_000:
            raise CraftError(f"{name} is {value}: it must be between 1 and 1000000")
    if not 0 <= arguments.temperature <= 2:
        raise CraftError(f"--temperature is {arguments.temperature}: it must be between 0 and 2")
    threshold = arguments.segmenter_threshold
    if threshold is not None and not 0 <= threshold < 1:
        raise CraftError(f"--segmenter-threshold is {threshold}: it must be between 0 and 1")


def _key(variable: str | None) -> str | None:
    """The API key in an environment variable; `None` if no variable is named."""
    if variable is None:
        return None
    secret = os.environ.get(variable, "").strip()
    if not secret:
        raise CraftError(f"--api-key-env names {variable}, but no such environment variable is set")
    if not secret.isascii() or not secret.isprintable():
        raise CraftError(
            f"the environment variable {variable} contains characters that are not allowed in an HTTP header"
        )
    return secret
