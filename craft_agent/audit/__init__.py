# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Step (d), the audit: people accept, correct or reject what the machine proposes.

`AuditStore` holds samples and decisions, `read_funnel` counts what every step let through. `desk` and `page` are the
web page, which needs gradio and is therefore not imported here.
"""

from .decisions import REJECT_REASONS, Decision, StoredDecision
from .funnel import Funnel, read_funnel
from .store import AuditStore


__all__ = ["REJECT_REASONS", "AuditStore", "Decision", "Funnel", "StoredDecision", "read_funnel"]
