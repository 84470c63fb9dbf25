# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Quickly checks that a model exists on the Hub. transformers would retry for half a minute."""

import re

from mtrefseg.errors import UserError, one_line


TIMEOUT_SECONDS = 10.0
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def is_hub_id(name: str) -> bool:
    """Whether a name has the form of a Hub id, `OWNER/NAME`."""
    return _HUB_ID.fullmatch(name) is not None


def check_hub_model(name: str, revision: str | None = None) -> None:
    """
    Asks the Hub once for a model. Does nothing if the model is in the cache.

    Args:
        name (`str`): A Hub id, `OWNER/NAME`.
        revision (`str`, *optional*): A branch, tag or commit; by default the main branch.

    Raises:
        UserError: If there is no such model or revision, it is private, it has no `config.json`, or the Hub cannot be
            reached.
    """
    from huggingface_hub import get_hf_file_metadata, get_token, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )
    from huggingface_hub.utils import httpx

    if isinstance(try_to_load_from_cache(name, "config.json", revision=revision), str):
        return
    url = hf_hub_url(name, "config.json", revision=revision)
    try:
        get_hf_file_metadata(url, token=get_token(), timeout=TIMEOUT_SECONDS)
    except GatedRepoError as error:
        raise UserError(
            f"{name} is gated: ask for access on https://huggingface.co/{name}, then run `hf auth login`"
        ) from error
    except RepositoryNotFoundError as error:
        raise UserError(
            f"there is no model {name} on the Hub: check the name, or run `hf auth login` if it is private"
        ) from error
    except RevisionNotFoundError as error:
        raise UserError(f"{name} on the Hub has no revision {revision!r}: name one of its branches or tags") from error
    except EntryNotFoundError as error:
        raise UserError(f"{name} on the Hub is not a model: it has no config.json") from error
    except (httpx.HTTPError, OSError) as error:
        raise UserError(
            f"{name} is not a local folder, and the Hub cannot be reached ({one_line(error)}): name a model folder, "
            "or check the connection"
        ) from error
