# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The demo with a tiny random model, served on this computer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor


pytest.importorskip("gradio", reason="gradio is not installed")
SPACE = Path(__file__).parents[2] / "spaces_demo"

from spaces_demo import Segmenter, build, launch_options  # noqa: E402


@dataclass
class Server:
    """A running demo: its address, the folder where uploads lie, what answers, and the page."""

    url: str
    uploads: Path
    segmenter: Segmenter
    page: Any

    def files(self) -> set[Path]:
        return {path for path in self.uploads.rglob("*") if path.is_file()}


@pytest.fixture
def segmenter(model: MTRefSegModel, processor: MTRefSegProcessor) -> Segmenter:
    return Segmenter(model, processor)


@pytest.fixture(scope="module")  # A longer one would get the files of other tests that use gradio.
def server(
    model: MTRefSegModel, processor: MTRefSegProcessor, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    uploads = tmp_path_factory.mktemp("uploads")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(uploads))
        segmenter = Segmenter(model, processor)
        page = build(segmenter)
        _, url, _ = page.launch(**launch_options(), prevent_thread_lock=True, quiet=True)
        running = Server(url, uploads, segmenter, page)
        own = running.files()  # copies of the examples
        yield running
        page.close()
    assert running.files() <= own, "a stopped server leaves nothing of its visitors behind"


@pytest.fixture
def pair(make_image: Callable[..., Image.Image], tmp_path: Path) -> tuple[str, str]:
    """Two files of 128 x 96 pixels."""
    paths = (tmp_path / "earlier.png", tmp_path / "later.png")
    for seed, path in enumerate(paths):
        make_image(seed=seed).save(path)
    return str(paths[0]), str(paths[1])
