# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The client of chat servers, at the place from which `benchmarks.hostile.servers` imports it."""

from mtrefseg.foundation.chat_client import ChatClient, Completion, ExchangeError


__all__ = ["ChatClient", "Completion", "ExchangeError"]
