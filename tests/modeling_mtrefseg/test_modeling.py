# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What every user of the model may rely on."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.testing import assert_close
from transformers import AutoConfig, AutoModel

from modeling_mtrefseg import MTRefSegModel, MTRefSegVisionModel
from modeling_mtrefseg.fusion_mtrefseg import GroupNorm
from modeling_mtrefseg.language_mtrefseg import SentenceLayout, cache_name
from modeling_mtrefseg.loss_mtrefseg import mask_losses
from mtrefseg.build.presets import tiny_processor


SENTENCE_INPUTS = ("input_ids", "attention_mask", "query_mask", "num_expressions")
SENTENCES = ["the new house", "the red car that left the road", "it"]


@pytest.fixture(scope="module")
def pair_inputs(processor, make_image):
    return processor(images_t1=make_image(seed=0), images_t2=make_image(seed=1), text=SENTENCES)


@pytest.fixture
def training_inputs(processor, make_image):
    """One pair, three sentences; the second fits nothing, the third a single pixel."""
    masks = torch.zeros(3, 96, 128, dtype=torch.bool)
    masks[0, 20:60, 30:70] = True
    masks[2, 40, 40] = True
    return processor(images_t1=make_image(seed=0), images_t2=make_image(seed=1), text=SENTENCES, masks=list(masks))


@torch.no_grad()
def test_output_shapes(model, ragged_inputs):
    outputs = model(**ragged_inputs, output_layer_masks=True, output_attentions=True)
    assert outputs.mask_logits.shape == (5, 32, 32)
    assert outputs.no_target_logits.shape == (5,)
    assert outputs.num_expressions.tolist() == [2, 0, 3]
    assert outputs.seg_embedding.shape == (5, 32)
    assert outputs.layer_mask_logits.shape == (5, 5, 32, 32)
    assert torch.equal(outputs.layer_mask_logits[-1], outputs.mask_logits)
    assert [tuple(maps.shape) for maps in outputs.cross_attentions] == [
        (5, 4, 4, 4),
        (5, 4, 8, 8),
        (5, 4, 16, 16),
        (5, 4, 4, 4),
    ]
    for maps in outputs.cross_attentions:
        assert_close(maps.sum((-2, -1)), torch.ones(5, 4))
    assert outputs.loss is None


@torch.no_grad()
def test_attentions_and_layer_masks_only_when_asked(model, pair_inputs):
    outputs = model(**pair_inputs)
    assert outputs.cross_attentions is None
    assert outputs.layer_mask_logits is None


