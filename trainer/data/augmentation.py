# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Augments training pairs so that every sentence stays true for its mask."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from dataset_scripts.readers import CHANGE_TYPES
from dataset_scripts.synthesis.words import Paraphraser
from modeling_mtrefseg.plain_sentences_mtrefseg import with_change
from trainer.arguments import AugmentationArguments

from .samples import PairSample
from .sentence_words import depends_on_frame, depends_on_surroundings, mentions_direction, mirrored
from .time_words import swapped_type, time_swapped


# A sentence is dropped if the crop shows less than this share of its mask.
_SMALLEST_VISIBLE = 0.4
_FULL_LIGHT = 0.6  # Brightness, contrast and colour at full strength: factors from 1 - 0.6 to 1 + 0.6.
_FULL_TINT = 0.15
_FULL_NOISE = 20.0  # Standard deviation in grey levels.
_PARAPHRASER = Paraphraser("train")
# The processor writes "appeared" or "disappeared" before most sentences, but does not understand all of them.
_CHANGE_WORD_SHARE = 0.7


@dataclass(frozen=True)
class PairAugmentation:
    """
    Randomly augments pairs.

    Args:
        arguments ([`AugmentationArguments`]): Frequencies and strengths.
    """

    arguments: AugmentationArguments

    def __call__(
        self,
        sample: PairSample,
        random: np.random.Generator,
        other_pair: Callable[[], PairSample | None] | None = None,
    ) -> PairSample:
        """
        Args:
            sample ([`PairSample`]): A pair; it is not changed.
            random (`np.random.Generator`): Random generator.
            other_pair (`Callable`, *optional*): Returns another pair of the same domain, or `None`; without it,
                pairs are neither moved to other places nor joined.

        Returns:
            [`PairSample`]: A new pair. Sentences that may no longer be true are dropped; an augmentation that would
            drop more than half of them is skipped.
        """
        shares, is_from_above = self.arguments, sample.domain == "RS"
        if other_pair is not None and random.random() < shares.move_share and (other := other_pair()) is not None:
            sample = move(sample, other.image_t1)
        if random.random() < shares.flip_share:
            axis = int(random.integers(2)) if is_from_above else 0
            sample = mirror(sample, axis)
        if is_from_above and random.random() < shares.rotate_share:
            sample = turn(sample, int(random.integers(1, 4)))
        if random.random() < shares.swap_share:
            sample = swap_times(sample)
        if random.random() < shares.reverse_share:
            sample = reverse_images(sample)
        if random.random() < shares.crop_share:
            sample = crop(sample, random, shares.smallest_crop)
        if other_pair is not None and random.random() < shares.join_share and (neighbour := other_pair()) is not None:
            sample = join(sample, neighbour, random)
        if random.random() < shares.unchanged_share:
            sample = without_change(sample)
        if shares.photometric:
            image_t1, image_t2 = (
                change_light(image, random, shares.photometric) for image in (sample.image_t1, sample.image_t2)
            )
            sample = replace(sample, image_t1=image_t1, image_t2=image_t2)
        # The last step that changes sentences, because the other steps do not understand all words that it introduces.
        if shares.paraphrase_share:
            sample = paraphrase(sample, random, shares.paraphrase_share)
        if shares.domain_dropout and random.random() < shares.domain_dropout:
            sample = replace(sample, domain=None)
        return sample


def mirror(sample: PairSample, axis: int) -> PairSample:
    """Exchanges left and right (axis 0) or top and bottom (axis 1), in images, masks and sentences."""
    flip = Image.Transpose.FLIP_TOP_BOTTOM if axis else Image.Transpose.FLIP_LEFT_RIGHT
    said = _say(sample, lambda sentence, _: mirrored(sentence, axis))
    if said is None:
        return sample
    return _moved(said, lambda image: image.transpose(flip), lambda mask: np.flip(mask, axis=1 - axis))


def turn(sample: PairSample, quarters: int) -> PairSample:
    """Rotates images and masks anticlockwise by a multiple of 90 degrees; drops sentences that mention a direction."""
    said = _say(sample, lambda sentence, _: None if mentions_direction(sentence) else sentence)
    if said is None:
        return sample
    rotation = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)[quarters - 1]
    return _moved(said, lambda image: image.transpose(rotation), lambda mask: np.rot90(mask, quarters))


