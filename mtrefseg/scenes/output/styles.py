# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Styles that QGIS finds by their names when `objects.gpkg` and `masks.tif` are opened."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from mtrefseg.errors import UserError
from mtrefseg.looks import MASK_COLORS, Color, to_hex


_FILL = 90  # Opacity, of 255: the images stay visible.
_OUTLINE_MILLIMETRES = 0.5


def write_style(path: Path, values: Sequence[str], column: str = "sentence") -> None:
    """
    Writes a QGIS style (.qml) for objects: they are coloured by a column, by default as in the overview.

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
        _add_symbol(symbols, str(number), MASK_COLORS[number % len(MASK_COLORS)])
    _write(root, path)


def write_mask_style(path: Path) -> None:
    """
    Writes a QGIS style (.qml) for masks: the mask of the first band has the colour of the first sentence, and the rest
    is transparent. Without it, QGIS draws 0 and 1 as nearly the same black.

    Args:
        path (`Path`): The file.

    Raises:
        [`UserError`]: If the file cannot be written.
    """
    root = ElementTree.Element("qgis", version="3.22.0", styleCategories="Symbology")
    pipe = ElementTree.SubElement(root, "pipe")
    renderer = ElementTree.SubElement(
        pipe, "rasterrenderer", type="paletted", band="1", opacity="1", alphaBand="-1", nodataColor=""
    )
    palette = ElementTree.SubElement(renderer, "colorPalette")
    # Values that are not listed are transparent.
    ElementTree.SubElement(
        palette, "paletteEntry", value="1", label="inside", color=to_hex(MASK_COLORS[0]), alpha="255"
    )
    _write(root, path)


def _add_symbol(parent: ElementTree.Element, name: str, color: Color) -> None:
    """Adds a polygon with an outline, filled with the same colour."""
    symbol = ElementTree.SubElement(parent, "symbol", type="fill", name=name, alpha="1")
    layer = ElementTree.SubElement(symbol, "layer", attrib={"class": "SimpleFill"}, enabled="1", locked="0")
    red, green, blue = color
    options = ElementTree.SubElement(layer, "Option", type="Map")
    for key, value in (
        ("color", f"{red},{green},{blue},{_FILL}"),
        ("outline_color", f"{red},{green},{blue},255"),
        ("outline_style", "solid"),
        ("outline_width", str(_OUTLINE_MILLIMETRES)),
        ("outline_width_unit", "MM"),
        ("style", "solid"),
    ):
        ElementTree.SubElement(options, "Option", type="QString", name=key, value=value)
        ElementTree.SubElement(layer, "prop", k=key, v=value)  # For QGIS before 3.22.


def _write(root: ElementTree.Element, path: Path) -> None:
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    try:
        path.write_text(f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{text}\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error}") from error
