# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The trainer in this process: losses, groups, freezing, evaluation, checkpoints, engines."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from accelerate.utils import DistributedType
from trl import ModelConfig

from modeling_mtrefseg import MTRefSegVisionModel
from mtrefseg.build.presets import preset_model
from mtrs_iou import score_masks
from trainer.arguments import ModelArguments
from trainer.building.models import VISION_PARTS, build_stage2, freeze_parts, named_parts, take_parts
from trainer.data import PairCollator
from trainer.errors import TrainingError
from trainer.evaluation import Evaluator, count_items
from trainer.loop.engines import (
    check_engine,
    check_precision,
    engine_of,
    use_all_cores,
    use_fast_attention,
)
from trainer.loop.optimization import parameter_groups
from trainer.loop.progress import describe
from trainer.training_config import MTRefSegTrainingConfig


def gradients(trainer, batches):
    """Gradients of a step over some batches, without chance: an evaluating model has neither dropout nor points drawn
    at random."""
    model = trainer.model.eval()
    model.zero_grad()
    items = trainer._get_num_items_in_batch(batches, torch.device("cpu"))
    loss = sum(trainer.compute_loss(model, batch, num_items_in_batch=items) for batch in batches)
    loss.backward()
    return loss.item(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("sizes", [(2, 2), (1, 1, 1, 1), (3, 1)])
def test_the_loss_does_not_depend_on_how_a_step_is_split_into_batches(make_trainer, small_processor, pairs, sizes):
    trainer = make_trainer()
    collator = PairCollator(small_processor)
    # Few sentences first, then many.
    ordered = sorted(pairs, key=lambda pair: len(pair.expressions))
    rows = [{"sample": pair} for pair in (*ordered[:2], *ordered[-2:])]
    cuts = np.split(np.arange(4), np.cumsum(sizes)[:-1])
    whole, parts = [collator(rows)], [collator([rows[index] for index in cut]) for cut in cuts]
    loss, expected = gradients(trainer, whole)
    other_loss, found = gradients(trainer, parts)
    assert other_loss == pytest.approx(loss, rel=1e-5)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-5)
    # The mean of the batches' own means, which an ordinary trainer takes, is another loss.
    naive = np.mean([trainer.model(**part).loss.item() for part in parts])
    assert abs(naive - loss) > 1e-3


def test_processes_share_one_mean(make_trainer, small_processor, pairs, monkeypatch):
    trainer = make_trainer()
    collator = PairCollator(small_processor)
    halves = [collator([{"sample": pair} for pair in part]) for part in (pairs[:1], pairs[1:4])]
    loss, _ = gradients(trainer, [collator([{"sample": pair} for pair in pairs[:4]])])
    items = torch.tensor([count_items(half) for half in halves]).sum(0)
    monkeypatch.setattr(type(trainer.accelerator), "num_processes", 2)
    # What DistributedDataParallel and DeepSpeed do: average over the processes.
    own = [trainer.compute_loss(trainer.model, half, num_items_in_batch=items).item() for half in halves]
    assert np.mean(own) == pytest.approx(loss, rel=1e-5)


def test_the_log_has_the_parts_of_the_loss_and_the_speed(make_trainer):
    trainer = make_trainer(max_steps=2, logging_steps=1, save_strategy="no", gradient_accumulation_steps=2)
    trainer.train()
    for log in trainer.state.log_history[:2]:
        parts = [log[name] for name in ("loss_mask", "loss_dice", "loss_no_target", "loss_language", "loss_change")]
        assert sum(parts) == pytest.approx(log["loss"], rel=1e-4)
        assert log["sentences_per_second"] > log["pairs_per_second"] > 0


def test_a_log_is_one_readable_line(make_trainer, capsys):
    trainer = make_trainer(max_steps=2, logging_steps=1, save_strategy="no")
    trainer.train()
    trainer.evaluate()
    first, second, scores = [line for line in capsys.readouterr().out.splitlines() if line.startswith("step")]
    assert first.startswith("step 1/2  loss ")
    assert second.endswith(" sentences/s")
    assert scores.startswith("step 2/2  validation: loss ")
    assert describe({"train_runtime": 3.0}, 2, 2) == ""


