# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
A static page to scroll through pairs, sentences and masks; it opens from the disk, without a server.

The page is created from `browse_template.html`. Everything from the dataset is in `pairs.js`, which the page
shows as text, and in `images/`, whose files are named by numbers: none of it is ever interpreted as markup.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from dataset_scripts.errors import DataError
from dataset_scripts.parallel import map_ahead
from dataset_scripts.readers import Expression, Pair
from mtrefseg.io import JPEG_QUALITY, draw_mask, draw_thumbnail, fill_template, to_script
from mtrefseg.looks import MASK_COLORS, to_hex


TEMPLATE = Path(__file__).with_name("browse_template.html")
PAIRS_A_PAGE = 200
EVERY_CHANGE = "(every change)"
PALETTE = tuple(map(to_hex, MASK_COLORS))
_OUTLINE = 2  # Its colour in the images of `draw_mask`.
_DASHES = 48  # So many dashes fit into the longer side of an image.


def write_page(records: Iterable[Pair], out: str | Path, title: str) -> int:
    """
    Writes the page, one pair at a time.

    Args:
        records (`Iterable[Pair]`): The pairs.
        out (`str` or `Path`): A new or empty folder; `index.html`, `pairs.js` and `images/` are written into it.
        title (`str`): Name of the dataset.

    Returns:
        `int`: Number of pairs on the page.

    Raises:
        [`DataError`]: If there is no pair, or the folder is not empty or cannot be written.
    """
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise DataError(f"{out} is not empty; give a new folder to --out.")
        (out / "images").mkdir()
        head = {"title": title, "pageSize": PAIRS_A_PAGE, "palette": PALETTE}
        count = 0
        with (out / "pairs.js").open("w", encoding="ascii", newline="\n") as file:
            file.write(f"window.DATASET = {{...{to_script(head)}, pairs: [\n")
            for entry in map_ahead(partial(_draw_pair, out / "images"), enumerate(records)):
                file.write(to_script(entry) + ",\n")
                count += 1
            file.write("]};\n")
        if not count:
            (out / "pairs.js").unlink()
            (out / "images").rmdir()
            raise DataError("No pair is left to show; see `validate`, or leave out --split and --domain.")
        # The page is written last, so that an interrupted run leaves no page with missing images.
        (out / "index.html").write_text(fill_template(TEMPLATE), encoding="utf-8", newline="\n")
    except OSError as error:
        raise DataError(f"{error.filename or out} cannot be written: {error.strerror}; give another --out.") from error
    return count


def _draw_pair(images: Path, numbered: tuple[int, Pair]) -> dict[str, Any]:
    """Draws the images and masks of a pair, and returns its entry in `pairs.js`."""
    number, record = numbered
    folder = images / f"{number:06d}"
    folder.mkdir()
    width, height = record.image_t1.size
    for image, name in ((record.image_t1, "t1.jpg"), (record.image_t2, "t2.jpg")):
        draw_thumbnail(image.load()).save(folder / name, quality=JPEG_QUALITY)
    expressions = record.expressions
    if record.change_mask is not None:
        expressions = (Expression(EVERY_CHANGE, record.change_mask, "", 0),)
    sentences: list[dict[str, Any]] = []
    overlays: dict[int, Image.Image] = {}
    for index, expression in enumerate(expressions):
        mask = expression.mask.read_mask((width, height))[0]
        sentence: dict[str, Any] = {
            "text": expression.text,
            "change": expression.change_type,
            "noisy": expression.noisy,
            "area": float(mask.mean()),
        }
        if mask.any():
            overlays[index] = draw_mask(mask, PALETTE[index % len(PALETTE)])
            overlays[index].save(folder / f"mask_{index}.png")
            sentence["top"] = _top_of(overlays[index])
        sentences.append(sentence)
    # Larger masks lie below smaller ones, so that each can be seen.
    order = sorted(overlays, key=lambda index: -sentences[index]["area"])
    for level, (index, gapped) in enumerate(zip(order, _with_gaps([overlays[each] for each in order]), strict=True)):
        sentences[index]["level"] = level
        sentences[index]["gaps"] = gapped is not None
        if gapped is not None:
            gapped.save(folder / f"mask_{index}_gaps.png")
    return {
        "number": folder.name,
        "id": record.pair_id,
        "part": record.folder,
        "split": record.split,
        "domain": record.domain or "",
        "view": record.view,
        "source": record.source,
        "width": width,
        "height": height,
        "sentences": sentences,
    }


def _top_of(overlay: Image.Image) -> tuple[float, float]:
    """The highest point of a mask, from the left and from the top, as shares of the image."""
    rows, columns = np.nonzero(np.asarray(overlay) == 1)
    at = int(np.lexsort((columns, rows))[0])
    return round((columns[at] + 0.5) / overlay.width, 4), round((rows[at] + 0.5) / overlay.height, 4)


def _with_gaps(overlays: Sequence[Image.Image]) -> list[Image.Image | None]:
    """Each mask with gaps where its outline lies on those of previous ones, `None` where there is no gap."""
    results: list[Image.Image | None] = []
    below: npt.NDArray[np.intp] | None = None
    for overlay in overlays:
        indices = np.asarray(overlay)
        below = np.zeros(indices.shape, dtype=np.intp) if below is None else below
        rows, columns = np.indices(indices.shape)
        dash = max(2, max(indices.shape) // _DASHES)
        outline = indices == _OUTLINE
        hidden = outline & ((rows + columns) // dash % (below + 1) != below)
        below = below + outline
        if not hidden.any():
            results.append(None)
            continue
        gapped = Image.fromarray(np.where(hidden, 0, indices).astype(np.uint8)).convert("P")
        gapped.putpalette(overlay.getpalette() or [])
        gapped.info["transparency"] = overlay.info["transparency"]
        results.append(gapped)
    return results
