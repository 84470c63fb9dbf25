# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A tiny model, pairs to train it on, and the commands in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import yaml
from PIL import Image

from dataset_scripts.readers import GeneratedPairs
from dataset_scripts.synthesis import Generator
from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from mtrefseg.build.presets import PRESETS, preset_model, tiny_processor
from trainer.data import PairLoader, PairSample, list_all, load_sample
from trainer.loop.mtrefseg_trainer import MTRefSegTrainer
from trainer.training_config import MTRefSegTrainingConfig


ROOT = Path(__file__).parents[2]
# The tiny preset's fields, with smaller sizes.
OVERRIDES = {
    "vision_config": {
        **PRESETS["tiny"]["vision_config"],
        "hidden_sizes": [8, 8, 8, 8],
        "depths": [1, 1, 1, 1],
        "drop_path_rate": 0.2,
    },
    "mask_decoder_config": {
        **PRESETS["tiny"]["mask_decoder_config"],
        "hidden_size": 32,
        "num_attention_heads": 2,
        "pixel_decoder_layers": 1,
        "pixel_decoder_intermediate_size": 32,
        "decoder_layers": 2,
        "decoder_intermediate_size": 32,
    },
    "text_config": {
        **PRESETS["tiny"]["text_config"],
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    },
    "seg_head_size": 32,
    "seg_head_attention_heads": 1,
    "num_points": 64,
}
RECIPE = {
    "preset": "tiny",
    "image_size": 64,
    "config_overrides": OVERRIDES,
    "generated_size": 128,
    "generated_domains": ["RS"],
    "generated_eval_pairs": 3,
    "max_steps": 4,
    "per_device_train_batch_size": 2,
    "learning_rate": 1e-3,
    "logging_steps": 1,
    "eval_strategy": "steps",
    "eval_steps": 2,
    "save_strategy": "steps",
    "save_steps": 2,
    "disable_tqdm": True,
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test prepares lies in a folder of its own, and no progress bar is drawn."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
    datasets.disable_progress_bars()


@pytest.fixture(scope="session")
def overrides() -> dict[str, Any]:
    """Fields of a tiny model's configuration."""
    return OVERRIDES


@pytest.fixture(scope="session")
def small_processor() -> MTRefSegProcessor:
    """The tiny preset's processor at 64 pixels; not to be changed by a test."""
    return tiny_processor(image_size=64)


@pytest.fixture
def small_model(small_processor: MTRefSegProcessor) -> MTRefSegModel:
    """A tiny model with random weights."""
    return preset_model("tiny", small_processor, **OVERRIDES)


@pytest.fixture
def make_sample() -> Callable[..., PairSample]:
    """A function from sentences to a pair of noise with a square for each sentence, left of the middle."""

    def make(*expressions: str, change_type: str = "appear", domain: str | None = "RS") -> PairSample:
        random = np.random.default_rng(0)
        images = [Image.fromarray(random.integers(0, 256, (24, 32, 3), dtype=np.uint8)) for _ in range(2)]
        mask = np.zeros((24, 32), dtype=bool)
        mask[2:10, 4:12] = True
        return PairSample(
            pair_id="pair",
            source="test",
            image_t1=images[0],
            image_t2=images[1],
            masks=[mask.copy() for _ in expressions] or [mask],
            expressions=list(expressions),
            change_types=[change_type] * len(expressions),
            domain=domain,
            change_mask=mask.copy(),
        )

    return make


@pytest.fixture(scope="session")
def pairs() -> list[PairSample]:
    """Eight generated pairs with sentences."""
    source = GeneratedPairs(Generator(size=128, domains=("RS",)))
    return [load_sample(source, row) for row in range(8)]


@pytest.fixture
def make_trainer(
    small_model: MTRefSegModel, small_processor: MTRefSegProcessor, tmp_path: Path
) -> Callable[..., MTRefSegTrainer]:
    """A function from training arguments to a trainer of the tiny model on eight generated pairs."""

    def make(model: MTRefSegModel | None = None, peft_config: object = None, **arguments: object) -> MTRefSegTrainer:
        loader = PairLoader([GeneratedPairs(Generator(size=128, domains=("RS",)), num_pairs=8)])
        table = list_all([8])
        table.set_transform(loader)
        training = MTRefSegTrainingConfig(
            output_dir=str(tmp_path / "out"), disable_tqdm=True, per_device_train_batch_size=2, **arguments
        )
        return MTRefSegTrainer(
            model=small_model if model is None else model,
            args=training,
            processor=small_processor,
            train_dataset=table,
            eval_dataset=table,
            peft_config=peft_config,
        )

    return make


@pytest.fixture(scope="session")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe of four steps with a tiny model."""
    path = tmp_path_factory.mktemp("recipe") / "tiny.yaml"
    path.write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def start(recipe: Path) -> Callable[..., subprocess.Popen]:
    """A function that starts a command of `trainer/` with the recipe above and further arguments."""

    def start(script: str, *arguments: object, launcher: tuple[str, ...] = ()) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, *launcher, f"trainer/{script}.py", "--config", str(recipe), *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


@pytest.fixture(scope="session")
def run(start: Callable[..., subprocess.Popen]) -> Callable[..., str]:
    """A function that runs such a command to its end and gives what it said."""

    def run(
        script: str, *arguments: object, code: int = 0, launcher: tuple[str, ...] = (), timeout: float = 3600
    ) -> str:
        process = start(script, *arguments, launcher=launcher)
        output, _ = process.communicate(timeout=timeout)
        assert process.returncode == code, output
        return output

    return run
