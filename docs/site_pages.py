# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Hooks of MkDocs, named in `mkdocs.yml`: they add the pages of the repository to the site where they lie, with every
file that these link to, and check the built pages.

A folder that is linked to and has no README.md gets a page that lists its files.
"""

import posixpath
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mkdocs.exceptions import Abort
from mkdocs.structure.files import File, Files


ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/*.md",
    "docs/example/README.md",
    "benchmarks/README.md",
    "craft_agent/README.md",
    "dataset_scripts/README.md",
    "mtrefseg-r1/README.md",
    "mtrs_iou/README.md",
    "spaces_demo/README.md",
)
_FILE_NAME = re.compile(r"\[[\w./-]+\.md\]\(([^)\s]+)\)")
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+)(?=[)#])")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages, and what they link to."""
    pages = sorted(path.relative_to(ROOT).as_posix() for pattern in PAGES for path in ROOT.glob(pattern))
    for page in pages:
        files.append(_copy(config, page))
    for page in pages:
        for target in _linked(page):
            if (ROOT / target).is_dir():
                name = posixpath.join(target, "README.md")
                if files.get_file_from_path(name) is None:
                    files.append(_listing(config, target))
                    for path in _files_of(target):
                        files.append(_copy(config, path))
            elif (ROOT / target).is_file() and files.get_file_from_path(target) is None:
                files.append(_copy(config, target))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Lets links to folders lead to their pages, and calls pages by their titles instead of their files."""
    titles = dict(_titles(config["nav"]))

    def target_of(link: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(page.file.src_uri), link))

    def full(link: re.Match[str]) -> str:
        return f"{link[0].rstrip('/')}/README.md" if (ROOT / target_of(link[0])).is_dir() else link[0]

    def named(link: re.Match[str]) -> str:
        title = titles.get(target_of(link[1].partition("#")[0]))
        return f"[{title}]({link[1]})" if title else link[0]

    return _LINK.sub(full, _FILE_NAME.sub(named, markdown))


def on_page_content(html: str, **_: Any) -> str:
    """Shows types of docstrings, such as (`int`, *optional*), and references, such as [`~Name.part`], as code."""
    html = re.sub(r"\[<code>~?([^<]*</code>)\](?!\()", r"<code>\1", html)
    plain = re.compile(r"\[?`~?\]?|\*(?=optional)|(?<=optional)\*")
    return re.sub(r"(?<=<code>)[^<]*`[^<]*(?=</code>)", lambda code: plain.sub("", code[0]), html)


def on_post_page(output: str, **_: Any) -> str:
    """Gives the theme's search a name for screen readers."""
    return output.replace(
        'data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"'
    )


def on_post_build(config: Any) -> None:
    """Stops if a built page links to a file or a heading that is not there, or loads anything from elsewhere."""
    site = Path(config.site_dir)
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html") if path.name != "404.html"}
    problems = []
    for path, page in pages.items():
        problems += [f"{path.relative_to(site)}: loads {source}" for source in page.loads if urlsplit(source).netloc]
        for link in (*page.links, *page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not file.is_file() or (anchor and file in pages and anchor not in pages[file].names):
                problems.append(f"{path.relative_to(site)}: nothing at {link}")
    if problems:
        raise Abort("\n".join(sorted(set(problems))))


class _Page(HTMLParser):
    """The links of a page, what it loads, and what links to it can end with."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.names = {"__top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.names |= {str(values[key]) for key in ("id", "name") if values.get(key)}
        if tag == "a" and values.get("href"):
            self.links.append(str(values["href"]))
        elif tag == "link" and values.get("rel") in ("stylesheet", "icon") and values.get("href"):
            self.loads.append(str(values["href"]))
        elif tag in ("script", "img", "iframe") and values.get("src"):
            self.loads.append(str(values["src"]))


def _titles(nav: Any) -> Iterator[tuple[str, str]]:
    """The files of the navigation and their titles."""
    for entry in nav:
        for title, content in entry.items():
            if isinstance(content, str):
                yield content, title
            else:
                yield from _titles(content)


def _copy(config: Any, path: str) -> File:
    return File.generated(config, path, abs_src_path=str(ROOT / path))


def _linked(page: str) -> list[str]:
    """The files and folders of the repository that a page links to."""
    text = re.sub(r"(?s)```.*?```", "", (ROOT / page).read_text(encoding="utf-8"))
    return [posixpath.normpath(posixpath.join(posixpath.dirname(page), link)) for link in _LINK.findall(text)]


def _files_of(folder: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).iterdir() if path.is_file())


def _listing(config: Any, folder: str) -> File:
    names = [posixpath.basename(path) for path in _files_of(folder)]
    lines = [f"# {folder}", "", "The files of this folder:", "", *(f"- [{name}]({name})" for name in names)]
    return File.generated(config, posixpath.join(folder, "README.md"), content="\n".join(lines) + "\n")
