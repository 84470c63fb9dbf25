# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Pages that open from the disk, in a headless browser."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest


EVIL = "</script><script>document.title='broken'</script><img src=x onerror=alert(1)>&amp;\u2028\"'"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needs_browser = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")


def run_script(out: Path, script: str, query: str = "") -> Any:
    """Opens `index.html` from the disk, runs a script in it, and returns what it gives."""
    assert BROWSER is not None
    page = (out / "index.html").read_text(encoding="utf-8")
    probe = (
        "<script>window.addEventListener('load', () => { let value; try { value = (() => {"
        + script
        + "})(); } catch (error) { value = String(error); }"
        "const found = document.createElement('pre'); found.id = 'found-by-test';"
        "found.textContent = JSON.stringify(value); document.body.replaceChildren(found); });</script>"
    )
    (out / "probe.html").write_text(page.replace("</body>", probe + "</body>"), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000"]
    url = (out / "probe.html").as_uri() + query
    done = subprocess.run(
        [BROWSER, *flags, "--dump-dom", url], capture_output=True, text=True, timeout=300, check=True
    )
    found = re.search(r'<pre id="found-by-test">(.*)</pre>', done.stdout, re.DOTALL)
    assert found is not None, done.stdout[-2000:]
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
