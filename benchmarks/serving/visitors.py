# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Shared by both load tests: pairs and questions of visitors, and measurements of a server."""

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import gradio_client
import numpy as np
from PIL import Image

from benchmarks.tables import ROOT


SPACE = ROOT / "spaces_demo"
EXAMPLES = ("town", "lagoon", "crescents", "storeroom")
QUESTIONS = ("a house has been built", "the car that has left\nthe tree that was planted", "the picture that changed")
PATIENCE_SECONDS = 600


def connect(url: str) -> gradio_client.Client:
    """A client of the demo at an address, which waits for a loaded server."""
    return gradio_client.Client(url, verbose=False, download_files=False, httpx_kwargs={"timeout": PATIENCE_SECONDS})


def new_pair(visitor: int, round_number: int, folder: Path) -> list[Path]:
    """The next example pair of a visitor, t1 first, as new files: one pixel differs, so that no pair is cached."""
    name = EXAMPLES[(visitor + round_number) % len(EXAMPLES)]
    paths = []
    for time in ("t1", "t2"):
        image = Image.open(SPACE / "examples" / f"{name}_{time}.jpg").convert("RGB")
        image.putpixel((visitor, round_number % image.height), (round_number // image.height % 256, 0, 0))
        paths.append(folder / f"{visitor}_{name}_{time}.png")
        image.save(paths[-1])
    return paths


def await_all(visits: Sequence[Future[None]], errors: list[str], who: str = "visitor") -> None:
    """Waits for all visitors, or programs. One that was stopped by an unexpected exception counts as an error."""
    for number, each in enumerate(visits):
        error = each.exception()
        if error is not None:
            errors.append(f"{who} {number} was stopped by {type(error).__name__}: {error}")


def memory_of(process: subprocess.Popen) -> float:
    """Resident memory in MB."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def percentile(values: Sequence[float], share: float) -> str:
    """A percentile of times in seconds; "" without values."""
    return f"{np.percentile(values, share):.3f}" if values else ""
