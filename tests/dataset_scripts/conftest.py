# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Caches of `datasets` that belong to one test run alone."""

import datasets
import pytest


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test prepares lies in a folder of its own, and no progress bar is drawn."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
    datasets.disable_progress_bars()
