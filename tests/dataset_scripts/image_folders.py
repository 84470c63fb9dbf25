# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Small image folders with `metadata.jsonl`, drawn."""

import json
from pathlib import Path
from typing import Any

from tests.dataset_scripts.raw_folders import draw_image, draw_mask


def make_image_folder(folder: Path, pairs: int = 2, sentences: int = 2, seed: int = 0) -> Path:
    """Images `t1/<number>.png` and `t2/<number>.png`, masks, and one row a sentence."""
    rows = []
    for kind in ("t1", "t2", "masks"):
        (folder / kind).mkdir(parents=True)
    for number in range(pairs):
        for kind in ("t1", "t2"):
            draw_image(seed + 100 * number + ord(kind[1])).save(folder / kind / f"{number}.png")
        for index in range(sentences):
            draw_mask(seed + 10 * number + index).save(folder / "masks" / f"{number}_{index}.png")
            rows.append(
                {
                    "image_t1_file_name": f"t1/{number}.png",
                    "image_t2_file_name": f"t2/{number}.png",
                    "mask_file_name": f"masks/{number}_{index}.png",
                    "expression": f"thing {index} that appeared",
                    "change_type": ("appear", "disappear")[index % 2],
                    "domain": "RS",
                    "view": "aerial",
                    "source": "mine",
                }
            )
    write_rows(folder, rows)
    return folder


def read_rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]


def write_rows(folder: Path, rows: list[Any]) -> None:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    (folder / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
