# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The script for a machine with a GPU, on the CPU."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
SMALL = "--presets tiny --image-size 64 --pairs 1 --sentences 1 --precision bfloat16"


@pytest.mark.skipif(
    not os.environ.get("MTREFSEG_TEST_GPU_SCRIPT"), reason="takes minutes; set MTREFSEG_TEST_GPU_SCRIPT=1"
)
def test_a_dry_run_checks_and_measures(tmp_path: Path) -> None:
    result = subprocess.run(
        ["bash", "benchmarks/model/gpu.sh", "run", "none", tmp_path],
        cwd=ROOT,
        env={**os.environ, "PYTHON": sys.executable, "OPTIONS": SMALL, "SIZE": "64", "MINUTES": "20"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-4000:]
    with (tmp_path / "gpu.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    status = {(row["kind"], row["name"]): row["status"] for row in rows}
    assert status.pop(("check", "decoder as CUDA graph")) == "skipped"
    assert set(status.values()) == {"ok"}, rows
    assert {kind for kind, _ in status} == {"check", "prediction", "training"}
    assert len(status) == 9
    assert all(float(row["images_per_second"]) > 0 for row in rows if row["kind"] != "check")


def test_what_does_not_fit_into_the_time_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.model.gpu", "--out", tmp_path, "--seconds", "-1", *SMALL.split()]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0
    with (tmp_path / "gpu.csv").open(newline="") as file:
        assert {row["status"] for row in csv.DictReader(file)} == {"skipped"}


def test_without_arguments_it_says_how_it_is_used() -> None:
    result = subprocess.run(["bash", "benchmarks/model/gpu.sh"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 2
    assert "gpu.sh run BAGGAGE OUT" in result.stdout
