# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Direction and strength of the sunlight at one of the two times."""

from dataclasses import dataclass

import numpy as np

from dataset_scripts.synthesis.scene import Point


@dataclass(frozen=True)
class Light:
    """
    The sun, or an overcast sky.

    Args:
        degrees (`float`): Direction of shadows in the image, clockwise from the x axis.
        reach (`float`): Length of the shadow of a body of height 1.
        strength (`float`): Darkness of shadows, 0 (overcast) to 1.
    """

    degrees: float
    reach: float
    strength: float

    def shadow(self, height: float) -> Point:
        """Offset (x, y) in pixels from the foot of a body, `height` pixels high, to the shadow of its top."""
        angle = np.deg2rad(self.degrees)
        return float(np.cos(angle)) * self.reach * height, float(np.sin(angle)) * self.reach * height


def sample_light(random: np.random.Generator) -> Light:
    """Samples the light of a random time of day, sunny or overcast."""
    return Light(
        degrees=float(random.uniform(0, 360)),
        reach=float(random.uniform(0.35, 1.3)),
        strength=float(random.uniform(0.2, 0.6)),
    )
