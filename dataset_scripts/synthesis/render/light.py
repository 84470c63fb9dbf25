# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Where the sun stands at one of the two times."""

from dataclasses import dataclass

import numpy as np

from dataset_scripts.synthesis.scene import Point


@dataclass(frozen=True)
class Light:
    """
    The sun, or an overcast sky.

    Args:
        degrees (`float`): Direction in which shadows fall on the image, clockwise from the x axis.
        reach (`float`): Length of a shadow for a body of height 1.
        strength (`float`): How much darker it is in the shadow, 0 (overcast) to 1.
    """

    degrees: float
    reach: float
    strength: float

    def shadow(self, height: float) -> Point:
        """How far, in pixels (x, y), the top of a body of `height` pixels throws its shadow."""
        angle = np.deg2rad(self.degrees)
        return float(np.cos(angle)) * self.reach * height, float(np.sin(angle)) * self.reach * height


def sample_light(random: np.random.Generator) -> Light:
    """A random hour of a random day."""
    return Light(
        degrees=float(random.uniform(0, 360)),
        reach=float(random.uniform(0.35, 1.3)),
        strength=float(random.uniform(0.2, 0.6)),
    )
