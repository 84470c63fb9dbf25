# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Ready-made sizes: `tiny` can be trained on two CPU cores, `small` has pretrained parts, `paper` is the published
size."""

from typing import Any

from tokenizers import ByteLevelBPETokenizer
from transformers import PreTrainedTokenizerFast

from modeling_mtrefseg.configuration_mtrefseg import MTRefSegConfig
from modeling_mtrefseg.modeling_mtrefseg import MTRefSegModel
from modeling_mtrefseg.processing_mtrefseg import MTRefSegProcessor


STAGES = ["stage1", "stage2", "stage3", "stage4"]

PRESETS: dict[str, dict[str, Any]] = {
    # 1.65 billion parameters at 1024 pixels. The reference uses 100 learned queries; `match_queries` defines which of
    # them is read.
    "paper": {"mask_decoder_config": {"num_queries": 100}},
    # 8 million parameters. A plain convolutional backbone learns faster from scratch than Swin and ConvNeXt V2.
    "tiny": {
        "vision_config": {
            "model_type": "resnet",
            "layer_type": "basic",
            "embedding_size": 32,
            "hidden_sizes": [48, 96, 160, 192],
            "depths": [2, 2, 3, 2],
            "out_features": STAGES,
        },
        "mask_decoder_config": {
            "hidden_size": 96,
            "num_attention_heads": 4,
            "pixel_decoder_layers": 2,
            "pixel_decoder_intermediate_size": 192,
            "decoder_layers": 3,
            "decoder_intermediate_size": 192,
        },
        "text_config": {
            "model_type": "phi",
            "vocab_size": 1024,
            "hidden_size": 128,
            "intermediate_size": 512,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "max_position_embeddings": 512,
            "tie_word_embeddings": True,
        },
        "image_size": 256,
        "projector_norm": "channel",
        "coordinate_channels": True,
        "seg_head_size": 128,
        "seg_head_attention_heads": 2,
        "mask_weight": 20.0,
        "num_points": 0,
    },
    # For a pretrained EfficientNet-Lite2 and pretrained word vectors, see `mtrefseg.build.pretrained`.
    "small": {
        "vision_config": {
            "model_type": "efficientnet_lite",
            "width_multiplier": 1.1,
            "depth_multiplier": 1.2,
            "out_features": STAGES,
        },
        "mask_decoder_config": {
            "hidden_size": 96,
            "num_attention_heads": 4,
            "pixel_decoder_layers": 2,
            "pixel_decoder_intermediate_size": 192,
            "decoder_layers": 3,
            "decoder_intermediate_size": 192,
            "refinement_size": 64,
        },
        "text_config": {
            "model_type": "phi",
            "vocab_size": 1024,
            "hidden_size": 192,
            "intermediate_size": 768,
            "num_hidden_layers": 4,
            "num_attention_heads": 6,
            "max_position_embeddings": 512,
            "tie_word_embeddings": True,
        },
        "image_size": 256,
        "projector_norm": "channel",
        "coordinate_channels": True,
        "seg_head_size": 192,
        "seg_head_attention_heads": 3,
        "mask_weight": 20.0,
        "num_points": 0,
    },
}

# Training text for the tokenizer of the tiny preset; other words are encoded as bytes.
TINY_VOCABULARY = """
a an the and or of in on at by to from with without near next beside behind between above below under over left right
top bottom upper lower middle center centre corner edge side front back first second third last earlier later image
both all only every each one two three four five six seven eight some other another same no not nothing which that
was were is are be been has have had there here it its this these those where
appeared appears appear appearing disappeared disappears disappear vanished removed gone missing left lost demolished
torn down new newly built constructed added placed parked put planted cleared cut changed change changes turned became
become into replaced repaired painted paved flooded dried dry dug filled opened closed open moved arrived came went
before after now longer anymore used previously formerly earlier once between times time
red green blue yellow white black grey gray brown orange purple pink silver beige dark light bright pale colored
small large big tiny huge tall short long wide narrow round square rectangular biggest largest smallest longest
building buildings house houses roof roofs roofed villa apartment block factory warehouse shed tower church school
road roads street streets path track highway bridge lane parking lot crossing junction square pavement sidewalk
car cars truck trucks bus buses van vehicle vehicles boat boats ship plane train bicycle motorbike person people man
woman child pedestrian group crowd dog bag bags box boxes bench chair table sign signs lamp pole fence wall door
window stairs statue tent umbrella bin ball cart suitcase
tree trees forest wood woods bush bushes grass lawn meadow field fields crop crops cropland farmland farm garden park
plant plants vegetation soil bare ground land earth sand gravel dirt concrete asphalt water lake river pond pool
stream canal sea coast beach hill mountain greenhouse greenhouses solar panel panels container containers playground
construction site area region part row line cluster pair piece strip patch plot scene room floor ceiling street
everything something else state seen half halves look looks different show shows showed up whose wearing dressed
several leftmost rightmost topmost bottommost mid height roofed close level levels fell rose dropped lit off use
switched drained ripened ploughed farmed converted repainted warehouses villas chairs tables benches lamps bins trash
shelf shelves doors pictures bicycles pools ponds patches swimming bareland woodland residential desert along around
among sides roadside roadsides surrounding completed existing original place rows lines many more few old ones them
their together separate
remote sensing everyday Compare segment Sure It later images is described sentence
"""


def preset_config(preset: str, **overrides: Any) -> MTRefSegConfig:
    """
    Args:
        preset (`str`): `"tiny"`, `"small"` or `"paper"`.
        overrides: Fields of [`MTRefSegConfig`] that replace the preset's.

    Raises:
        `ValueError`: There is no such preset.
    """
    return MTRefSegConfig(**{**preset_fields(preset), **overrides})


def preset_fields(preset: str) -> dict[str, Any]:
    """
    The fields of [`MTRefSegConfig`] that a preset sets.

    Args:
        preset (`str`): `"tiny"`, `"small"` or `"paper"`.

    Raises:
        `ValueError`: There is no such preset.
    """
    if preset not in PRESETS:
        raise ValueError(f"There is no preset {preset!r}; there are {', '.join(map(repr, PRESETS))}.")
    return PRESETS[preset]


def preset_model(
    preset: str, processor: MTRefSegProcessor, model_class: Any = MTRefSegModel, **overrides: Any
) -> MTRefSegModel:
    """
    A model with random weights that fits a processor's image size and tokens.

    Args:
        preset (`str`): `"tiny"`, `"small"` or `"paper"`.
        processor ([`MTRefSegProcessor`]): The processor to use with it.
        model_class (`type`, *optional*, defaults to [`MTRefSegModel`]): Class of the returned model; its configuration
            must have the same fields.
        overrides: Fields of [`MTRefSegConfig`] that replace the preset's.
    """
    fields = processor.config_overrides
    vocab_size = fields.pop("vocab_size")
    config = model_class.config_class(**{**preset_fields(preset), **fields, **overrides})
    tokenizer = processor.tokenizer
    config.text_config.vocab_size = max(vocab_size, config.text_config.vocab_size)
    config.text_config.eos_token_id = tokenizer.eos_token_id
    config.text_config.bos_token_id = tokenizer.eos_token_id
    config.text_config.pad_token_id = tokenizer.pad_token_id
    return model_class(config)


def tiny_processor(image_size: int = 256, prompt_template: str = "default") -> MTRefSegProcessor:
    """
    Processor of the tiny preset: a byte-level BPE tokenizer, which encodes any sentence in any script.

    Args:
        image_size (`int`, *optional*, defaults to 256): Side of the square canvas in pixels.
        prompt_template (`str`, *optional*, defaults to `"default"`): See [`MTRefSegProcessor`].
    """
    trained = ByteLevelBPETokenizer(add_prefix_space=False)
    # With a space before every word, as within a sentence; the answer begins on a new line.
    trained.train_from_iterator(
        [" " + " ".join(TINY_VOCABULARY.split()) + "\nSure"],
        vocab_size=2048,
        min_frequency=1,
        show_progress=False,
        special_tokens=["<|endoftext|>", "[PAD]"],
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer,
        eos_token="<|endoftext|>",
        pad_token="[PAD]",
        model_max_length=512,
    )
    return MTRefSegProcessor.from_tokenizer(tokenizer, image_size=image_size, prompt_template=prompt_template)
