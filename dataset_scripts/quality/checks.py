# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Verdicts, and the checks of single pairs."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from dataset_scripts.readers import CHANGE_TYPES, DOMAINS, PUBLISHED_COUNTS, SPLITS

from .dataset_statistics import UNKNOWN, MaskFacts, PairFacts, SentenceFacts, sentences_of


MANY_EMPTY = 0.5  # share of no-target sentences above which a model may learn to predict empty masks only
LONGEST_SENTENCE = 512  # characters
TINY_PIXELS = 4
LARGE_MASK = 0.75  # share of the image
SMALL_SIDE = 64
LARGE_SIDE = 4096
RARE_TYPE = 0.05  # share of the sentences whose change type is known


class Verdict(str, Enum):
    """The verdict of a check: no problem, should be reviewed, or must be repaired before training."""

    PASS = "PASS"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Check:
    """
    The outcome of one check.

    Args:
        name (`str`): Short name of the check.
        verdict (`Verdict`): The verdict.
        count (`int`): Number of pairs, sentences, images or masks concerned.
        summary (`str`): A summary.
        examples (`tuple[str, ...]`): The names of all affected items.
    """

    name: str
    verdict: Verdict
    count: int
    summary: str
    examples: tuple[str, ...] = ()


def judge(name: str, examples: Sequence[str], otherwise: Verdict, summary: str, good: str) -> Check:
    """
    Creates a check that passes if nothing was found.

    Args:
        name (`str`): Name of the check.
        examples (`Sequence[str]`): The affected items.
        otherwise (`Verdict`): The verdict if anything was found.
        summary (`str`): Summary if anything was found.
        good (`str`): Summary if nothing was found.

    Returns:
        `Check`: The outcome.
    """
    if not examples:
        return Check(name, Verdict.PASS, 0, good)
    return Check(name, otherwise, len(examples), summary, tuple(examples))


def content_checks(pairs: Sequence[PairFacts]) -> list[Check]:
    """
    Checks images, masks and sentences.

    Args:
        pairs (`Sequence[PairFacts]`): The distinct pairs, at least one.

    Returns:
        `list[Check]`: The outcomes. Those about sentences are omitted if there are none.
    """
    checks = [_check_sizes(pairs), _check_colours(pairs), _check_dull(pairs), _check_equal_images(pairs)]
    checks += _check_masks(pairs)
    if any(pair.sentences for pair in pairs):
        sentence_checks = (_check_no_target, _check_lengths, _check_ambiguity, _check_repetition, _check_change_types)
        checks += [check(pairs) for check in sentence_checks]
    return [*checks, _check_domains(pairs)]


def published_checks(pairs: Sequence[PairFacts]) -> list[Check]:
    """
    Compares counts with the published ones if they are comparable: the count of a split needs both domains, that of
    a domain both splits.

    Args:
        pairs (`Sequence[PairFacts]`): The distinct pairs.

    Returns:
        `list[Check]`: One outcome for each complete split, domain and total, and one that names the incomplete ones.
    """
    referring = [pair for pair in pairs if pair.change_mask is None]
    here = {(pair.split, pair.domain) for pair in referring}
    checks, partial = [], []
    for name, published in PUBLISHED_COUNTS.items():
        splits = [name] if name in ("train", "validation") else ["train", "validation"]
        domains = [name] if name in DOMAINS else list(DOMAINS)
        # Pairs of an unknown domain count only where both domains do.
        others = () if name in DOMAINS else (UNKNOWN,)
        needed = [(split, (domain, *others)) for split in splits for domain in domains]
        if not all(any((split, label) in here for label in labels) for split, labels in needed):
            partial.append(name)
            continue
        members = [pair for pair in referring if pair.split in splits and pair.domain in (*domains, *others)]
        sentences = len(sentences_of(members))
        same = (len(members), sentences) == (published.pairs, published.expressions)
        wanted = "as published" if same else f"published are {published.pairs:,} and {published.expressions:,}"
        summary = f"{len(members):,} pairs and {sentences:,} sentences; {wanted}"
        verdict = Verdict.PASS if same else Verdict.FAIL
        checks.append(Check(f"published counts of {name}", verdict, len(members), summary))
    if partial:
        summary = f"not compared, because not all of it is here: {', '.join(partial)}"
        checks.append(Check("published counts", Verdict.PASS, 0, summary))
    return checks


