# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Label Studio: one task per pair, brushes or polygons on the image that shows the thing, and a text field per region.

`labels.xml` is the labelling interface for the settings of the project.
"""

import json
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from .annotations import LABELS, AnnotatedPair, AnnotationFile, Region
from .brush import decode_brush, encode_brush
from .polygons import fill_polygon, to_polygon


FILE_NAME = "tasks.json"
CONFIG_NAME = "labels.xml"
LOCAL_FILES = "/data/local-files/?d="
"""Where Label Studio serves the files below its `LOCAL_FILES_DOCUMENT_ROOT`."""

_KINDS = {"brushlabels": "brush", "polygonlabels": "polygon"}


def write(pairs: Iterable[AnnotatedPair], as_polygons: bool) -> dict[str, str]:
    """The tasks and the labelling interface by name; see `formats.Format`."""
    tasks = []
    for pair in pairs:
        results = [result for region in pair.regions for result in _results(region, pair.size, as_polygons)]
        urls = [LOCAL_FILES + quote(name) for name in (pair.file_t1, pair.file_t2)]
        data: dict[str, Any] = {"pair_id": pair.pair_id, "image_t1": urls[0], "image_t2": urls[1]}
        data |= {"width": pair.size[0], "height": pair.size[1]}
        tasks.append({"data": data, "annotations": [{"result": results}]})
    return {FILE_NAME: json.dumps(tasks, ensure_ascii=False) + "\n", CONFIG_NAME: _config()}


def read(path: Path) -> Iterator[AnnotatedPair]:
    """The pairs of a file; see `formats.Format`."""
    file = AnnotationFile(path)
    tasks = file.json()
    if not isinstance(tasks, list):
        raise file.error("the file", "it is not a list of tasks: export it as JSON, not as JSON-MIN")
    for number, task in enumerate(tasks, 1):
        entry = f"task {task.get('id', number) if isinstance(task, dict) else number}"
        data = file.value(entry, task, "data", dict)
        names = [unquote(file.value(entry, data, f"image_{time}", str)).split("?d=")[-1] for time in ("t1", "t2")]
        pair_id = data.get("pair_id")
        if not isinstance(pair_id, str) or not pair_id:
            pair_id = file.pair_id(entry, names[1])
        annotations = [
            each
            for each in file.value(entry, task, "annotations", list)
            if not (isinstance(each, dict) and each.get("was_cancelled"))
        ]
        if not annotations and task.get("drafts"):
            raise file.error(entry, "it has an unsubmitted draft: submit it, or delete it")
        if len(annotations) > 1:
            raise file.error(entry, f"it has {len(annotations)} annotations: keep the one that is right")
        results = file.value(entry, annotations[0], "result", list) if annotations else []
        regions = list(_regions(file, entry, results))
        size = _size(file, entry, data, results)
        for region in regions:
            if region.rle["size"] != [size[1], size[0]]:
                raise file.error(region.entry, f"the size of its image is not {size[0]} x {size[1]}: export it again")
        yield AnnotatedPair(pair_id, names[0], names[1], size, tuple(regions), entry)


def _size(file: AnnotationFile, entry: str, data: dict[str, Any], results: list[Any]) -> tuple[int, int]:
    """Width and height, which a task tells that was exported from here, and otherwise its regions."""
    if "width" in data:
        return file.size(entry, data["width"], data.get("height"))
    for result in results:
        if isinstance(result, dict) and "original_width" in result:
            return file.size(entry, result["original_width"], result.get("original_height"))
    raise file.error(entry, '"data" holds no width and height: add them')


def _results(region: Region, size: tuple[int, int], as_polygons: bool) -> list[dict[str, Any]]:
    time = "t1" if region.is_seen_at_t1 else "t2"
    kind = "polygonlabels" if as_polygons else "brushlabels"
    value: dict[str, Any] = {kind: [region.change_type.value]}
    if as_polygons:
        corners = to_polygon(region.mask, region.sample_id)
        value |= {"points": [[100 * x / size[0], 100 * y / size[1]] for x, y in corners], "closed": True}
    else:
        value |= {"format": "rle", "rle": encode_brush(region.mask)}
    common = {
        "id": region.sample_id,
        "to_name": time,
        "original_width": size[0],
        "original_height": size[1],
        "image_rotation": 0,
    }
    return [
        {**common, "from_name": f"{_KINDS[kind]}_{time}", "type": kind, "value": value},
        {**common, "from_name": f"sentence_{time}", "type": "textarea", "value": {"text": list(region.expressions)}},
    ]


def _regions(file: AnnotationFile, task: str, results: list[Any]) -> Iterator[Region]:
    shapes: dict[str, dict[str, Any]] = {}
    texts: dict[str, list[Any]] = {}
    for number, result in enumerate(results, 1):
        entry = f"{task}, result {number}"
        kind = file.value(entry, result, "type", str)
        if kind != "textarea" and kind not in _KINDS:
            problem = f"it is of the type {kind}, which is not supported: delete it, or draw the region with the "
            raise file.error(entry, f"{problem}brush or as a polygon")
        name = file.value(entry, result, "id", str)
        value = file.value(entry, result, "value", dict)
        if kind == "textarea":
            text = value.get("text")
            texts.setdefault(name, []).extend(text if isinstance(text, list) else [text])
            continue
        if name in shapes:
            raise file.error(entry, f"another shape has the id {name}: draw one of them again")
        turn = result.get("image_rotation")
        if turn not in (None, 0):
            raise file.error(entry, f"it was drawn on an image turned by {turn!r}: turn it back")
        shapes[name] = result
    alone = next((name for name in texts if name not in shapes), None)
    if alone is not None:
        raise file.error(f"{task}, region {alone}", "it has a sentence but no shape: draw one, or delete the sentence")
    for name, result in shapes.items():
        entry = f"{task}, region {name}"
        size = file.size(entry, result.get("original_width"), result.get("original_height"))
        value, kind = result["value"], result["type"]
        labels = file.value(entry, value, kind, list)
        if kind == "brushlabels":
            code = file.value(entry, value, "rle", list)
            mask = file.damaged(entry, partial(decode_brush, code, size))
        else:
            corners = [file.numbers(entry, point) for point in file.value(entry, value, "points", list)]
            if len(corners) < 3 or any(len(corner) != 2 for corner in corners):
                raise file.error(entry, "a polygon needs three corners of x and y: draw the region again")
            mask = fill_polygon([(x * size[0] / 100, y * size[1] / 100) for x, y in corners], size)
        label = labels[0] if len(labels) == 1 else labels
        yield file.region(entry, name, texts.get(name, ()), label, mask)


def _config() -> str:
    lines = ["<View>"]
    for time, title in (("t1", "t1, the earlier image"), ("t2", "t2, the later image")):
        lines += [f'  <Header value="{title}"/>', f'  <Image name="{time}" value="$image_{time}" zoomControl="true"/>']
        for tag, kind in (("BrushLabels", "brush"), ("PolygonLabels", "polygon")):
            lines.append(f'  <{tag} name="{kind}_{time}" toName="{time}">')
            lines += [f'    <Label value="{label}"/>' for label in LABELS]
            lines.append(f"  </{tag}>")
        lines.append(
            f'  <TextArea name="sentence_{time}" toName="{time}" perRegion="true" required="true" editable="true" '
            'placeholder="the change, such as: the red car that left"/>'
        )
    return "\n".join([*lines, "</View>", ""])
