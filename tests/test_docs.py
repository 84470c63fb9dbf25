# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The documentation holds together: navigation, links, API reference, and the messages of docs/troubleshooting.md."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

import modeling_mtrefseg
import mtrefseg


ROOT = Path(__file__).parents[1]
SITE = ROOT / "docs" / "site"
TROUBLES = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *(
        ROOT / folder / "README.md"
        for folder in ("benchmarks", "craft_agent", "dataset_scripts", "mtrefseg-r1", "mtrs_iou", "spaces_demo")
    ),
]
CODE = ("modeling_mtrefseg", "mtrefseg", "dataset_scripts", "trainer", "craft_agent", "spaces_demo")
# Messages of a library, with the file that has them.
OF_LIBRARIES = {"DeepSpeed is not installed": ("accelerate", "commands/launch.py")}


class _Loader(yaml.SafeLoader):
    """Reads mkdocs.yml, which names a Python function, without calling it."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)


def navigation() -> list[str]:
    """The pages of the navigation, in order."""

    def paths(entry: Any) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        for part in entry if isinstance(entry, list) else entry.values() if isinstance(entry, dict) else ():
            yield from paths(part)

    return list(paths(yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), _Loader)["nav"]))


def anchors(page: Path) -> set[str]:
    """What links to the headings of a page end with, on GitHub and in the site."""
    heads = re.findall(r"(?m)^#+ (.+)$", without_code(page))
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def without_code(page: Path) -> str:
    return re.sub(r"(?ms)^ *```.*?^ *```", "", page.read_text(encoding="utf-8"))


def test_the_navigation_leads_to_every_page_once() -> None:
    pages = navigation()
    assert len(set(pages)) == len(pages)
    for page in pages:
        assert (ROOT / page).is_file() != (SITE / page).is_file(), page
    there = {f"docs/{path.name}" for path in ROOT.glob("docs/*.md")}
    there |= {path.relative_to(SITE).as_posix() for path in SITE.rglob("*.md")}
    assert there <= set(pages)


def test_linked_folders_with_a_readme_are_pages_of_the_site() -> None:
    """Otherwise the links of that README lead nowhere in the site, and `make docs` fails."""
    source = ast.parse((ROOT / "docs" / "site_pages.py").read_text(encoding="utf-8"))
    (patterns,) = (
        ast.literal_eval(node.value)
        for node in source.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PAGES"
    )
    pages = {path for pattern in patterns for path in ROOT.glob(pattern)}
    for page in pages:
        for link in re.findall(r"\]\(([^)#\s:]+)[)#]", without_code(page)):
            readme = (page.parent / link / "README.md").resolve()
            assert readme in pages or not readme.is_file(), f"{page.name}: {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    # In the site, the pages of docs/site lie beside the README.
    folder = ROOT / page.parent.relative_to(SITE) if SITE in page.parents else page.parent
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", without_code(page)):
        path, _, anchor = target.partition("#")
        file = (folder / path).resolve() if path else page
        if not file.exists() and SITE in page.parents:
            file = page.parent / path
        assert file.exists(), target
        assert ROOT in file.parents, target
        assert not anchor or anchor in anchors(file), target


def test_the_reference_names_what_is_there_and_leaves_nothing_out() -> None:
    documented = set()
    for page in SITE.rglob("*.md"):
        for name in re.findall(r"(?m)^::: (\S+)$", page.read_text(encoding="utf-8")):
            module, _, attribute = name.rpartition(".")
            tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
            found = [each for each in tree.body if getattr(each, "name", None) == attribute]
            assert found, name
            assert ast.get_docstring(found[-1]), name
            documented.add(attribute)
    public = {*mtrefseg.__all__, *modeling_mtrefseg.__all__} - {"__version__", "TASK", "register"}
    assert public <= documented


@cache
def texts() -> str:
    """Every text in the code, a line each; `…` stands for the values in an f-string."""
    found = set()
    for folder in CODE:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    found.add("".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return re.sub("…+", "…", "\n".join(" ".join(text.split()) for text in found))


@pytest.mark.parametrize("message", re.findall(r"(?s)```text\n(.*?)\n```", TROUBLES))
def test_the_messages_are_those_of_the_code(message: str) -> None:
    if message in OF_LIBRARIES:
        package, file = OF_LIBRARIES[message]
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            pytest.skip(f"{package} is not installed")
        assert message in (Path(spec.origin).parent / file).read_text(encoding="utf-8")
        return
    assert message in texts()


def test_every_trouble_has_a_message_a_cause_and_a_fix() -> None:
    troubles = re.split(r"(?m)^## ", TROUBLES)[1:]
    assert len(troubles) == 17
    for trouble in troubles:
        assert trouble.count("```text") >= 1
        assert trouble.count("**Cause.**") == trouble.count("**Fix.**") == 1
