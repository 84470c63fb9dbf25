# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
CRAFT-Agent: builds a dataset of change sentences and masks from image pairs, with people in the loop.

`steps` does the work with the models in `backends` and the questions in `prompts`; `state` stores everything in one
SQLite file; `engines` run the steps on many pairs; in `audit`, people have the last word; `commands` are what users
call. Each folder imports only those before it in this order: prompts, backends, state, audit, steps, engines,
commands.
"""
