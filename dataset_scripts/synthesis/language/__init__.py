# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The sentence writer: which things of a scene can be described without doubt, and in which words."""
