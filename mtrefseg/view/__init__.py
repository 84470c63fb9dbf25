# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Visualisation: overlays, inspections of one answer, and report pages of an evaluation."""
