# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers import AutoProcessor, PreTrainedTokenizerFast
from transformers.utils import ModelOutput

from modeling_mtrefseg.image_processing_mtrefseg import MTRefSegImageProcessor
from modeling_mtrefseg.processing_mtrefseg import MTRefSegProcessor
from modeling_mtrefseg.prompt_mtrefseg import PROMPT_TEMPLATES


PARITY = Path(__file__).resolve().parents[3] / "shared" / "parity" / "micro"
IMAGE = Image.new("RGB", (30, 20), "grey")
MASK = np.eye(20, 30, dtype=bool)


def byte_tokenizer(**options: Any) -> PreTrainedTokenizerFast:
    """One token a byte, so that tests can read token ids."""
    vocabulary = {symbol: index for index, symbol in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", model_max_length=512, **options)


@pytest.fixture(scope="module")
def processor() -> MTRefSegProcessor:
    return MTRefSegProcessor.from_tokenizer(byte_tokenizer(), image_size=256)


def words(processor: MTRefSegProcessor, token_ids: torch.Tensor, chosen: torch.Tensor) -> str:
    """The text of the chosen tokens; the byte tokenizer writes a blank as "Ġ" and a new line as "Ċ"."""
    tokens = processor.tokenizer.convert_ids_to_tokens(token_ids[chosen.bool()].tolist())
    return "".join(tokens).replace("Ġ", " ").replace("Ċ", "\n")


class TestDefaultTemplate:
    def test_inference(self, processor: MTRefSegProcessor) -> None:
        batch = processor(IMAGE, IMAGE, text=["a new house", "no tree"])
        assert set(batch) == set(processor.model_input_names)
        assert batch["num_expressions"].tolist() == [2]
        assert all(batch[name].dtype == torch.int64 for name in processor.model_input_names[2:])
        sentence, other = batch["input_ids"]
        assert words(processor, sentence, batch["attention_mask"][0]) == " a new house\nSure. It is [SEG]"
        assert words(processor, sentence, batch["query_mask"][0]) == " a new house[SEG]"
        assert words(processor, other, batch["attention_mask"][1]) == " no tree\nSure. It is [SEG]"
        assert words(processor, other, 1 - batch["attention_mask"][1]) == "[PAD]" * 4

    def test_training(self, processor: MTRefSegProcessor) -> None:
        batch = processor(IMAGE, IMAGE, text=["a new house", "no tree"], masks=[MASK, MASK])
        assert batch["labels"].shape == (2, 256, 256)
        for index, expression in enumerate([" a new house", " no tree"]):
            token_ids, labels = batch["input_ids"][index], batch["text_labels"][index]
            assert words(processor, token_ids, batch["attention_mask"][index]) == (
                f"{expression}\nSure. It is [SEG].<|end|>"
            )
            assert words(processor, token_ids, batch["query_mask"][index]) == f"{expression}[SEG]"
            assert words(processor, token_ids, labels != -100) == "Sure. It is [SEG].<|end|>"
            assert torch.equal(labels[labels != -100], token_ids[labels != -100])

    def test_generation(self, processor: MTRefSegProcessor) -> None:
        batch = processor(IMAGE, IMAGE, text="a new house", generation=True)
        assert words(processor, batch["input_ids"][0], batch["attention_mask"][0]) == " a new house\n"
        assert words(processor, batch["input_ids"][0], batch["query_mask"][0]) == " a new house"
        with_truth = processor(IMAGE, IMAGE, text="a new house", masks=MASK, generation=True)
        assert "text_labels" not in with_truth
        assert torch.equal(with_truth["input_ids"], batch["input_ids"])

    def test_prompt(self, processor: MTRefSegProcessor) -> None:
        batch = processor(IMAGE, IMAGE, text="a new house", domain="remote_sensing")
        assert processor.num_image_tokens == 4
        prompt = words(processor, batch["prompt_input_ids"][0], batch["prompt_attention_mask"][0])
        assert prompt == (
            "<image_t1>" * 4 + " is the earlier image, and " + "<image_t2>" * 4 + " is the later image of a remote "
            "sensing scene. Compare the two images and segment"
        )
        assert (batch["prompt_input_ids"] == processor.image_t1_token_id).sum() == 4

    def test_one_domain_for_each_pair(self, processor: MTRefSegProcessor) -> None:
        batch = processor([IMAGE] * 2, [IMAGE] * 2, text=["a", "b"], domain=["normal_scene", None])
        lengths = batch["prompt_attention_mask"].sum(1)
        assert lengths[0] - lengths[1] == len(" of an everyday scene")
        prompt = words(processor, batch["prompt_input_ids"][1], batch["prompt_attention_mask"][1])
        assert prompt.endswith("is the later image. Compare the two images and segment")

    def test_padding_side(self) -> None:
        left = MTRefSegProcessor.from_tokenizer(byte_tokenizer(padding_side="left"), image_size=128)
        batch = left(IMAGE, IMAGE, text=["abc", "a"], masks=[MASK, MASK])
        assert batch["attention_mask"][1].tolist() == [0, 0] + [1] * (batch["input_ids"].shape[1] - 2)
        assert batch["input_ids"][1, :2].tolist() == [left.tokenizer.pad_token_id] * 2
        assert batch["text_labels"][1, -1] == left.tokenizer.eos_token_id
        assert words(left, batch["input_ids"][1], batch["query_mask"][1]) == " a[SEG]"


class TestNesting:
    @pytest.mark.parametrize(
        ("num_pairs", "text", "counts"),
        [
            (None, "a", [1]),
            (None, ["a", "b", "c"], [3]),
            (1, ["a", "b"], [2]),
            (1, [["a", "b"]], [2]),
            (2, ["a", "b"], [1, 1]),
            (2, [["a"], ["b", "c"]], [1, 2]),
            (2, [["a"], []], [1, 0]),
            (1, [], [0]),
        ],
    )
    def test_counts(self, processor: MTRefSegProcessor, num_pairs: int | None, text: Any, counts: list[int]) -> None:
        images = IMAGE if num_pairs is None else [IMAGE] * num_pairs
        masks = [MASK] * len(text) if text and isinstance(text[0], str) else [[MASK] * len(group) for group in text]
        for batch in (processor(images, images, text=text), processor(images, images, text=text, masks=masks)):
            assert batch["num_expressions"].tolist() == counts
            assert len(batch["prompt_input_ids"]) == len(counts)
            assert len(batch["input_ids"]) == len(batch["query_mask"]) == sum(counts)
        assert len(batch["labels"]) == len(batch["text_labels"]) == sum(counts)

    def test_without_text(self, processor: MTRefSegProcessor) -> None:
        assert set(processor(IMAGE, IMAGE)) == {"pixel_values_t1", "pixel_values_t2"}
        batch = processor([IMAGE] * 2, [IMAGE] * 2, masks=[MASK, MASK])
        assert set(batch) == {"pixel_values_t1", "pixel_values_t2", "labels"}
        assert batch["labels"].shape == (2, 256, 256)

    def test_numpy(self, processor: MTRefSegProcessor) -> None:
        batch = processor(IMAGE, IMAGE, text="a", return_tensors="np")
        assert all(isinstance(value, np.ndarray) for value in batch.values())

    @pytest.mark.parametrize("text", [["a", "b", "c"], [["a"]], ["a", ["b"]], "a"])
    def test_refuses_text_that_does_not_fit_the_pairs(self, processor: MTRefSegProcessor, text: Any) -> None:
        with pytest.raises(ValueError, match=r"`text` must hold .* each of the 2 pairs"):
            processor([IMAGE] * 2, [IMAGE] * 2, text=text)

    def test_refuses_masks_that_do_not_fit_the_text(self, processor: MTRefSegProcessor) -> None:
        with pytest.raises(ValueError, match="must have the same nesting"):
            processor(IMAGE, IMAGE, text=["a", "b"], masks=[MASK])

    def test_refuses_domains(self, processor: MTRefSegProcessor) -> None:
        with pytest.raises(ValueError, match=r"'moon'.*'remote_sensing', 'normal_scene'"):
            processor(IMAGE, IMAGE, text="a", domain="moon")
        with pytest.raises(ValueError, match="Unknown domain 'remote-sensing'"):
            processor(IMAGE, IMAGE, domain="remote-sensing")  # Without a sentence, too.
        with pytest.raises(ValueError, match="2 domains for 1 pairs"):
            processor(IMAGE, IMAGE, text="a", domain=[None, None])


class TestSentences:
    def test_refuses_half_of_a_character(self, processor: MTRefSegProcessor) -> None:
        with pytest.raises(ValueError, match=r"Sentence 1 of pair 0 is not valid Unicode: 'the \\udcff house'"):
            processor(IMAGE, IMAGE, text=["a house", "the \udcff house"])

    @pytest.mark.parametrize("sentence", ["", "  \n"])
    def test_refuses_empty(self, processor: MTRefSegProcessor, sentence: str) -> None:
        with pytest.raises(ValueError, match="Sentence 1 of pair 1 is empty"):
            processor([IMAGE] * 2, [IMAGE] * 2, text=[["a"], ["b", sentence]])

    @pytest.mark.parametrize("token", ["[SEG]", "<image_t1>", "<image_t2>", "[PAD]", "<|end|>"])
    def test_refuses_special_tokens(self, processor: MTRefSegProcessor, token: str) -> None:
        with pytest.raises(ValueError, match=r"Sentence 0 of pair 0 holds the special token") as error:
            processor(IMAGE, IMAGE, text=f"the house{token}")
        assert repr(token) in str(error.value)

    def test_errors_show_the_sentence_as_it_was_given(self, processor: MTRefSegProcessor) -> None:
        text = "the <image_t1> car that left"
        with pytest.raises(ValueError, match="holds the special token") as error:
            processor(IMAGE, IMAGE, text=text, choose_objects=True)
        assert str(error.value).endswith(f"{text!r}.")

    @pytest.mark.parametrize("choose_objects", [False, True])
    def test_refuses_what_is_no_text(self, processor: MTRefSegProcessor, choose_objects: bool) -> None:
        text: Any = ["a car", 5]
        with pytest.raises(TypeError, match="Sentence 1 of pair 0 must be a `str`, not int"):
            processor(IMAGE, IMAGE, text=text, choose_objects=choose_objects)

    def test_length(self, processor: MTRefSegProcessor) -> None:
        prompt_length = processor(IMAGE, IMAGE, text="a")["prompt_input_ids"].shape[1]
        longest = 512 - prompt_length - len(" " + "\nSure. It is ") - 1
        assert processor(IMAGE, IMAGE, text="x" * longest)["input_ids"].shape[1] == 512 - prompt_length
        message = rf"Sentence 0 of pair 0 takes {513 - prompt_length} tokens .*=512 leaves {512 - prompt_length} after"
        with pytest.raises(ValueError, match=message):
            processor(IMAGE, IMAGE, text="x" * (longest + 1))

    def test_braces_are_ordinary_text(self, processor: MTRefSegProcessor) -> None:
        batch = processor(IMAGE, IMAGE, text="{scene} {expression} {0}")
        assert words(processor, batch["input_ids"][0], batch["query_mask"][0]) == " {scene} {expression} {0}[SEG]"


class TestConstruction:
    def test_from_tokenizer_leaves_the_given_one_alone(self) -> None:
        tokenizer = byte_tokenizer()
        size = len(tokenizer)
        processor = MTRefSegProcessor.from_tokenizer(tokenizer, image_size=128)
        assert len(tokenizer) == size
        assert processor.tokenizer.pad_token_id == size
        added = processor.seg_token_id, processor.image_t1_token_id, processor.image_t2_token_id
        assert added == (size + 1, size + 2, size + 3)

    def test_from_tokenizer_keeps_what_is_there(self) -> None:
        tokenizer = byte_tokenizer(pad_token="<|pad|>", extra_special_tokens=["<|other|>"])
        tokenizer.add_tokens("[SEG]")
        seg_token_id = tokenizer.convert_tokens_to_ids("[SEG]")
        processor = MTRefSegProcessor.from_tokenizer(tokenizer, image_size=128, image_t1_token="<before>")
        assert processor.tokenizer.pad_token == "<|pad|>"
        assert processor.seg_token_id == seg_token_id
        assert {"[SEG]", "<before>", "<image_t2>", "<|other|>"} <= set(processor.tokenizer.all_special_tokens)
        assert "<image_t1>" not in processor.tokenizer.get_vocab()
        batch = processor(IMAGE, IMAGE, text="a")
        assert (batch["prompt_input_ids"] == processor.image_t1_token_id).sum() == 1

    def test_from_tokenizer_wants_a_size_or_an_image_processor(self) -> None:
        image_processor = MTRefSegImageProcessor(size=300)
        processor = MTRefSegProcessor.from_tokenizer(byte_tokenizer(), image_processor=image_processor)
        assert processor.num_image_tokens == 9
        for options in ({}, {"image_size": 128, "image_processor": image_processor}):
            with pytest.raises(ValueError, match="either `image_size` or `image_processor`"):
                MTRefSegProcessor.from_tokenizer(byte_tokenizer(), **options)

    def test_refuses_a_bare_tokenizer(self) -> None:
        with pytest.raises(ValueError, match=r"\[SEG\].*from_tokenizer"):
            MTRefSegProcessor(MTRefSegImageProcessor(size=128), byte_tokenizer())

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"prefix": "<image_t1>"}, "'<image_t2>' once each"),
            ({"scenes": {}}, "'unknown'"),
            ({"expression": "segment"}, r"'\{expression\}' once"),
            ({"answer": "Sure."}, r"'\[SEG\]' once"),
            ({"suffix": " in <image_t2>:"}, "Only the prefix"),
            ({"answer_end": " [SEG]."}, "Only the expression or the answer"),
            ({"sufix": "."}, r"keys prefix, .*sufix"),
        ],
    )
    def test_refuses_templates(self, processor: MTRefSegProcessor, changes: dict[str, Any], message: str) -> None:
        template = {**PROMPT_TEMPLATES["default"], **changes}
        with pytest.raises(ValueError, match=message):
            MTRefSegProcessor(processor.image_processor, processor.tokenizer, prompt_template=template)
        with pytest.raises(ValueError, match=r"'other'.*'default', 'reference'"):
            MTRefSegProcessor(processor.image_processor, processor.tokenizer, prompt_template="other")

    def test_another_processor_keeps_all_that_is_not_replaced(self) -> None:
        options = {"prompt_template": "reference", "num_image_tokens": 3, "choose_objects": True}
        tokens = {"seg_token": "<mask>", "image_t1_token": "<a>", "image_t2_token": "<b>"}
        processor = MTRefSegProcessor.from_tokenizer(byte_tokenizer(), image_size=64, **options, **tokens)
        larger = MTRefSegImageProcessor(size=160)
        other = processor.with_other(image_processor=larger)
        assert (other.image_processor, other.tokenizer) == (larger, processor.tokenizer)
        kept = ("prompt_template", "num_image_tokens", "choose_objects", *tokens)
        assert [getattr(other, name) for name in kept] == [getattr(processor, name) for name in kept]
        assert processor.with_other(image_processor=larger, num_image_tokens=None).num_image_tokens == 4
        assert processor.image_processor.size["height"] == 64

    def test_own_template_survives_saving(self, tmp_path: Path) -> None:
        template = copy.deepcopy(PROMPT_TEMPLATES["default"])
        template["expression"] = " that {expression}"
        processor = MTRefSegProcessor.from_tokenizer(
            byte_tokenizer(), image_size=64, prompt_template=template, num_image_tokens=3, seg_token="<mask>"
        )
        processor.save_pretrained(tmp_path)
        loaded = AutoProcessor.from_pretrained(tmp_path, trust_remote_code=True)
        assert loaded.prompt_template == template
        assert (loaded.num_image_tokens, loaded.seg_token) == (3, "<mask>")
        before, after = (each(IMAGE, IMAGE, text=["a", "bc"], masks=[MASK, MASK]) for each in (processor, loaded))
        assert before.keys() == after.keys()
        assert all(torch.equal(before[name], after[name]) for name in before)

    def test_post_processing_is_the_image_processor_s(self, processor: MTRefSegProcessor) -> None:
        outputs = ModelOutput(
            mask_logits=torch.full((1, 64, 64), 1.0),
            no_target_logits=torch.zeros(1),
            num_expressions=torch.ones(1, dtype=torch.long),
        )
        (result,) = processor.post_process_referring_segmentation(outputs, [(20, 30)], no_target_threshold=0.4)
        assert result["masks"].shape == (1, 20, 30)
        assert not result["masks"].any()
        (result,) = processor.post_process_referring_segmentation(outputs, [(20, 30)], threshold=0.7)
        assert result["masks"].all()


