# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Images for the tests of exported models."""

import pytest

from tests.mtrefseg.export.comparing import Pairs


@pytest.fixture(scope="package")
def pairs(make_image) -> Pairs:
    """Three pairs of different sizes."""
    sizes = ((96, 128), (64, 64), (200, 150))
    first, second = ([make_image(*size, seed=seed + place) for place, size in enumerate(sizes)] for seed in (0, 3))
    return first, second
