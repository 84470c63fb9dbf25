# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Writes an evaluation as a static page that opens from the disk without a server; used by `mtrefseg report`. Content
from the data is in `report.js`, which the page shows as text, in `images/`, whose files are named by
numbers, and escaped in the three cases at the top of the page: none of it is ever interpreted as markup.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mtrefseg.io import JPEG_QUALITY, THUMBNAIL_SIDE, draw_mask, draw_thumbnail, fill_template, to_script
from mtrefseg.looks import PREDICTION, TRUTH, to_hex

from .pair_images import Images, PairImages
from .predictions import ScoredSentence, worst_first
from .report_cases import case_html, summary_of, typical_cases
from .report_images import CHANGE_NAMES, DOMAIN_NAMES, draw_report_sheet


TEMPLATE = Path(__file__).with_name("report_template.html")
SENTENCES_A_PAGE = 50


def write_report(
    sentences: Sequence[ScoredSentence],
    chosen: Sequence[ScoredSentence],
    images: PairImages | None,
    out: str | Path,
    title: str,
) -> int:
    """
    Writes the page and the sheet.

    Args:
        sentences (`Sequence[ScoredSentence]`): The sentences on the page, in this order.
        chosen (`Sequence[ScoredSentence]`): All sentences that passed the filters, of which the page shows the worst;
            the sheet counts these.
        images (`PairImages`, *optional*): Finds the images; without it, masks are on grey.
        out (`str` or `Path`): A new or empty folder; `index.html`, `report.js`, `sheet.png` and `images/` are written
            into it.
        title (`str`): Title of the page, such as the evaluated model.

    Returns:
        `int`: Number of sentences whose images were not found.

    Raises:
        ValueError: If the folder is not empty.
        OSError: If it cannot be written.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise ValueError(f"{out} is not empty; give a new folder to --out.")
    (out / "images").mkdir()
    folders = _write_pairs(out / "images", sentences, images)
    entries = [
        _write_sentence(out / "images", number, sentence, *folders[_pair_of(sentence)])
        for number, sentence in enumerate(tqdm(sentences, unit="sentence", desc="masks", leave=False, disable=None))
    ]
    head = {"title": title, "chosen": len(chosen), "pageSize": SENTENCES_A_PAGE, "changeNames": CHANGE_NAMES}
    head["domainNames"] = DOMAIN_NAMES
    head |= {
        "summary": summary_of(chosen),
    }
    lines = ",\n".join(map(to_script, entries))
    script = f"window.REPORT = {{...{to_script(head)}, sentences: [\n{lines}\n]}};\n"
    (out / "report.js").write_text(script, encoding="ascii", newline="\n")
    draw_report_sheet(chosen, images).save(out / "sheet.png")
    # The page is written last, so that an interrupted run leaves no page with missing images.
    (out / "index.html").write_text(
        fill_template(TEMPLATE, cases=_cases(chosen, images)), encoding="utf-8", newline="\n"
    )
    return sum(not entry["images"] for entry in entries)


def _cases(chosen: Sequence[ScoredSentence], images: PairImages | None) -> str:
    """The worst, the median and the best sentence, each with its pair, as HTML."""
    return "".join(
        f'<section class="case"><p>The {name}: IoU {each.iou:.1f}</p><h3 dir="auto">{escape(each.expression)}</h3>'
        f"{case_html(each, None if images is None else images.find(each), THUMBNAIL_SIDE)}</section>\n"
        for name, each in typical_cases(worst_first(chosen)).items()
    )


def _pair_of(sentence: ScoredSentence) -> tuple[str, str | None]:
    """The key of a pair."""
    return sentence.pair_id, sentence.domain


def _write_pairs(
    root: Path, sentences: Sequence[ScoredSentence], images: PairImages | None
) -> dict[tuple[str, str | None], tuple[str, bool]]:
    """Writes the images of every pair once, in the fastest reading order; see [`_write_pair`]."""
    of_pairs = list({_pair_of(sentence): sentence for sentence in reversed(sentences)}.values())
    folders: dict[tuple[str, str | None], tuple[str, bool]] = {}
    ordered = of_pairs if images is None else images.in_reading_order(of_pairs)
    for sentence in tqdm(ordered, unit="pair", desc="images", leave=False, disable=None):
        found = None if images is None else images.find(sentence)
        folders[_pair_of(sentence)] = _write_pair(root / f"{len(folders):06d}", found)
    return folders


def _write_pair(folder: Path, images: Images | None) -> tuple[str, bool]:
    """Writes t1 and t2, and returns the name of the folder and whether the images were found."""
    folder.mkdir()
    for name, image in zip(("t1.jpg", "t2.jpg"), images or ()):
        draw_thumbnail(image).save(folder / name, quality=JPEG_QUALITY)
    return folder.name, images is not None


def _write_sentence(
    root: Path, number: int, sentence: ScoredSentence, folder: str, has_images: bool
) -> dict[str, Any]:
    """Writes the masks that are not empty, and returns the entry of the sentence in `report.js`."""
    masks = {}
    colored = (("truth", sentence.truth_mask(), TRUTH), ("prediction", sentence.prediction_mask(), PREDICTION))
    for name, mask, color in colored:
        masks[name] = "none" if mask is None else "empty"
        if mask is not None and mask.any():
            masks[name] = f"{folder}/{number:06d}_{name}.png"
            draw_mask(mask, to_hex(color)).save(root / masks[name])
    height, width = sentence.size or (1, 1)
    return {
        "id": sentence.sample_id,
        "text": sentence.expression,
        "domain": sentence.domain or "",
        "change": sentence.change_type,
        "iou": round(sentence.iou, 2),
        "score": sentence.score,
        "noTarget": sentence.no_target_score,
        "problem": sentence.problem or "",
        "target": sentence.has_target,
        "folder": folder,
        "images": has_images,
        **masks,
        "width": width,
        "height": height,
    }


__all__ = ["write_report"]
