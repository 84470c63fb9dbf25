# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Every command and every piece of Python in README.md and the pages that continue it does what it says.

What takes long is run small, and what needs the network, a person or an environment of its own is only looked at;
`COMMANDS` says which and why, in an order in which they can be run.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from mtrefseg.cli.main import main as run_mtrefseg
from tests.craft_agent.small_work import draw_pairs


for package in ("accelerate", "datasets", "evaluate", "gradio", "trl"):
    pytest.importorskip(package, reason=f"{package} is not installed")

from craft_agent.command_line import main as run_craft_agent  # noqa: E402
from trainer.command_line import parse_arguments  # noqa: E402
from trainer.options import distillation_options  # noqa: E402


ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "docs/install.md",
    "docs/predicting.md",
    "docs/models.md",
    "docs/data.md",
    "docs/craft.md",
    "docs/training.md",
    "docs/results.md",
)
MOST_LINES = 120  # of the README
# What the commands read, as it lies in a clone.
READ = ("mtrefseg-r1", "mtrs_iou", "spaces_demo/examples", "dataset_scripts/sample", "trainer/recipes")


@dataclass(frozen=True)
class Run:
    """
    The command is run.

    Args:
        instead (`dict[str, str]`): Words of it that become others, for a small run.
        more (`str`): What is added to it, for a small run.
        leaves (`str`): A file that is there afterwards.
    """

    leaves: str
    more: str = ""
    instead: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class LookAt:
    """The command is not run; its arguments are parsed, or its help is asked for, or what it names is looked up."""

    why: str


