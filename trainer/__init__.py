# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Training of both stages: `pretrain.py` and `finetune.py` are the commands, the other modules are their parts."""
