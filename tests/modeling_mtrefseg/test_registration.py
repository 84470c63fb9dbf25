# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Importing the package is light, and registers the classes with transformers when they are needed."""

import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "code",
    [
        "import modeling_mtrefseg; from mtrefseg.io import load_image, load_mask; assert 'torch' not in sys.modules",
        "from modeling_mtrefseg import MTRefSegConfig; check()",
        "import modeling_mtrefseg; modeling_mtrefseg.register(); modeling_mtrefseg.register(); check()",
        "import transformers; import modeling_mtrefseg; check()",
        "import transformers; import modeling_mtrefseg.modeling_mtrefseg; check()",
    ],
)
def test_import(code: str) -> None:
    check = "def check():\n    from transformers import AutoConfig\n    AutoConfig.for_model('mtrefseg')\n"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{check}{code}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
