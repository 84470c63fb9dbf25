# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Draws `docs/images/scene_in_qgis.webp`: the window of QGIS with the example scene and its objects. QGIS runs this
script itself. It needs a display or Xvfb (Debian: `apt-get install qgis xvfb xauth`). From the root of the repository:

    xvfb-run -s "-screen 0 1280x800x24" qgis --nologo --noversioncheck --profiles-path outputs/qgis \
        --code docs/draw_qgis.py
"""

import os
from pathlib import Path

from qgis.core import QgsPalLayerSettings, QgsProject, QgsRectangle, QgsTextFormat, QgsVectorLayerSimpleLabeling
from qgis.PyQt.QtCore import QSettings, Qt, QTimer
from qgis.PyQt.QtWidgets import QDockWidget
from qgis.utils import iface


TARGET = Path("docs/images/scene_in_qgis.webp")
SCENE = Path("spaces_demo/examples/scene")
WIDTH, HEIGHT, QUALITY = 1280, 800, 75
SHOWN = QgsRectangle(338850, 2783890, 339170, 2784030)  # Metres.
TABLE_HEIGHT = 230
MILLISECONDS = 5000  # For QGIS to start, and to draw.


def open_layers() -> None:
    """Adds the layers in the order of the documentation, labels the areas, and opens the table below the map."""
    for name in ("scene_t1.tif", "scene_t2.tif"):
        iface.addRasterLayer(str(SCENE / name), name[-6:-4])
    masks = iface.addRasterLayer(str(SCENE / "masks.tif"), "masks")
    objects = iface.addVectorLayer(str(SCENE / "objects.gpkg"), "objects", "ogr")
    labels = QgsPalLayerSettings()
    labels.fieldName, labels.isExpression = "round(\"area_m2\") || ' m²'", True
    text = QgsTextFormat()
    text.setSize(9)
    text.buffer().setEnabled(True)
    labels.setFormat(text)
    objects.setLabeling(QgsVectorLayerSimpleLabeling(labels))
    objects.setLabelsEnabled(True)
    QSettings().setValue("qgis/dockAttributeTable", True)
    iface.showAttributeTable(objects)
    QgsProject.instance().layerTreeRoot().findLayer(masks.id()).setItemVisibilityChecked(False)
    iface.mainWindow().resize(WIDTH, HEIGHT)
    QTimer.singleShot(MILLISECONDS, arrange)


def arrange() -> None:
    """Leaves more space for the map than for the table."""
    window = iface.mainWindow()
    for dock in window.findChildren(QDockWidget):
        if dock.objectName().startswith("Browser"):
            dock.close()
        if window.dockWidgetArea(dock) == Qt.BottomDockWidgetArea and dock.isVisible():
            dock.setFixedHeight(TABLE_HEIGHT)
    QTimer.singleShot(MILLISECONDS, zoom)


def zoom() -> None:
    """Zooms in, once the map has its size."""
    iface.mapCanvas().setExtent(SHOWN)
    iface.mapCanvas().refresh()
    QTimer.singleShot(MILLISECONDS, take_picture)


def take_picture() -> None:
    """Saves the window."""
    iface.mainWindow().grab().save(str(TARGET), quality=QUALITY)
    os._exit(0)  # QGIS would ask whether to save the project.


QTimer.singleShot(MILLISECONDS, open_layers)
