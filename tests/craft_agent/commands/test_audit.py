# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The command that serves the audit page."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from craft_agent.audit.team import AuditTeam
from craft_agent.command_line import main
from tests.craft_agent.runs import ROOT
from tests.craft_agent.small_work import make_work


pytest.importorskip("gradio", reason="gradio is not installed")


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return make_work(tmp_path_factory.mktemp("audit"), pairs=1)


def test_it_serves_until_it_is_interrupted(work):
    command = [sys.executable, "-m", "craft_agent", "audit", str(work), "--port", "0", "--auditor", "ann"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        address = process.stdout.readline().split()[0]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
        with urllib.request.urlopen(f"{address}/config") as answer:
            assert b"ann" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait() in (0, 130, -signal.SIGINT)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_bad_input_ends_with_one_line(tmp_path, work, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for options, message in (
            ([str(tmp_path)], "holds no run"),
            ([str(work), "--auditor", "a/b"], "not a valid name"),
            ([str(work), "--port", port], f"cannot serve on 127.0.0.1, port {port}"),
            ([str(work), "--host", "nowhere.invalid"], "cannot serve on nowhere.invalid"),
            ([str(work), "--invite", "ann", "--adjudicator", "ann"], "ann cannot be both"),
            ([str(work), "--withdraw", "ann", "--order", "confidence"], "cannot be combined with --order or --share"),
            ([str(work), "--withdraw", "ann", "--share", "0.5"], "cannot be combined with --order or --share"),
        ):
            assert main(["audit", *options]) == 2
            [line] = capsys.readouterr().err.splitlines()[-1:]
            assert message in line
    with pytest.raises(SystemExit):
        main(["audit", str(work), "--port", "99999"])
    assert "'99999' is not between 0 and 65535" in capsys.readouterr().err


def test_links_stay_valid_if_the_command_fails(work, capsys):
    team = AuditTeam(work)
    token = team.invite("ann")
    try:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            for options in (["--port", str(taken.getsockname()[1])], ["--invite", "a/b"], ["--share", "2"]):
                assert main(["audit", str(work), "--invite", "ann", *options]) == 2
        assert team.person(token) is not None
        assert team.plan.share == 1
    finally:
        with team._database.transaction() as connection:
            connection.execute("DELETE FROM people")