def _check_sizes(pairs: Sequence[PairFacts]) -> Check:
    sizes = sorted({pair.image_t1.size for pair in pairs}, key=lambda size: size[0] * size[1])
    examples = [
        f"{pair.name}: {_size(pair.image_t1.size)} pixels"
        for pair in pairs
        if min(pair.image_t1.size) < SMALL_SIDE or max(pair.image_t1.size) > LARGE_SIDE
    ]
    found = f"{len(sizes)} sizes from {_size(sizes[0])} to {_size(sizes[-1])}" if len(sizes) > 1 else _size(sizes[0])
    unusual = f"{found}; in {len(examples):,} pairs a side is below {SMALL_SIDE} or above {LARGE_SIDE} pixels"
    return judge("image sizes", examples, Verdict.WARN, unusual, found)


def _check_colours(pairs: Sequence[PairFacts]) -> Check:
    images = [(f"{pair.name} {date}", mode) for pair in pairs for date, mode in _modes(pair) if mode != "RGB"]
    kinds = ", ".join(f'{count:,} of mode "{mode}"' for mode, count in Counter(mode for _, mode in images).items())
    examples = [f'{name}: mode "{mode}"' for name, mode in images]
    summary = f"{kinds}; they are read as RGB"
    return judge("image colours", examples, Verdict.WARN, summary, "all images are RGB")


def _check_dull(pairs: Sequence[PairFacts]) -> Check:
    examples = [
        f"{pair.name} {date} is {image.dullness}"
        for pair in pairs
        for date, image in (("t1", pair.image_t1), ("t2", pair.image_t2))
        if image.dullness
    ]
    summary = "nearly black or flat, so that nothing can be seen; check bit depth and bands"
    return judge("dark or flat images", examples, Verdict.WARN, summary, "no image is nearly black or flat")


def _check_equal_images(pairs: Sequence[PairFacts]) -> Check:
    equal = [pair for pair in pairs if pair.image_t1.digest == pair.image_t2.digest]
    wrong = [pair.name for pair in equal if any(mask.pixels for _, mask in _masks(pair))]
    if wrong:
        summary = "t1 and t2 are the same image, though a mask says that something changed"
        return Check("t1 equal to t2", Verdict.FAIL, len(wrong), summary, tuple(wrong))
    summary = "t1 and t2 are the same image; their masks are empty, as they should be"
    return judge("t1 equal to t2", [pair.name for pair in equal], Verdict.WARN, summary, "t1 and t2 always differ")


def _check_masks(pairs: Sequence[PairFacts]) -> list[Check]:
    masks = [(name, mask) for pair in pairs for name, mask in _masks(pair)]
    full = [name for name, mask in masks if mask.fraction == 1]
    large = [f"{name}: {_percent(mask.fraction)}" for name, mask in masks if LARGE_MASK < mask.fraction < 1]
    tiny = [f"{name}: {mask.pixels} pixels" for name, mask in masks if 0 < mask.pixels <= TINY_PIXELS]
    areas = [mask.fraction for _, mask in masks if mask.pixels]
    low, middle, high = (_percent(value) for value in (np.quantile(areas, (0, 0.5, 1)) if areas else (0, 0, 0)))
    spread = f"{low} to {high} of the image, median {middle}"
    return [
        Check("mask areas", Verdict.PASS, len(areas), f"{len(areas):,} masks that are not empty: {spread}"),
        judge("full masks", full, Verdict.WARN, "the mask covers the whole image", "no mask covers the whole image"),
        judge(
            "large masks",
            large,
            Verdict.WARN,
            f"the mask covers over {_percent(LARGE_MASK)} of the image; is it white where nothing changed?",
            f"no mask covers over {_percent(LARGE_MASK)} of the image and not all of it",
        ),
        judge("tiny masks", tiny, Verdict.WARN, f"the mask has at most {TINY_PIXELS} pixels", "no mask is a mere dot"),
    ]


