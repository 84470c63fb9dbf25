# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`mtrefseg.segment`: one call from two images to masks and polygons."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from modeling_mtrefseg.mask_steps_mtrefseg import check_thresholds
from mtrefseg.build.loading import find_device, load_model, load_processor
from mtrefseg.build.shipped import shipped_model

from .output import SceneResult
from .predicting import ScenePredictor
from .segmenting import SceneOptions, segment_pair, sentences_of


def segment(
    image_t1: Any,
    image_t2: Any,
    sentences: str | Iterable[str] | None = None,
    *,
    model: str | ScenePredictor | None = None,
    out: str | Path | None = None,
    threshold: float | None = None,
    no_target_threshold: float | None = None,
    domain: str | None = None,
    device: str | None = None,
    dtype: str = "auto",
    **options: Any,
) -> SceneResult:
    """
    Segments, in two images of a place, the changes that sentences describe. The images may be of any size; large ones
    are cut into windows. A georeference is read and kept.

    Args:
        image_t1, image_t2 (`str`, `Path` or a source for [`load_image`]):
            The earlier and the later image. GeoTIFF and other rasters are read in windows; t2 is warped onto the grid
            of t1 if its grid differs.
        sentences (`str` or `Iterable[str]`, *optional*):
            What to segment, one change each. Without sentences every change is segmented.
        model (`str` or [`ScenePredictor`], *optional*):
            Folder or Hub id of the model, the shipped one by default; or a model from [`load_predictor`] for
            several calls.
        out (`str` or `Path`, *optional*):
            Folder for the files; by default a temporary one that is deleted with the result.
        threshold, no_target_threshold, domain: See [`ScenePredictor`]. Not with a loaded model.
        device, dtype: See [`load_predictor`]. Not with a loaded model.
        **options: Fields of [`SceneOptions`].

    Returns:
        [`SceneResult`]: `.masks`, `.objects`, `.save("out.gpkg")`, `.show()`.

    Raises:
        [`UserError`]: If an image or a sentence is invalid, or a file cannot be written.
        TypeError: If a sentence is not a `str`.
        ValueError: If the list of sentences is empty, an option has an unknown value, or an argument for loading is
            given with a loaded model.

    Example:

    ```python
    >>> import mtrefseg

    >>> result = mtrefseg.segment("2019.tif", "2024.tif", ["the buildings that appeared"])
    >>> result.save("out.gpkg")
    ```
    """
    asked = sentences_of(sentences)  # Before a model is loaded, and only once: a generator is used up by it.
    scene_options = SceneOptions(**options)
    of_model: dict[str, Any] = {
        "threshold": threshold,
        "no_target_threshold": no_target_threshold,
        "domain": domain,
        "device": device,
        "dtype": dtype,
    }
    if not isinstance(model, ScenePredictor):
        model = load_predictor(model, **of_model)
    elif given := [name for name, value in of_model.items() if value not in (None, "auto")]:
        raise ValueError(f"Give {', '.join(given)} to `load_predictor`: the model is already loaded.")
    return segment_pair(image_t1, image_t2, asked, model, scene_options, None if out is None else Path(out))


def load_predictor(
    model: str | None = None,
    *,
    threshold: float | None = None,
    no_target_threshold: float | None = None,
    domain: str | None = None,
    device: str | None = None,
    dtype: str = "auto",
) -> ScenePredictor:
    """
    Loads a model for [`segment`].

    Args:
        model (`str`, *optional*): Folder or Hub id; the shipped model by default.
        threshold, no_target_threshold, domain: See [`ScenePredictor`].
        device (`str`, *optional*): `"cpu"`, `"cuda"` …; by default CUDA if there is one.
        dtype (`str`, *optional*, defaults to `"auto"`): Precision of the weights; `"auto"` is the one in the
            configuration of the model.

    Raises:
        [`UserError`]: If there is no such model or device.
        ValueError: If a threshold is not from 0 to 1, or the domain is unknown.
    """
    check_thresholds(threshold, no_target_threshold)
    name = model or shipped_model()
    processor = load_processor(name)
    loaded = load_model(name, processor, find_device(device), dtype=dtype)
    return ScenePredictor(loaded, processor, threshold, no_target_threshold, domain)
