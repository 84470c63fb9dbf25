# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Runs the cells of `docs/notebooks/scenes.ipynb` one after the other, as a script, without Jupyter."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path


ROOT = Path(__file__).parents[3]
NOTEBOOK = ROOT / "docs" / "notebooks" / "scenes.ipynb"
# What the cells have left behind, and the kinds of what Jupyter would show.
ENDING = """
import json
print(json.dumps({
    "masks": result.masks.shape,
    "objects": len(objects),
    "way": answer.answered_by,
    "largest": len(answer.objects),
    "intervals": [[row["from"], row["to"]] for row in series.rows()],
    "shown": [type(value).__name__ for value in shown],
}))
"""


def to_script(cells: list[str]) -> str:
    """The cells as a script that keeps in `shown` what Jupyter would show: the value of a last expression."""
    parsed = ast.parse("shown = []")
    for cell in cells:
        statements = ast.parse(cell).body
        last = statements[-1]
        if isinstance(last, ast.Expr) and not ast.unparse(last).startswith(("print(", "subprocess.")):
            (keep,) = ast.parse(f"shown.append({ast.unparse(last)})").body
            statements[-1] = keep
        parsed.body += statements
    return ast.unparse(parsed) + ENDING


def test_the_notebook_runs(tmp_path: Path) -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in cells)
    script = tmp_path / "notebook.py"
    script.write_text(to_script(["".join(cell["source"]) for cell in cells]))
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    run = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=3000,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("IoU") == 2
    left = json.loads(run.stdout.splitlines()[-1])
    assert left["masks"] == [2, 2048, 2048]
    assert left["objects"] > 0
    assert (left["way"], left["largest"]) == ("objects", 1)
    assert left["intervals"] == [["2020", "2022"], ["2022", "2024"], ["2020", "2024"]]
    assert sum(kind.endswith(("Image", "ImageFile")) for kind in left["shown"]) == 2
