# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The texts of the questions, `*.txt` in this folder. Lines that begin with "#" are not sent: the first one holds the
version, the others give the reason for the rule above them.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from mtrefseg.io import read_regular

from ..errors import CraftError


FOLDER = Path(__file__).parent
NAMES = ("perceive_whole", "perceive_cell", "review", "refine", "ground", "repair")
_VERSION = "# version "


class Prompts:
    """
    The prompts of a folder.

    Args:
        folder (`Path`, *optional*): Holds a file NAME.txt for each of `NAMES`. By default the prompts of this package.

    Attributes:
        versions (`dict[str, str]`): Version and hash of each prompt, by name.

    Raises:
        CraftError: If a file is missing, has no version line, or contains a stray "$".
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._templates: dict[str, Template] = {}
        self.versions: dict[str, str] = {}
        for name in NAMES:
            path = folder / f"{name}.txt"
            try:
                lines = read_regular(path).decode("utf-8").splitlines()
            except OSError as error:
                raise CraftError(f"{path} cannot be read: {error.strerror}; add this prompt") from error
            except UnicodeDecodeError as error:
                raise CraftError(f"{path} is not UTF-8 at byte {error.start}; save it as UTF-8") from error
            if not lines or not lines[0].startswith(_VERSION):
                raise CraftError(f'{path} must begin with a line "{_VERSION}N"; add it')
            text = "\n".join(line for line in lines if not line.startswith("#")).strip()
            template = Template(text)
            if not template.is_valid():
                raise CraftError(f"{path} contains a $ without a name; write $$ for a dollar sign")
            self._templates[name] = template
            # The hash distinguishes texts that were changed without a new version.
            digest = hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]
            self.versions[name] = f"{lines[0].removeprefix(_VERSION).strip()}-{digest}"

    def fill(self, name: str, *, schema: Mapping[str, Any], **facts: Any) -> str:
        """
        Fills in a prompt.

        Args:
            name (`str`): One of `NAMES`.
            schema (`Mapping`): JSON schema of the answer.
            **facts: Values of the other placeholders in the prompt.

        Returns:
            `str`: The text to send.

        Raises:
            CraftError: If the prompt has a placeholder without a value.
        """
        try:
            return self._templates[name].substitute(schema=json.dumps(schema), **facts)
        except KeyError as error:
            raise CraftError(f"prompt {name} has ${error.args[0]}, which has no value; remove it") from error
