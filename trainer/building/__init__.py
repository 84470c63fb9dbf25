# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Builds the models for training (new ones, pretrained parts, adapters) and estimates the cost of training."""
