# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The folder as a Space."""

import errno
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub.repocard import metadata_load

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from spaces_demo.solved_examples import EXAMPLES, Example
from tests.spaces_demo.conftest import SPACE


SAMPLE = Path(__file__).parents[2] / "dataset_scripts" / "sample"
EXAMPLE_PAIRS = {
    "highway": "NS_validation_210_0000002",
    "storeroom": "NS_validation_210_0000006",
}
"""The examples that the generator drew; the others are composed of real images."""
DRAWN = [each for each in EXAMPLES if each.name in EXAMPLE_PAIRS]


def test_the_card_says_what_a_space_needs() -> None:
    card = metadata_load(SPACE / "README.md")
    assert card is not None
    assert (card["sdk"], card["app_file"], card["license"]) == ("gradio", "app.py", "apache-2.0")
    assert re.fullmatch(r"6\.\d+\.\d+", card["sdk_version"])
    assert len(card["short_description"]) <= 60


def test_requirements_are_ranges_of_packages() -> None:
    lines = (SPACE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    names = {re.split(r"[<>=]", line)[0] for line in lines if not line.startswith("#")}
    assert {"gradio", "torch", "transformers", "pillow", "numpy", "pyarrow"} <= names


@pytest.mark.parametrize("example", DRAWN, ids=lambda each: each.name)
def test_examples_are_the_generated_sample(example: Example) -> None:
    for path, letter in zip(example.paths, ("A", "B"), strict=True):
        original = SAMPLE / "NS_synthetic_val" / letter / f"{EXAMPLE_PAIRS[example.name]}.jpg"
        assert Path(path).read_bytes() == original.read_bytes()


def test_the_first_example_is_that_of_the_readme() -> None:
    truth = json.loads((SPACE.parent / "docs" / "example" / "truth.json").read_text(encoding="utf-8"))
    assert EXAMPLES[0].name == "town"
    assert list(EXAMPLES[0].sentences) == [answer["text"] for answer in truth]


def test_examples_are_small() -> None:
    for folder, most in ((SPACE / "examples", 650_000), (SPACE / "examples" / "scene", 1_000_000)):
        assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) < most


def test_the_generator_is_not_needed_to_start() -> None:
    """It draws the pairs of the tab *Benchmark*, and is loaded when the first of them is shown."""
    script = """
import sys
sys.modules["dataset_scripts.synthesis"] = None  # importing it is an error
import spaces_demo.app
"""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    subprocess.run([sys.executable, "-c", script], check=True, cwd=SPACE.parent, env=environment)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM")
def test_a_stopped_server_deletes_the_files_of_visitors(
    model: MTRefSegModel, processor: MTRefSegProcessor, pair: tuple[str, str], tmp_path: Path
) -> None:
    gradio_client = pytest.importorskip("gradio_client")
    for part in (model, processor):
        part.save_pretrained(tmp_path / "model")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uploads = tmp_path / "uploads"
    settings = {"MTREFSEG_MODEL": str(tmp_path / "model"), "GRADIO_SERVER_PORT": str(port)}
    environment = {**os.environ, **settings, "GRADIO_TEMP_DIR": str(uploads), "HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "spaces_demo.app"],
        cwd=SPACE.parent,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert any("http://127.0.0.1" in line for line in process.stdout)
        own = {path for path in uploads.rglob("*") if path.is_file()}
        client = gradio_client.Client(f"http://127.0.0.1:{port}", verbose=False, download_files=False)
        client.predict(*map(gradio_client.handle_file, pair), "a car", api_name="/segment")
        assert len({path for path in uploads.rglob("*") if path.is_file()} - own) >= 2
    finally:
        process.terminate()
        process.wait(timeout=120)
    assert {path for path in uploads.rglob("*") if path.is_file()} <= own


def test_the_page_starts_on_a_read_only_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the container. The module is imported from a copy, because gradio writes a file beside it."""
    copy = Path(shutil.copy(SPACE / "upload_fields.py", tmp_path))
    spec = importlib.util.spec_from_file_location("spaces_demo.read_only_copy", copy)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    spec.loader.exec_module(module)
    assert module.ImageInput.is_template
