# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Training data: pairs from any source, augmentation, batches."""
