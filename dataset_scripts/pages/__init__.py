# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Shows datasets: a page of statistics, pages to browse, and the style of figures."""

from .plot_style import DOTS_PER_INCH, INK, STYLE


__all__ = ["DOTS_PER_INCH", "INK", "STYLE"]
