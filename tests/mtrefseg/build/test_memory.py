# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Freed memory is kept by commands and goes back to the system from servers."""

import platform
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from mtrefseg.build.memory import give_back_freed_memory, keep_freed_memory


# Sixteen threads, one after the other, need 32 MB each and free nearly all of it; the last small block stays, as
# results do. Prints the megabytes that the process has grown by.
WORK = """
import gc, threading, time
import numpy as np
from mtrefseg.build.memory import give_back_freed_memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

def work(kept, wait):
    blocks = [np.ones(size * 1000) for size in range(1, 90)]
    kept.append(np.ones(1000))
    del blocks
    wait.wait()

{call}
kept, wait, before = [], threading.Event(), resident()
threads = [threading.Thread(target=work, args=(kept, wait)) for _ in range(16)]
for thread in threads:
    thread.start()
    time.sleep(0.02)
while len(kept) < 16:
    time.sleep(0.02)
gc.collect()
print(round(resident() - before))
wait.set()
"""


# Makes and frees 64 MB twenty times. Prints how many pages the system has handed out.
FAULTS = """
import resource
import torch
from mtrefseg.build.memory import keep_freed_memory

{call}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.ones(1 << 24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.parametrize("library", ["glibc", ""])
def test_the_c_library_is_asked_where_it_can_be(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr("platform.libc_ver", lambda: (library, "2"))
    monkeypatch.setattr("ctypes.CDLL", lambda _: SimpleNamespace(mallopt=lambda *given: calls.append(given)))
    give_back_freed_memory()
    assert len(calls) == (2 if library else 0)
    keep_freed_memory(torch.device("cuda"))
    assert len(calls) == (2 if library else 0)
    keep_freed_memory(torch.device("cpu"))
    assert len(calls) == (4 if library else 0)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked")
def test_memory_is_not_requested_anew_for_each_tensor() -> None:
    faults = [
        int(subprocess.run([sys.executable, "-c", FAULTS.format(call=call)], capture_output=True, text=True).stdout)
        for call in ("", 'keep_freed_memory(torch.device("cpu"))')
    ]
    assert faults[1] < faults[0] / 2, faults


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked")
def test_threads_leave_no_memory_behind() -> None:
    grown = [
        int(subprocess.run([sys.executable, "-c", WORK.format(call=call)], capture_output=True, text=True).stdout)
        for call in ("", "give_back_freed_memory()")
    ]
    assert grown[1] < grown[0] / 2, grown
