# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Drawing: camera, perspective, light, colours, textures, shapes."""
