# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Scores a model and reports the scores: predictions, tables, model card."""
