# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Rendering: camera, perspective, light, colours, textures and shapes, shared by all worlds."""
