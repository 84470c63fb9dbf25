# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The audit page as a server, asked over HTTP and by Gradio's own client."""

import io
import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from craft_agent.audit.store import AuditStore
from mtrs_iou import encode_rle
from tests.craft_agent.audit.audit_browser import serve
from tests.craft_agent.small_work import make_work


audit_page = pytest.importorskip("craft_agent.audit.page", reason="gradio is not installed")
gradio_client = pytest.importorskip("gradio_client", reason="gradio_client is not installed")

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_work(tmp_path_factory.mktemp("audit"), pairs=2)


@pytest.fixture(scope="module")
def url(work: Path) -> Iterator[str]:
    with serve(work) as address:
        yield address


def fetch(address: str, **headers: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def script_of(url: str) -> str:
    """What the page runs when it has loaded."""
    components = json.loads(fetch(f"{url}config")[1])["components"]
    return "".join(each["props"].get("js_on_load") or "" for each in components)


def image_address(url: str, work: Path, sample: str, date: str) -> str:
    found = re.search(r'"run": "(\w{16})"', script_of(url))
    assert found
    run_id = found[1]
    return f"{url}audit/image?run={run_id}&sample={sample}&date={date}"


def test_a_client_audits(url, work) -> None:
    store = AuditStore(work)
    client = gradio_client.Client(url, verbose=False)
    state = client.predict("ann", "", 0, "open", api_name="/open_sample")
    first = state["sample"]["sample_id"]
    mask = np.zeros((150, 200), dtype=bool)
    mask[5:9, 7:8] = True
    decision = {"verdict": "accept", "expressions": ["the thing"], "mask": encode_rle(mask)}
    state = client.predict("ann", first, decision, "open", api_name="/decide")
    assert state["sample"]["sample_id"] != first
    assert (store.decision(first, "ann").mask == mask).all()
    state = client.predict(
        "ann", state["sample"]["sample_id"], {"verdict": "reject", "reason": "other"}, "open", api_name="/decide"
    )
    assert state["progress"]["rejected"] == 1
    state = client.predict("ann", api_name="/undo")
    assert state["undone"]["reason"] == "other"
    with pytest.raises(gradio_client.exceptions.AppError, match="verdict is 'maybe'"):
        client.predict("ann", first, {"verdict": "maybe"}, "open", api_name="/decide")
    client.predict("bob", first, {"verdict": "reject", "reason": "duplicate"}, "open", api_name="/decide")
    with pytest.raises(gradio_client.exceptions.AppError, match="judged by ann and bob"):
        client.predict("cid", first, {"verdict": "accept"}, "open", api_name="/decide")
    agreement, disagreements, people = client.predict(api_name="/agreement")
    assert agreement["data"] == [["ann and bob", "1", "0", "1", "0", "0", "0.00"]]
    assert disagreements["data"][0][:2] == [first, "verdict"]
    assert [row[:3] for row in people["data"]] == [["ann", "1", "1"], ["bob", "1", "0"]]


def test_images_come_as_they_are(url, work) -> None:
    for date, side in (("t1", "A"), ("t2", "B")):
        status, content = fetch(image_address(url, work, "place_001_0", date))
        with (
            Image.open(io.BytesIO(content)) as shown,
            Image.open(work.parent / "pairs" / side / "place_001.png") as file,
        ):
            assert (status, shown.format) == (200, "PNG")
            np.testing.assert_array_equal(np.asarray(shown), np.asarray(file))


def test_only_images_of_this_run_are_given_out(url, work) -> None:
    good = image_address(url, work, "place_001_0", "t1")
    for wrong in (
        good.replace("place_001_0", "..%2F..%2Fetc%2Fpasswd"),
        good.replace("t1", "t3"),
        good.replace("run=", "run=0"),
        f"{url}gradio_api/file={work / 'craft.sqlite'}",
        f"{url}gradio_api/file={work.parent / 'pairs/A/place_000.png'}",
        f"{url}craft.sqlite",
    ):
        status, content = fetch(wrong)
        assert status >= 400, wrong
        assert b"SQLite" not in content
        assert b"PNG" not in content


def test_other_names_that_point_here_are_not_answered(url) -> None:
    assert fetch(url, Host="elsewhere.example")[0] == 400
    assert fetch(url, Host="localhost")[0] == 200
    assert fetch(url, Host="[::1")[0] == 400


def test_other_names_that_point_to_the_ipv6_address_are_not_answered(tmp_path) -> None:
    with socket.socket(socket.AF_INET6) as tried:
        try:
            tried.bind(("::1", 0))
        except OSError:
            pytest.skip("this computer has no IPv6")
    with serve(make_work(tmp_path, pairs=1), host="::1") as url:
        assert url.startswith("http://[::1]:")
        assert fetch(url, Host="elsewhere.example")[0] == 400
        for name in ("localhost", "[::1]", "[::1]:8000", "127.0.0.1"):
            assert fetch(url, Host=name)[0] == 200


def test_images_too_large_for_a_browser_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(audit_page, "MAX_PIXELS", 100)
    work = make_work(tmp_path, pairs=1)
    with serve(work) as url:
        status, content = fetch(image_address(url, work, "place_000_0", "t1"))
    assert status == 404
    assert b"place_000_0 are 200 x 150 pixels, too large for a browser" in content


def test_a_name_cannot_end_the_script(tmp_path) -> None:
    work = make_work(tmp_path, pairs=1)
    with serve(work, auditor="</script><script>alert(1)</script>") as url:
        page = fetch(url)[1].decode()
        assert '"auditor": "</script><script>alert(1)' in script_of(url)
    assert "alert(1)</script>" not in page


def test_every_action_has_a_key() -> None:
    page = (audit_page.FOLDER / "page.html").read_text(encoding="utf-8")
    script = (audit_page.FOLDER / "desk.js").read_text(encoding="utf-8")
    actions = script.split("const actions = {")[1].split("};")[0]
    for name in re.findall(r'data-do="([\w-]+)"', page):
        assert re.search(rf'[\s"]{name}"?[:,]', actions), name
    listed = set(re.findall(r"<dt>.*?</dt>", page)) and set(re.findall(r"<kbd>(.)</kbd>", page.split("audit-keys")[1]))
    keys = script.split("const keys = {")[1].split("};")[0] + script.split("const withoutSample = {")[1].split("};")[0]
    used = set(re.findall(r'(?:^|[\s{,])"?([^\s"])"?: ', keys)) - {"="}
    assert used <= listed, used - listed
    for source in (
        page,
        script,
        (audit_page.FOLDER / "page.css").read_text(),
        *((audit_page.FOLDER / name).read_text() for name in audit_page.SCRIPTS),
    ):
        assert not re.search(r"https?://(?!www\.w3\.org|www\.apache\.org)", source)
        assert "innerHTML" not in source


def test_pages_from_elsewhere_cannot_decide(url, work) -> None:
    store = AuditStore(work)
    sample = store.sample_ids("eve", "all")[-1]
    body = json.dumps({"data": ["eve", sample, {"verdict": "accept"}, "open"]}).encode()
    for kind in ("text/plain", "application/json"):
        headers = {"Origin": "http://elsewhere.example", "Content-Type": kind}
        request = urllib.request.Request(f"{url}gradio_api/run/decide", body, headers)
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request)
    assert store.decision(sample, "eve") is None
    own = {"Origin": url.rstrip("/"), "Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{url}gradio_api/run/decide", body, own))
    assert store.decision(sample, "eve").verdict == "accept"
