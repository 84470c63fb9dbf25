# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import evaluate
import pytest


ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def own_module_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """
    `evaluate` copies what it loads; not into the cache of whoever runs the tests. Nor may that be found first: other
    tests may have put it on the path, for models with code of their own.
    """
    modules = tmp_path_factory.mktemp("modules")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate.config, "HF_MODULES_CACHE", str(modules))
        patch.syspath_prepend(modules)
        for name in [name for name in sys.modules if name.split(".")[0] == "evaluate_modules"]:
            patch.delitem(sys.modules, name)
        yield


@pytest.fixture
def load_metric(tmp_path: Path) -> Callable[..., Any]:
    """A function that loads the metric with a cache of its own."""

    def load(**options: Any) -> Any:
        return evaluate.load(str(ROOT / "mtrs_iou"), cache_dir=str(tmp_path / "cache"), **options)

    return load
