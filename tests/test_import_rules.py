# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Who may import whom: the contracts of `[tool.importlinter]` in pyproject.toml."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[1]


def test_the_contracts_are_kept() -> None:
    pytest.importorskip("importlinter", reason="import-linter is not installed")
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_library_is_light() -> None:
    """`import mtrefseg` loads neither PyTorch nor transformers; its names do when they are used."""
    code = "import sys, mtrefseg; assert not {'torch', 'transformers'} & set(sys.modules); mtrefseg.UserError"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
