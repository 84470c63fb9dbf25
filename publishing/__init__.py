# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Puts the project on the Hub: one repository for the model, two for data, one for the metric, one for the demo."""
