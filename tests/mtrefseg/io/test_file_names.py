# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Which files count as images, and which of their names are similar."""

import unicodedata

from mtrefseg.io import IMAGE_SUFFIXES, PLAIN_SUFFIXES, RASTER_SUFFIXES, fold


def test_images_are_plain_files_and_rasters() -> None:
    assert len(set(PLAIN_SUFFIXES)) == len(PLAIN_SUFFIXES)
    assert {*PLAIN_SUFFIXES, *RASTER_SUFFIXES} == IMAGE_SUFFIXES
    assert {".tif", ".tiff", ".jp2"} == RASTER_SUFFIXES.intersection(PLAIN_SUFFIXES)


def test_similar_names() -> None:
    assert fold("Straße.PNG") == fold("STRASSE.png")
    assert fold(unicodedata.normalize("NFD", "é.png")) == fold("É.PNG")
    assert fold("a.png") != fold("b.png")
