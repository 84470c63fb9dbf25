# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Load test of `mtrefseg serve` with programs and visitors of the demo at once, and the gain from batching:

    python -m benchmarks.serving.serve                                    # 50 programs and 8 visitors for 60 seconds
    python -m benchmarks.serving.serve --clients 10 --visitors 2 --seconds 20 --model outputs/mine

Two servers run, one with batching and one without. They are loaded in turns, so that a machine that gets slower or
faster meanwhile is the same for both. Programs come in groups of five: a group asks different sentences about one new
pair at the same time. Visitors of the demo ask three questions about each pair.

Appends a row for each server to `results/serve.csv`: requests of programs, errors, their waiting time (median and 95th
percentile, in seconds), requests a second, CPU seconds of the server for one request (both kinds), requests that were
answered together (mean), requests and waiting time of visitors, and memory of the server at the end, in MB. CPU
seconds can be compared on a machine that is shared with others; waiting times cannot.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio_client
import httpx

from benchmarks.tables import RESULTS, ROOT, append_rows, today

from .visitors import (
    EXAMPLES,
    PATIENCE_SECONDS,
    QUESTIONS,
    SPACE,
    await_all,
    connect,
    memory_of,
    new_pair,
    percentile,
)


GROUP = 5
TURNS = 2  # of each server
SENTENCES = ("a house has been built", "the car that has left", "the tree that was planted", "every pool", "the road")


@dataclass
class Log:
    """What happened on one server: seconds waited by programs and by visitors, and errors."""

    waits: list[float] = field(default_factory=list)
    visitor_waits: list[float] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass
class Server:
    """A running server."""

    url: str
    process: subprocess.Popen
    log: Log

    def cpu_seconds(self) -> float:
        """CPU time so far, of the program and the system."""
        values = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def start_server(model: str, batching: bool, uploads: str) -> Iterator[subprocess.Popen]:
    """Starts a server on a free port, and stops it in the end."""
    words = ["serve", "--model", model, "--port", "0", "--timeout", str(PATIENCE_SECONDS), "--queue", "256"]
    command = [sys.executable, "-m", "mtrefseg", *words, *([] if batching else ["--no-batching"])]
    environment = {**os.environ, "GRADIO_TEMP_DIR": uploads}
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, **streams)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)


def wait_for(process: subprocess.Popen) -> Server:
    """Waits until the server says that it listens; exits if it does not start."""
    assert process.stdout is not None
    found = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
    if found is None:
        raise SystemExit("the server did not start: run `mtrefseg serve` and see what it prints")
    return Server(found[0], process, Log())


def ask(server: Server, number: int, round_number: int, end: float) -> None:
    """A program asks about one pair after the other until the time is over."""
    group = number // GROUP
    with httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False) as client:
        while time.monotonic() < end:
            name = EXAMPLES[(group + round_number) % len(EXAMPLES)]
            # Bytes after the end of a JPEG are no part of the image, but make it another file.
            mark = f"{group} {round_number}".encode()
            files = {
                f"image_{each}": (each, (SPACE / "examples" / f"{name}_{each}.jpg").read_bytes() + mark)
                for each in ("t1", "t2")
            }
            start = time.perf_counter()
            try:
                data = {"sentences": SENTENCES[number % GROUP]}
                response = client.post(f"{server.url}/v1/segment", files=files, data=data)
                if response.status_code == 200:
                    server.log.waits.append(time.perf_counter() - start)
                    server.log.batches.append(response.json()["batched_requests"])
                else:
                    server.log.errors.append(response.text)
            except httpx.HTTPError as error:
                server.log.errors.append(repr(error))
            round_number += 1


