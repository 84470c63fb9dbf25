# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Requests and responses of the API, as shown on its OpenAPI page."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _no_truth(value: Any) -> Any:
    """Rejects true and false, which would be read as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("a boolean is not a probability")
    return value


Probability = Annotated[float, BeforeValidator(_no_truth), Field(ge=0, le=1, allow_inf_nan=False)]
Point = tuple[int, int]
SENTENCES_EXAMPLE = ["which buildings are new?", "the house that no longer exists"]


class SegmentRequest(BaseModel):
    """Two images of one place and sentences about what changed. As `multipart/form-data`, the images are files."""

    model_config = ConfigDict(extra="forbid")

    image_t1: str = Field(
        description="The earlier image: the file in base64, plain or as a data URL; an http(s) URL where the server "
        "allows them.",
        examples=["iVBORw0KGgoAAAANSUhEUgAA..."],
    )
    image_t2: str = Field(description="The later image, likewise.", examples=["iVBORw0KGgoAAAANSUhEUgAA..."])
    sentences: list[str] | None = Field(
        None,
        min_length=1,
        description="Each describes one change. Without sentences, every change is segmented.",
        examples=[SENTENCES_EXAMPLE],
    )
    domain: Literal["remote_sensing", "normal_scene"] | None = Field(None, description="What the images show.")
    align: Literal["error", "resize"] = Field(
        "error", description="If the sizes of t1 and t2 differ: return an error, or resize t2 to the size of t1."
    )
    threshold: Probability | None = Field(
        None, description="Probability above which a pixel is masked; by default the model's own."
    )
    no_target_threshold: Probability | None = Field(
        None, description="No-target score above which a mask is emptied; by default the model's own."
    )


class Rle(BaseModel):
    """A mask as compressed COCO RLE."""

    size: tuple[int, int] = Field(description="Height and width in pixels.")
    counts: str = Field(description="The runs, column by column, as pycocotools writes them.")


class Mask(BaseModel):
    """The answer to one sentence."""

    sentence: str | None = Field(description="The sentence; null for every change.")
    change_type: Literal["appear", "disappear", "state_change", "unknown"] = Field(
        description="The type of change that the words of the sentence describe."
    )
    found: bool = Field(description="Whether the mask is not empty.")
    score: float = Field(description="Mean probability inside the mask, 0 if it is empty.")
    no_target_score: float = Field(description="Probability that nothing in the images fits the sentence.")
    is_closest: bool = Field(
        description="Whether nothing fits the sentence clearly, and the mask contains the changes that fit it best."
    )
    area_pixels: int = Field(description="Pixels of the mask.")
    area_fraction: float = Field(description="Share of the image, 0 to 1.")
    rle: Rle = Field(description="The mask.")
    polygons: list[list[list[Point]]] | None = Field(
        description="Polygons along the edges of the pixels, each an outer ring and then the rings of its holes; "
        "points are x, y in pixels from the upper left corner. Null if the outline has too many corners."
    )


class Timings(BaseModel):
    """Where the time went, in seconds."""

    upload: float = Field(description="To receive, or download, and check the request.")
    waiting: float = Field(description="In the queue.")
    encoding: float | None = Field(description="To read and encode the pair; null if it was in the cache.")
    answering: float = Field(description="For the sentences of all requests that were answered together.")
    drawing: float = Field(description="For masks and polygons.")
    total: float = Field(description="From the start of the request to the answer.")


class SegmentResponse(BaseModel):
    """Masks of one pair, in the order of the sentences."""

    request_id: str = Field(description="Id of the request in the server's log.")
    model: str = Field(description="Folder or Hub id of the model.")
    width: int = Field(description="Width of the masks, in pixels.")
    height: int = Field(description="Height of the masks, in pixels.")
    threshold: float = Field(description="The threshold that was used.")
    no_target_threshold: float = Field(description="The no-target threshold that was used.")
    masks: list[Mask] = Field(description="One mask per sentence.")
    notes: list[str] = Field(description="Notes about the images, such as bands left out and shrinking.")
    timings: Timings = Field(description="Where the time went.")
    batched_requests: int = Field(description="How many requests for this pair were answered together.")


class Limits(BaseModel):
    """The most that a request may have."""

    body_megabytes: float = Field(description="Size of a request, in MB.")
    image_pixels: int = Field(description="Pixels of an image.")
    image_side: int = Field(description="Longer side of an image, in pixels.")
    sentences: int = Field(description="Sentences of a request.")
    sentence_characters: int = Field(description="Characters of a sentence.")
    seconds: float = Field(description="Time limit of a request, in seconds.")
    urls: bool = Field(description="Whether images may be given as URLs.")


class ModelEntry(BaseModel):
    """A model that is served."""

    id: str = Field(description="Folder or Hub id.")
    device: str = Field(description="Where it runs, such as cpu or cuda:0.")
    dtype: str = Field(description="Number format of the weights.")
    parameters: int = Field(description="Number of weights.")
    image_size: int = Field(description="Side of the canvas, in pixels, to which images are resized.")
    threshold: float = Field(description="Default for requests that do not set it.")
    no_target_threshold: float = Field(description="Default for requests that do not set it.")
    domains: list[str] = Field(description="Allowed values of `domain`.")


class ModelsResponse(BaseModel):
    """The model that is served, and what requests may have."""

    models: list[ModelEntry] = Field(description="One entry: a server has one model.")
    limits: Limits = Field(description="Larger requests are rejected.")


class Health(BaseModel):
    """Whether requests are answered."""

    status: Literal["ok", "stopping"] = Field(description="Whether new requests are accepted.")
    waiting: int = Field(description="Requests waiting for the model.")


class ErrorDetail(BaseModel):
    """What went wrong."""

    status: int = Field(description="The HTTP status again.")
    code: str = Field(description="Kind of the error, for programs.", examples=["invalid_input"])
    message: str = Field(
        description="One line that says how to fix the request.", examples=["Sentence 2 is empty: leave it out."]
    )
    request_id: str = Field(description="Id of the request in the server's log.")


class ErrorResponse(BaseModel):
    """The answer to a request that failed."""

    error: ErrorDetail = Field(description="What went wrong and how to fix it.")
