# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The command `mtrefseg`: one small module for each verb, with `run(arguments) -> exit code`. Importing a verb is fast:
PyTorch and transformers are imported only when it runs, not for its help or for usage errors.
"""
