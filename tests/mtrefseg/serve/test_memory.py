# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Freed memory goes back to the system."""

import platform
import subprocess
import sys
from types import SimpleNamespace

import pytest

from mtrefseg.serve.memory import give_back_freed_memory


# Sixteen threads, one after the other, need 32 MB each and free nearly all of it; the last small block stays, as
# results do. Prints the megabytes that the process has grown by.
WORK = """
import gc, threading, time
import numpy as np
from mtrefseg.serve.memory import give_back_freed_memory

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


@pytest.mark.parametrize("library", ["glibc", ""])
def test_the_c_library_is_asked_where_it_can_be(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr("platform.libc_ver", lambda: (library, "2"))
    monkeypatch.setattr("ctypes.CDLL", lambda _: SimpleNamespace(mallopt=lambda *given: calls.append(given)))
    give_back_freed_memory()
    assert len(calls) == (2 if library else 0)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked")
def test_threads_leave_no_memory_behind() -> None:
    grown = [
        int(subprocess.run([sys.executable, "-c", WORK.format(call=call)], capture_output=True, text=True).stdout)
        for call in ("", "give_back_freed_memory()")
    ]
    assert grown[1] < grown[0] / 2, grown
