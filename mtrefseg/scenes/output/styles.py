# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A style that QGIS finds by its name when `objects.gpkg` is opened: a colour for each sentence or step."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from mtrefseg.errors import UserError
from mtrefseg.looks import MASK_COLORS


_FILL = 90  # Opacity, of 255: the images stay visible.
_OUTLINE_MILLIMETRES = 0.5


def write_style(path: Path, values: Sequence[str], column: str = "sentence") -> None:
    """
    Writes a QGIS layer style (.qml): objects are coloured by a column, by default as in the overview.

    Args:
        path (`Path`): The file.
        values (`Sequence[str]`): The values of the column.
        column (`str`, *optional*, defaults to `"sentence"`): Name of the column.

    Raises:
        [`UserError`]: If the file cannot be written.
    """
    root = ElementTree.Element("qgis", version="3.22.0", styleCategories="Symbology")
    renderer = ElementTree.SubElement(root, "renderer-v2", type="categorizedSymbol", attr=column, symbollevels="0")
    categories = ElementTree.SubElement(renderer, "categories")
    symbols = ElementTree.SubElement(renderer, "symbols")
    for number, value in enumerate(dict.fromkeys(values)):
        ElementTree.SubElement(
            categories, "category", value=value, label=value, symbol=str(number), render="true", type="string"
        )
        symbol = ElementTree.SubElement(symbols, "symbol", type="fill", name=str(number), alpha="1")
        layer = ElementTree.SubElement(symbol, "layer", attrib={"class": "SimpleFill"}, enabled="1", locked="0")
        red, green, blue = MASK_COLORS[number % len(MASK_COLORS)]
        options = ElementTree.SubElement(layer, "Option", type="Map")
        for name, value in (
            ("color", f"{red},{green},{blue},{_FILL}"),
            ("outline_color", f"{red},{green},{blue},255"),
            ("outline_style", "solid"),
            ("outline_width", str(_OUTLINE_MILLIMETRES)),
            ("outline_width_unit", "MM"),
            ("style", "solid"),
        ):
            ElementTree.SubElement(options, "Option", type="QString", name=name, value=value)
            ElementTree.SubElement(layer, "prop", k=name, v=value)  # For QGIS before 3.22.
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    try:
        path.write_text(f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{text}\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error}") from error