def visit(server: Server, client: gradio_client.Client, number: int, folder: Path, turn: int, end: float) -> None:
    """A visitor of the demo asks until the time is over."""
    round_number = 100 * turn
    while time.monotonic() < end:
        pair = new_pair(number, round_number, folder)
        for question in QUESTIONS:
            if time.monotonic() > end:
                break
            start = time.perf_counter()
            try:
                client.predict(*map(gradio_client.handle_file, pair), question, api_name="/segment")
                server.log.visitor_waits.append(time.perf_counter() - start)
            except (gradio_client.exceptions.AppError, httpx.HTTPError) as error:
                server.log.errors.append(repr(error))
        round_number += 1


def load(server: Server, clients: list[gradio_client.Client], options: argparse.Namespace, folder: Path) -> None:
    """Runs one turn of a server: programs and visitors for a while, then a pause."""
    turn = int(server.log.seconds)
    start, cpu = time.monotonic(), server.cpu_seconds()
    end = start + options.seconds / TURNS / 2
    with ThreadPoolExecutor(options.clients + len(clients)) as pool:
        programs = [pool.submit(ask, server, number, 1000 * turn, end) for number in range(options.clients)]
        visits = [
            pool.submit(visit, server, client, number, folder, turn, end) for number, client in enumerate(clients)
        ]
        await_all(programs, server.log.errors, "program")
        await_all(visits, server.log.errors)
    server.log.seconds += time.monotonic() - start
    server.log.cpu_seconds += server.cpu_seconds() - cpu


def row_of(server: Server, batching: bool, options: argparse.Namespace) -> dict[str, object]:
    """The numbers of one server."""
    log = server.log
    for error in sorted(set(log.errors)):
        print(f"error: {error}")
    answered = len(log.waits) + len(log.visitor_waits)
    return {
        "model": Path(options.model).name,
        "batching": "on" if batching else "off",
        "clients": options.clients,
        "visitors": options.visitors,
        "seconds": round(log.seconds),
        "requests": len(log.waits),
        "errors": len(log.errors),
        "wait_p50": percentile(log.waits, 50),
        "wait_p95": percentile(log.waits, 95),
        "requests_per_second": f"{len(log.waits) / log.seconds:.2f}",
        "cpu_seconds_per_request": f"{log.cpu_seconds / max(1, answered):.4f}",
        "mean_batch": f"{sum(log.batches) / max(1, len(log.batches)):.2f}",
        "visitor_requests": len(log.visitor_waits),
        "visitor_wait_p50": percentile(log.visitor_waits, 50),
        "visitor_wait_p95": percentile(log.visitor_waits, 95),
        "memory_end": round(memory_of(server.process)),
        "date": today(),
    }


def measure(options: argparse.Namespace) -> list[dict[str, object]]:
    """Starts both servers and loads them in turns."""
    with contextlib.ExitStack() as stack:
        folders = [stack.enter_context(tempfile.TemporaryDirectory()) for _ in range(3)]
        processes = [
            stack.enter_context(start_server(options.model, batching, folder))
            for batching, folder in zip((True, False), folders)
        ]
        servers = [wait_for(process) for process in processes]
        visitors = [[connect(f"{server.url}/demo/") for _ in range(options.visitors)] for server in servers]
        for _ in range(TURNS):
            for server, clients in zip(servers, visitors):
                load(server, clients, options, Path(folders[2]))
        return [row_of(server, batching, options) for server, batching in zip(servers, (True, False))]


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description="Measure mtrefseg serve with programs and visitors.")
    parser.add_argument("--model", default=str(ROOT / "mtrefseg-r1"), help="folder or Hub id")
    parser.add_argument("--clients", type=int, default=50, help="programs")
    parser.add_argument("--visitors", type=int, default=8, help="of the demo")
    parser.add_argument("--seconds", type=float, default=60, help="for both servers together")
    options = parser.parse_args()
    rows = measure(options)
    for name in rows[0]:
        print(f"{name:24} {rows[0][name]!s:>12} {rows[1][name]!s:>12}")
    append_rows(RESULTS / "serve.csv", rows)


if __name__ == "__main__":
    main()