def move(sample: PairSample, place: Image.Image) -> PairSample:
    """
    Pastes the changes of a pair into the image of another place, at the same position: copy-paste augmentation
    (https://huggingface.co/papers/2012.07177). Disappeared objects are pasted into t1, appeared ones into t2, and
    those that changed their state into both. Prevents the model from memorising backgrounds. Drops sentences that
    mention neighbours or ranks; a pair with a sentence of unknown change type is not changed.

    Args:
        sample ([`PairSample`]): A pair with sentences.
        place (`PIL.Image.Image`): RGB; cropped and scaled to the size of the pair.
    """
    said = _say(sample, _said_elsewhere)
    if not sample.expressions or "unknown" in sample.change_types or said is None:
        return sample
    ground = ImageOps.fit(place, sample.image_t1.size)
    seen_t1, seen_t2 = (
        [mask for mask, change_type in zip(sample.masks, sample.change_types) if change_type != type_not_seen]
        for type_not_seen in ("appear", "disappear")
    )
    return replace(
        said,
        change_mask=np.logical_or.reduce(sample.masks),
        image_t1=_paste(sample.image_t1, ground, seen_t1),
        image_t2=_paste(sample.image_t2, ground, seen_t2),
        absent_types=frozenset(CHANGE_TYPES)
        - {change_type for mask, change_type in zip(sample.masks, sample.change_types) if mask.any()},
    )


def _said_elsewhere(sentence: str, change_type: str) -> str | None:
    # Only sentences that are fully understood: "the forest turns into buildings" is also about the forest.
    is_understood = change_type == "state_change" or time_swapped(sentence, change_type) is not None
    return sentence if is_understood and not depends_on_surroundings(sentence) else None


def _paste(image: Image.Image, ground: Image.Image, masks: Sequence[np.ndarray]) -> Image.Image:
    if not masks:
        return ground
    # The edge is as soft as in a photograph: a hard edge would reveal pasted objects.
    outline = Image.fromarray(np.logical_or.reduce(masks)).convert("L").filter(ImageFilter.GaussianBlur(0.7))
    return Image.composite(image, ground, outline)


def swap_times(sample: PairSample) -> PairSample:
    """Exchanges t1 and t2, and "appeared" and "disappeared" in the sentences. The masks stay."""
    said = _say(sample, time_swapped)
    if said is None:
        return sample
    return replace(_with_times_exchanged(said), change_types=list(map(swapped_type, said.change_types)))


def _with_times_exchanged(sample: PairSample) -> PairSample:
    """The pair with t1 and t2 exchanged; its sentences, masks and change types stay."""
    return replace(
        sample,
        image_t1=sample.image_t2,
        image_t2=sample.image_t1,
        absent_types=frozenset(map(swapped_type, sample.absent_types)),
    )


def reverse_images(sample: PairSample) -> PairSample:
    """
    Exchanges t1 and t2 but keeps the sentences, so that they have no target: after the exchange no car appears,
    provided that none disappeared before. Drops sentences for which this is not certain.
    """
    kept = [
        index
        for index, (sentence, change_type) in enumerate(zip(sample.expressions, sample.change_types))
        if change_type in ("appear", "disappear")
        and swapped_type(change_type) in sample.absent_types
        and time_swapped(sentence, change_type) != sentence
    ]
    if not kept or 2 * len(kept) < len(sample.expressions):
        return sample
    sample = _with_times_exchanged(sample.with_sentences(kept))
    return replace(sample, masks=[np.zeros_like(mask) for mask in sample.masks])


def crop(sample: PairSample, random: np.random.Generator, smallest: float) -> PairSample:
    """
    Crops images and masks, keeping the aspect ratio. Drops sentences that mention a position, a number, a rank or a
    neighbour, and sentences whose mask is only partly visible, less than 40 %.

    Args:
        sample ([`PairSample`]): A pair.
        random (`np.random.Generator`): Chooses the crop.
        smallest (`float`): Smallest side of the crop, as a share of the side of the image.
    """
    width, height = sample.image_t1.size
    scale = random.uniform(smallest, 1)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = int(random.integers(width - new_width + 1)), int(random.integers(height - new_height + 1))
    window = (slice(top, top + new_height), slice(left, left + new_width))
    seen = _seen_in(sample, window)
    if seen is None:
        return sample
    box = (left, top, left + new_width, top + new_height)
    return _moved(seen, lambda image: image.crop(box), lambda mask: mask[window])


def join(sample: PairSample, other: PairSample, random: np.random.Generator) -> PairSample:
    """
    Replaces one side of a pair, 30 to 70 % of it, by the same side of another pair. The model learns that a border
    between two places is no change, and to segment objects that are cut off. Drops the sentences that [`crop`] drops.
    The other pair keeps its changes if certainly none of them matches a sentence, with its times as they are or
    exchanged; otherwise its t1 is used for both times.

    Args:
        sample ([`PairSample`]): A pair.
        other ([`PairSample`]): Another pair; scaled and cropped to the size of the first.
        random (`np.random.Generator`): Chooses the side and its size.
    """
    width, height = size = sample.image_t1.size
    window = _side_of(width, height, random)
    seen = _seen_in(sample, window)
    if seen is None:
        return sample
    other = _unrelated_to(seen, other)
    is_seen = np.zeros((height, width), bool)
    is_seen[window] = True
    change_mask = None
    if seen.change_mask is not None and other.change_mask is not None:
        other_change = ImageOps.fit(Image.fromarray(other.change_mask), size, Image.Resampling.NEAREST)
        change_mask = np.where(is_seen, seen.change_mask, np.asarray(other_change))
    shown = Image.fromarray(is_seen)
    image_t1, image_t2 = (
        Image.composite(image, ImageOps.fit(place, size), shown)
        for image, place in ((seen.image_t1, other.image_t1), (seen.image_t2, other.image_t2))
    )
    return replace(
        seen,
        image_t1=image_t1,
        image_t2=image_t2,
        # Stage 1: the only mask is that of every change.
        masks=[mask & is_seen for mask in seen.masks] if seen.expressions or change_mask is None else [change_mask],
        change_mask=change_mask,
        absent_types=seen.absent_types & other.absent_types,
    )


