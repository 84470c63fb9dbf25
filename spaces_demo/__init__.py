# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The Gradio Space. Its files import one another by their bare names, as a Space runs them: start it with `app.py`."""
