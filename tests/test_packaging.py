# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

from mtrefseg.cli.common import HUB_MODEL
from mtrefseg.cli.demo import DEMO_PACKAGES


ROOT = Path(__file__).parents[1]
# A path of somebody's machine begins with one of these folders. Joined here, so that this file does not hold one.
MACHINE_FOLDERS = ("home", "Users", "root", "work", "farm", "mnt", "scratch", "opt")
MACHINE_PATH = re.compile(r"(?<![\w.\-:/])/(?:" + "|".join(MACHINE_FOLDERS) + r")/\w|[A-Z]:\\\\?Users")
PACKAGES = ("modeling_mtrefseg", "mtrefseg", "dataset_scripts", "mtrs_iou", "trainer", "craft_agent", "spaces_demo")
BINARY = {".tif", ".png", ".jpg", ".webp", ".safetensors", ".parquet", ".ico", ".gif", ".gpkg"}


def repository_files() -> list[Path]:
    """What is committed, or would be. A source tree without git holds nothing to check."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the sdist and the wheel that is built from it. A build leaves files behind, so it runs in a copy."""
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE", *(path.name for path in ROOT.glob("*.md"))):
        shutil.copy(ROOT / name, source)
    ignore = shutil.ignore_patterns("__pycache__")
    for name in (*PACKAGES, "tests"):
        shutil.copytree(ROOT / name, source / name, ignore=ignore)
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return out


def test_the_wheel_holds_the_package_and_nothing_else(distributions: Path) -> None:
    (wheel,) = distributions.glob("mtrefseg-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (entry_points,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert "mtrefseg = mtrefseg.cli.main:main" in archive.read(entry_points).decode()
        assert any(name.endswith("/LICENSE") for name in archive.namelist())
    kinds = {".py", ".md", ".html", ".css", ".js", ".txt", ".yaml", ".sh", ".csv"}
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.suffix in kinds]
    sources += [path for path in (ROOT / "spaces_demo" / "examples").rglob("*") if path.is_file()]
    # Those two are of the folder as a repository of the Hub.
    expected = {path.relative_to(ROOT).as_posix() for path in sources if path.stem not in ("README", "requirements")}
    assert names == expected


def test_the_sdist_builds_again(distributions: Path) -> None:
    (sdist,) = distributions.glob("mtrefseg-*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert {"setup.py", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"} <= names


def test_the_installed_command_predicts_outside_the_clone(distributions: Path, tmp_path: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(site)]
    subprocess.run([*install, str(wheel)], check=True)
    # Its packages come before those of this environment, which may have the clone installed.
    environment = os.environ | {"PYTHONPATH": str(site), "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", *words]
        return subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False)

    found = run("-c", "import mtrefseg, modeling_mtrefseg; print(mtrefseg.__file__, modeling_mtrefseg.__file__)")
    assert found.stdout.count(str(site)) == 2
    command = str(site / "bin" / "mtrefseg")
    assert run(command, "--version").stdout == "mtrefseg 0.1.0\n"
    images = [str(ROOT / "spaces_demo" / "examples" / f"lagoon_{time}.jpg") for time in ("t1", "t2")]
    words = ["predict", *images, "--out", "out", "which building is new?"]
    done = run(command, *words, "--model", str(ROOT / "mtrefseg-r1"))
    assert done.returncode == 0, done.stderr
    assert (empty / "out" / "mask_1.png").is_file()
    # The wheel holds no weights: without a network it says where they would come from.
    done = run(command, *words)
    assert done.returncode == 2
    assert all(line.startswith("mtrefseg: ") for line in done.stderr.splitlines())
    assert HUB_MODEL in done.stderr


def test_no_file_names_a_path_of_a_machine() -> None:
    found = []
    for path in repository_files():
        if path.suffix not in BINARY:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                if MACHINE_PATH.search(line):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert not found


@pytest.mark.parametrize("line", ["cd /" + "home/me/project", 'data = "/' + 'mnt/disk"', "C:\\" + "Users\\me"])
def test_the_pattern_finds_paths_of_machines(line: str) -> None:
    assert MACHINE_PATH.search(line)


@pytest.mark.parametrize("line", ["https://example.org/home/page", "./work/x", "../opt/x", "a/root/b"])
def test_the_pattern_leaves_other_paths_alone(line: str) -> None:
    assert not MACHINE_PATH.search(line)


def test_the_lock_pins_exact_versions_and_nothing_of_a_machine() -> None:
    lines = (ROOT / "requirements" / "ci.lock.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin) for pin in pins)
    torch_pin = next(pin for pin in pins if pin.startswith("torch=="))
    assert torch_pin in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_pytest_enters_every_folder_with_tests(request: pytest.FixtureRequest) -> None:
    """Without a list of ours, it skips folders called "build"."""
    files = [path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")]
    folders = {folder for file in files for folder in file.parts[:-1]}
    assert "build" in folders
    skipped = request.config.getini("norecursedirs")
    assert not [name for name in folders if any(fnmatch(name, pattern) for pattern in skipped)]


def test_the_server_installs_what_the_demo_beside_it_needs() -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    demo, serve = (set(project["optional-dependencies"][name]) for name in ("demo", "serve"))
    assert demo <= serve
    named = {re.split(r"[<>=]", requirement)[0] for requirement in demo}
    assert named == set(DEMO_PACKAGES)
