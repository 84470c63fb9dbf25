# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from transformers import BatchFeature

from modeling_mtrefseg.image_processing_mtrefseg import MTRefSegImageProcessor
from mtrefseg.cli import common, info
from mtrefseg.cli.main import main
from mtrefseg.errors import resumable
from tests.tiny_models import save_mtrefseg


ROOT = Path(__file__).parents[3]
WIDTH, HEIGHT = 24, 16


class FakeModel(torch.nn.Module):
    """Stands for the model: knows how many sentences were asked, and on which device and in which type."""

    config = None
    dtype = torch.float32
    device = torch.device("cpu")

    def __init__(self) -> None:
        super().__init__()
        self.backbone = torch.nn.Linear(3, 5)
        self.head = torch.nn.Linear(2, 1, bias=False)

    def forward(self, pixel_values_t1: torch.Tensor, num_expressions: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(count=int(num_expressions[0]))


class FakeProcessor:
    """Stands for the processor: mask `i` has `i` full columns, so the first one is empty."""

    choose_objects = False

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.image_processor = MTRefSegImageProcessor(threshold=0.3)

    def check_fits(self, config: Any) -> None:
        """It fits every model."""

    def __call__(self, **options: Any) -> BatchFeature:
        self.calls.append(options)
        if options["text"] and "too long" in options["text"]:
            raise ValueError("sentence 0 of pair 0 is\ntoo long")
        count = len(options["text"] or ["every change"])
        return BatchFeature(
            {"pixel_values_t1": torch.zeros(1, 3, 8, 8), "num_expressions": torch.tensor([count])}, tensor_type="pt"
        )

    def post_process_referring_segmentation(
        self, outputs: SimpleNamespace, target_sizes: list[tuple[int, int]], **options: Any
    ) -> list[dict[str, torch.Tensor]]:
        self.calls.append({"target_sizes": target_sizes, **options})
        masks = torch.zeros(outputs.count, *target_sizes[0], dtype=torch.bool)
        for index, mask in enumerate(masks):
            mask[:, :index] = True
        scores = torch.linspace(0, 1, outputs.count)
        is_closest = (scores > 0) & (scores < 0.6)
        return [{"masks": masks, "scores": scores, "no_target_scores": 1 - scores, "is_closest": is_closest}]


@pytest.fixture(autouse=True)
def _default_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model folder of the workplace is the default one."""
    monkeypatch.setattr(common, "default_model", lambda: "mtrefseg-r1")


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> FakeProcessor:
    """Puts the fakes in the place of what `from_pretrained` loads."""
    fake = FakeProcessor()
    monkeypatch.setattr(transformers.AutoProcessor, "from_pretrained", lambda *_, **__: fake)

    def load(*_: object, output_loading_info: bool = False, **__: object) -> Any:
        return (FakeModel(), {"missing_keys": []}) if output_loading_info else FakeModel()

    monkeypatch.setattr(transformers.AutoModel, "from_pretrained", load)
    return fake


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with a pair of images, a model folder (only its config) and things that are no images."""
    generator = np.random.default_rng(0)
    for name in ("t1.png", "t2.png"):
        Image.fromarray(generator.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)).save(tmp_path / name)
    Image.new("RGB", (WIDTH * 2, HEIGHT * 2)).save(tmp_path / "large.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "t1.png").read_bytes()[:200])
    (tmp_path / "notes.png").write_text("no image")
    Image.new("L", (70_000, 1)).save(tmp_path / "wide.png")
    os.mkfifo(tmp_path / "pipe.png")
    for folder, model_type in (("mtrefseg-r1", "mtrefseg"), ("other", "bert")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    (tmp_path / "hollow").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder as `save_pretrained` writes it: 64 x 64 pixels, random weights."""
    return save_mtrefseg(tmp_path_factory.mktemp("models") / "tiny")


def read_mask(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.mode == "L"
        return np.asarray(image)


def test_predict_writes_masks_overlay_and_report(
    workplace: Path, processor: FakeProcessor, capsys: pytest.CaptureFixture[str]
) -> None:
    sentences = ["a pool", "the red roof", "Straße – 新しい家"]
    thresholds = ["--threshold", "0.4", "--no-target-threshold", "0.9"]
    options = ["--out", "results/run", "--domain", "normal_scene", *thresholds]
    assert main(["predict", "t1.png", "t2.png", *sentences, *options]) == 0

    out = workplace / "results" / "run"
    names = ["mask_1.png", "mask_2.png", "mask_3.png", "overlay.png", "result.json"]
    assert sorted(path.name for path in out.iterdir()) == names
    for index in range(3):
        expected = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
        expected[:, :index] = 255
        np.testing.assert_array_equal(read_mask(out / f"mask_{index + 1}.png"), expected)
    report = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert (report["width"], report["height"], report["model"]) == (WIDTH, HEIGHT, "mtrefseg-r1")
    assert [entry["text"] for entry in report["results"]] == sentences
    assert [entry["area_pixels"] for entry in report["results"]] == [0, HEIGHT, 2 * HEIGHT]
    assert report["results"][1]["score"] == pytest.approx(0.5)
    assert [entry["is_closest"] for entry in report["results"]] == [False, True, False]
    assert report["results"][2]["area_fraction"] == pytest.approx(2 / WIDTH)

    prepared, post_processed = processor.calls
    assert prepared["text"] == sentences
    assert (prepared["domain"], prepared["align"]) == ("normal_scene", "error")
    assert post_processed == {"target_sizes": [(HEIGHT, WIDTH)], "threshold": 0.4, "no_target_threshold": 0.9}
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == str(Path("results/run/overlay.png"))
    assert "Straße – 新しい家" in printed.out
    noted = [
        line for line in printed.out.splitlines() if "(nothing fits clearly; the closest change is shown)" in line
    ]
    assert [line.partition("  ")[0] for line in noted] == [str(Path("results/run/mask_2.png"))]
    assert "loading the weights" in printed.err


def test_no_sentence_means_every_change(workplace: Path, processor: FakeProcessor) -> None:
    assert main(["predict", "t1.png", "t2.png", "--out", "out"]) == 0
    assert processor.calls[0]["text"] is None
    report = json.loads((workplace / "out" / "result.json").read_text())
    assert [entry["text"] for entry in report["results"]] == [None]
    # The report has the threshold that the model was saved with.
    assert report["threshold"] == 0.3


def test_a_second_run_replaces_the_first(workplace: Path, processor: FakeProcessor) -> None:
    (workplace / "out").mkdir()
    (workplace / "out" / "mask_of_mine.png").write_text("kept")
    assert main(["predict", "t1.png", "t2.png", "a", "b", "c", "--out", "out"]) == 0
    assert main(["predict", "t1.png", "t2.png", "a", "--out", "out"]) == 0
    names = sorted(path.name for path in (workplace / "out").iterdir())
    assert names == ["mask_1.png", "mask_of_mine.png", "overlay.png", "result.json"]


def test_align_resize_accepts_another_size_of_t2(workplace: Path, processor: FakeProcessor) -> None:
    assert main(["predict", "t1.png", "large.png", "a", "--out", "out", "--align", "resize"]) == 0
    assert processor.calls[0]["align"] == "resize"
    assert read_mask(workplace / "out" / "mask_1.png").shape == (HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.png", "t2.png", "a"], "gone.png"),
        (["t1.png", "notes.png", "a"], "notes.png"),
        (["t1.png", "cut.png", "a"], "cut.png"),
        (["t1.png", "mtrefseg-r1", "a"], "mtrefseg-r1"),
        (["pipe.png", "t2.png", "a"], "pipe.png: it is not a regular file"),
        (["t1.png", "/dev/zero", "a"], "/dev/zero: it is not a regular file"),
        (["wide.png", "wide.png", "a"], "wide.png has 70000x1 pixels: no side may have more than 65,535"),
        (["t1.png", "large.png", "a"], "large.png 48x32: if both show the same area, add --align resize"),
        (["t1.png", "t2.png", "a", " "], "sentence 2 is empty"),
        (["t1.png", "t2.png", "\udcff"], "sentence 1 is not valid UTF-8"),
        (["t1.png", "t2.png", "too long"], "sentence 0 of pair 0 is too long"),
        (["t1.png", "t2.png", "a", "--model", "gone"], 'there is no model folder "gone"'),
        (["t1.png", "t2.png", "a", "--model", "./gone/model"], 'there is no model folder "./gone/model"'),
        (["t1.png", "t2.png", "a", "--model", "hollow"], "hollow is not a model folder"),
        (["t1.png", "t2.png", "a", "--model", "other"], 'other holds a model of type "bert"'),
        (["t1.png", "t2.png", "a", "--out", "t1.png"], "t1.png is not a folder"),
        (["t1.png", "t2.png", "a", "--out", "t1.png/below"], "t1.png is not a folder"),
        (["t1.png", "t2.png", "a", "--device", "abacus"], "cannot use the device abacus"),
        (["t1.png", "t2.png", "a", "--device", "meta"], "cannot use the device meta"),
        (["t1.png", "t2.png", "a", "--out", "x" * 300], "File name too long"),
        (["t1.png", "t2.png", "a", "--model", "x" * 300], "x: "),
        (["t1.png", "t2.png", "a", "--threshold", "1.5"], "'1.5' is not between 0 and 1"),
        (["t1.png", "t2.png", "a", "--threshold", "nan"], "'nan' is not between 0 and 1"),
        (["t1.png", "t2.png", "a", "--threshold", "half"], "'half' is not between 0 and 1"),
        (["t1.png", "t2.png", "a", "--domain", "moon"], "invalid choice: 'moon'"),
        (["t1.png"], "the following arguments are required: T2"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    arguments: list[str],
    message: str,
    workplace: Path,
    processor: FakeProcessor,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = sorted(workplace.rglob("*"))
    with pytest.raises(SystemExit) as stop:  # argparse leaves in this way, and so does the console script
        sys.exit(main(["predict", "--out", "out", *arguments]))
    printed = capsys.readouterr()
    assert stop.value.code == 2
    assert printed.out == ""
    assert printed.err.startswith("mtrefseg: error: ")
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert sorted(workplace.rglob("*")) == before


def test_a_failed_write_leaves_nothing(
    workplace: Path, processor: FakeProcessor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full_disk(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    before = sorted(workplace.rglob("*"))
    monkeypatch.setattr("mtrefseg.cli.predict.plain.write_json", full_disk)
    assert main(["predict", "t1.png", "t2.png", "a", "--out", "out"]) == 2
    assert "cannot write into out: [Errno 28] No space left on device" in capsys.readouterr().err
    assert sorted(workplace.rglob("*")) == before


def test_an_unreachable_hub_model_is_one_line(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise OSError("no\nroute")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", offline)
    assert main(["predict", "t1.png", "t2.png", "a", "--out", "out", "--model", "somebody/model"]) == 2
    assert "somebody/model is not a local folder, and the Hub cannot be reached (no route)" in capsys.readouterr().err


def test_a_real_model_predicts_in_a_fresh_process(workplace: Path, tiny_model: Path) -> None:
    command = [sys.executable, "-m", "mtrefseg", "predict", "t1.png", "t2.png", "the house", "the road"]
    # A home of its own, so that the code of the folder is not taken from an earlier run's cache.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "HF_HOME": str(workplace / "home")}
    run = subprocess.run(
        [*command, "--model", str(tiny_model), "--out", "out"],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert run.returncode == 0, run.stderr
    report = json.loads((workplace / "out" / "result.json").read_text())
    for entry in report["results"]:
        mask = read_mask(workplace / "out" / entry["mask"])
        assert mask.shape == (HEIGHT, WIDTH)
        assert set(np.unique(mask)) <= {0, 255}
        assert entry["area_pixels"] == (mask > 0).sum()
        assert (entry["score"] > 0.5) == (entry["area_pixels"] > 0)
        assert 0 < entry["no_target_score"] < 1
    assert [entry["text"] for entry in report["results"]] == ["the house", "the road"]


@pytest.mark.parametrize("damage", ["cut weights", "no weights", "config", "no processor"])
def test_a_damaged_model_folder_is_named(
    damage: str, workplace: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny_model, workplace / "damaged")
    weights, config = workplace / "damaged" / "model.safetensors", workplace / "damaged" / "config.json"
    if damage == "cut weights":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif damage == "no weights":
        weights.unlink()
    elif damage == "config":
        config.write_text(json.dumps(json.loads(config.read_text()) | {"image_size": "large"}))
    else:
        (workplace / "damaged" / "processor_config.json").unlink()
    assert main(["predict", "t1.png", "t2.png", "the house", "--model", "damaged", "--out", "out"]) == 2
    assert "mtrefseg: error: cannot load " in capsys.readouterr().err
    assert not (workplace / "out").exists()


def test_convert_original_renames_at_the_end(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = []

    def convert(weights: Path, out: Path, original_config: Path, tokenizer: Path) -> None:
        calls.append((weights, original_config, tokenizer))
        assert not (workplace / "new" / "model").exists()
        (out / "config.json").write_text("{}")
        if weights.name == "bad.bin":
            raise ValueError("a tensor\nis missing")

    from mtrefseg.build import conversion

    monkeypatch.setattr(conversion, "convert_original", convert)
    options = ["new/model", "--original-config", "c.json", "--tokenizer", "tok"]
    for name in ("bad.bin", "w.bin", "c.json"):
        (workplace / name).touch()
    assert main(["convert", "bad.bin", *options]) == 2
    assert "cannot convert bad.bin: there is no tok" in capsys.readouterr().err
    (workplace / "tok").mkdir()
    assert main(["convert", "bad.bin", *options]) == 2
    assert "cannot convert bad.bin: a tensor is missing" in capsys.readouterr().err
    assert not (workplace / "new" / "model").exists()
    assert main(["convert-original", "w.bin", *options]) == 0
    assert calls[-1] == (Path("w.bin"), Path("c.json"), Path("tok"))
    assert [path.name for path in (workplace / "new").iterdir()] == ["model"]
    assert [path.name for path in (workplace / "new" / "model").iterdir()] == ["config.json"]
    capsys.readouterr()
    assert main(["convert-original", "w.bin", *options]) == 2
    assert "exists already" in capsys.readouterr().err


def test_info_counts_the_parameters_of_every_part(
    workplace: Path, processor: FakeProcessor, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", "--model", "mtrefseg-r1"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["torch", torch.__version__] in [line[:2] for line in lines]
    assert ["backbone", "20", "parameters"] in lines
    assert ["head", "2", "parameters"] in lines
    assert ["all", "22", "parameters"] in lines


def test_an_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(info, "version_of", interrupt)
        assert main(["info"]) == 130
    assert capsys.readouterr().err == "mtrefseg: interrupted\n"

    def interrupt_resumable_work(*_: Any) -> None:
        with resumable():
            interrupt()

    with monkeypatch.context() as patch:
        patch.setattr(info, "version_of", interrupt_resumable_work)
        assert main(["info"]) == 130
    assert capsys.readouterr().err == "mtrefseg: interrupted; run the same command again to resume\n"
    monkeypatch.setattr("mtrefseg.cli.main.import_module", interrupt)  # The imports of a verb take seconds.
    assert main(["info"]) == 130
    assert capsys.readouterr().err == "mtrefseg: interrupted\n"
