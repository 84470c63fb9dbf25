# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Errors about models that are not on the Hub: one request, and a message that names the fix."""

from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import (
    GatedRepoError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import httpx

from mtrefseg.errors import UserError
from mtrefseg.hub import check_hub_model, is_hub_id


RESPONSE = httpx.Response(404, request=httpx.Request("HEAD", "https://huggingface.co"))


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (GatedRepoError("gated", response=RESPONSE), "ask for access"),
        (RepositoryNotFoundError("none", response=RESPONSE), "check the name"),
        (RevisionNotFoundError("none", response=RESPONSE), "no revision"),
        (RemoteEntryNotFoundError("none", response=RESPONSE), "no config.json"),
        (OfflineModeIsEnabled("offline"), "name a model folder"),
        (httpx.ConnectTimeout("slow"), "name a model folder"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_message_names_the_fix(error: Exception, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = []

    def fail(*_: Any, **__: Any) -> None:
        requests.append(1)
        raise error

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", fail)
    with pytest.raises(UserError, match=advice):
        check_hub_model("somebody/model")
    assert len(requests) == 1


def test_a_model_in_the_cache_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: "config.json")
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda *_, **__: pytest.fail("the Hub is asked"))
    check_hub_model("somebody/model")


def test_hub_ids_have_an_owner() -> None:
    assert is_hub_id("kkk2026/mtrefseg-r1")
    assert not any(is_hub_id(name) for name in ("nowhere", "a/b/c", "./model", "/model", "..//x"))