def _check_no_target(pairs: Sequence[PairFacts]) -> Check:
    empty = [name for name, sentence in _named_sentences(pairs) if not sentence.mask.pixels]
    total = len(sentences_of(pairs))
    verdict = Verdict.WARN if len(empty) > MANY_EMPTY * total else Verdict.PASS
    summary = f"{len(empty):,} of {total:,} sentences ({_percent(len(empty) / total)}) have an empty mask"
    return Check("no-target sentences", verdict, len(empty), summary, tuple(empty))


def _check_lengths(pairs: Sequence[PairFacts]) -> Check:
    lengths = [len(sentence.text) for sentence in sentences_of(pairs)]
    examples = [
        f"{name}: {len(sentence.text):,} characters"
        for name, sentence in _named_sentences(pairs)
        if len(sentence.text) > LONGEST_SENTENCE
    ]
    found = f"{min(lengths):,} to {max(lengths):,} characters, median {np.median(lengths):.0f}"
    long = f"{found}; {len(examples):,} sentences are longer than {LONGEST_SENTENCE}"
    return judge("sentence lengths", examples, Verdict.WARN, long, found)


def _check_ambiguity(pairs: Sequence[PairFacts]) -> Check:
    examples = _repeated(pairs, lambda masks: len(set(masks)) > 1)
    summary = "the same sentence of a pair has different masks"
    return judge("ambiguous sentences", examples, Verdict.WARN, summary, "no sentence of a pair has two masks")


def _check_repetition(pairs: Sequence[PairFacts]) -> Check:
    examples = _repeated(pairs, lambda masks: len(set(masks)) < len(masks))
    summary = "the same sentence with the same mask more than once in a pair"
    return judge("repeated sentences", examples, Verdict.WARN, summary, "no sentence occurs twice with the same mask")


def _check_change_types(pairs: Sequence[PairFacts]) -> Check:
    counts = Counter(sentence.change_type for sentence in sentences_of(pairs))
    known = counts.total() - counts[UNKNOWN]
    rare = [
        f"{name}: {counts[name]:,} sentences, under {_percent(RARE_TYPE)} of those whose type is known"
        for name in CHANGE_TYPES
        if name != UNKNOWN and counts[name] < RARE_TYPE * known
    ]
    found = ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
    return judge("change types", rare, Verdict.WARN, found, found)


def _check_domains(pairs: Sequence[PairFacts]) -> Check:
    splits = sorted({pair.split for pair in pairs}, key=SPLITS.index)
    counts = {split: Counter(pair.domain for pair in pairs if pair.split == split) for split in splits}
    found = "; ".join(
        f"{split}: {', '.join(f'{domain} {count:,}' for domain, count in sorted(domains.items()))}"
        for split, domains in counts.items()
    )
    problems = [
        f"{split} has pairs of {domain}, train has none"
        for split, domains in counts.items()
        for domain in sorted(domains)
        if domain != UNKNOWN and "train" in counts and not counts["train"][domain]
    ]
    if 0 < sum(domains[UNKNOWN] for domains in counts.values()) < len(pairs):
        problems.append("some pairs have a domain and some have none")
    return judge("domains", problems, Verdict.WARN, found, found)


def _repeated(pairs: Iterable[PairFacts], matters: Callable[[list[bytes]], bool]) -> list[str]:
    """Sentences that a pair contains several times, if their masks are relevant."""
    examples = []
    for pair in pairs:
        masks: dict[str, list[bytes]] = {}
        for sentence in pair.sentences:
            text = " ".join(sentence.text.casefold().split()).rstrip(".")
            masks.setdefault(text, []).append(sentence.mask.digest)
        examples += [f'{pair.name}: "{text}"' for text, digests in masks.items() if matters(digests)]
    return examples


def _named_sentences(pairs: Iterable[PairFacts]) -> list[tuple[str, SentenceFacts]]:
    return [(f'{pair.name}: "{sentence.text}"', sentence) for pair in pairs for sentence in pair.sentences]


def _masks(pair: PairFacts) -> list[tuple[str, MaskFacts]]:
    masks = [(name, sentence.mask) for name, sentence in _named_sentences([pair])]
    return masks if pair.change_mask is None else [(pair.name, pair.change_mask)]


def _modes(pair: PairFacts) -> list[tuple[str, str]]:
    return [("t1", pair.image_t1.mode), ("t2", pair.image_t2.mode)]


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
