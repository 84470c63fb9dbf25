# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`export.json`: the settings that belong to exported graphs. Needs neither PyTorch nor transformers."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mtrefseg.errors import UserError, one_line
from mtrefseg.io import read_json, sha256_of

from .names import SETTINGS, TOKENIZER


_FORMAT_VERSION = 3


@dataclass(frozen=True)
class ImageSettings:
    """
    How images are prepared; see [`MTRefSegImageProcessor`].

    Args:
        size (`int`): Side of the canvas in pixels.
        resample (`int`): PIL's filter.
        antialias (`bool`): Whether shrinking uses antialiasing.
        mean, std (`list[float]`, *optional*): For each channel, for values in 0..1; `None` for no normalisation.
        align (`str`): What to do with images of unequal sizes.
    """

    size: int
    resample: int
    antialias: bool
    mean: list[float] | None
    std: list[float] | None
    align: Any


@dataclass(frozen=True)
class TextSettings:
    """
    How sentences are prepared; see [`SentenceEncoder`], which has the same fields, and [`MTRefSegProcessor`].

    Args:
        choose_objects (`bool`): Whether colours, places and ranks select among objects.
    """

    template: Any
    placeholder_ids: dict[str, int]
    num_image_tokens: int
    special_tokens: list[str]
    pad_token_id: int
    eos_token_id: int
    max_length: int
    padding_side: str
    choose_objects: bool


@dataclass(frozen=True)
class ExportSettings:
    """
    Content of `export.json`.

    Args:
        format (`str`): "onnx", "openvino" or "torch-export".
        precision (`str`): "float32", or "int8" where the convolutions are quantised.
        threshold (`float`): Probability above which a pixel belongs to the mask.
        no_target_threshold (`float`, *optional*): No-target score above which a mask is emptied.
        fallback_threshold (`float`, *optional*): Probability above which changes are selected for a sentence with an
            empty mask.
        open_sizes (`bool`): Whether the graphs accept images of any multiples of 32 pixels, not only of one size.
        image ([`ImageSettings`]), text ([`TextSettings`]): How inputs are prepared.
        versions (`dict[str, str]`): Versions of the packages that exported it.
        files (`dict[str, str]`): SHA-256 of each file that belongs to the graphs; see [`hashes_in`].
    """

    format: str
    precision: str
    threshold: float
    no_target_threshold: float | None
    fallback_threshold: float | None
    open_sizes: bool
    image: ImageSettings
    text: TextSettings
    versions: dict[str, str]
    files: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Content of the file."""
        return {"version": _FORMAT_VERSION, **asdict(self)}

    @classmethod
    def read(cls, folder: Path) -> "ExportSettings":
        """
        Reads the settings of a folder.

        Args:
            folder (`Path`): An exported folder.

        Raises:
            UserError: If it is not an exported folder, or of another version.
        """
        if not is_exported(folder):
            raise UserError(f'"{folder}" holds no exported model: it has no {SETTINGS}; `mtrefseg export` makes one')
        try:
            content = read_json(folder / SETTINGS)
            version = content.pop("version")
            if version != _FORMAT_VERSION:
                raise ValueError(f"version {version} is not {_FORMAT_VERSION}, which this release reads")
            image, text = ImageSettings(**content.pop("image")), TextSettings(**content.pop("text"))
            return cls(image=image, text=text, **content)
        except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
            raise UserError(f"cannot read {folder / SETTINGS}: {one_line(error)}; export the model again") from error

    def check_files(self, folder: Path) -> None:
        """
        Compares the files of a folder with those that were exported: graphs compute nonsense with weights of another
        export.

        Args:
            folder (`Path`): The folder of these settings.

        Raises:
            UserError: If a file is missing, or is not the exported one.
        """
        found = hashes_in(folder)
        for name, expected in self.files.items():
            if found.get(name) != expected:
                problem = "belongs to another export or is damaged" if name in found else "is missing"
                raise UserError(f"{folder / name} {problem}; export the model again, into a new folder")


def hashes_in(folder: Path) -> dict[str, str]:
    """The SHA-256 of each graph, of its weights and of the tokenizer. Configuration files may be edited."""
    paths = (path for path in folder.iterdir() if path.is_file())
    return {path.name: sha256_of(path) for path in sorted(paths) if path.suffix != ".json" or path.name == TOKENIZER}


def is_exported(folder: str | Path) -> bool:
    """Whether a folder is the output of `mtrefseg export`."""
    return (Path(folder) / SETTINGS).is_file()
