# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The kinds of scenes: how each is laid out and painted."""
