# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Makes the models that are trained (new ones, pretrained parts, adapters) and estimates what their training takes."""
