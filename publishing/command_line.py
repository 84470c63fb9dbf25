# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Builds what goes to the Hub, loads a copy of each folder alone, and pushes it on request:

```bash
python -m publishing --out outputs/hub                                        # a dry run: nothing leaves this computer
HF_TOKEN=... python -m publishing --out outputs/hub --push --namespace NAME    # create and fill the repositories
python -m publishing --out outputs/hub --only mtrs_iou --only mtrefseg-demo     # some of them
```

Exit codes: 0 done; 1 a folder cannot be loaded alone, and nothing was pushed; 2 bad input.
"""

import argparse
import os
import re
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from .hub_folders import DEMO, HUB_FOLDERS, MODEL, HubFolder, build_model
from .loading import PublishError, load_alone


NAMES = [folder.name for folder in HUB_FOLDERS]
ANY_NAMESPACE = "NAMESPACE"
NAMESPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Runs the command.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.

    Returns:
        `int`: The exit code.
    """
    parser = _build_parser()
    options = parser.parse_args(arguments)
    if options.push and (options.namespace == ANY_NAMESPACE or not NAMESPACE.fullmatch(options.namespace)):
        parser.error("--push needs --namespace, the name of a user or an organisation on the Hub")
    if options.push and not os.environ.get("HF_TOKEN"):
        parser.error("--push needs a token with the right to write in the environment variable HF_TOKEN")
    if options.pairs < 1:
        parser.error(f"--pairs {options.pairs} must be 1 or more")
    claim(options.out, parser)
    wanted = [folder for folder in HUB_FOLDERS if not options.only or folder.name in options.only]
    try:
        for folder in wanted:
            build_and_check(folder, options.out, options.namespace, options.pairs)
        if options.push:
            push(wanted, options.out, options.namespace, HfApi(token=os.environ["HF_TOKEN"]))
        else:
            print("Nothing was pushed: add --push and --namespace for that.")
    except (PublishError, HfHubHTTPError, OSError) as error:
        print(f"publishing: error: {error}", file=sys.stderr)
        return 1
    return 0


def claim(out: Path, parser: argparse.ArgumentParser) -> None:
    """Makes the output folder. Refuses a folder with other content, because its content would be replaced."""
    marker = out / ".publishing"
    if out.exists() and not marker.is_file() and (not out.is_dir() or any(out.iterdir())):
        parser.error(f"--out {out} holds something else: name a new folder")
    out.mkdir(parents=True, exist_ok=True)
    marker.touch()


def build_and_check(folder: HubFolder, out: Path, namespace: str, pairs: int) -> None:
    """
    Rebuilds one folder, lists its files, and loads a copy of it in a clean process.

    Args:
        folder ([`HubFolder`]): Which one.
        out (`Path`): Where the folders are built.
        namespace (`str`): Of the Hub.
        pairs (`int`): How many pairs a dataset gets.

    Raises:
        [`PublishError`]: If it cannot be loaded.
    """
    path = out / folder.name
    if path.is_dir():
        shutil.rmtree(path)
    folder.build(path, namespace, pairs)
    files = sorted(each for each in path.rglob("*") if each.is_file())
    size = sum(each.stat().st_size for each in files) / 1e6
    print(f"{folder.repo_type:8} {namespace}/{folder.name}: {len(files)} files, {size:.1f} MB, in {path}")
    for each in files:
        print(f"    {each.relative_to(path)}")
    start = time.monotonic()
    load_alone(folder, path, [_model_for(out, namespace, pairs)] if folder.name == DEMO else [])
    print(f"    loads from a copy alone, offline ({time.monotonic() - start:.0f} s)", flush=True)


def push(folders: Sequence[HubFolder], out: Path, namespace: str, api: HfApi) -> None:
    """
    Creates the repositories that are missing, and makes their contents those of the folders.

    Args:
        folders (`Sequence[HubFolder]`): What to push, the model before the demo.
        out (`Path`): Where the folders were built.
        namespace (`str`): Of the Hub.
        api (`HfApi`): With a token that may write there.
    """
    for folder in folders:
        repository = f"{namespace}/{folder.name}"
        space_sdk = "gradio" if folder.repo_type == "space" else None
        api.create_repo(repository, repo_type=folder.repo_type, space_sdk=space_sdk, exist_ok=True)
        if folder.name == DEMO:
            # Pins the demo to the commit of the pushed weights.
            revision = api.model_info(f"{namespace}/{MODEL}").sha
            for key, value in (("MTREFSEG_MODEL", f"{namespace}/{MODEL}"), ("MTREFSEG_REVISION", str(revision))):
                api.add_space_variable(repository, key, value)
        api.upload_folder(
            repo_id=repository,
            repo_type=folder.repo_type,
            folder_path=out / folder.name,
            commit_message="Publish with python -m publishing",
            delete_patterns="*",
        )
        print(f"pushed {folder.repo_type} {repository}", flush=True)


def _model_for(out: Path, namespace: str, pairs: int) -> Path:
    """The model folder to check the demo with; built if this run has not built it."""
    path = out / MODEL
    if not path.is_dir():
        build_model(path, namespace, pairs)
    return path


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m publishing", description="Put the project on the Hub.")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("outputs/hub"), help="where folders are built")
    parser.add_argument("--namespace", default=ANY_NAMESPACE, help="user or organisation on the Hub")
    parser.add_argument("--pairs", type=int, default=20, help="generated training pairs of each dataset (default: 20)")
    parser.add_argument("--only", choices=NAMES, action="append", help="this repository alone; may be repeated")
    parser.add_argument("--push", action="store_true", help="push, once every folder has been loaded")
    return parser
