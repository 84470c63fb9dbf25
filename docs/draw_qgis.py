# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Draws `docs/images/scene_in_qgis.webp`: what QGIS shows when it opens t2 and `objects.gpkg`. Needs the Python of QGIS
(Debian: `apt-get install python3-qgis`):

    mtrefseg predict spaces_demo/examples/scene_t1.tif spaces_demo/examples/scene_t2.tif "the houses that appeared" \
        "the houses that disappeared" --domain remote_sensing --min-area 5 --out outputs/scene
    QT_QPA_PLATFORM=offscreen /usr/bin/python3 docs/draw_qgis.py outputs/scene
"""

import sys
from pathlib import Path

from qgis.core import QgsApplication, QgsMapRendererSequentialJob, QgsMapSettings, QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtCore import QSize


ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "images" / "scene_in_qgis.webp"
WIDTH, HEIGHT = 1000, 500
QUALITY = 70


def main(folder: Path) -> None:
    """Draws the upper half of the scene; the style is the one that QGIS finds by itself."""
    application = QgsApplication([], False)
    application.initQgis()
    later = QgsRasterLayer(str(ROOT / "spaces_demo" / "examples" / "scene_t2.tif"), "t2")
    objects = QgsVectorLayer(f"{folder}/objects.gpkg|layername=objects", "objects", "ogr")
    if not (later.isValid() and objects.isValid()):
        raise SystemExit(f"QGIS cannot open the scene or {folder}/objects.gpkg")
    extent = later.extent()
    extent.setYMinimum(extent.yMaximum() - extent.width() * HEIGHT / WIDTH)
    settings = QgsMapSettings()
    settings.setLayers([objects, later])
    settings.setDestinationCrs(later.crs())
    settings.setExtent(extent)
    settings.setOutputSize(QSize(WIDTH, HEIGHT))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(str(TARGET), quality=QUALITY)
    application.exitQgis()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