SMALL = "--max_steps 1 --per_device_train_batch_size 1 --dataloader_num_workers 0 --logging_steps 1 --save_strategy no"
SMALL_STAGE = f"{SMALL} --generated_eval_pairs 2 --eval_strategy no --load_best_model_at_end false"
ROOM = "spaces_demo/examples/storeroom_t1.jpg spaces_demo/examples/storeroom_t2.jpg"
TOWN = "spaces_demo/examples/town_t1.jpg spaces_demo/examples/town_t2.jpg"
OWN = (("DATA", "dataset_scripts/sample"),)
EXTRAS = (
    *("train", "pretrained", "demo", "serve", "data", "geo", "onnx", "openvino", "score", "craft", "ray"),
    "train,baselines",
)
ENVIRONMENT = LookAt("makes an environment from a package index")
SERVER = LookAt("serves until it is stopped; tests/spaces_demo and tests/craft_agent talk to the servers")
COMMANDS: dict[str, Run | LookAt] = {
    "make quickstart": ENVIRONMENT,
    "source .venv/bin/activate": ENVIRONMENT,
    f"mtrefseg predict {ROOM} 'the bookcase that was removed' --domain normal_scene --out outputs/shelf": Run(
        "outputs/shelf/overlay.png"
    ),
    f"mtrefseg predict {ROOM} --out outputs/every": Run("outputs/every/mask_1.png"),
    f"mtrefseg predict {TOWN} 'which buildings are new?' --domain remote_sensing --out outputs/new": Run(
        "outputs/new/overlay.png"
    ),
    f"mtrefseg explain {TOWN} 'which buildings are new?' --domain remote_sensing --out outputs/why": Run(
        "outputs/why/sheet.png"
    ),
    "mtrefseg demo": SERVER,
    "pip install -e .": ENVIRONMENT,
    **{f"pip install -e '.[{extra}]'": ENVIRONMENT for extra in EXTRAS},
    "make test": ENVIRONMENT,
    "mtrefseg data synth data/synthetic --pairs 2000 --num-proc 2": Run(
        "data/synthetic", instead=(("2000", "4"), ("2", "1"))
    ),
    "mtrefseg data validate data/synthetic": Run("data/synthetic"),
    "mtrefseg data browse data/synthetic --out pages": Run("pages/index.html"),
    "mtrefseg data export data/synthetic data/parquet": Run("data/parquet/README.md"),
    "craft-agent run PAIRS --out WORK --domain RS": Run("WORK", more="--grid 2"),
    "craft-agent audit WORK": SERVER,
    "craft-agent audit WORK --invite ann --invite bob --adjudicator carl": SERVER,
    "craft-agent export WORK data/mine": LookAt("exports what people accepted; tests/craft_agent does so"),
    **dict.fromkeys(
        (
            "craft-agent export --format coco WORK out/coco",
            "craft-agent export --format label-studio --auditors 0 WORK out/studio",
            "craft-agent import --format label-studio exported.json WORK --auditor ann",
            "craft-agent import --format cvat annotations.xml NEW --pairs PAIRS --domain RS",
        ),
        LookAt("exchanges annotations with other tools; tests/craft_agent/exchange does so"),
    ),
    "accelerate launch trainer/pretrain_scenes.py": Run(
        "outputs/tiny_scenes/model.safetensors", more=f"{SMALL} --eval_pairs 2"
    ),
    "accelerate launch trainer/pretrain.py --model_name_or_path outputs/tiny_scenes --output_dir outputs/stage1": Run(
        "outputs/stage1/model.safetensors", more=SMALL_STAGE
    ),
    "accelerate launch trainer/finetune.py --stage1 outputs/stage1 --output_dir outputs/mine": Run(
        "outputs/mine/model.safetensors", more=SMALL_STAGE
    ),
    "python trainer/evaluate.py --model outputs/mine --data dataset_scripts/sample --setting TV --split validation "
    "--output_dir outputs/report": Run("outputs/report/predictions.parquet"),
    "mtrefseg report outputs/report/predictions.parquet --data dataset_scripts/sample --out outputs/page": Run(
        "outputs/page/index.html"
    ),
    "accelerate launch trainer/finetune.py --model_name_or_path outputs/mine --vision_backbone efficientnet-lite2 "
    "--output_dir outputs/new_backbone": LookAt("tests/trainer/test_building.py does so"),
    "python trainer/distill.py --model_name_or_path outputs/new_backbone --output_dir outputs/new_words": LookAt(
        "tests/trainer/test_distill.py does so"
    ),
    "accelerate launch trainer/finetune.py --config trainer/recipes/finetune.yaml "
    "--train_data generated DATA --train_weights 3 1 --eval_data DATA --output_dir outputs/own": Run(
        "outputs/own/model.safetensors", more=f"{SMALL_STAGE} --train_split validation", instead=OWN
    ),
    "accelerate launch trainer/finetune.py --config trainer/recipes/finetune.yaml --train_data DATA --eval_data DATA "
    "--eval_strategy no --max_steps 20 --per_device_train_batch_size 2 --warmup_steps 2 --learning_rate 1e-4 "
    "--output_dir outputs/camera": Run(
        "outputs/camera/model.safetensors", more=f"{SMALL_STAGE} --train_split validation", instead=OWN
    ),
    # All pairs of the sample are validation pairs.
    "python trainer/calibrate.py --model outputs/own --data DATA --split train --output_dir outputs/own_ready": Run(
        "outputs/own_ready/model.safetensors", instead=(*OWN, ("train", "validation"))
    ),
    "python trainer/evaluate.py --model outputs/own_ready --data DATA --split validation "
    "--output_dir outputs/own_report": Run("outputs/own_report/report.json", instead=OWN),
    "make publish-dry-run": LookAt("takes minutes; tests/publishing builds and loads every folder"),
    "make publish NAMESPACE=your-name": LookAt("pushes to the Hub; tests/publishing does so to a Hub that is played"),
    "accelerate launch trainer/pretrain.py --config trainer/recipes/paper_stage1.yaml --output_dir outputs/s1": LookAt(
        "takes GPUs and days"
    ),
    "accelerate launch trainer/finetune.py --config trainer/recipes/paper_stage2.yaml --stage1 outputs/s1 "
    "--output_dir outputs/s2": LookAt("takes GPUs and days"),
    "mtrefseg convert WEIGHTS my-model --original-config config.json --tokenizer TOKENIZER_FOLDER": LookAt(
        "needs the reference's weights; tests/mtrefseg/build/test_conversion.py converts small ones"
    ),
}
# Python that is compiled and not run, by a text in it.
PYTHON_LOOKED_AT = {"microsoft/phi-1_5": "downloads gigabytes; tests of from_backbones do so with small parts"}


def blocks(language: str) -> list[str]:
    """The blocks of a language in all pages, in order."""
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in PAGES]
    return [block for text in texts for block in re.findall(rf"(?s)```{language}\n(.*?)```", text)]


