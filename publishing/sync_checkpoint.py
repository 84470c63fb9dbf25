# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Copies the code of `modeling_mtrefseg/` beside the weights of `mtrefseg-r1/`, which load alone:

```bash
python -m publishing.sync_checkpoint
```
"""

import shutil
from pathlib import Path


ROOT = Path(__file__).resolve().parents[1]
SOURCE, CHECKPOINT = ROOT / "modeling_mtrefseg", ROOT / "mtrefseg-r1"


def code_files() -> list[Path]:
    """All modules but `__init__.py`, which registers the classes and is not needed beside the weights."""
    return sorted(path for path in SOURCE.glob("*.py") if path.name != "__init__.py")


def main() -> None:
    """Copies the modules, and removes copies of modules that no longer exist."""
    files = code_files()
    for old in {path.name for path in CHECKPOINT.glob("*.py")} - {path.name for path in files}:
        (CHECKPOINT / old).unlink()
    for path in files:
        shutil.copyfile(path, CHECKPOINT / path.name)


if __name__ == "__main__":
    main()
