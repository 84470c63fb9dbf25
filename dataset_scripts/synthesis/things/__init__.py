# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Drawing of the things in normal scenes (street, highway, room), by kind."""