def test_parameters_are_grouped_by_rate_and_decay(small_model, tmp_path):
    arguments = MTRefSegTrainingConfig(
        output_dir=str(tmp_path),
        learning_rate=1e-3,
        backbone_learning_rate=1e-4,
        language_learning_rate=1e-5,
        weight_decay=0.1,
    )
    groups = parameter_groups(small_model, arguments)
    found = {id(parameter): group for group in groups for parameter in group["params"]}
    assert len(found) == sum(len(group["params"]) for group in groups) == len(list(small_model.parameters()))
    parts = named_parts(small_model)
    rates = {"backbone": 1e-4, "language_model": 1e-5, "token_embeddings": 1e-5}
    for part, module in parts.items():
        assert {found[id(parameter)]["lr"] for parameter in module.parameters()} == {rates.get(part, 1e-3)}
    for module in small_model.modules():
        if isinstance(module, torch.nn.LayerNorm | torch.nn.GroupNorm):
            assert {found[id(parameter)]["weight_decay"] for parameter in module.parameters()} <= {0.0}
        elif isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            assert found[id(module.weight)]["weight_decay"] == 0.1
            assert module.bias is None or found[id(module.bias)]["weight_decay"] == 0.0


def test_frozen_parts_stay_as_they_are_and_the_others_do_not(make_trainer, small_model):
    freeze_parts(small_model, ["backbone", "language_model"])
    before = {name: parameter.detach().clone() for name, parameter in small_model.named_parameters()}
    trainer = make_trainer(max_steps=2, save_strategy="no", weight_decay=0.5, learning_rate=1e-2)
    trainer.train()
    changed = {name for name, parameter in small_model.named_parameters() if not torch.equal(parameter, before[name])}
    assert not any("backbone" in name or "language_model" in name for name in changed)
    for part in ("fusion", "mask_decoder", "projector", "seg_head", "no_target_head"):
        assert any(part in name for name in changed), part


def test_freezing_what_is_not_there_is_refused(small_model, tmp_path):
    with pytest.raises(TrainingError, match="language_model"):
        freeze_parts(small_model.vision_model, ["language_model"])
    with pytest.raises(TrainingError, match="freeze names encoder"):
        MTRefSegTrainingConfig(output_dir=str(tmp_path), freeze=["encoder"])
    freeze_parts(small_model, list(named_parts(small_model)))
    with pytest.raises(TrainingError, match="Nothing is left"):
        parameter_groups(small_model, MTRefSegTrainingConfig(output_dir=str(tmp_path)))


def test_weights_of_stage_1_are_taken(small_model, tmp_path):
    trained = MTRefSegVisionModel(small_model.config)
    trained.save_pretrained(tmp_path / "stage1")
    take_parts(small_model.vision_model, str(tmp_path / "stage1"), VISION_PARTS)
    for name, tensor in trained.state_dict().items():
        assert torch.equal(small_model.vision_model.state_dict()[name], tensor)
    other = MTRefSegVisionModel(type(small_model.config)(**{**small_model.config.to_dict(), "fusion_type": "avg"}))
    other.save_pretrained(tmp_path / "other")
    with pytest.raises(TrainingError, match="does not fit the model"):
        take_parts(small_model.vision_model, str(tmp_path / "other"), VISION_PARTS)


