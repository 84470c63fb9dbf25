# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The sentence writer: finds things of a scene that can be described unambiguously, and words for them."""
