# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The worlds: how places from above, streets, highways and rooms are laid out and painted."""
