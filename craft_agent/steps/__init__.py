# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The steps from an image pair to audited data, each of which can be used alone: (a) `perceive` lists changes,
(b) `correct_all` segments them, (c) `refine_all` writes sentences. `PairPipeline` takes a pair through all three.
Step (d), the audit, is in `craft_agent.audit`; `exporting.export_work` writes what people accepted.
"""

from .asking import Asker
from .correction import correct_all
from .perception import perceive
from .pipeline import Backends, PairPipeline
from .refinement import refine_all


__all__ = ["Asker", "Backends", "PairPipeline", "correct_all", "perceive", "refine_all"]
