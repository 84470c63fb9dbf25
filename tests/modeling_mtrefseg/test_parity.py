# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Parity with the reference implementation (LiBingyu01/MTRefSeg at e67f74f, transformers 4.36.2). It computed the tensors
in `fixtures/parity` on a CPU in float32, with random weights, on two generated pairs of 128 pixels:
`model.safetensors` (weights in bfloat16), `config.json`, `tokenizer/`, `data/` (raw images, sentences, masks),
`inputs.safetensors` (pixel values), `eval.safetensors` and `stage1.safetensors` (intermediate tensors and masks),
`train.safetensors` (losses, and the random points at which they were computed).
"""

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import interpolate
from transformers import AutoModel, AutoProcessor

from benchmarks.model.parity import FIXTURE, Parity


LARGEST_DIFFERENCE = 1e-5
"""Relative to the largest value of a tensor. Measured: 5.4e-6, what another order of summation costs in float32."""


@pytest.fixture(scope="module")
def parity(tmp_path_factory) -> Parity:
    return Parity(FIXTURE, tmp_path_factory.mktemp("converted"))


def test_every_stored_tensor(parity):
    rows = parity.run()
    assert len(rows) == 40
    assert {row.tensor: row.relative for row in rows if row.relative > LARGEST_DIFFERENCE} == {}


@torch.no_grad()
def test_converted_folder_from_raw_images(parity, tmp_path):
    """What a user gets: AutoModel and AutoProcessor on the converted folder. The second pair needs no resizing."""
    parity.model.save_pretrained(tmp_path)
    parity.processor.save_pretrained(tmp_path)
    model, processor = AutoModel.from_pretrained(tmp_path), AutoProcessor.from_pretrained(tmp_path)
    expected = load_file(FIXTURE / "eval.safetensors")["final.mask_logits"][:, 0]

    def final_logits() -> torch.Tensor:
        outputs = model(**processor(**parity.images, text=parity.texts))
        return interpolate(outputs.mask_logits[:, None], size=(128, 128), mode="bilinear")[:, 0]

    exact = final_logits()
    torch.testing.assert_close(exact, expected, atol=1e-3, rtol=1e-3)

    # The first pair is shrunk from 200 x 150. The reference samples it without antialiasing, ours averages by default.
    processor.image_processor.antialias = True
    smooth = final_logits()
    torch.testing.assert_close(smooth[1], expected[1], atol=1e-3, rtol=1e-3)
    # With random weights that threshold 20 attention masks; the figure is for the README, the bound against surprises.
    assert 0 < (smooth[0] - expected[0]).abs().mean() < 1


def test_losses_of_forward(parity):
    """In evaluation every pixel of the logits counts, so only the language loss can equal the stored one."""
    stored = load_file(FIXTURE / "train.safetensors")
    inputs = parity.processor(**parity.images, text=parity.texts, masks=parity.masks)
    with torch.no_grad():
        outputs = parity.model(**inputs)
    torch.testing.assert_close(outputs.loss_language, stored["stage2.loss_llm"][0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(outputs.loss, outputs.loss_mask + outputs.loss_dice + outputs.loss_language)
    assert outputs.loss_no_target == 0
