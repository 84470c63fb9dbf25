# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Load test of the demo with several visitors at once, and the gain from caching encoded pairs:

    python -m benchmarks.serving.demo                               # 8 visitors for 2 minutes, mtrefseg-r1
    python -m benchmarks.serving.demo --visitors 2 --seconds 20 --model outputs/mine
    python -m benchmarks.serving.demo --visitors 20 --hostile 10    # every tenth pair has a damaged or huge upload

Each visitor is a `gradio_client` that goes through the four example pairs: the first question about a pair encodes it,
two more use the cache. Every visit uploads a new file, so that no pair is cached from an earlier one. A hostile upload
has to be refused, and is asked about once.

Appends to `results/demo.csv`, separately for first and further questions: requests, errors, and median and
95th percentile of the waiting time and of the server's own times for encoding and answering, in seconds. Also the
server's memory in MB after a quarter of the time and at the end, the number of files left after it has stopped, and
how many hostile uploads were refused.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import gradio_client
import numpy as np
from gradio_client.exceptions import AppError
from PIL import Image

from benchmarks.hostile import images, pixels
from benchmarks.tables import RESULTS, ROOT, append_rows, today

from .visitors import PATIENCE_SECONDS, QUESTIONS, await_all, connect, memory_of, new_pair, percentile


@dataclass
class Log:
    """
    The measurements: waiting time and server time in seconds, of first (`True`) and further questions; unexpected
    errors; and refused hostile uploads.
    """

    waits: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    served: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    errors: list[str] = field(default_factory=list)
    refused: int = 0


def visit(url: str, number: int, folder: Path, end: float, hostile: int, log: Log) -> None:
    """One visitor asks until the time is over. Of every so many pairs, one is hostile; 0: none."""
    client = connect(url)
    round_number = 0
    while time.monotonic() < end:
        pair = new_pair(number, round_number, folder)
        is_hostile = hostile > 0 and (number + round_number) % hostile == 0
        if is_hostile:
            pair[round_number % 2].write_bytes(hostile_file((number + round_number) // hostile))
        for index, question in enumerate(QUESTIONS[:1] if is_hostile else QUESTIONS):
            start = time.perf_counter()
            try:
                files = [gradio_client.handle_file(path) for path in pair]
                numbers = client.predict(*files, question, api_name="/segment")
            except AppError as error:
                if is_hostile:
                    log.refused += 1
                else:
                    log.errors.append(str(error))
                continue
            if is_hostile:
                log.errors.append(f"hostile upload {(number + round_number) // hostile} was answered")
                continue
            is_first = index == 0
            log.waits[is_first].append(time.perf_counter() - start)
            log.served[is_first].append((numbers["encoding_seconds"] or 0) + numbers["answering_seconds"])
        for path in pair:
            path.unlink()
        round_number += 1


def hostile_file(number: int) -> bytes:
    """An upload that has to be refused: no image, a damaged one, or one that claims to be huge."""
    whole = pixels.encode(Image.effect_noise((64, 64), 50), "PNG")
    values = np.zeros((16, 16, 3), dtype=np.uint16)
    files = (
        *images.STRANGERS[1:],
        whole[:-2000],
        whole[:60],
        pixels.png_of_size(60_000, 60_000),
        pixels.png_of_size(5000, 5000, bytes(1 << 20)),
        pixels.png_of_size(1 << 24, 1, bytes(3 << 24)),
        pixels.png_of_size(4096, 4096, bytes(1 << 20)),
        pixels.write_tiff(values, 2, declared=(1 << 20, 1 << 20)),
        pixels.write_tiff(values, 2, declared=(4000, 4000), is_planar=True),
    )
    return files[number % len(files)]


def count_files(folder: str) -> int:
    """How many files a folder holds, at any depth."""
    return sum(path.is_file() for path in Path(folder).rglob("*"))


def wait_for(url: str, process: subprocess.Popen) -> None:
    """Waits until the server answers; exits if it does not start."""
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.5)
    raise SystemExit("the demo did not start: see what it printed")


def measure(model: str, visitors: int, seconds: float, hostile: int) -> dict[str, object]:
    """Starts the demo, sends the visitors, stops it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as uploads, tempfile.TemporaryDirectory() as sources:
        environment = {
            **os.environ,
            "MTREFSEG_MODEL": model,
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_TEMP_DIR": uploads,
        }
        command = [sys.executable, "-m", "spaces_demo.app"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}/"
            wait_for(url, process)
            own_files = count_files(uploads)  # copies of the examples
            log, end = Log(), time.monotonic() + seconds
            with ThreadPoolExecutor(visitors) as pool:
                visits = [
                    pool.submit(visit, url, number, Path(sources), end, hostile, log) for number in range(visitors)
                ]
                time.sleep(seconds / 4)
                memory_quarter = memory_of(process)
                await_all(visits, log.errors)
            memory_end = memory_of(process)
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)
        files_left = count_files(uploads) - own_files
    for error in sorted(set(log.errors)):
        print(f"error: {error}")
    return {
        "model": Path(model).name,
        "visitors": visitors,
        "seconds": seconds,
        "requests": len(log.waits[True]) + len(log.waits[False]),
        "errors": len(log.errors),
        "wait_first_p50": percentile(log.waits[True], 50),
        "wait_first_p95": percentile(log.waits[True], 95),
        "wait_further_p50": percentile(log.waits[False], 50),
        "wait_further_p95": percentile(log.waits[False], 95),
        "server_first_p50": percentile(log.served[True], 50),
        "server_further_p50": percentile(log.served[False], 50),
        "memory_quarter": round(memory_quarter),
        "memory_end": round(memory_end),
        "files_left": files_left,
        "date": today(),
        "hostile": hostile,
        "refused": log.refused,
    }


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description="Measure the demo with several visitors.")
    parser.add_argument("--model", default=str(ROOT / "mtrefseg-r1"), help="folder or Hub id")
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--hostile", type=int, default=0, metavar="N", help="one pair of N has a hostile upload")
    options = parser.parse_args()
    row = measure(options.model, options.visitors, options.seconds, options.hostile)
    for name, value in row.items():
        print(f"{name:20} {value}")
    append_rows(RESULTS / "demo.csv", [row])


if __name__ == "__main__":
    main()
