# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Checks that a folder is complete: a copy of it is loaded in a clean, offline process."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mtrefseg.errors import UserError

from .hub_folders import HubFolder


TIMEOUT_SECONDS = 600
# The project may be installed. Hide it, so that the copy cannot import it.
HIDE = """
import sys
sys.meta_path = [finder for finder in sys.meta_path if "__editable__" not in type(finder).__module__ + str(finder)]
sys.path = [path for path in sys.path if path != {root!r}]
"""


class PublishError(UserError, RuntimeError):
    """A folder cannot be published. The message says why."""


def load_alone(folder: HubFolder, built: Path, needed: Sequence[Path] = ()) -> None:
    """
    Loads a copy of a folder where nothing else of the project is.

    Args:
        folder ([`HubFolder`]): What it is.
        built (`Path`): The folder.
        needed (`Sequence[Path]`): Further folders that it loads from the Hub, copied beside it.

    Raises:
        [`PublishError`]: If it cannot be loaded; the message holds the end of what Python said.
    """
    with tempfile.TemporaryDirectory(prefix="alone-") as empty:
        for path in (built, *needed):
            shutil.copytree(path, Path(empty) / path.name)
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "HF_TOKEN")},
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": str(Path(empty) / ".hub"),
            "GRADIO_ANALYTICS_ENABLED": "False",
        }
        code = HIDE.format(root=str(Path(__file__).resolve().parents[1])) + folder.check
        try:
            run = subprocess.run(
                [sys.executable, "-c", code],
                cwd=empty,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise PublishError(f"{folder.name} was not loaded within {TIMEOUT_SECONDS} seconds.") from error
    if run.returncode != 0:
        raise PublishError(f"{folder.name} cannot be loaded from a copy alone:\n{run.stderr[-2000:]}")
