# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Builds the Hub repositories. Each is a folder that works on its own."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from huggingface_hub.repocard import metadata_load, metadata_save

from dataset_scripts.export import ExportOptions, export_dataset
from dataset_scripts.synthesis import Generator, Kind, Split, write_raw


ROOT = Path(__file__).resolve().parents[1]
# Packages that are copied into the demo: a Space can only install from package indexes, and the project is on none.
DEMO_PACKAGES = ("spaces_demo", "mtrefseg", "modeling_mtrefseg", "dataset_scripts", "mtrs_iou")
# Files of `spaces_demo/` that a Space expects at its top, where they find the packages beside them.
SPACE_FILES = ("README.md", "app.py", "requirements.txt")
UNWANTED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "sample")
MODEL, DEMO = "mtrefseg-r1", "mtrefseg-demo"
CODE_LICENSE = "LICENSE-CODE"


@dataclass(frozen=True)
class HubFolder:
    """
    A repository of the Hub.

    Args:
        name (`str`): Its name, without the namespace.
        repo_type (`str`): "model", "dataset" or "space".
        build (`Callable[[Path, str, int], None]`): Writes it, given a folder that is not there yet, the namespace, and
            how many pairs datasets shall have.
        check (`str`): Python that loads it, run where nothing is but copies of the folders.
    """

    name: str
    repo_type: str
    build: Callable[[Path, str, int], None]
    check: str


def build_model(out: Path, namespace: str, pairs: int) -> None:
    """Copies the checkpoint with its code."""
    shutil.copytree(ROOT / MODEL, out, ignore=UNWANTED)
    # The card names the licence of the weights; this one is of the code beside them.
    shutil.copy(ROOT / "LICENSE", out / CODE_LICENSE)


def build_dataset(out: Path, namespace: str, pairs: int, *, kind: Kind) -> None:
    """Generates pairs, and exports them as Parquet with a card: "referring" with sentences, "pretrain" with the masks
    of every change, for stage 1."""
    raw = out.with_name(f"{out.name}.raw")
    try:
        counts: dict[Split, int] = {"train": pairs, "validation": max(2, pairs // 10)}
        for split, count in counts.items():
            write_raw(Generator(seed=0, split=split), raw, count, kind)
        export_dataset(raw, out, ExportOptions(kind=kind, license="apache-2.0"))
    finally:
        shutil.rmtree(raw, ignore_errors=True)
    shutil.rmtree(out / ".export", ignore_errors=True)
    card = out / "README.md"
    card.write_text(
        card.read_text(encoding="utf-8").replace("OWNER/NAME", f"{namespace}/{out.name}"), encoding="utf-8"
    )


def build_metric(out: Path, namespace: str, pairs: int) -> None:
    """Copies the metric with its page."""
    shutil.copytree(ROOT / "mtrs_iou", out, ignore=UNWANTED)


def build_demo(out: Path, namespace: str, pairs: int) -> None:
    """Copies the demo and the library, puts `app.py` at the top, and names the model in the card."""
    for package in DEMO_PACKAGES:
        shutil.copytree(ROOT / package, out / package, ignore=UNWANTED)
    for name in SPACE_FILES:
        (out / "spaces_demo" / name).rename(out / name)
    card = out / "README.md"
    metadata = metadata_load(card) or {}
    model = f"{namespace}/{MODEL}"
    metadata_save(card, {**metadata, "models": [model], "preload_from_hub": [model]})


CHECK_MODEL = """
from PIL import Image
from transformers import pipeline
segment = pipeline("multi-temporal-referring-segmentation", model="mtrefseg-r1", trust_remote_code=True)
images = {"image_t1": Image.new("RGB", (90, 60)), "image_t2": Image.new("RGB", (90, 60), "red")}
answers = segment({**images, "text": "a car"})
assert answers[0]["mask"].size == (90, 60)
assert not any(name.split(".")[0] == "modeling_mtrefseg" for name in sys.modules)
"""
CHECK_DATASET = """
from datasets import get_dataset_config_names, load_dataset
for config in get_dataset_config_names("{name}"):
    for split, rows in load_dataset("{name}", config).items():
        assert rows[0]["image_t1"].size == rows[0]["mask"].size, (config, split)
"""
CHECK_METRIC = """
import runpy
import evaluate
import gradio
metric = evaluate.load("mtrs_iou")
metric.add(prediction=[[0, 1]], reference=[[1, 1]], sample_id="a")
assert metric.compute()["mIoU"] == 50
gradio.Blocks.launch = lambda page, **options: print("launched")
runpy.run_path("mtrs_iou/app.py", run_name="__main__")
"""
CHECK_DEMO = """
import os
import runpy
import gradio
os.environ["MTREFSEG_MODEL"] = os.path.abspath("mtrefseg-r1")
os.chdir("mtrefseg-demo")
gradio.Blocks.launch = lambda page, **options: print("launched")
runpy.run_path("app.py", run_name="__main__")
for package in {packages}:
    assert sys.modules[package].__path__[0].startswith(os.getcwd()), package
"""


def _dataset(name: str, kind: Kind) -> HubFolder:
    return HubFolder(name, "dataset", partial(build_dataset, kind=kind), CHECK_DATASET.format(name=name))


HUB_FOLDERS = (
    HubFolder(MODEL, "model", build_model, CHECK_MODEL),
    _dataset("mtrefseg-synthetic", "referring"),
    _dataset("mtrefseg-synthetic-pretrain", "pretrain"),
    HubFolder("mtrs_iou", "space", build_metric, CHECK_METRIC),
    HubFolder(DEMO, "space", build_demo, CHECK_DEMO.format(packages=DEMO_PACKAGES)),
)
"""All of them, in the order in which they are pushed: the demo needs the model."""
