# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The script that continues the training on one GPU, on the CPU."""

import os
import subprocess
import sys
from pathlib import Path

from transformers import AutoModel, AutoProcessor

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor


ROOT = Path(__file__).parents[2]


def test_a_dry_run_trains_and_writes_small_files(
    small_model: MTRefSegModel, small_processor: MTRefSegProcessor, tmp_path: Path
) -> None:
    for part in (small_model, small_processor):
        part.save_pretrained(tmp_path / "start")
    settings = {"PYTHON": sys.executable, "STEPS": "2", "BATCH": "1", "CALIBRATION_PAIRS": "1"}
    result = subprocess.run(
        ["bash", "trainer/gpu_checkpoint.sh", "run", tmp_path / "start", "none", tmp_path / "out"],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert all(path.stat().st_size < 16 << 20 for path in (tmp_path / "out").iterdir())
    model, processor = (each.from_pretrained(tmp_path / "out") for each in (AutoModel, AutoProcessor))
    assert model.config.image_size == processor.image_processor.size["height"] == 64
    assert "training loss" in (tmp_path / "out" / "train.log").read_text()


def test_without_arguments_it_says_how_it_is_used() -> None:
    result = subprocess.run(["bash", "trainer/gpu_checkpoint.sh"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 2
    assert "gpu_checkpoint.sh run START BAGGAGE OUT" in result.stdout
