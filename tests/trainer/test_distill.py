# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A new language part learns the queries of the old one."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoProcessor

from dataset_scripts.readers import GeneratedPairs
from dataset_scripts.synthesis import Generator
from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from mtrefseg.build.presets import PRESETS, tiny_processor
from trainer import distill
from trainer.building.distillation import QueryDistillation, freeze_vision, with_new_language
from trainer.data import PairLoader, list_all
from trainer.data.sentence_queries import QueryCollator, make_query_table
from trainer.errors import TrainingError
from trainer.loop import distilling


@pytest.fixture
def table(small_model: MTRefSegModel, small_processor: MTRefSegProcessor, tmp_path: Path):
    """Six encoded pairs with the queries of a tiny model."""
    rows = list_all([6])
    rows.set_transform(PairLoader([GeneratedPairs(Generator(size=128, domains=("RS",)), num_pairs=6)]))
    return make_query_table(rows, small_model.eval(), small_processor, tmp_path / "pairs")


@pytest.fixture
def student(
    small_model: MTRefSegModel, small_processor: MTRefSegProcessor, monkeypatch: pytest.MonkeyPatch
) -> MTRefSegModel:
    """The tiny model with a language part of another size."""
    text = {**PRESETS["tiny"]["text_config"], "hidden_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2}
    monkeypatch.setitem(PRESETS, "small", {"text_config": text, "seg_head_size": 48, "seg_head_attention_heads": 1})
    return with_new_language(small_model, "small", small_processor)


def test_a_table_holds_the_queries_of_the_model(
    table, small_model: MTRefSegModel, small_processor: MTRefSegProcessor
) -> None:
    pair = GeneratedPairs(Generator(size=128, domains=("RS",)), num_pairs=6)[2]
    texts = [expression.text for expression in pair.expressions]
    with torch.inference_mode():
        inputs = small_processor(*pair.load_images(), text=[texts], domain="remote_sensing")
        expected = small_model(**inputs).seg_embedding
    assert list(table[2]["expressions"]) == texts
    np.testing.assert_allclose(np.array(table[2]["queries"]), expected, atol=1e-5)


def test_a_paraphrase_keeps_the_query_of_its_sentence(table, small_processor: MTRefSegProcessor) -> None:
    plain, reworded = (QueryCollator(small_processor, share, seed=1)([table[0]]) for share in (0.0, 1.0))
    known = {tuple(query) for query in np.array(table[0]["queries"], np.float32).tolist()}
    assert {tuple(query) for query in reworded["labels"].tolist()} <= known
    assert (
        plain["input_ids"].shape != reworded["input_ids"].shape or (plain["input_ids"] != reworded["input_ids"]).any()
    )


def test_the_new_language_part_learns_and_the_vision_part_stays(
    table, student: MTRefSegModel, small_model: MTRefSegModel, small_processor: MTRefSegProcessor
) -> None:
    torch.manual_seed(0)
    batch = QueryCollator(small_processor)([table[index] for index in range(6)])
    distillation = QueryDistillation(student, batch["labels"])
    trained = [parameter for parameter in student.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=3e-3)
    losses = []
    for _ in range(60):
        loss = distillation(**batch)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    for name, tensor in student.vision_model.state_dict().items():
        assert torch.equal(tensor, small_model.vision_model.state_dict()[name]), name


def test_the_command_saves_a_model_that_is_a_whole_one(
    student: MTRefSegModel,
    small_model: MTRefSegModel,
    small_processor: MTRefSegProcessor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The vectors of all words of the package take a minute.
    monkeypatch.setattr(distilling, "small_processor", tiny_processor)
    teacher = MTRefSegProcessor(
        small_processor.image_processor,
        small_processor.tokenizer,
        prompt_template="reference",
        choose_objects=True,
    )
    for part in (small_model, teacher):
        part.save_pretrained(tmp_path / "old")
    options = {"epoch_pairs": 40, "generated_size": 128, "max_steps": 2, "per_device_train_batch_size": 4}
    arguments = [f"--{name}={value}" for name, value in options.items()]
    arguments += ["--model_name_or_path", str(tmp_path / "old"), "--output_dir", str(tmp_path / "new")]
    assert distill.main(arguments) == 0
    model, processor = AutoModel.from_pretrained(tmp_path / "new"), AutoProcessor.from_pretrained(tmp_path / "new")
    assert model.config.text_config.hidden_size == 48
    image = np.zeros((64, 64, 3), np.uint8)
    assert model(**processor(image, image, text="the new house")).mask_logits.isfinite().all()
    for option in ("prompt_template", "choose_objects"):
        assert getattr(processor, option) == getattr(teacher, option), option


def test_a_new_run_encodes_its_own_pairs_and_a_resumed_one_has_the_same_settings(
    small_model: MTRefSegModel,
    small_processor: MTRefSegProcessor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for part in (small_model, small_processor):
        part.save_pretrained(tmp_path / "old")
    pairs = tmp_path / "new" / distilling.PAIRS / "table.arrow"

    def stop(*_: object) -> None:
        raise TrainingError("encoded before" if pairs.exists() else "nothing encoded")

    def run(*options: str) -> str:
        pairs.parent.mkdir(parents=True, exist_ok=True)
        pairs.touch()
        names = ["--model_name_or_path", str(tmp_path / "old"), "--output_dir", str(tmp_path / "new")]
        assert distill.main([*names, *options]) == 2
        return capsys.readouterr().err

    monkeypatch.setattr(distilling, "make_distillation_trainer", stop)
    assert "nothing encoded" in run()
    checkpoint = tmp_path / "new" / "checkpoint-1"
    small_model.save_pretrained(checkpoint)
    (checkpoint / "trainer_state.json").write_text('{"global_step": 1}')
    assert "encoded before" in run("--resume_from_checkpoint", "last")
    assert "was started with generated_seed=" in run("--resume_from_checkpoint", "last", "--generated_seed", "5")


def test_a_language_part_goes_on_from_what_it_knows(table, small_model, small_processor) -> None:
    batch = QueryCollator(small_processor)([table[0]])
    distillation = QueryDistillation(freeze_vision(small_model), batch["labels"], is_new=False).eval()
    np.testing.assert_allclose(distillation(**batch)["logits"].detach(), batch["labels"], atol=2e-2)


def test_words_that_choose_among_objects_are_left_out(
    small_model: MTRefSegModel, small_processor: MTRefSegProcessor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in predictions: both models are asked what is left of a sentence."""
    monkeypatch.setattr(small_processor, "choose_objects", True)
    rows = list_all([2])
    rows.set_transform(PairLoader([GeneratedPairs(Generator(size=128, domains=("NS",)), num_pairs=2)]))
    table = make_query_table(rows, small_model.eval(), small_processor, tmp_path / "pairs")
    batch = QueryCollator(small_processor)([table[0]])
    distillation = QueryDistillation(freeze_vision(small_model), batch["labels"], is_new=False).eval()
    np.testing.assert_allclose(distillation(**batch)["logits"].detach(), batch["labels"], atol=2e-2)


def test_a_teacher_without_a_language_part_is_one_line(
    small_model: MTRefSegModel,
    small_processor: MTRefSegProcessor,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for part in (small_model.vision_model, small_processor):
        part.save_pretrained(tmp_path / "old")
    assert distill.main(["--model_name_or_path", str(tmp_path / "old"), "--output_dir", str(tmp_path / "new")]) == 2
    assert "it is a checkpoint of stage 1, which has no language model" in capsys.readouterr().err


def test_a_missing_model_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert distill.main(["--model_name_or_path", "nowhere"]) == 2
    assert "--model_name_or_path nowhere is neither a folder" in capsys.readouterr().err
