# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`mtrefseg benchmark`: asks many models about the same pairs, scores predictions of others, and compares."""
