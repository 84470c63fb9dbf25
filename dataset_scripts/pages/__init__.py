# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Pages to look at a dataset: HTML with its pairs, and a PNG with its statistics."""
