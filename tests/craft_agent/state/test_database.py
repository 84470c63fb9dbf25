# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Databases that are damaged, old, full or locked."""

import sqlite3
from contextlib import closing, suppress
from random import Random

import pytest

from craft_agent.audit.store import AuditStore
from craft_agent.command_line import main
from craft_agent.errors import CraftError
from craft_agent.state import database
from craft_agent.state.database import FILE_NAME, Database
from craft_agent.state.store import Store
from tests.craft_agent.runs import start
from tests.craft_agent.small_work import draw_pairs


@pytest.fixture
def work(tmp_path):
    start(draw_pairs(tmp_path / "pairs", 2), tmp_path / "work")
    # Closing the last connection moves everything into the one file.
    with closing(sqlite3.connect(tmp_path / "work" / FILE_NAME)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        (tmp_path / "work" / f"{FILE_NAME}{suffix}").unlink(missing_ok=True)
    return tmp_path / "work"


def zeroed(content: bytes) -> bytes:
    return content[:1024] + bytes(len(content) - 1024)


@pytest.mark.parametrize(
    "damage",
    [lambda content: b"not a database" * 100, lambda content: content[: len(content) // 3], zeroed],
    ids=["other", "cut", "zeroed"],
)
@pytest.mark.parametrize("command", ["status", "stats"])
def test_a_damaged_file_ends_with_one_line(work, damage, command, capsys):
    path = work / FILE_NAME
    path.write_bytes(damage(path.read_bytes()))
    assert main([command, str(work)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert FILE_NAME in line


def test_a_locked_file_ends_with_one_line(work, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    store = Store(work)
    with closing(sqlite3.connect(work / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CraftError, match="no other program"):
            store.retry_failed()


@pytest.mark.parametrize("command", ["status", "stats"])
def test_a_command_on_a_locked_file_ends_with_one_line(work, command, monkeypatch, capsys):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(work / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert main([command, str(work)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "database is locked" in line


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_never_ends_with_a_traceback(work, seed, capsys):
    path, random = work / FILE_NAME, Random(seed)
    content = bytearray(path.read_bytes())
    if seed % 2:
        del content[random.randrange(1, len(content)) :]
    else:
        place = random.randrange(len(content))
        content[place : place + 4096] = random.randbytes(4096)
    path.write_bytes(content)
    for command in ("status", "stats"):
        code = main([command, str(work)])
        assert code in (0, 2)
        assert len(capsys.readouterr().err.splitlines()) == (1 if code else 0)


@pytest.mark.parametrize("value", ["", "{", "[]", "7", '"x"', "[" * 100_000])
def test_settings_that_cannot_be_decoded_end_with_one_line(work, value, capsys):
    with closing(sqlite3.connect(work / FILE_NAME)) as connection, connection:
        connection.execute("UPDATE settings SET value = ? WHERE key = 'prompts'", (value,))
        connection.execute("INSERT INTO settings VALUES ('unknown', ?)", (value,))
    assert main(["status", str(work)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "is damaged" in line


@pytest.mark.parametrize("column", ["expressions", "change_type", "mask", "provenance"])
@pytest.mark.parametrize("value", ["", "{", "[]", "7", '{"size": [1e9, 3], "counts": "x"}'])
def test_a_sample_that_cannot_be_decoded_is_one_line(work, column, value):
    rle = '{"counts":"04","size":[2,2]}'
    values = {"expressions": '["a"]', "change_type": "appear", "mask": rle, "provenance": "{}", column: value}
    with closing(sqlite3.connect(work / FILE_NAME)) as connection, connection:
        connection.execute(
            "INSERT INTO samples VALUES ('s', 'p', 0, :expressions, :change_type, :mask, :provenance)", values
        )
    for read in (lambda: Store(work).samples("p"), lambda: AuditStore(work).sample("s")):
        # Some values are samples after all; no other error may come.
        with suppress(CraftError):
            read()


def test_a_full_disk_ends_with_one_line_and_changes_nothing(work):
    store = Store(work)
    with store.database.transaction() as connection:
        [(pages,)] = connection.execute("PRAGMA page_count")
    with store.database.transaction() as connection:
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with (
        pytest.raises(CraftError, match="not full"),
        store.database.transaction() as connection,
    ):
        connection.execute("INSERT INTO settings VALUES ('big', zeroblob(1000000))")
    assert store.rows("SELECT * FROM settings WHERE key = 'big'") == []
    assert len(store.known_pairs()) == 2


def test_a_run_from_before_deaths_were_counted_can_be_resumed(work):
    with closing(sqlite3.connect(work / FILE_NAME)) as connection:
        connection.execute("ALTER TABLE pairs DROP COLUMN deaths")
    Database(work / FILE_NAME)
    assert [row["deaths"] for row in Store(work).rows("SELECT deaths FROM pairs")] == [0, 0]
