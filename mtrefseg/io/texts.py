# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Which sentences are none; defined beside the processor, since a checkpoint on the Hub holds all its code."""

from modeling_mtrefseg.sentence_encoding_mtrefseg import is_blank


__all__ = ["is_blank"]
