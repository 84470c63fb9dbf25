# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Drawn pairs, and a finished run on them that needs no model."""

from pathlib import Path

import numpy as np
from PIL import Image

from craft_agent.records import Box, Candidate, ChangeType, Proposal, Round, Sample, Verdict
from craft_agent.state.claims import Claims, Worker
from craft_agent.state.pairs_folder import hash_pair, list_pairs
from craft_agent.state.rows import perceived, refined, segmented
from craft_agent.state.settings import RunSettings
from craft_agent.state.store import Store


COLORS = ((215, 40, 40), (40, 90, 210), (240, 240, 235))
SIZE = (200, 150)
THINGS = (
    ("red", Box(20, 20, 60, 50), ChangeType.APPEAR),
    ("blue", Box(120, 30, 160, 80), ChangeType.DISAPPEAR),
    ("white", Box(70, 95, 110, 130), ChangeType.APPEAR),
)


def draw_pairs(folder: Path, pairs: int = 3, size: tuple[int, int] = SIZE) -> Path:
    """Writes pairs of a noisy green ground, on which a red and a white block appear and a blue one disappears."""
    for side in ("A", "B"):
        (folder / side).mkdir(parents=True, exist_ok=True)
    for number in range(pairs):
        noise = np.random.default_rng(number)
        ground = 96 + noise.normal(0, 6, (size[1], size[0], 3)) + np.array([-20, 14, -30])
        earlier, later = (ground + noise.normal(0, 2, ground.shape) for _ in range(2))
        for (_, box, change_type), color in zip(THINGS, COLORS):
            target = later if change_type is ChangeType.APPEAR else earlier
            shift = 3 * number
            target[box.top : box.bottom, box.left + shift : box.right + shift] = color
        for side, values in (("A", earlier), ("B", later)):
            image = Image.fromarray(values.clip(0, 255).astype(np.uint8))
            image.save(folder / side / f"place_{number:03}.png")
    return folder


def make_work(folder: Path, pairs: int = 3) -> Path:
    """Makes a finished run of three samples a pair in `folder/work`, on the drawn pairs in `folder/pairs`."""
    images = draw_pairs(folder / "pairs", pairs)
    settings = RunSettings(pairs=str(images), perceiver="drawn", segmenter="drawn", domain="RS")
    store = Store.create(folder / "work", settings)
    listed = list_pairs(images)
    store.add_pairs(listed, [hash_pair(images, files) for files in listed])
    worker = Worker(folder / "work", "local")
    claims = Claims(store, worker)
    while (claimed := claims.claim()) is not None:
        pair_id = claimed.files.pair_id
        proposals = [_proposal(index, 3 * int(pair_id[-3:])) for index in range(len(THINGS))]
        samples = [_sample(pair_id, proposal) for proposal in proposals]
        outcomes = {sample.candidate: "refined" for sample in samples}
        claims.save(pair_id, perceived(pair_id, [proposal.candidate for proposal in proposals], 0.1))
        claims.save(pair_id, segmented(pair_id, proposals, 0.1))
        claims.save(pair_id, refined(pair_id, samples, outcomes, 0.1))
    worker.close()
    return folder / "work"


def _proposal(index: int, shift: int) -> Proposal:
    color, box, change_type = THINGS[index]
    verb = "appeared" if change_type is ChangeType.APPEAR else "disappeared"
    sentence, thing = f"the {color} block that {verb}", f"{color} block"
    candidate = Candidate(
        index, f"{sentence} at the top-left", thing, "top-left", change_type, 0.9, box, ("top-left",)
    )
    mask = np.zeros((SIZE[1], SIZE[0]), dtype=bool)
    mask[box.top : box.bottom, box.left + shift : box.right + shift] = True
    rough = mask.copy()
    rough[: box.top] = True
    rounds = (
        Round(0, sentence, thing, change_type, box, (), rough, 0.5, Verdict.TOO_LARGE, 0.3, "too much above it"),
        Round(1, sentence, thing, change_type, box, (), mask, 0.9, Verdict.ACCEPT, 0.95, "fits"),
    )
    return Proposal(candidate, rounds, 1, "kept")


def _sample(pair_id: str, proposal: Proposal) -> Sample:
    chosen = proposal.rounds[1]
    return Sample(
        sample_id=f"{pair_id}_{proposal.candidate.index}",
        pair_id=pair_id,
        candidate=proposal.candidate.index,
        expressions=(chosen.expression, chosen.expression.replace("the ", "the only ", 1)),
        change_type=chosen.change_type,
        mask=chosen.mask,
        provenance={"perceiver": "drawn", "segmenter": "drawn", "rounds": 2},
    )