def test_a_new_model_takes_the_parts_that_are_named_and_no_others(small_model, small_processor, overrides, tmp_path):
    for part in (small_model, small_processor):
        part.save_pretrained(tmp_path / "whole")
    model = preset_model("tiny", small_processor, **overrides, fusion_type="avg")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    take_parts(model, str(tmp_path / "whole"), ["backbone", "language_model"])
    given, own = small_model.state_dict(), model.state_dict()
    for name, tensor in own.items():
        is_taken = "backbone" in name or name.startswith("language_model.")
        assert torch.equal(tensor, (given if is_taken else before)[name]), name
    with pytest.raises(TrainingError, match="tensors of fusion differ"):
        take_parts(model, str(tmp_path / "whole"), ["fusion"])
    with pytest.raises(TrainingError, match="parts names language_model"):
        take_parts(model.vision_model, str(tmp_path / "whole"), ["language_model"])
    small_model.vision_model.save_pretrained(tmp_path / "half")
    with pytest.raises(TrainingError, match="half lacks"):
        take_parts(model, str(tmp_path / "half"), ["language_model"])
    training, whole = MTRefSegTrainingConfig(output_dir=str(tmp_path)), ModelConfig(str(tmp_path / "whole"))
    for refused in (ModelArguments(fusion_type="avg"), ModelArguments(parts_from="mtrefseg-r1")):
        with pytest.raises(TrainingError, match="--parts_from"):
            build_stage2(refused, whole, training)
    with pytest.raises(TrainingError, match="parts names encoder"):
        ModelArguments(parts=["encoder"])


def test_evaluation_is_that_of_the_metric(make_trainer, small_processor, pairs):
    trainer = make_trainer(per_device_eval_batch_size=3)
    # A model that masks something, so that the scores are not all 0.
    torch.nn.init.normal_(trainer.model.vision_model.mask_decoder.pixel_decoder.mask_projection.weight, std=2.0)
    metrics = trainer.evaluate()
    predictions = []
    model = trainer.model.eval()
    for pair in pairs:
        with torch.no_grad():
            outputs = model(**PairCollator(small_processor)([{"sample": pair}]))
        (result,) = small_processor.post_process_referring_segmentation(outputs, [(128, 128)])
        predictions += list(result["masks"].numpy())
    expected = score_masks(predictions, [mask for pair in pairs for mask in pair.masks])
    assert metrics["eval_num_samples"] == expected["num_samples"] == len(predictions)
    for name in ("mIoU", "oIoU", "Pr@50", "T-acc"):
        # Batches of another size may round a pixel at the threshold otherwise.
        assert metrics[f"eval_{name}"] == pytest.approx(expected[name], rel=1e-3), name
    whole = PairCollator(small_processor)([{"sample": pair} for pair in pairs])
    with torch.no_grad():
        assert metrics["eval_loss"] == pytest.approx(float(model(**whole).loss), rel=1e-4)