@torch.no_grad()
def test_ragged_batch_equals_single_calls(model, processor, make_image, ragged_inputs):
    outputs = model(**ragged_inputs)
    texts = {
        0: ["the new house", "the red car that left the road"],
        2: ["a tree", "the pond in the upper left corner that dried up", "it"],
    }
    singles = [
        model(**processor(images_t1=make_image(seed=pair), images_t2=make_image(seed=pair + 3), text=text))
        for pair, sentences in texts.items()
        for text in sentences
    ]
    for name in ("mask_logits", "no_target_logits", "seg_embedding"):
        assert_close(outputs[name], torch.cat([single[name] for single in singles]), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_pairs_without_any_sentence(model, processor, make_image):
    inputs = processor(images_t1=[make_image()] * 2, images_t2=[make_image(seed=1)] * 2, text=[[], []])
    outputs = model(**inputs)
    assert outputs.mask_logits.shape == (0, 32, 32)
    assert outputs.no_target_logits.shape == (0,)
    results = processor.post_process_referring_segmentation(outputs, [(96, 128), (96, 128)])
    assert [result["masks"].shape for result in results] == [(0, 96, 128)] * 2


@torch.no_grad()
def test_sentences_do_not_see_one_another(model, processor, make_image, pair_inputs):
    images = {"images_t1": make_image(seed=0), "images_t2": make_image(seed=1)}
    outputs = model(**pair_inputs)
    others = model(**processor(**images, text=["a pond", SENTENCES[1], "the very long and winding road to the left"]))
    assert_close(outputs.mask_logits[1], others.mask_logits[1], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(outputs.mask_logits[0], others.mask_logits[0], atol=1e-2)


@torch.no_grad()
@pytest.mark.parametrize("with_prompt", [False, True])
def test_pair_encoding_is_reusable(model, ragged_inputs, with_prompt):
    expected = model(**ragged_inputs).mask_logits
    prompt = {name: ragged_inputs[name] for name in ("prompt_input_ids", "prompt_attention_mask")}
    encoding = model.encode_pair(
        ragged_inputs["pixel_values_t1"], ragged_inputs["pixel_values_t2"], **(prompt if with_prompt else {})
    )
    assert (encoding.prompt_key_values is not None) == with_prompt
    sentences = {name: ragged_inputs[name] for name in SENTENCE_INPUTS}
    for _ in range(2):
        outputs = model(pair_encoding=encoding, **sentences, **({} if with_prompt else prompt))
        assert_close(outputs.mask_logits, expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_keys_and_values_have_the_name_of_the_transformers_version(model, ragged_inputs, recwarn):
    class Old(torch.nn.Module):
        def forward(self, inputs_embeds, past_key_values=None): ...

    class New(torch.nn.Module):
        def forward(self, inputs_embeds, cache=None): ...

    assert [cache_name(decoder()) for decoder in (Old, New)] == ["past_key_values", "cache"]
    prompt = [ragged_inputs[name] for name in ("prompt_input_ids", "prompt_attention_mask")]
    encoding = model.encode_pair(ragged_inputs["pixel_values_t1"], ragged_inputs["pixel_values_t2"], *prompt)
    model(pair_encoding=encoding, **{name: ragged_inputs[name] for name in SENTENCE_INPUTS})
    assert not [each for each in recwarn if issubclass(each.category, FutureWarning)]


@pytest.mark.parametrize("with_prompt", [False, True])
def test_many_sentences_are_read_in_rows(model, ragged_inputs, with_prompt, monkeypatch):
    with torch.no_grad():
        expected = model(**ragged_inputs).mask_logits
    inputs = dict(ragged_inputs)
    if with_prompt:
        names = ("pixel_values_t1", "pixel_values_t2", "prompt_input_ids", "prompt_attention_mask")
        inputs["pair_encoding"] = model.encode_pair(**{name: inputs.pop(name) for name in names})
    monkeypatch.setattr(MTRefSegModel, "_sentences_per_row", lambda *given: 2)
    torch.testing.assert_close(model(**inputs).mask_logits, expected, atol=1e-4, rtol=1e-4)
    assert model(**ragged_inputs).mask_logits.requires_grad


@torch.no_grad()
def test_language_model_reads_as_it_would_alone(model, pair_inputs):
    """Packed sentences get the states that the plain language model gives prompt and sentence in one row."""
    encoding = model._encode_images(pair_inputs["pixel_values_t1"], pair_inputs["pixel_values_t2"])
    layout = SentenceLayout.of(pair_inputs["input_ids"], pair_inputs["num_expressions"], 1)
    states = model._read_sentences(
        encoding,
        pair_inputs["prompt_input_ids"],
        None,
        pair_inputs["input_ids"],
        pair_inputs["attention_mask"],
        layout,
    )
    prompt, _ = model._embed_prompt(encoding, pair_inputs["prompt_input_ids"], None)
    for row in range(len(SENTENCES)):
        length = int(pair_inputs["attention_mask"][row].sum())
        alone = torch.cat([prompt, model.embed_tokens(pair_inputs["input_ids"][row : row + 1, :length])], dim=1)
        expected = model.language_model.get_decoder()(inputs_embeds=alone).last_hidden_state
        assert_close(states[row, :length], expected[0, prompt.shape[1] :], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_padding_side_does_not_matter(model, processor, make_image, ragged_inputs):
    left = tiny_processor(image_size=128)
    left.tokenizer.padding_side = "left"
    images = {"images_t1": [make_image(seed=0)] * 2, "images_t2": [make_image(seed=1)] * 2}
    text = [["the new house", "a small red car"], ["it"]]
    # Prompts of two lengths, so that they are padded too.
    domains = ["remote_sensing", None]
    right_inputs, left_inputs = (p(**images, text=text, domain=domains) for p in (processor, left))
    assert not torch.equal(right_inputs["input_ids"], left_inputs["input_ids"])
    assert not torch.equal(right_inputs["prompt_input_ids"], left_inputs["prompt_input_ids"])
    assert_close(model(**right_inputs).mask_logits, model(**left_inputs).mask_logits, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_order_of_the_images_matters(model, pair_inputs):
    swapped = {**pair_inputs}
    swapped["pixel_values_t1"], swapped["pixel_values_t2"] = swapped["pixel_values_t2"], swapped["pixel_values_t1"]
    difference = model(**pair_inputs).mask_logits - model(**swapped).mask_logits
    assert difference.abs().max() > 0.1


@torch.no_grad()
def test_language_model_tells_the_images_apart_without_fusion(make_model, pair_inputs):
    """With a fusion that is blind to the order, only the image tokens in the prompt can tell t1 from t2."""
    model = make_model(fusion_type="avg")
    swapped = {**pair_inputs}
    swapped["pixel_values_t1"], swapped["pixel_values_t2"] = swapped["pixel_values_t2"], swapped["pixel_values_t1"]
    assert (model(**pair_inputs).mask_logits - model(**swapped).mask_logits).abs().max() > 1e-3


@torch.no_grad()
def test_stage_one_without_text(model, pair_inputs):
    pixels = {name: pair_inputs[name] for name in ("pixel_values_t1", "pixel_values_t2")}
    outputs = model(**pixels, output_layer_masks=True)
    assert outputs.mask_logits.shape == (1, 32, 32)
    assert outputs.layer_mask_logits.shape == (5, 1, 3, 32, 32)
    assert outputs.num_expressions.tolist() == [1]
    assert_close(model.vision_model(**pixels).mask_logits, outputs.mask_logits)


def test_group_normalization_is_exact_under_autocast_and_plain_without():
    features, layer = torch.randn(2, 8, 3, 5), GroupNorm(4, 8)
    expected = torch.nn.functional.group_norm(features.bfloat16().float(), 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_close(layer(features.bfloat16()), expected)
    half = layer.bfloat16()(features.bfloat16())
    assert half.dtype == torch.bfloat16
    assert_close(half.float(), expected, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("fusion_type", ["change_aware", "concat_conv", "abs_diff", "avg"])
@pytest.mark.parametrize("coordinate_channels", [False, True])
def test_every_fusion_trains(make_model, training_inputs, fusion_type, coordinate_channels):
    model = make_model(fusion_type=fusion_type, coordinate_channels=coordinate_channels).train()
    model(**training_inputs).loss.backward()
    unused = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    assert unused == {
        "vision_model.backbone.swin.layernorm.weight",
        "vision_model.backbone.swin.layernorm.bias",
        "vision_model.mask_decoder.transformer_module.queries_embedder.weight",
        "vision_model.mask_decoder.transformer_module.queries_features.weight",
    }


def test_loss_with_empty_and_one_pixel_masks(make_model, training_inputs):
    model = make_model()
    assert training_inputs["labels"].flatten(1).sum(1)[1] == 0
    assert training_inputs["labels"].flatten(1).sum(1)[2] >= 1
    for training in (False, True):
        outputs = model.train(training)(**training_inputs)
        parts = [outputs.loss_mask, outputs.loss_dice, outputs.loss_no_target, outputs.loss_language]
        assert all(torch.isfinite(part) and part > 0 for part in parts)
        assert_close(outputs.loss, sum(parts))
        outputs.loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_every_change_is_trained_along_with_the_sentences(make_model, training_inputs):
    model = make_model().eval()
    images = {name: training_inputs[name] for name in ("pixel_values_t1", "pixel_values_t2")}
    change_labels = training_inputs["labels"][: len(images["pixel_values_t1"])]
    outputs = model(**training_inputs, change_labels=change_labels)
    assert_close(outputs.loss_change, model.vision_model(**images, labels=change_labels).loss)
    assert_close(outputs.loss, model(**training_inputs).loss + outputs.loss_change)
    outputs.loss_change.backward()
    assert model.vision_model.mask_decoder.transformer_module.queries_features.weight.grad.any()


@pytest.mark.parametrize("match_queries", [False, True])
def test_pairs_whose_changes_are_unknown_have_no_part_in_their_loss(make_model, training_inputs, match_queries):
    model = make_model().eval()
    model.config.match_queries = match_queries
    images = {name: training_inputs[name] for name in ("pixel_values_t1", "pixel_values_t2")}
    labels = training_inputs["labels"][: len(images["pixel_values_t1"])]
    expected = model.vision_model(**images, labels=labels).loss
    twice = {name: torch.cat([pixels, pixels]) for name, pixels in images.items()}
    unknown = torch.cat([torch.full_like(labels, -1), labels])
    assert_close(model.vision_model(**twice, labels=unknown).loss, expected)
    nothing = model.train()(**training_inputs, change_labels=torch.full_like(labels, -1)).loss_change
    assert nothing.item() == 0
    nothing.backward()


def test_what_belongs_to_sentences_is_refused_without_them(model, training_inputs):
    images = {name: training_inputs[name] for name in ("pixel_values_t1", "pixel_values_t2")}
    labels = training_inputs["labels"][: len(images["pixel_values_t1"])]
    of_sentences = {
        "object_choices": torch.zeros(len(labels), 20),
        "text_labels": training_inputs["text_labels"],
        "change_labels": labels,
    }
    for name, value in of_sentences.items():
        with pytest.raises(ValueError, match=f"Without `input_ids`.*leave out {name}"):
            model(**images, labels=labels, **{name: value})
    with pytest.raises(ValueError, match="object_choices, text_labels, change_labels"):
        model(**images, **of_sentences)


@torch.no_grad()
def test_nothing_is_random_in_evaluation(model, training_inputs):
    first, second = model(**training_inputs), model(**training_inputs)
    assert torch.equal(first.loss, second.loss)
    assert torch.equal(first.mask_logits, second.mask_logits)


def test_a_few_steps_of_training_fit_the_masks(make_model, training_inputs):
    torch.manual_seed(0)
    model = make_model().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    # The rate falls to zero: how a run at a constant one ends depends on the processor's rounding.
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.01, total_iters=120)
    losses = []
    for _ in range(120):
        optimizer.zero_grad()
        outputs = model(**training_inputs)
        outputs.loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(float(outputs.loss.detach()))
    with torch.no_grad():
        outputs = model.eval()(**training_inputs)
    big, empty, _ = (outputs.mask_logits > 0).flatten(1).float().mean(1).tolist()
    assert losses[-1] < losses[0] / 2
    assert big == pytest.approx(1600 / 128**2, rel=0.5)
    assert empty < 0.02
    assert outputs.no_target_logits[1] > outputs.no_target_logits[0] + 1


@torch.no_grad()
@pytest.mark.parametrize("matched", [False, True])
def test_stage_one_trains_one_query(make_model, training_inputs, matched):
    """Query 0 by default, else the one that fits best."""
    model = make_model(match_queries=matched)
    pixels = {name: training_inputs[name] for name in ("pixel_values_t1", "pixel_values_t2")}
    labels = training_inputs["labels"][:1]
    masks = model(**pixels, output_layer_masks=True).layer_mask_logits
    losses = [sum(mask_losses(masks[:, :, query], labels, model.config, training=False)) for query in range(3)]
    outputs = model(**pixels, labels=labels)
    if matched:
        # Each layer may choose another query, so the sum is at most the best of any one.
        assert outputs.loss_mask + outputs.loss_dice <= min(losses) + 1e-4
    else:
        assert_close(outputs.loss_mask + outputs.loss_dice, losses[0])
    assert not torch.isclose(losses[0], min(losses[1:]))


@torch.no_grad()
def test_save_and_load(model, pair_inputs, tmp_path):
    model.save_pretrained(tmp_path)
    loaded, report = MTRefSegModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert_close(loaded(**pair_inputs).mask_logits, model(**pair_inputs).mask_logits, atol=1e-6, rtol=1e-5)
    assert type(AutoModel.from_pretrained(tmp_path)) is MTRefSegModel
    assert AutoConfig.from_pretrained(tmp_path).to_json_string() == model.config.to_json_string()


@torch.no_grad()
def test_halves_load_one_another(model, pair_inputs, tmp_path):
    pixels = {name: pair_inputs[name] for name in ("pixel_values_t1", "pixel_values_t2")}
    expected = model(**pixels).mask_logits
    model.save_pretrained(tmp_path / "full")
    vision = MTRefSegVisionModel.from_pretrained(tmp_path / "full")
    assert_close(vision(**pixels).mask_logits, expected)
    vision.save_pretrained(tmp_path / "vision")
    full, report = MTRefSegModel.from_pretrained(tmp_path / "vision", output_loading_info=True)
    assert_close(full(**pixels).mask_logits, expected)
    assert all(key.split(".")[0] in ("language_model", "projector", "seg_head") for key in report["missing_keys"])


def test_missing_weights_are_initialised(model, tmp_path):
    """Parts that a checkpoint lacks get their own initialisation and not whatever lay in memory; the rest is kept."""
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    prefix = "vision_model.mask_decoder.pixel_decoder."
    attention = prefix + "encoder.layers.1.self_attn."
    lacking = {name for name in weights if name.startswith((attention + "sampling", attention + "attention_weights"))}
    lacking |= {prefix + "level_embed", "seg_head.to_query.weight"}
    assert len(lacking) == 6
    kept = {name: tensor for name, tensor in weights.items() if name not in lacking}
    save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    fresh = MTRefSegModel.from_pretrained(tmp_path).state_dict()
    assert_close(fresh[attention + "sampling_offsets.bias"].view(4, 3, 4, 2)[0, 0, :, 0], torch.arange(1.0, 5.0))
    for name in ("sampling_offsets.weight", "attention_weights.weight", "attention_weights.bias"):
        assert not fresh[attention + name].any()
    # Normal in newer releases of the library, zeros in older ones; in any case what a new model begins with.
    new = MTRefSegModel(model.config).state_dict()[prefix + "level_embed"]
    assert fresh[prefix + "level_embed"].std() == pytest.approx(new.std(), rel=0.5)
    assert fresh["seg_head.to_query.weight"].std() == pytest.approx(model.config.initializer_range, rel=0.2)
    assert all(torch.equal(fresh[name], tensor) for name, tensor in kept.items())


@torch.no_grad()
def test_sdpa_equals_eager(make_model, pair_inputs):
    eager, sdpa = make_model(attn_implementation="eager"), make_model(attn_implementation="sdpa")
    for submodel, implementation in ((eager, "eager"), (sdpa, "sdpa")):
        assert submodel.language_model.config._attn_implementation == implementation
        assert submodel.vision_model.backbone.config._attn_implementation == implementation
        decoder = submodel.vision_model.mask_decoder.transformer_module
        assert decoder.mask_decoder_config._attn_implementation == implementation
    assert_close(eager(**pair_inputs).mask_logits, sdpa(**pair_inputs).mask_logits, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_attention_maps_do_not_change_the_masks(model, pair_inputs):
    plain, explained = model(**pair_inputs), model(**pair_inputs, output_attentions=True)
    assert_close(plain.mask_logits, explained.mask_logits, atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.1), (torch.float16, 0.02)])
def test_half_precision_is_close_to_float32(make_model, pair_inputs, dtype, tolerance):
    exact = make_model()
    half = make_model().to(dtype)
    inputs = {name: value.to(dtype) if value.is_floating_point() else value for name, value in pair_inputs.items()}
    # Masks before the first decoder layer: later ones depend on thresholds, which rounding may flip.
    expected = exact(**pair_inputs, output_layer_masks=True).layer_mask_logits[0]
    actual = half(**inputs, output_layer_masks=True).layer_mask_logits[0]
    assert actual.dtype == dtype
    assert (actual.float() - expected).norm() / expected.norm() < tolerance
    assert torch.isfinite(half(**inputs).mask_logits).all()
    # Inputs as the processor returns them.
    assert_close(half(**pair_inputs).mask_logits, half(**inputs).mask_logits, atol=0, rtol=0)


def test_gradient_checkpointing_changes_nothing(make_model, training_inputs, monkeypatch):
    calls, gradients = [], []

    def count(checkpoint):
        return lambda *arguments, **options: calls.append(1) or checkpoint(*arguments, **options)

    for checkpointing in (False, True):
        model = make_model().train()
        if checkpointing:
            model.gradient_checkpointing_enable()
            for layer in (model.vision_model.backbone.swin.encoder.layers[0], model.language_model.model.layers[1]):
                monkeypatch.setattr(layer, "_gradient_checkpointing_func", count(layer._gradient_checkpointing_func))
        torch.manual_seed(0)
        outputs = model(**training_inputs)
        outputs.loss.backward()
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    assert len(calls) == 2
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        assert_close(gradient, gradients[1][name], atol=1e-5, rtol=1e-4, msg=name)


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(33, 97), (128, 64), (1, 1), (7, 250)])
def test_odd_image_sizes(model, processor, make_image, height, width):
    images = [make_image(height, width, seed) for seed in (0, 1)]
    outputs = model(**processor(images_t1=images[0], images_t2=images[1], text="a house"))
    (result,) = processor.post_process_referring_segmentation(outputs, [(height, width)])
    assert result["masks"].shape == (1, height, width)


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(64, 96), (160, 128), (100, 70)])
def test_any_canvas_with_channel_norm(make_model, processor, height, width):
    model = make_model(projector_norm="channel")
    pixels = [torch.randn(1, 3, height, width) for _ in range(2)]
    assert model.vision_model(*pixels).mask_logits.shape == (1, -(-height // 4), -(-width // 4))


@torch.no_grad()
def test_convolutional_backbone_and_other_language_models(make_model, processor, pair_inputs):
    backbone = {"model_type": "convnextv2", "hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]}
    backbone["out_features"] = ["stage1", "stage2", "stage3", "stage4"]
    size = {"hidden_size": 32, "num_hidden_layers": 2, "vocab_size": len(processor.tokenizer)}
    attention = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "intermediate_size": 48}
    gpt2 = {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": len(processor.tokenizer)}
    for text_config in ({"model_type": "qwen3", **size, **attention}, gpt2):
        model = make_model(vision_config=backbone, text_config=text_config)
        encoding = model.encode_pair(
            *(pair_inputs[f"pixel_values_t{time}"] for time in (1, 2)), pair_inputs["prompt_input_ids"]
        )
        together = model(**pair_inputs).mask_logits
        sentences = {name: pair_inputs[name] for name in SENTENCE_INPUTS}
        assert_close(model(pair_encoding=encoding, **sentences).mask_logits, together, atol=1e-4, rtol=1e-4)
        assert (together[0] - together[1]).abs().max() > 1e-3


@torch.no_grad()
def test_vision_half_compiles_to_one_graph(model, pair_inputs):
    pixels = [pair_inputs[f"pixel_values_t{time}"] for time in (1, 2)]
    compiled = torch.compile(model.vision_model, backend="eager", fullgraph=True)
    assert_close(compiled(*pixels).mask_logits, model.vision_model(*pixels).mask_logits, atol=1e-4, rtol=1e-4)


def test_lora_on_the_language_model(make_model, training_inputs):
    from peft import LoraConfig, get_peft_model

    model = make_model()
    with torch.no_grad():
        before = model(**training_inputs).mask_logits
    adapted = get_peft_model(
        model,
        LoraConfig(
            r=4,
            target_modules=r"language_model\..*\.(q_proj|v_proj|fc1)",
            modules_to_save=["projector", "seg_head"],
            init_lora_weights=False,
        ),
    )
    adapted.train()(**training_inputs).loss.backward()
    trained = {name for name, parameter in adapted.named_parameters() if parameter.grad is not None}
    assert any("lora_A" in name for name in trained)
    assert not any("vision_model" in name for name in trained)
    adapted.eval()
    with torch.no_grad():
        outputs = adapted(**training_inputs).mask_logits
        merged = adapted.merge_and_unload()(**training_inputs).mask_logits
    assert not torch.allclose(outputs, before, atol=1e-3)
    assert_close(merged, outputs, atol=1e-4, rtol=1e-4)


class TestErrors:
    def test_counts(self, model, pair_inputs):
        with pytest.raises(ValueError, match="num_expressions"):
            model(**{**pair_inputs, "num_expressions": torch.tensor([2])})

    def test_missing_prompt(self, model, pair_inputs):
        inputs = {name: value for name, value in pair_inputs.items() if name != "prompt_input_ids"}
        with pytest.raises(ValueError, match="prompt_input_ids is missing"):
            model(**inputs)

    def test_image_tokens(self, model, pair_inputs):
        prompt = pair_inputs["prompt_input_ids"].clone()
        prompt[prompt == model.config.image_t2_token_id] = 5
        with pytest.raises(ValueError, match=r"holds \[0\] placeholders of image t2"):
            model(**{**pair_inputs, "prompt_input_ids": prompt})

    def test_placeholders_of_another_pair(self, model, ragged_inputs):
        prompt = ragged_inputs["prompt_input_ids"].clone()
        placeholder = prompt == model.config.image_t1_token_id
        prompt[0, placeholder[0]] = 5
        prompt[1, :1] = model.config.image_t1_token_id
        with pytest.raises(ValueError, match="placeholders of image t1"):
            model(**{**ragged_inputs, "prompt_input_ids": prompt})

    def test_shapes(self, model, pair_inputs):
        with pytest.raises(ValueError, match="query_mask has shape"):
            model(**{**pair_inputs, "query_mask": torch.ones(3, 2)})

    def test_sliding_window(self, make_model, processor, pair_inputs):
        size = {"hidden_size": 32, "num_hidden_layers": 1, "vocab_size": len(processor.tokenizer)}
        text = {"model_type": "mistral", **size, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
        make_model(text_config={**text, "intermediate_size": 16, "sliding_window": 64})(**pair_inputs)
        model = make_model(text_config={**text, "intermediate_size": 16, "sliding_window": 16})
        with pytest.raises(ValueError, match="longer than the 16"):
            model(**pair_inputs)

    def test_cached_prompt_under_gradient_checkpointing(self, make_model, pair_inputs):
        model = make_model().train()
        model.gradient_checkpointing_enable()
        with pytest.raises(ValueError, match="leave prompt_input_ids out of encode_pair"):
            model.encode_pair(
                pair_inputs["pixel_values_t1"], pair_inputs["pixel_values_t2"], pair_inputs["prompt_input_ids"]
            )

    def test_unequal_pixels(self, model, pair_inputs):
        with pytest.raises(ValueError, match="pixel_values_t2"):
            model(**{**pair_inputs, "pixel_values_t2": torch.zeros(1, 3, 64, 64)})

    def test_wrong_canvas(self, model, pair_inputs):
        pixels = {f"pixel_values_t{time}": torch.zeros(1, 3, 64, 64) for time in (1, 2)}
        with pytest.raises(ValueError, match="image_size=128"):
            model(**{**pair_inputs, **pixels})

    def test_no_pixels(self, model):
        with pytest.raises(ValueError, match="pair_encoding"):
            model()

    def test_labels(self, model, pair_inputs):
        with pytest.raises(ValueError, match="labels holds 2 masks"):
            model(**pair_inputs, labels=torch.zeros(2, 128, 128))


@torch.no_grad()
def test_a_pair_is_encoded_once(model, processor, make_image):
    """However many sentences: one backbone pass over both images, one pass of the language model over the prompt."""
    lengths, batches = [], []
    handles = [
        model.vision_model.backbone.register_forward_hook(
            lambda module, inputs, output: batches.append(len(inputs[0]))
        ),
        model.language_model.get_decoder().register_forward_pre_hook(
            lambda module, inputs, options: lengths.append(options["inputs_embeds"].shape[:2]), with_kwargs=True
        ),
    ]
    text = [f"house {number}" for number in range(8)]
    inputs = processor(images_t1=make_image(), images_t2=make_image(seed=1), text=text)
    prompt, sentence = inputs["prompt_input_ids"].shape[1], inputs["input_ids"].shape[1]
    try:
        model(**inputs)
        assert (batches, lengths) == ([2], [(1, prompt + 8 * sentence)])
        encoding = model.encode_pair(inputs["pixel_values_t1"], inputs["pixel_values_t2"], inputs["prompt_input_ids"])
        before = [(keys.clone(), values.clone()) for keys, values in encoding.prompt_key_values]
        for _ in range(2):
            model(pair_encoding=encoding, **{name: inputs[name] for name in SENTENCE_INPUTS})
        assert batches == [2, 2]
        assert lengths[1:] == [(1, prompt), (1, 8 * sentence), (1, 8 * sentence)]
        for (keys, values), (old_keys, old_values) in zip(encoding.prompt_key_values, before):
            assert torch.equal(keys, old_keys)
            assert torch.equal(values, old_values)
    finally:
        for handle in handles:
            handle.remove()


@pytest.mark.parametrize("autocast", [False, True])
def test_half_precision_trains(make_model, training_inputs, autocast):
    """Weights in bfloat16, or weights in float32 under autocast; the loss is float32 in both."""
    dtype = torch.float32 if autocast else torch.bfloat16
    model = make_model().to(dtype).train()
    inputs = {name: x.to(dtype) if x.is_floating_point() else x for name, x in training_inputs.items()}
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        outputs = model(**inputs)
    outputs.loss.backward()
    assert outputs.loss.dtype == torch.float32
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
