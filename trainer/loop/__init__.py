# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Runs all stages of training: checks of the input, the trainer, engines and checkpoints."""
