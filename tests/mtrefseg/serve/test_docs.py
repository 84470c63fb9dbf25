# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What docs/serving.md shows works, and says what is; the files of the container fit the repository."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mtrefseg.cli.serve import make_parser
from mtrefseg.serve.errors import CODES
from mtrefseg.serve.schemas import Mask, SegmentRequest
from tests.mtrefseg.serve.conftest import Server


ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"


def blocks(language: str) -> list[str]:
    return re.findall(rf"(?s)```{language}\n(.*?)```", PAGE)


def run(command: list[str], text: str, server: Server) -> str:
    """Runs a snippet against the server of the tests."""
    assert ADDRESS in text
    shown = text.replace(ADDRESS, server.url)
    done = subprocess.run([*command, shown], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_curl(server: Server) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (text,) = [block for block in blocks("bash") if "curl" in block]
    said = run(["bash", "-ec"], text, server)
    assert "the house that no longer exists" in said
    assert '"rle"' in said


@pytest.mark.parametrize("text", blocks("python"))
def test_python(text: str, server: Server) -> None:
    for package in ("requests", "pycocotools"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    said = run([sys.executable, "-c"], text, server)
    assert "which buildings are new?" in said or "answering" in said


def test_javascript(server: Server) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").split(".")[0]) < 18:
        pytest.skip(f"Node.js {version.strip()} has no fetch")
    (text,) = blocks("javascript")
    assert "which buildings are new?" in run([node, "--input-type=module", "-e"], text, server)


def test_the_tables_are_complete() -> None:
    assert set(SegmentRequest.model_fields) <= set(re.findall(r"`(\w+)`", PAGE))
    assert set(Mask.model_fields) <= set(re.findall(r"`(\w+)`", PAGE))
    listed = {int(status) for status in re.findall(r"(?m)^\| (\d{3}) \|", PAGE)}
    # Not found and not allowed speak for themselves, 499 reaches nobody, and 500 is a fault of ours.
    assert listed == set(CODES) - {404, 405, 499, 500}
    options = make_parser().options.format_help()
    for option in re.findall(r"`(--[\w-]+)`", PAGE):
        assert option in options, option


def test_the_container_copies_what_is_there() -> None:
    copied = [name for line in re.findall(r"(?m)^COPY (.+) \S+$", DOCKERFILE) for name in line.split()]
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"]
    assert sorted(copied) == sorted(sent)
    assert all((ROOT / name).exists() for name in copied)
    packages = re.search(r"(?ms)^include = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert packages is not None
    assert {name.rstrip(".*") for name in re.findall(r'"([\w.*]+)"', packages[1])} <= set(copied)


def test_the_container_starts_the_server_as_nobody_special() -> None:
    (entry,) = re.findall(r"(?m)^ENTRYPOINT \[(.+)\]$", DOCKERFILE)
    words = [word.strip(' "') for word in entry.split(",")]
    assert words[:2] == ["mtrefseg", "serve"]
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    (service,) = compose["services"].values()
    options = make_parser().parse([*words[2:], *service["command"]])
    assert (options.host, options.port) == ("0.0.0.0", 8000)
    assert int(service["stop_grace_period"].rstrip("s")) > options.timeout
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "USER mtrefseg" in DOCKERFILE
    assert "HEALTHCHECK" in DOCKERFILE
    assert DOCKERFILE.index("pip install torch==") < DOCKERFILE.index('".[serve]"')
