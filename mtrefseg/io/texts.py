# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Detects blank sentences; defined with the processor, because a checkpoint on the Hub contains all its code."""

from modeling_mtrefseg.sentence_encoding_mtrefseg import is_blank


__all__ = ["is_blank"]
