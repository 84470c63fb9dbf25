# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.

import resource
import struct
import threading
import zlib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn.functional import interpolate
from transformers.utils import ModelOutput

from modeling_mtrefseg import load_image, load_mask, resampling_mtrefseg
from modeling_mtrefseg.image_processing_mtrefseg import MTRefSegImageProcessor


PARITY = Path(__file__).resolve().parents[4] / "shared" / "parity" / "micro"

GREY = np.array([[0, 25, 50, 75, 100], [150, 175, 200, 225, 250]], dtype=np.uint8)
COLOUR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)


def image(height: int, width: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def outputs_of(mask_logits: torch.Tensor, counts: list[int] | None = None, no_target: float = 0.0) -> ModelOutput:
    num_sentences = len(mask_logits)
    return ModelOutput(
        mask_logits=mask_logits,
        no_target_logits=torch.full((num_sentences,), no_target),
        num_expressions=torch.tensor(counts if counts is not None else [num_sentences]),
    )


class TestLoadImage:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            (COLOUR, COLOUR),
            (COLOUR.transpose(2, 0, 1), COLOUR),
            (COLOUR.astype(np.int64), COLOUR),
            (torch.from_numpy(COLOUR).permute(2, 0, 1), COLOUR),
            (torch.from_numpy(COLOUR).permute(2, 0, 1) / 255, COLOUR),
            (GREY, GREY),
            (GREY[..., None], GREY),
            (GREY / 255, GREY),
            (GREY.astype(np.uint16) * 257, GREY),
            (np.array([[128, 129, 255, 65407]], dtype=np.uint16), np.array([[0, 1, 1, 255]])),
            (GREY > 100, np.where(GREY > 100, 255, 0)),
            (Image.fromarray(COLOUR), COLOUR),
            (Image.fromarray(GREY), GREY),
            (Image.fromarray(GREY > 100), np.where(GREY > 100, 255, 0)),
            (Image.fromarray(GREY.astype(np.uint16) * 257), GREY),
            (Image.fromarray(GREY.astype(np.int32) * 257), GREY),
            (Image.fromarray((GREY / 255).astype(np.float32)), GREY),
            (Image.fromarray(COLOUR).convert("CMYK"), COLOUR),
            (Image.fromarray(COLOUR).quantize(10), COLOUR),
        ],
    )
    def test_understands(self, source: Any, expected: np.ndarray) -> None:
        loaded = load_image(source)
        assert loaded.mode == "RGB"
        expected = expected if expected.ndim == 3 else np.stack([expected] * 3, axis=-1)
        np.testing.assert_array_equal(np.asarray(loaded), expected)

    @pytest.mark.parametrize("as_array", [False, True])
    def test_transparent_is_laid_on_black(self, as_array: bool) -> None:
        rgba = np.full((2, 2, 4), (200, 100, 50, 255), dtype=np.uint8)
        rgba[0, 0, 3], rgba[0, 1, 3] = 0, 51
        loaded = np.asarray(load_image(rgba if as_array else Image.fromarray(rgba)))
        assert loaded[0, 0].tolist() == [0, 0, 0]
        assert loaded[0, 1].tolist() == [40, 20, 10]
        assert loaded[1, 1].tolist() == [200, 100, 50]

    def test_where_both_layouts_fit_arrays_are_channels_last_and_tensors_first(self) -> None:
        values = np.arange(3 * 5 * 3, dtype=np.uint8).reshape(3, 5, 3)
        np.testing.assert_array_equal(np.asarray(load_image(values)), values)
        np.testing.assert_array_equal(np.asarray(load_image(torch.from_numpy(values))), values.transpose(1, 2, 0))

    def test_applies_exif_orientation(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6  # To be turned clockwise.
        Image.fromarray(COLOUR).save(tmp_path / "turned.png", exif=exif)
        np.testing.assert_array_equal(np.asarray(load_image(tmp_path / "turned.png")), np.rot90(COLOUR, -1))

    def test_16_bit_file_is_scaled(self, tmp_path: Path) -> None:
        Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / "deep.png")
        np.testing.assert_array_equal(np.asarray(load_image(str(tmp_path / "deep.png")))[..., 0], GREY)

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"absent\.png"):
            load_image(tmp_path / "absent.png")

    def test_no_image(self, tmp_path: Path) -> None:
        (tmp_path / "notes.png").write_text("no image")
        with pytest.raises(ValueError, match=r"notes\.png.* not an image"):
            load_image(tmp_path / "notes.png")

    @pytest.mark.parametrize("suffix", [".png", ".jpg"])
    def test_truncated_file(self, tmp_path: Path, suffix: str) -> None:
        file = tmp_path / f"half{suffix}"
        image(64, 64).save(file)
        file.write_bytes(file.read_bytes()[:2000])
        with pytest.raises(ValueError, match=rf"half\{suffix}.*truncated"):
            load_image(file)

    def test_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=tmp_path.name):
            load_image(tmp_path)

    def test_decompression_bomb(self, tmp_path: Path) -> None:
        def chunk(content: bytes) -> bytes:
            return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))

        header = chunk(b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
        (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT" + zlib.compress(b"")))
        with pytest.raises(ValueError, match=r"bomb\.png.*900000000 pixels.*limit of \d+") as error:
            load_image(tmp_path / "bomb.png")
        assert "MAX_IMAGE_PIXELS" not in str(error.value)  # Nobody can set it on the command line.

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (COLOUR.astype(np.float32), r"span 0\.0 to 250\.0, expected 0 to 1"),
            (np.full((2, 2), np.nan), "nan"),
            (GREY.astype(np.int64) - 1, "span -1 to 249, expected 0 to 255"),
            (np.zeros((2, 2, 2), dtype=np.uint8), r"shape is \(2, 2, 2\)"),
            (np.zeros((1, 2, 2, 3), dtype=np.uint8), r"shape is \(1, 2, 2, 3\)"),
            (np.zeros((0, 4, 3), dtype=np.uint8), r"shape is \(0, 4, 3\)"),
            (np.zeros((2, 2), dtype=np.complex64), "of type complex64"),
            (np.zeros((2, 2), dtype=object), "of type object"),
        ],
    )
    def test_refuses_arrays(self, source: np.ndarray, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            load_image(source)

    def test_refuses_other_types(self) -> None:
        with pytest.raises(TypeError, match="int"):
            load_image(7)  # type: ignore[arg-type]


class TestLoadUrl:
    @pytest.fixture
    def address(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        class QuietHandler(SimpleHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        Image.fromarray(COLOUR).save(tmp_path / "image.png")
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=tmp_path)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()

    def test_reads(self, address: str) -> None:
        np.testing.assert_array_equal(np.asarray(load_image(f"{address}/image.png")), COLOUR)

    def test_not_found(self, address: str) -> None:
        with pytest.raises(ValueError, match=r"absent\.png.*404"):
            load_image(f"{address}/absent.png")


class TestLoadMask:
    TRUTH = np.array([[False, True, True, False, True], [False, False, True, False, False]])

    @pytest.mark.parametrize(
        "source",
        [
            TRUTH,
            TRUTH.astype(np.uint8),
            TRUTH.astype(np.float32),
            TRUTH[None].astype(np.int64),
            torch.from_numpy(TRUTH),
            np.where(TRUTH, 255, 0),
            np.where(TRUTH, 128, 127).astype(np.uint8),
            Image.fromarray(TRUTH),
            Image.fromarray(np.where(TRUTH, 255, 0).astype(np.uint8)),
            Image.fromarray(TRUTH.astype(np.uint8)),
            Image.fromarray(np.where(TRUTH, 65535, 0).astype(np.uint16)),
            Image.fromarray(np.where(TRUTH, 255, 0).astype(np.uint8)).convert("RGB"),
        ],
    )
    def test_understands(self, source: Any) -> None:
        mask = load_mask(source)
        assert mask.dtype == np.bool_
        np.testing.assert_array_equal(mask, self.TRUTH)

    def test_empty(self) -> None:
        assert not load_mask(np.zeros((2, 5), dtype=np.uint8)).any()

    def test_refuses_nan(self) -> None:
        with pytest.raises(ValueError, match="nan"):
            load_mask(np.full((2, 5), np.nan))

    def test_refuses_values_that_would_silently_vanish(self, tmp_path: Path) -> None:
        classes = self.TRUTH.astype(np.uint8) * 38
        classes[0, 0] = 2
        Image.fromarray(classes).save(tmp_path / "faint.png")
        with pytest.raises(ValueError, match=r"faint\.png.*0, 2 and 38.*--mask-values"):
            load_mask(tmp_path / "faint.png")


class TestPreprocess:
    @pytest.mark.parametrize(("height", "width"), [(32, 32), (20, 32), (64, 40), (7, 5), (1, 999)])
    def test_image_lies_in_the_middle_of_zeros(self, height: int, width: int) -> None:
        processor = MTRefSegImageProcessor(size=32, do_normalize=False)
        white = np.full((height, width, 3), 255, dtype=np.uint8)
        batch = processor(white, white)
        assert batch["pixel_values_t1"].shape == (1, 3, 32, 32)
        resized_height, resized_width = (max(1, side * 32 // max(height, width)) for side in (height, width))
        top, left = (32 - resized_height) // 2, (32 - resized_width) // 2
        expected = torch.zeros(32, 32)
        expected[top : top + resized_height, left : left + resized_width] = 1
        assert torch.equal(batch["pixel_values_t1"][0, 0], expected)
        assert torch.equal(batch["pixel_values_t2"], batch["pixel_values_t1"])

    def test_padding_comes_before_normalisation(self) -> None:
        processor = MTRefSegImageProcessor(size=32)
        corner = processor(image(16, 32), image(16, 32))["pixel_values_t1"][0, :, 0, 0]
        expected = -torch.tensor(processor.image_mean) / torch.tensor(processor.image_std)
        torch.testing.assert_close(corner, expected)

    def test_batch_equals_single_pairs(self) -> None:
        processor = MTRefSegImageProcessor(size=32)
        sources_t1, sources_t2 = [image(20, 40, 0), image(32, 32, 1)], [image(20, 40, 2), image(32, 32, 3)]
        batch = processor(sources_t1, sources_t2)
        for index, pair in enumerate(zip(sources_t1, sources_t2, strict=True)):
            single = processor(*pair)
            assert torch.equal(batch["pixel_values_t1"][index], single["pixel_values_t1"][0])
            assert torch.equal(batch["pixel_values_t2"][index], single["pixel_values_t2"][0])

    def test_without_antialias_only_the_nearest_pixels_count(self) -> None:
        ramp = np.broadcast_to(np.arange(0, 80, 10, dtype=np.uint8)[:, None], (8, 8))
        batch = MTRefSegImageProcessor(size=2, antialias=False, do_normalize=False)(ramp, ramp)
        assert torch.equal((batch["pixel_values_t1"][0, 0] * 255).round(), torch.tensor([[15.0, 15], [55, 55]]))

    def test_unequal_sizes(self, tmp_path: Path) -> None:
        image(20, 30).save(tmp_path / "before.png")
        image(24, 30).save(tmp_path / "after.png")
        files = tmp_path / "before.png", tmp_path / "after.png"
        with pytest.raises(ValueError, match=r"before\.png.*30x20.*after\.png.*30x24.*align='resize'"):
            MTRefSegImageProcessor(size=32)(*files)
        batch = MTRefSegImageProcessor(size=32)(*files, align="resize")
        assert (batch["pixel_values_t2"][0, 0, 0] == batch["pixel_values_t1"][0, 0, 0]).all()
        assert torch.equal(
            MTRefSegImageProcessor(size=32, align="resize")(*files)["pixel_values_t2"], batch["pixel_values_t2"]
        )

    def test_unpaired_images(self) -> None:
        with pytest.raises(ValueError, match="2 images for t1 and 1 for t2"):
            MTRefSegImageProcessor(size=32)([image(8, 8)] * 2, image(8, 8))

    @pytest.mark.parametrize("options", [{"size": {"height": 32, "width": 64}}, {"size": {"shortest_edge": 32}}])
    def test_refuses_other_canvases(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="square"):
            MTRefSegImageProcessor(**options)

    def test_refuses_unknown_align(self) -> None:
        with pytest.raises(ValueError, match="'crop'"):
            MTRefSegImageProcessor(align="crop")  # type: ignore[typeddict-item]

    def test_options_survive_saving(self, tmp_path: Path) -> None:
        processor = MTRefSegImageProcessor(
            size=64, antialias=False, align="resize", threshold=0.25, no_target_threshold=0.75, image_std=[1, 1, 1]
        )
        processor.save_pretrained(tmp_path)
        loaded = MTRefSegImageProcessor.from_pretrained(tmp_path)
        assert loaded.to_dict() == processor.to_dict()
        assert loaded.no_target_threshold == 0.75
        pair = image(20, 40, 0), image(21, 40, 1)
        assert torch.equal(loaded(*pair)["pixel_values_t2"], processor(*pair)["pixel_values_t2"])


class TestLabels:
    @pytest.mark.parametrize("antialias", [True, False])
    def test_one_pixel_survives(self, antialias: bool) -> None:
        processor = MTRefSegImageProcessor(size=32, antialias=antialias)
        mask = np.zeros((500, 1000), dtype=bool)
        mask[499, 999] = True
        labels = processor(*[np.zeros((500, 1000, 3), np.uint8)] * 2, masks=mask)["labels"]
        assert labels.dtype == torch.float32
        assert labels.nonzero().tolist() == [[0, 8 + 15, 31]]

    def test_empty_stays_empty(self) -> None:
        labels = MTRefSegImageProcessor(size=32)(image(9, 9), image(9, 9), masks=np.zeros((9, 9), bool))["labels"]
        assert labels.shape == (1, 32, 32)
        assert not labels.any()

    def test_nested_masks_are_flat_in_order(self) -> None:
        def mask(row: int) -> np.ndarray:
            return np.arange(8)[:, None].repeat(8, axis=1) == row

        images = [image(8, 8)] * 3
        labels = MTRefSegImageProcessor(size=8)(images, images, masks=[[mask(1), mask(2)], [], mask(3)])["labels"]
        assert [int(label.argmax()) // 8 for label in labels] == [1, 2, 3]

    def test_no_mask_at_all(self) -> None:
        labels = MTRefSegImageProcessor(size=8)(image(8, 8), image(8, 8), masks=[[]])["labels"]
        assert labels.shape == (0, 8, 8)

    def test_refuses_another_size(self) -> None:
        with pytest.raises(ValueError, match=r"8x9 .*8x8"):
            MTRefSegImageProcessor(size=8)(image(8, 8), image(8, 8), masks=np.zeros((9, 8), bool))

    def test_refuses_another_number_of_pairs(self) -> None:
        with pytest.raises(ValueError, match="2 pairs, but 1 pairs"):
            MTRefSegImageProcessor(size=8)(image(8, 8), image(8, 8), masks=[np.zeros((8, 8), bool)] * 2)


class TestPostProcess:
    @pytest.mark.parametrize(("height", "width"), [(64, 64), (64, 40), (23, 64)])
    def test_equals_upsampling_and_cropping_where_nothing_was_resized(self, height: int, width: int) -> None:
        logits = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(0))
        (result,) = MTRefSegImageProcessor(size=64).post_process_referring_segmentation(
            outputs_of(logits), [(height, width)]
        )
        canvas = interpolate(logits[None], size=(64, 64), mode="bilinear", align_corners=False)[0]
        top, left = (64 - height) // 2, (64 - width) // 2
        probabilities = canvas[:, top : top + height, left : left + width].sigmoid()
        assert result["masks"].dtype == torch.bool
        assert torch.equal(result["masks"], probabilities > 0.5)
        expected = torch.stack([values[values > 0.5].mean() for values in probabilities])
        torch.testing.assert_close(result["scores"], expected)

    @pytest.mark.parametrize(("height", "width"), [(37, 91), (300, 211), (128, 128)])
    def test_gives_labels_back_at_the_own_size(self, height: int, width: int) -> None:
        rows, columns = np.mgrid[:height, :width]
        truth = ((rows / height - 0.3) ** 2 + (columns / width - 0.6) ** 2) < 0.04
        processor = MTRefSegImageProcessor(size=128)
        labels = processor(*[np.zeros((height, width, 3), np.uint8)] * 2, masks=truth)["labels"]
        logits = 20 * interpolate(labels[None], scale_factor=0.25, mode="bilinear", antialias=True)[0] - 10
        (result,) = processor.post_process_referring_segmentation(outputs_of(logits), [(height, width)])
        mask = result["masks"][0].numpy()
        assert (mask & truth).sum() / (mask | truth).sum() > 0.9
        # No shift: both centres agree to a fraction of a pixel.
        for mine, true in zip(mask.nonzero(), truth.nonzero(), strict=True):
            assert abs(mine.mean() - true.mean()) < 0.3

    @pytest.mark.parametrize("floats", [2 * 70 * 3, 2 * 23, 1])
    def test_bands_do_not_change_the_result(self, floats: int, monkeypatch: pytest.MonkeyPatch) -> None:
        outputs = outputs_of(torch.randn(2, 16, 16, generator=torch.Generator().manual_seed(0)))
        processor = MTRefSegImageProcessor(size=64)
        (whole,) = processor.post_process_referring_segmentation(outputs, [(50, 70)])
        monkeypatch.setattr(resampling_mtrefseg, "_FLOATS_PER_BAND", floats)
        (banded,) = processor.post_process_referring_segmentation(outputs, [(50, 70)])
        assert torch.equal(banded["masks"], whole["masks"])
        torch.testing.assert_close(banded["scores"], whole["scores"])

    @pytest.mark.parametrize(("height", "width"), [(1, 1 << 24), (1 << 24, 1)])
    def test_narrow_images_take_little_memory(self, height: int, width: int) -> None:
        outputs = outputs_of(torch.randn(1, 16, 16, generator=torch.Generator().manual_seed(0)))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        (result,) = MTRefSegImageProcessor(size=64).post_process_referring_segmentation(outputs, [(height, width)])
        assert result["masks"].shape == (1, height, width)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10  # KiB; it was 3 GiB.

    def test_sorts_sentences_to_pairs(self) -> None:
        logits = torch.tensor([5.0, -5.0, 5.0])[:, None, None].expand(3, 8, 8)
        results = MTRefSegImageProcessor(size=32).post_process_referring_segmentation(
            outputs_of(logits, counts=[1, 0, 2]), torch.tensor([[10, 20], [30, 30], [40, 10]])
        )
        assert [tuple(result["masks"].shape) for result in results] == [(1, 10, 20), (0, 30, 30), (2, 40, 10)]
        assert [result["masks"].flatten(1).all(1).tolist() for result in results] == [[True], [], [False, True]]
        torch.testing.assert_close(results[2]["scores"], torch.tensor([0.0, torch.tensor(5.0).sigmoid()]))

    def test_threshold(self) -> None:
        processor = MTRefSegImageProcessor(size=32, threshold=0.2)
        outputs = outputs_of(torch.full((1, 8, 8), -1.0))  # probability 0.27
        assert processor.post_process_referring_segmentation(outputs, [(8, 8)])[0]["masks"].all()
        (strict,) = processor.post_process_referring_segmentation(outputs, [(8, 8)], threshold=0.5)
        assert not strict["masks"].any()
        assert strict["scores"].tolist() == [0.0]

    def test_no_target_threshold(self) -> None:
        processor = MTRefSegImageProcessor(size=32)
        outputs = outputs_of(torch.full((1, 8, 8), 3.0), no_target=2.0)  # probability 0.88
        (kept,) = processor.post_process_referring_segmentation(outputs, [(8, 8)])
        (emptied,) = processor.post_process_referring_segmentation(outputs, [(8, 8)], no_target_threshold=0.8)
        assert kept["masks"].all()
        assert not emptied["masks"].any()
        assert emptied["scores"].tolist() == [0.0]
        torch.testing.assert_close(emptied["no_target_scores"], torch.tensor([2.0]).sigmoid())

    def test_reads_low_precision(self) -> None:
        outputs = outputs_of(torch.full((1, 8, 8), 3.0, dtype=torch.bfloat16))
        (result,) = MTRefSegImageProcessor(size=32).post_process_referring_segmentation(outputs, [(8, 8)])
        assert result["scores"].dtype == torch.float32

    @pytest.mark.parametrize("num_sizes", [1, 3])
    def test_refuses_other_than_one_target_size_a_pair(self, num_sizes: int) -> None:
        with pytest.raises(ValueError, match=rf"{num_sizes} sizes.*2 pairs"):
            MTRefSegImageProcessor(size=32).post_process_referring_segmentation(
                outputs_of(torch.zeros(2, 8, 8), counts=[1, 1]), [(8, 8)] * num_sizes
            )

    @pytest.mark.parametrize("name", ["threshold", "no_target_threshold"])
    def test_refuses_a_threshold_that_is_no_probability(self, name: str) -> None:
        with pytest.raises(ValueError, match=f"`{name}`.*1.5"):
            MTRefSegImageProcessor(size=32).post_process_referring_segmentation(
                outputs_of(torch.zeros(1, 8, 8)), [(8, 8)], **{name: 1.5}
            )


@pytest.mark.skipif(not PARITY.is_dir(), reason=f"needs the reference's tensors in {PARITY}")
class TestParity:
    @pytest.fixture
    def reference(self) -> dict[str, torch.Tensor]:
        return load_file(PARITY / "inputs.safetensors")

    def process(self, antialias: bool) -> dict[str, torch.Tensor]:
        files = {name: [PARITY / "data" / name / f"pair{index}.png" for index in range(2)] for name in "AB"}
        masks = [PARITY / "data" / "masks" / f"pair{index}" / "0.png" for index in range(2)]
        processor = MTRefSegImageProcessor(size=128, antialias=antialias)
        return dict(processor(files["A"], files["B"], masks=masks))

    def test_without_antialias_equals_the_reference(self, reference: dict[str, torch.Tensor]) -> None:
        batch = self.process(antialias=False)
        torch.testing.assert_close(batch["pixel_values_t1"], reference["images"], atol=1e-6, rtol=0)
        torch.testing.assert_close(batch["pixel_values_t2"], reference["images_t2"], atol=1e-6, rtol=0)
        assert torch.equal(batch["labels"], reference["masks"][:, 0].float())

    def test_antialias_differs_only_where_the_image_was_resized(self, reference: dict[str, torch.Tensor]) -> None:
        batch = self.process(antialias=True)
        difference = (batch["pixel_values_t2"] - reference["images_t2"]).abs()
        assert difference[1].max() < 1e-6
        assert 0.1 < difference[0].max() < 0.4
