# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What goes to the Hub is complete, and goes where it belongs."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub.repocard import metadata_load

from publishing import command_line
from publishing.command_line import main, push
from publishing.hub_folders import CODE_LICENSE, HUB_FOLDERS, HubFolder
from publishing.loading import PublishError, load_alone


for package in ("datasets", "evaluate", "gradio"):
    pytest.importorskip(package, reason=f"{package} is not installed")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All folders, which were loaded alone on the way."""
    out = tmp_path_factory.mktemp("out") / "hub"
    assert main(["--out", str(out), "--namespace", "somebody", "--pairs", "2"]) == 0
    return out


def test_every_folder_loads_from_a_copy_alone_and_holds_no_links(built: Path) -> None:
    names = [folder.name for folder in HUB_FOLDERS]
    assert sorted(path.name for path in built.iterdir() if path.is_dir()) == sorted(names)
    assert not any(path.is_symlink() for path in built.rglob("*"))
    assert not any(path.name == "__pycache__" for path in built.rglob("*"))
    for name in names:
        assert metadata_load(built / name / "README.md"), name


def test_the_licence_of_the_code_goes_with_the_model(built: Path) -> None:
    assert "Apache License" in (built / "mtrefseg-r1" / CODE_LICENSE).read_text(encoding="utf-8")


def test_the_demo_names_its_model_and_brings_the_library(built: Path) -> None:
    card = metadata_load(built / "mtrefseg-demo" / "README.md")
    assert card is not None
    assert card["models"] == card["preload_from_hub"] == ["somebody/mtrefseg-r1"]
    for package in ("spaces_demo", "mtrefseg", "modeling_mtrefseg", "dataset_scripts", "mtrs_iou"):
        assert (built / "mtrefseg-demo" / package).is_dir()
    assert not (built / "mtrefseg-demo" / "dataset_scripts" / "sample").exists()
    files = {path.name for path in (built / "mtrefseg-demo").iterdir() if path.is_file()}
    assert files == {"README.md", "app.py", "requirements.txt"}


def test_data_cards_say_where_they_are(built: Path) -> None:
    for name in ("mtrefseg-synthetic", "mtrefseg-synthetic-pretrain"):
        text = (built / name / "README.md").read_text(encoding="utf-8")
        assert f'load_dataset("somebody/{name}"' in text
        assert "OWNER/NAME" not in text


def test_what_is_missing_is_noticed(built: Path, tmp_path: Path) -> None:
    folder = HUB_FOLDERS[3]
    (tmp_path / folder.name).mkdir()
    (tmp_path / folder.name / "mtrs_iou.py").write_text("import scores")
    with pytest.raises(PublishError, match="mtrs_iou cannot be loaded from a copy alone"):
        load_alone(folder, tmp_path / folder.name)


def test_the_project_itself_is_not_found_by_a_copy(tmp_path: Path) -> None:
    folder = HubFolder("empty", "model", lambda *arguments: None, "import modeling_mtrefseg")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PublishError, match="No module named 'modeling_mtrefseg'"):
        load_alone(folder, tmp_path / "empty")


class FakeApi:
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def create_repo(self, repo_id: str, repo_type: str, space_sdk: str | None, exist_ok: bool) -> None:
        self.calls.append(("create", repo_id, repo_type, space_sdk))

    def upload_folder(self, repo_id: str, repo_type: str, folder_path: Path, **options: Any) -> None:
        self.calls.append(("upload", repo_id, repo_type, folder_path.name))

    def model_info(self, repo_id: str) -> SimpleNamespace:
        return SimpleNamespace(sha="0a1b")

    def add_space_variable(self, repo_id: str, key: str, value: str) -> None:
        self.calls.append(("variable", repo_id, key, value))


def test_each_repository_is_made_and_filled_and_the_demo_pins_its_weights(tmp_path: Path) -> None:
    api = FakeApi()
    push(HUB_FOLDERS, tmp_path, "somebody", api)
    uploads = [call[1:] for call in api.calls if call[0] == "upload"]
    assert uploads == [(f"somebody/{each.name}", each.repo_type, each.name) for each in HUB_FOLDERS]
    assert [call[3] for call in api.calls if call[0] == "create"] == [None, None, None, "gradio", "gradio"]
    variables = {call[2]: call[3] for call in api.calls if call[0] == "variable"}
    assert variables == {"MTREFSEG_MODEL": "somebody/mtrefseg-r1", "MTREFSEG_REVISION": "0a1b"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--push"], "needs --namespace"),
        (["--push", "--namespace", "a/b"], "needs --namespace"),
        (["--push", "--namespace", "somebody"], "HF_TOKEN"),
        (["--pairs", "0"], "must be 1 or more"),
        (["--only", "nothing"], "invalid choice"),
    ],
)
def test_bad_options_end_with_a_sentence(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(SystemExit) as caught:
        main(["--out", str(tmp_path / "out"), *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "mtrefseg-r1" / "mine.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path)])
    assert kept.read_text() == "mine"


def test_nothing_is_pushed_when_something_does_not_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*arguments: object) -> None:
        raise PublishError("it does not load")

    def pushed(*arguments: object) -> None:
        raise AssertionError("pushed")

    monkeypatch.setenv("HF_TOKEN", "none")
    monkeypatch.setattr(command_line, "load_alone", refuse)
    monkeypatch.setattr(command_line, "push", pushed)
    arguments = ["--out", str(tmp_path / "out"), "--push", "--namespace", "somebody", "--only", "mtrs_iou"]
    assert main(arguments) == 1
    assert "it does not load" in capsys.readouterr().err
