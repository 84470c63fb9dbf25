# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The Gradio Space: `main` loads a checkpoint and serves the page; `build` makes the page of a
[`Segmenter`], and `mount` puts it on another server."""

from .segmenting import Segmenter
from .ui import build, launch_options, main, mount


__all__ = ["Segmenter", "build", "launch_options", "main", "mount"]
