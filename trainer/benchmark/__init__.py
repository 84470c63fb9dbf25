# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`mtrefseg benchmark`: runs many models on the same pairs, scores predictions of other programs, and compares
them."""