def commands() -> list[str]:
    """Every command, without its comment, its words quoted as the shell would have them."""
    lines = [line for block in blocks("bash") for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.join(words) for words in (shlex.split(line, comments=True) for line in lines) if words]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the commands read."""
    folder = tmp_path_factory.mktemp("clone")
    for name in READ:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    draw_pairs(folder / "PAIRS", 1)
    return folder


@pytest.fixture(autouse=True)
def _in_the_clone(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs there, and what a script changes in this process is put back."""
    import datasets
    import evaluate

    monkeypatch.chdir(clone)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", str(tmp_path / "metrics"))


def run(words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a command in this process, which has loaded the packages already."""
    words = words[2:] if words[:2] == ["accelerate", "launch"] else words[words[0] == "python" :]
    if words[0].startswith("trainer/"):
        monkeypatch.setattr(sys, "argv", list(words))  # What model cards and reports record.
        assert import_module(words[0].removesuffix(".py").replace("/", ".")).main() == 0
        return
    mains = {"mtrefseg": run_mtrefseg, "craft-agent": run_craft_agent}
    assert mains[words[0]](words[1:]) == 0


def look_at(words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Checks a command without running it."""
    if words[0] == "make":
        done = subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    elif words[0] == "pip":
        (extras,) = re.fullmatch(r"\.(?:\[([\w,]+)\])?", words[3]).groups()
        known = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        assert all(f"\n{extra} = [" in known for extra in (extras or "").split(",") if extra)
    elif words[0] == "accelerate":
        assert (ROOT / words[2]).is_file()
        parse_arguments("tiny_stage2", [str(ROOT / word) if word.endswith(".yaml") else word for word in words[3:]])
    elif words[:2] == ["python", "trainer/distill.py"]:
        distillation_options().check(words[2:], "checkpoint/06_distill_vocabulary", "distill.py", None)
    elif words[0] == "mtrefseg":
        parser = import_module(f"mtrefseg.cli.{words[1]}").make_parser()
        assert parser.parse(words[2:])
    elif words[0] == "craft-agent":
        with pytest.raises(SystemExit) as stopped:
            run_craft_agent([words[1], "--help"])
        assert stopped.value.code == 0
        assert f"craft-agent {words[1]}" in capsys.readouterr().out
    else:
        assert words == ["source", ".venv/bin/activate"]


def test_every_command_is_covered() -> None:
    assert set(commands()) == set(COMMANDS)


def test_the_commands_run(clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("make") is None or os.name == "nt":
        pytest.skip("there is no make")
    for command, step in COMMANDS.items():
        words = shlex.split(command)
        if isinstance(step, LookAt):
            look_at(words, capsys)
            continue
        instead = dict(step.instead)
        run([instead.get(word, word) for word in words] + shlex.split(step.more), monkeypatch)
        assert (clone / step.leaves).exists(), command


def test_the_first_question_has_an_answer(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the README lets people ask first is answered by the shipped weights with a mask."""
    command = next(command for command in COMMANDS if "the bookcase that was removed" in command)
    run(shlex.split(command), monkeypatch)
    with Image.open(clone / "outputs" / "shelf" / "mask_1.png") as mask:
        assert mask.getbbox() is not None


def test_the_python_runs() -> None:
    names: dict[str, Any] = {}
    for block in blocks("python"):
        code = compile(block, PAGES[0], "exec")
        if not any(text in block for text in PYTHON_LOOKED_AT):
            exec(code, names)
    assert names["result"]["masks"].shape == (2, 256, 256)
    assert names["outputs"].mask_logits.shape[0] == 2
    assert names["answers"][0]["mask"].size == (256, 256)
    assert names["metric"] is not None


def test_the_images_are_there_and_small() -> None:
    shown = {
        (ROOT / page).parent.joinpath(name).relative_to(ROOT).as_posix()
        for page in ("README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
        for name in re.findall(r"!\[[^\]]+\]\(([^\s)]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    }
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "images").iterdir()}
    assert shown == there
    sizes = {Path(name).stem: (ROOT / name).stat().st_size for name in there}
    assert sizes.pop("hero") < 1_000_000
    assert sum(sizes.values()) < 900_000


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= MOST_LINES
