# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The commands of `craft-agent`, one module each, with `add_arguments(parser)` and `run(arguments)`. `command_line.main`
imports only the one that is called. `backend_options` and `estimate` are parts of `run`: its models, and `--dry-run`.
"""
