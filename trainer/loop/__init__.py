# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The training loop of both stages: building the model, checking the input, the trainer, engines and checkpoints."""