@pytest.mark.skipif(not PARITY.is_dir(), reason=f"needs the reference's tensors in {PARITY}")
class TestParity:
    @pytest.fixture
    def processor(self) -> MTRefSegProcessor:
        image_processor = MTRefSegImageProcessor(size=128, antialias=False)
        return MTRefSegProcessor.from_tokenizer(
            str(PARITY / "tokenizer"), image_processor=image_processor, prompt_template="reference"
        )

    def inputs(self) -> dict[str, Any]:
        data = PARITY / "data"
        annotations = [json.loads((data / "referring_expression" / f"pair{i}.json").read_text()) for i in range(2)]
        return {
            "images_t1": [data / "A" / f"pair{i}.png" for i in range(2)],
            "images_t2": [data / "B" / f"pair{i}.png" for i in range(2)],
            "text": [annotation["referring_expressions"] for annotation in annotations],
        }

    def test_keeps_the_reference_s_ids(self, processor: MTRefSegProcessor) -> None:
        assert (processor.tokenizer.pad_token_id, processor.seg_token_id) == (998, 999)

    def test_training_sequence(self, processor: MTRefSegProcessor) -> None:
        reference = load_file(PARITY / "inputs.safetensors")
        masks = [[PARITY / "data" / "masks" / f"pair{i}" / "0.png"] for i in range(2)]
        batch = processor(**self.inputs(), masks=masks)
        image_ids = {processor.image_t1_token_id: -200, processor.image_t2_token_id: -200}
        for index in range(2):
            template = reference["input_ids"][index].tolist()
            labels = reference["labels"][index].tolist()
            sentence = reference[f"token_refer_id.{index}"].tolist()
            split = template.index(-204)
            kept = [position for position in range(split + 1, len(template)) if template[position] != -201]

            prompt = [image_ids.get(token, token) for token in batch["prompt_input_ids"][index].tolist()]
            assert prompt == template[:split]
            length = int(batch["attention_mask"][index].sum())
            assert batch["input_ids"][index, :length].tolist() == sentence + [template[i] for i in kept]
            expected_labels = [-100] * len(sentence) + [labels[i] for i in kept]
            assert batch["text_labels"][index, :length].tolist() == expected_labels
            assert batch["query_mask"][index].tolist() == [1] * len(sentence) + [0] * (
                batch["query_mask"].shape[1] - len(sentence)
            )
        assert torch.equal(batch["labels"], reference["masks"][:, 0].float())

    def test_inference_sequence_ends_at_the_last_queried_token(self, processor: MTRefSegProcessor) -> None:
        reference = load_file(PARITY / "inputs.safetensors")
        batch = processor(**self.inputs(), domain="normal_scene")
        assert torch.equal(batch["query_mask"], batch["attention_mask"])
        for index in range(2):
            token_ids = batch["input_ids"][index][batch["attention_mask"][index].bool()]
            assert torch.equal(token_ids, reference[f"token_refer_id.{index}"])
