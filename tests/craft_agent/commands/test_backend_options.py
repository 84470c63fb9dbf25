# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The options that name the models."""

import argparse

import pytest

from craft_agent.backends.chat_perceiver import ChatPerceiver
from craft_agent.backends.model_names import DIFFERENCE, offline_model, offline_name
from craft_agent.backends.offline.perceiver import OfflinePerceiver
from craft_agent.backends.offline.segmenter import OfflineSegmenter
from craft_agent.commands.backend_options import (
    add_backend_arguments,
    backend_names,
    backend_settings,
    make_perceiver,
    make_segmenter,
)
from craft_agent.errors import CraftError, PermanentError


CHAT = ("--perceiver", "chat", "--perceiver-model", "org/model", "--endpoint", "http://127.0.0.1:8000/v1")


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_backend_arguments(parser)
    parser.add_argument("--domain")  # One of the data's
    return parser.parse_args(words)


def test_offline_is_the_default_with_a_model_if_there_is_one(monkeypatch):
    arguments = parse()
    assert (arguments.perceiver, arguments.segmenter) == ("offline", "offline")
    assert backend_settings(arguments) == {}
    monkeypatch.setattr("craft_agent.commands.backend_options.offline_model", lambda: None)
    assert make_perceiver(arguments).name == make_segmenter(arguments).name == DIFFERENCE
    monkeypatch.setattr("craft_agent.commands.backend_options.offline_model", lambda: "org/ours")
    assert backend_names(arguments) == (offline_name("org/ours"), offline_name("org/ours"))
    # The segmenter follows the perceiver.
    assert backend_names(parse("--perceiver-model", "org/mine")) == (offline_name("org/mine"),) * 2
    assert backend_names(parse("--perceiver", "difference")) == (DIFFERENCE, DIFFERENCE)
    assert backend_names(parse("--segmenter", "difference")) == (offline_name("org/ours"), DIFFERENCE)


def test_the_default_model_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.setattr("craft_agent.backends.model_names.shipped_model", lambda: str(tmp_path))
    assert offline_model() is None
    (tmp_path / "model.safetensors").touch()
    assert offline_model() == str(tmp_path)
    monkeypatch.setattr("craft_agent.backends.model_names.shipped_model", lambda: "org/never-downloaded")
    assert offline_model() is None


def test_names_are_known_without_loading_anything(tmp_path):
    assert backend_names(parse("--perceiver", "difference")) == (OfflinePerceiver().name, OfflineSegmenter().name)
    chat = parse(*CHAT, "--segmenter", "difference")
    assert backend_names(chat) == (make_perceiver(chat).name, DIFFERENCE)
    for words, name in (
        (("sam3",), "sam3:facebook/sam3"),
        (("clipseg", "--segmenter-model", "org/model"), "clipseg:org/model"),
        (("mtrefseg-changes", "--segmenter-model", str(tmp_path)), f"mtrefseg-changes:{tmp_path.name}"),
        (("grounded-sam2", "--detector-model", "a/b", "--segmenter-model", "c/d"), "grounded-sam2:a/b+c/d"),
    ):
        assert backend_names(parse("--segmenter", *words))[1] == name


def test_chat(monkeypatch):
    monkeypatch.setenv("MY_KEY", " secret ")
    arguments = parse(*CHAT, "--api-key-env", "MY_KEY", "--temperature", "0.5")
    perceiver = make_perceiver(arguments)
    assert isinstance(perceiver, ChatPerceiver)
    assert perceiver.name == "chat:org/model"
    assert backend_settings(arguments) == {"temperature": "0.5", "max_tokens": "4096"}
    assert "secret" not in str(arguments) + str(backend_settings(arguments))


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--perceiver", "chat"), "--perceiver-model"),
        (("--perceiver", "transformers"), "--perceiver-model"),
        ((*CHAT[:4], "--endpoint", "localhost:8000"), "--endpoint"),
        ((*CHAT[:4], "--endpoint", "ftp://host/v1"), "--endpoint"),
        ((*CHAT[:4], "--endpoint", "http://user:hush-hush@host/v1"), "--api-key-env"),
        ((*CHAT, "--api-key-env", "NO_SUCH_VARIABLE"), "NO_SUCH_VARIABLE"),
        ((*CHAT, "--timeout", "0"), "--timeout is 0.0"),
        ((*CHAT, "--timeout", "nan"), "--timeout"),
        ((*CHAT, "--timeout", "inf"), "--timeout"),
        ((*CHAT, "--tries", "0"), "--tries"),
        ((*CHAT, "--concurrency", "-1"), "--concurrency"),
        ((*CHAT, "--max-tokens", "0"), "--max-tokens"),
        ((*CHAT, "--temperature", "-1"), "--temperature"),
        (("--segmenter", "clipseg", "--segmenter-threshold", "1"), "--segmenter-threshold"),
        (("--detector-model", "org/model"), "--detector-model"),
        (("--perceiver", "difference", "--perceiver-model", "org/model"), "--perceiver-model"),
        (("--segmenter", "difference", "--segmenter-model", "org/model"), "--segmenter-model"),
        (("--segmenter-threshold", "0.4"), "--segmenter-threshold has no effect"),
        (("--endpoint", "http://127.0.0.1:8000/v1"), "--endpoint"),
        (("--api-key-env", "MY_KEY"), "--api-key-env has no effect"),
        ((*CHAT, "--provider", "together"), "--provider"),
    ],
)
def test_options_that_do_not_fit(words: tuple[str, ...], problem: str, capsys):
    with pytest.raises(CraftError, match=problem) as caught:
        make_perceiver(parse(*words))
    assert "hush-hush" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_key_that_no_header_can_carry(monkeypatch):
    monkeypatch.setenv("MY_KEY", "schlüssel")
    with pytest.raises(CraftError, match="MY_KEY") as caught:
        make_perceiver(parse(*CHAT, "--api-key-env", "MY_KEY"))
    assert "schlüssel" not in str(caught.value)


@pytest.mark.parametrize("kind", ["sam3", "grounded-sam2", "clipseg", "mtrefseg", "mtrefseg-changes"])
def test_segmenter_that_is_not_there(kind: str, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    arguments = parse("--segmenter", kind, "--segmenter-model", str(tmp_path / "x"), "--detector-model", str(tmp_path))
    if kind != "grounded-sam2":
        arguments.detector_model = None
    with pytest.raises(PermanentError, match="cannot load"):
        make_segmenter(arguments)
