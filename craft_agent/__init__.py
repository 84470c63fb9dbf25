# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""CRAFT-Agent: builds a data set of change sentences and masks from pairs of images, with people in the loop."""
