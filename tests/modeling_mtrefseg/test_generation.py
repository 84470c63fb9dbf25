# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The mode in which the language model writes its answer."""

import pytest
import torch
from torch.testing import assert_close

from mtrefseg.build.presets import tiny_processor


SENTENCES = ["the new house", "the red car that left the road", "it"]


class TestGeneration:
    def test_written_answer_is_segmented(self, model, processor, make_image, monkeypatch):
        """When the language model writes the template's answer, masks are those of the fast path."""
        images = {"images_t1": make_image(seed=0), "images_t2": make_image(seed=1)}
        expected = model(**processor(**images, text=SENTENCES))
        seg = processor.seg_token_id
        answer, end, silent = processor.sentence_encoder._encode("Sure. It is [SEG]", ".", "No.")
        answer += [*end, processor.tokenizer.eos_token_id]
        rows = [answer, silent + [processor.tokenizer.eos_token_id] * (len(answer) - len(silent)), answer]
        monkeypatch.setattr(model.language_model, "generate", lambda **inputs: torch.tensor(rows))
        outputs = model.generate_and_segment(**processor(**images, text=SENTENCES, generation=True))
        assert outputs.has_seg.tolist() == [True, False, True]
        assert (outputs.sequences == seg).any(1).tolist() == [True, False, True]
        for row in (0, 2):
            assert_close(outputs.mask_logits[row], expected.mask_logits[row], atol=1e-4, rtol=1e-4)
        assert (outputs.mask_logits[1] < -1e30).all()
        (result,) = processor.post_process_referring_segmentation(outputs, [(96, 128)])
        assert not result["masks"][1].any()
        assert result["no_target_scores"][1] == 1

    def test_question_that_holds_seg(self, model, make_image):
        """With the reference's template nothing depends on what the language model writes."""
        processor = tiny_processor(image_size=128, prompt_template="reference")
        images = {"images_t1": make_image(seed=0), "images_t2": make_image(seed=1)}
        expected = model(**processor(**images, text=SENTENCES))
        outputs = model.generate_and_segment(**processor(**images, text=SENTENCES, generation=True))
        assert outputs.has_seg.all()
        assert_close(outputs.mask_logits, expected.mask_logits, atol=1e-4, rtol=1e-4)

    def test_no_sentence(self, model, processor, make_image):
        inputs = processor(images_t1=[make_image()], images_t2=[make_image(seed=1)], text=[[]], generation=True)
        outputs = model.generate_and_segment(**inputs)
        assert outputs.mask_logits.shape == (0, 32, 32)
        assert outputs.has_seg.shape == (0,)

    def test_several_answers_are_refused(self, model, ragged_inputs):
        with pytest.raises(ValueError, match="num_return_sequences"):
            model.generate_and_segment(**ragged_inputs, num_return_sequences=2)

    def test_language_model_writes(self, model, processor, make_image):
        """Generation sees the prompt, both images and the sentence: it equals greedy decoding by hand."""
        images = {"images_t1": make_image(seed=0), "images_t2": make_image(seed=1)}
        inputs = processor(**images, text=SENTENCES, generation=True)
        outputs = model.generate_and_segment(**inputs, max_new_tokens=4)
        assert outputs.sequences.shape[0] == 3
        encoding = model._encode_images(inputs["pixel_values_t1"], inputs["pixel_values_t2"])
        prompt, _ = model._embed_prompt(encoding, inputs["prompt_input_ids"], None)
        for row in range(3):
            ids = inputs["input_ids"][row][inputs["attention_mask"][row].bool()]
            for step in range(outputs.sequences.shape[1]):
                embeddings = torch.cat([prompt, model.embed_tokens(ids[None])], dim=1)
                token = model.language_model(inputs_embeds=embeddings).logits[0, -1].argmax()
                assert token == outputs.sequences[row, step]
                if token == processor.tokenizer.eos_token_id:
                    break
                ids = torch.cat([ids, token[None]])
