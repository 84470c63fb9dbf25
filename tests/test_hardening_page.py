# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""docs/hardening.md names tests that exist."""

import ast
import re
from pathlib import Path


ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def table_rows() -> list[str]:
    lines = (ROOT / "docs" / "hardening.md").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("| ") and not line.startswith("| input |")]


def names_of_tests(path: Path) -> set[str]:
    """Names of the tests of a file, those of classes included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_row_has_four_cells_and_names_a_test_that_exists() -> None:
    rows = table_rows()
    assert len(rows) > 70
    for row in rows:
        assert row.count(" | ") == 3, row
        (found,) = NAMED.findall(row.rsplit(" | ", 1)[1])
        assert found[1] in names_of_tests(ROOT / found[0]), row


def test_the_readme_leads_to_the_page() -> None:
    assert "(docs/hardening.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
