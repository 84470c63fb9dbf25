# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The command `mtrefseg`: one module for each verb, with `add_parser` and `run`."""
