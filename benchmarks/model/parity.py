# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Compares converted weights with tensors that the reference implementation of MTRefSeg-R1 computed on them, in float32
on a CPU, from the backbone to the losses:

    python -m benchmarks.model.parity

Prints a table and writes `results/parity.csv`. `tests/modeling_mtrefseg/test_parity.py` says what the
tensors are.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import torch
from safetensors.torch import load_file
from torch import Tensor

from benchmarks.tables import RESULTS, ROOT, write_rows
from modeling_mtrefseg import MTRefSegModel, MTRefSegOutput, MTRefSegProcessor
from modeling_mtrefseg.language_mtrefseg import SentenceLayout
from modeling_mtrefseg.loss_mtrefseg import best_queries, point_losses, sample_points, uncertain_points
from mtrefseg.build.conversion import convert_original


FIXTURE = ROOT / "tests" / "modeling_mtrefseg" / "fixtures" / "parity"


@dataclass
class Row:
    """Largest difference of one tensor: absolute, and relative to the reference's largest value."""

    tensor: str
    absolute: float
    relative: float


class Parity:
    """
    Converts the reference's weights, and compares every tensor that is stored beside them.

    Args:
        folder (`Path`): The weights and tensors, laid out as `FIXTURE`.
        work (`Path`): Folder for the converted checkpoint.
    """

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder, self.rows = folder, list[Row]()
        convert_original(folder / "model.safetensors", work, folder / "config.json", folder / "tokenizer")
        self.model = MTRefSegModel.from_pretrained(work).eval()
        self.processor = MTRefSegProcessor.from_pretrained(work)
        self.stored = {name: load_file(folder / f"{name}.safetensors") for name in ("eval", "stage1", "train")}
        names = sorted(path.stem for path in (folder / "data" / "referring_expression").glob("*.json"))
        annotations = [folder / "data" / "referring_expression" / f"{name}.json" for name in names]
        self.texts = [json.loads(path.read_text())["referring_expressions"] for path in annotations]
        self.images = {
            f"images_t{time}": [str(folder / "data" / side / f"{name}.png") for name in names]
            for time, side in ((1, "A"), (2, "B"))
        }
        self.masks = [[str(folder / "data" / "masks" / name / "0.png")] for name in names]

    def compare(self, name: str, actual: Tensor, expected: Tensor) -> None:
        """Adds a row."""
        difference = (actual.float() - expected.float()).abs().max().item()
        self.rows.append(Row(name, difference, difference / expected.float().abs().max().item()))

    @torch.no_grad()
    def run(self) -> list[Row]:
        """Compares everything, from the raw images and sentences on."""
        inputs = self.processor(**self.images, text=self.texts, masks=self.masks)
        stored = load_file(self.folder / "inputs.safetensors")
        self.compare("pixel_values_t1", inputs["pixel_values_t1"], stored["images"])
        self.compare("pixel_values_t2", inputs["pixel_values_t2"], stored["images_t2"])
        self.compare("labels", inputs["labels"], stored["masks"][:, 0])
        self._vision(inputs["pixel_values_t1"], inputs["pixel_values_t2"])
        self._language(inputs)
        outputs = self.model(**inputs, output_layer_masks=True)
        self.compare("seg.embedding", outputs.seg_embedding, self.stored["eval"]["seg.embedding"][:, 0])
        self._masks("stage2", outputs, self.stored["eval"])
        self.compare("stage2.loss_llm", outputs.loss_language, self.stored["train"]["stage2.loss_llm"])
        stage1 = self.model.vision_model(inputs["pixel_values_t1"], inputs["pixel_values_t2"], output_layer_masks=True)
        self._masks("stage1", stage1, self.stored["stage1"])
        self._losses("stage2", outputs.layer_mask_logits.unsqueeze(2), inputs["labels"])
        self._losses("stage1", stage1.layer_mask_logits, inputs["labels"])
        return self.rows

    def _vision(self, pixel_values_t1: Tensor, pixel_values_t2: Tensor) -> None:
        expected, vision = self.stored["eval"], self.model.vision_model
        levels = vision.backbone(torch.cat([pixel_values_t1, pixel_values_t2])).feature_maps
        levels_t1, levels_t2 = zip(*(level.chunk(2) for level in levels))
        fused = vision.fusion(levels_t1, levels_t2)
        for index in range(4):
            self.compare(f"swin.t1.res{index + 2}", levels_t1[index], expected[f"swin.t1.res{index + 2}"])
            self.compare(f"swin.t2.res{index + 2}", levels_t2[index], expected[f"swin.t2.res{index + 2}"])
            self.compare(f"fused.res{index + 2}", fused[index], expected[f"fused.res{index + 2}"])
        features = vision.mask_decoder.encode(fused)
        self.compare("pixel.mask_features", features.mask_features, expected["pixel.mask_features"])
        for index, level in enumerate(features.multi_scale_features):
            self.compare(f"pixel.multi_scale.{index}", level, expected[f"pixel.multi_scale.{index}"])

    def _language(self, inputs: dict[str, Tensor]) -> None:
        """Projector tokens, embeddings and states. The reference pads prompt, sentence and answer as one row."""
        expected, model = self.stored["eval"], self.model
        encoding = model._encode_images(inputs["pixel_values_t1"], inputs["pixel_values_t2"])
        self.compare("proj.t1", encoding.image_tokens_t1, expected["proj.t1"])
        self.compare("proj.t2", encoding.image_tokens_t2, expected["proj.t2"])
        prompt, prompt_mask = model._embed_prompt(encoding, inputs["prompt_input_ids"], None)
        layout = SentenceLayout.of(inputs["input_ids"], inputs["num_expressions"], len(prompt))
        sentences = model.embed_tokens(inputs["input_ids"])
        states = model._read_sentences(
            encoding, inputs["prompt_input_ids"], prompt_mask, inputs["input_ids"], inputs["attention_mask"], layout
        )
        start = prompt.shape[1]
        for row, length in enumerate(inputs["attention_mask"].sum(1).tolist()):
            embeddings = torch.cat([prompt[row], sentences[row, :length]])
            self.compare(f"llm.inputs_embeds.{row}", embeddings, expected["llm.inputs_embeds"][row, : start + length])
            stored = expected["llm.last_hidden_state"][row, start : start + length]
            self.compare(f"llm.last_hidden_state.{row}", states[row, :length], stored)

    def _masks(self, stage: str, outputs: MTRefSegOutput, expected: dict[str, Tensor]) -> None:
        layers = cast(Tensor, outputs.layer_mask_logits)
        # Sentences have one mask each, the learned queries of an image several.
        for index, layer in enumerate(layers if layers.ndim == 5 else layers.unsqueeze(2)):
            self.compare(f"{stage}.mask_logits.layer{index}", layer, expected[f"mask_logits.layer{index}"])
        if "final.mask_logits" not in expected:
            return
        final = torch.nn.functional.interpolate(
            layer, size=expected["final.mask_logits"].shape[-2:], mode="bilinear", align_corners=False
        )
        self.compare(f"{stage}.final.mask_logits", final, expected["final.mask_logits"])

    def _losses(self, stage: str, masks: Tensor, labels: Tensor) -> None:
        """Losses at the stored random points, which the reference drew for the last layer first."""
        config, stored = self.model.config, self.stored["train"]
        num_layers, num_masks = masks.shape[:2]
        drawn: dict[int, tuple[Tensor, Tensor, Tensor]] = {}
        for draw, layer in enumerate([num_layers - 1, *range(num_layers - 1)]):
            first = draw * (num_masks + 2)
            *matching_points, candidate_points, extra_points = (
                stored[f"{stage}.rand.{first + offset:03d}"] for offset in range(num_masks + 2)
            )
            drawn[layer] = (torch.cat(matching_points), candidate_points, extra_points)
        matching, candidates, extra = (
            torch.stack([drawn[layer][kind] for layer in range(num_layers)]) for kind in range(3)
        )
        best = best_queries(masks, labels, matching, config)
        masks = masks.gather(2, best[..., None, None, None].expand(-1, -1, 1, *masks.shape[-2:])).flatten(0, 2)
        points = uncertain_points(masks, candidates.flatten(0, 1), extra.flatten(0, 1), config.num_points)
        targets = sample_points(labels.repeat(num_layers, 1, 1), points)
        cross_entropy, dice = point_losses(sample_points(masks, points), targets)
        self.compare(
            f"{stage}.loss_mask", config.mask_weight * cross_entropy.sum() / num_masks, stored[f"{stage}.loss_mask"]
        )
        self.compare(f"{stage}.loss_dice", config.dice_weight * dice.sum() / num_masks, stored[f"{stage}.loss_dice"])


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FIXTURE, help="weights and tensors of the reference")
    with TemporaryDirectory() as work:
        rows = Parity(parser.parse_args().folder, Path(work)).run()
    print(f"{'tensor':32s} {'absolute':>10s} {'relative':>10s}")
    for row in rows:
        print(f"{row.tensor:32s} {row.absolute:10.1e} {row.relative:10.1e}")
    write_rows(RESULTS / "parity.csv", [asdict(row) for row in rows])


if __name__ == "__main__":
    main()
