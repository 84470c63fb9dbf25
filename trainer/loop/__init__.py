# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The training loop: building the model, the trainer, engines, checkpoints."""