@pytest.mark.parametrize("num_batches", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_evaluation_shares_batches_without_loss_or_repetition(num_batches, processes):
    shares = []
    for rank in range(processes):
        accelerator = SimpleNamespace(num_processes=processes, process_index=rank)
        shares.append(Evaluator(None, accelerator, batch_size=2)._share(num_batches))
    # As many batches on each: under ZeRO-3 all have to call the model as often.
    assert len({len(numbers) for numbers, _ in shares}) == 1
    scored = [number for numbers, counts in shares for number, is_real in zip(numbers, counts) if is_real]
    assert sorted(scored) == list(range(num_batches))


def trainer_arguments(folder):
    return MTRefSegTrainingConfig(output_dir=str(folder))


def accelerator_of(kind, processes=1, stage=None):
    plugin = None if stage is None else SimpleNamespace(zero_stage=stage)
    return SimpleNamespace(
        distributed_type=kind, num_processes=processes, state=SimpleNamespace(deepspeed_plugin=plugin)
    )


def test_engines_have_names():
    assert engine_of(accelerator_of(DistributedType.NO)) == "single"
    assert engine_of(accelerator_of(DistributedType.MULTI_GPU, 2)) == "ddp"
    assert engine_of(accelerator_of(DistributedType.MULTI_CPU, 2)) == "ddp"
    assert engine_of(accelerator_of(DistributedType.DEEPSPEED, 2, stage=3)) == "zero3"


def test_a_run_with_another_engine_than_expected_is_refused(tmp_path, monkeypatch):
    single, ddp = accelerator_of(DistributedType.NO), accelerator_of(DistributedType.MULTI_GPU, 2)

    def arguments(**wanted):
        return MTRefSegTrainingConfig(output_dir=str(tmp_path), **wanted)

    check_engine(arguments(), single)
    check_engine(arguments(expected_engine="ddp", expected_processes=2), ddp)
    with pytest.raises(TrainingError, match="expected_engine is 'zero2', but the engine is 'single'"):
        check_engine(arguments(expected_engine="zero2"), single)
    with pytest.raises(TrainingError, match="expected_processes is 2, but 1 are running"):
        check_engine(arguments(expected_processes=2), single)
    with pytest.raises(TrainingError, match=r"One process sees 4 GPUs.*--num_processes 4"):
        check_engine(SimpleNamespace(n_gpu=4), single)
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    with pytest.raises(TrainingError, match="DeepSpeed was requested"):
        check_engine(arguments(), single)


@pytest.mark.parametrize("folder", ["py311_cpu/shm", "shm"])
def test_locks_for_which_deepspeed_waits_are_named(tmp_path, monkeypatch, caplog, folder):
    """A process that was killed while it compiled an operator leaves its lock, and all later ones hung."""
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    monkeypatch.setattr("trainer.loop.engines.logger.propagate", True, raising=False)
    zero = accelerator_of(DistributedType.DEEPSPEED, stage=2)
    arguments = MTRefSegTrainingConfig(output_dir=str(tmp_path / "run"))
    check_engine(arguments, zero)
    assert not caplog.text
    lock = tmp_path / folder / "lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    check_engine(arguments, zero)
    assert f"{lock}: an operator is being compiled" in caplog.text


def test_deepspeed_refuses_to_cast_batch_normalizations(tmp_path):
    arguments, zero = trainer_arguments(tmp_path), accelerator_of(DistributedType.DEEPSPEED, 2, stage=2)
    normalized, plain = torch.nn.Sequential(torch.nn.BatchNorm2d(2)), torch.nn.Sequential(torch.nn.GroupNorm(1, 2))
    check_precision(arguments, zero, normalized)
    arguments.bf16 = True
    check_precision(arguments, zero, plain)
    check_precision(arguments, accelerator_of(DistributedType.NO), normalized)
    with pytest.raises(TrainingError, match="leave out --bf16"):
        check_precision(arguments, zero, normalized)


def test_evaluation_feeds_a_model_of_lower_precision(make_trainer, small_processor, pairs):
    """As under DeepSpeed, which holds the weights themselves in bfloat16."""
    trainer = make_trainer(save_strategy="no")
    expected = trainer.evaluate()
    trainer.model.vision_model.bfloat16()
    trainer.model.bfloat16()
    found = trainer.evaluate()
    assert found["eval_num_samples"] == expected["eval_num_samples"]
    assert found["eval_loss"] == pytest.approx(expected["eval_loss"], rel=0.1)


@pytest.mark.parametrize(
    ("launcher", "omp", "processes", "is_raised"),
    [("no", "1", 1, True), (None, "1", 1, False), ("no", "3", 1, False), ("no", "1", 2, False)],
)
def test_a_process_that_the_launcher_starts_alone_uses_all_cores(monkeypatch, launcher, omp, processes, is_raised):
    given = []
    monkeypatch.setattr(torch, "set_num_threads", given.append)
    monkeypatch.setenv("OMP_NUM_THREADS", omp)
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION", raising=False)
    if launcher is not None:
        monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", launcher)
    use_all_cores(SimpleNamespace(device=torch.device("cpu"), world_size=processes))
    assert [count >= 1 for count in given] == [True] * is_raised


@pytest.mark.parametrize(
    ("device", "bf16", "expected"), [("cpu", True, "eager"), ("cpu", False, "sdpa"), ("cuda", True, "sdpa")]
)
def test_bfloat16_on_a_cpu_trains_with_plain_attention(make_model, device, bf16, expected):
    model = make_model()
    use_fast_attention(model, SimpleNamespace(device=torch.device(device), bf16=bf16))
    assert model.language_model.config._attn_implementation == expected
    use_fast_attention(model.vision_model, SimpleNamespace(device=torch.device("cpu"), bf16=True))