def _side_of(width: int, height: int, random: np.random.Generator) -> tuple[slice, slice]:
    """Rows and columns of a random part of an image at one of its sides, 30 to 70 % of it."""
    is_beside, is_first, share = random.random() < 0.5, random.random() < 0.5, random.uniform(0.3, 0.7)
    length = width if is_beside else height
    border = round(share * length)
    part = slice(0, border) if is_first else slice(border, length)
    return (slice(0, height), part) if is_beside else (part, slice(0, width))


def _unrelated_to(sample: PairSample, other: PairSample) -> PairSample:
    """The other pair, changed so that none of the sentences is about its changes."""
    asked = set(sample.change_types)
    if asked <= other.absent_types:
        return other
    if asked <= set(map(swapped_type, other.absent_types)):
        return _with_times_exchanged(other)
    return replace(without_change(other), absent_types=frozenset(CHANGE_TYPES))


def without_change(sample: PairSample) -> PairSample:
    """Replaces t2 by t1: nothing has changed, so no sentence has a target."""
    masks = [np.zeros_like(mask) for mask in sample.masks]
    nothing = np.zeros(sample.image_t1.size[::-1], bool)
    return replace(sample, image_t2=sample.image_t1, masks=masks, change_mask=nothing)


def paraphrase(
    sample: PairSample, random: np.random.Generator, share: float, paraphraser: Paraphraser = _PARAPHRASER
) -> PairSample:
    """Paraphrases a share of the sentences, and writes the word for the change before some, as the processor does."""
    said = [
        paraphraser.paraphrase(sentence, change_type, random, sample.domain) if random.random() < share else sentence
        for sentence, change_type in zip(sample.expressions, sample.change_types)
    ]
    said = [with_change(sentence) if random.random() < _CHANGE_WORD_SHARE else sentence for sentence in said]
    return replace(sample, expressions=said)


def change_light(image: Image.Image, random: np.random.Generator, strength: float) -> Image.Image:
    """
    Changes brightness, contrast, colour, sharpness and noise. Hues change so little that colour words stay
    true.

    Args:
        image (`PIL.Image.Image`): RGB.
        random (`np.random.Generator`): Random generator.
        strength (`float`): 0 to 1.
    """
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(1 + strength * _FULL_LIGHT * random.uniform(-1, 1))
    if random.random() < strength / 2:
        image = image.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.0)))
    values = np.asarray(image, dtype=np.float32) * (
        1 + strength * _FULL_TINT * random.uniform(-1, 1, 3).astype(np.float32)
    )
    if random.random() < 0.5:
        values = values + strength * _FULL_NOISE * random.random() * random.standard_normal(values.shape, np.float32)
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def _say(sample: PairSample, word: Callable[[str, str], str | None]) -> PairSample | None:
    """
    The pair with each sentence rewritten, without sentences that cannot be rewritten; `None` if these are more than
    half.
    """
    if not sample.expressions:  # stage 1
        return sample
    said = [word(*pair) for pair in zip(sample.expressions, sample.change_types)]
    kept = [index for index, sentence in enumerate(said) if sentence is not None]
    if 2 * len(kept) < len(said):
        return None
    return replace(sample.with_sentences(kept), expressions=[sentence for sentence in said if sentence is not None])


def _seen_in(sample: PairSample, window: tuple[slice, slice]) -> PairSample | None:
    """
    The pair with the sentences that stay true if only this part of it is shown; masks are not cropped. `None` if these
    are less than half.
    """
    if not sample.expressions:  # stage 1
        return sample
    kept = []
    for index, sentence in enumerate(sample.expressions):
        area, visible = int(sample.masks[index].sum()), int(sample.masks[index][window].sum())
        if not depends_on_frame(sentence) and (visible == 0 or visible >= _SMALLEST_VISIBLE * area):
            kept.append(index)
    if 2 * len(kept) < len(sample.expressions):
        return None
    return sample.with_sentences(kept)


def _moved(
    sample: PairSample, image: Callable[[Image.Image], Image.Image], mask: Callable[[np.ndarray], np.ndarray]
) -> PairSample:
    return replace(
        sample,
        image_t1=image(sample.image_t1),
        image_t2=image(sample.image_t2),
        masks=[np.ascontiguousarray(mask(each)) for each in sample.masks],
        change_mask=None if sample.change_mask is None else np.ascontiguousarray(mask(sample.change_mask)),
    )
