# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import rasterio
from filelock import FileLock
from PIL import Image

from mtrefseg.errors import UserError
from mtrefseg.scenes.manifest import ManifestRow, ManifestSettings, read_manifest, run_manifest
from mtrefseg.scenes.reading import tables
from mtrefseg.scenes.segmenting import SceneOptions
from tests.tiny_models import save_mtrefseg

from .conftest import ColorPredictor, ground, paint


ROOT = Path(__file__).parents[3]
TEXTS = ["the red things", "the blue thing"]
OPTIONS = SceneOptions(progress=False)


@pytest.fixture
def manifest(tmp_path: Path, save: Callable[..., Path]) -> Path:
    """Three good pairs, one whose t2 is missing, and one that is no image."""
    later = paint(paint(ground(100, 120), "red", 20, 30, 60, 40), "blue", 90, 10, 8, 8)
    save("t1.tif", ground(100, 120))
    save("t2.tif", later)
    Image.fromarray(ground(100, 120)).save(tmp_path / "t1.png")
    Image.fromarray(later).save(tmp_path / "t2.png")
    (tmp_path / "broken.tif").write_text("no image")
    lines = [
        "id,t1,t2,sentences",
        "georeferenced,t1.tif,t2.tif,the red things|the blue thing",
        "gone,t1.tif,nowhere.tif,",
        "plain,t1.png,t2.png,",
        "broken,t1.tif,broken.tif,the red things",
        ",t1.tif,t2.tif,the largest red thing",
    ]
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def run(manifest: Path, out: Path, predictor: ColorPredictor) -> list[dict]:
    table = run_manifest(read_manifest([manifest], TEXTS), ManifestSettings(str(out), OPTIONS), predictor=predictor)
    return pyarrow.parquet.read_table(table).to_pylist()


def test_an_unknown_engine_is_refused(tmp_path: Path, predictor: ColorPredictor) -> None:
    with pytest.raises(ValueError, match="`engine` must be 'local' or 'ray', not 'Ray'"):
        run_manifest([], ManifestSettings(str(tmp_path / "out"), OPTIONS), "Ray", predictor=predictor)
    assert not (tmp_path / "out").exists()


def test_each_pair_is_a_row_and_so_is_each_failure(manifest: Path, tmp_path: Path, predictor: ColorPredictor) -> None:
    rows = run(manifest, tmp_path / "out", predictor)
    found = [(row["id"], row["sentence"], row["status"], row["area_pixels"]) for row in rows]
    assert found == [
        ("georeferenced", "the red things", "done", 2400),
        ("georeferenced", "the blue thing", "done", 64),
        ("gone", "the red things", "failed", None),
        ("gone", "the blue thing", "failed", None),
        ("plain", "the red things", "done", 2400),
        ("plain", "the blue thing", "done", 64),
        ("broken", "the red things", "failed", None),
        ("000005", "the largest red thing", "done", 2400),
    ]
    assert [row["is_closest"] for row in rows] == [False, False, None, None, False, False, None, False]
    assert "nowhere.tif" in rows[2]["error"]
    assert "broken.tif" in rows[6]["error"]
    assert rows[0]["area_m2"] == pytest.approx(600, rel=1e-2)
    assert (tmp_path / "out" / rows[7]["folder"] / "objects.gpkg").is_file()
    assert sorted(path.name for path in (tmp_path / "out" / "pairs").iterdir()) == ["000005", "georeferenced", "plain"]


def test_finished_pairs_are_not_segmented_again(manifest: Path, tmp_path: Path, predictor: ColorPredictor) -> None:
    rows = run(manifest, tmp_path / "out", predictor)
    windows = predictor.windows
    assert run(manifest, tmp_path / "out", predictor) == rows
    assert predictor.windows == windows
    # Smaller batches give the same masks.
    smaller = ManifestSettings(str(tmp_path / "out"), replace(OPTIONS, batch_size=2))
    run_manifest(read_manifest([manifest], TEXTS), smaller, predictor=predictor)
    assert predictor.windows == windows
    # Other sentences are another question.
    manifest.write_text(manifest.read_text().replace("the largest red thing", "every red thing"))
    assert run(manifest, tmp_path / "out", predictor)[7]["sentence"] == "every red thing"
    assert windows < predictor.windows < 2 * windows


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_a_killed_run_goes_on_to_equal_results(manifest: Path, tmp_path: Path, predictor: ColorPredictor) -> None:
    expected = run(manifest, tmp_path / "out", predictor)
    masks = rasterio.open(tmp_path / "out" / "pairs" / "plain" / "masks.tif").read()
    asked = len(predictor.asked)
    out = tmp_path / "killed"
    # In a fresh process, which forks before it has any thread.
    command = [sys.executable, "-m", "tests.mtrefseg.scenes.killed_runs", str(manifest), str(out), str(asked)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    killed = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert killed.returncode == 0, killed.stderr
    assert int(killed.stdout) >= 3
    assert run(manifest, out, predictor) == expected
    np.testing.assert_array_equal(rasterio.open(out / "pairs" / "plain" / "masks.tif").read(), masks)
    assert not list((out / "pairs").glob(".*"))


def test_a_second_run_into_the_same_folder_is_refused(
    manifest: Path, tmp_path: Path, predictor: ColorPredictor
) -> None:
    refused = []

    def start_another(note: str) -> None:
        """Runs while the first run is in the middle: after its first pair that fails."""
        with pytest.raises(UserError, match="out is in use by another run: wait until it has ended") as error:
            run(manifest, tmp_path / "out", predictor)
        refused.append(error)

    settings = ManifestSettings(str(tmp_path / "out"), OPTIONS)
    table = run_manifest(read_manifest([manifest], TEXTS), settings, predictor=predictor, say=start_another)
    assert len(refused) == 2
    statuses = [row["status"] for row in pyarrow.parquet.read_table(table).to_pylist()]
    assert statuses.count("done") == 5
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["pairs", "results.parquet"]


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError("no flock")])
def test_a_file_system_without_locks_stops_no_run(
    manifest: Path, tmp_path: Path, predictor: ColorPredictor, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(lock: FileLock, **_: object) -> None:
        raise error

    monkeypatch.setattr(FileLock, "acquire", refuse)
    notes: list[str] = []
    settings = ManifestSettings(str(tmp_path / "out"), OPTIONS)
    table = run_manifest(read_manifest([manifest], TEXTS), settings, predictor=predictor, say=notes.append)
    statuses = [row["status"] for row in pyarrow.parquet.read_table(table).to_pylist()]
    assert statuses.count("done") == 5
    assert "without locks: start no second run" in notes[0]


def test_a_folder_without_permission_for_the_lock_is_one_line(
    manifest: Path, tmp_path: Path, predictor: ColorPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(lock: FileLock, **_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.raises(UserError, match=r"cannot write into .*Permission denied"):
        run(manifest, tmp_path / "out", predictor)


def test_folders_pair_up_by_name(tmp_path: Path, predictor: ColorPredictor) -> None:
    for folder, names in (("A", "ab"), ("B", "bc")):
        (tmp_path / folder).mkdir()
        for name in names:
            Image.fromarray(ground(40, 40)).save(tmp_path / folder / f"{name}.png")
    rows = read_manifest([tmp_path / "A", tmp_path / "B"], TEXTS)
    assert [row.id for row in rows] == ["a", "b", "c"]
    table = run_manifest(rows, ManifestSettings(str(tmp_path / "out"), OPTIONS), predictor=predictor)
    entries = pyarrow.parquet.read_table(table).to_pylist()
    assert [row["status"] for row in entries[::2]] == ["failed", "done", "failed"]
    assert "a.png has no counterpart with the same name" in entries[0]["error"]


def test_images_with_similar_names_have_different_ids(tmp_path: Path) -> None:
    for folder in "AB":
        (tmp_path / folder).mkdir()
        for name in ("a b", "a_b", "A_b", "a-b", "a(b", "a_b_2"):
            (tmp_path / folder / f"{name}.png").touch()
    rows = read_manifest([tmp_path / "A", tmp_path / "B"], TEXTS)
    found = {Path(row.t1).stem: row.id for row in rows}
    names = {"a b": "a_b_3", "a_b": "a_b_2", "A_b": "A_b", "a-b": "a-b", "a(b": "a_b_4", "a_b_2": "a_b_2_2"}
    assert found == names
    assert not any(row.problem for row in rows)


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    table = {"t1": ["a.tif", "s3://bucket/a.tif"], "t2": ["b.tif", "/vsicurl/b.tif"], "sentences": [["x", "y"], []]}
    pyarrow.parquet.write_table(pyarrow.table(table), path)
    first, second = read_manifest([path], TEXTS)
    assert (first.id, first.t1, first.sentences) == ("000001", str(tmp_path / "a.tif"), ("x", "y"))
    assert (second.t1, second.t2, second.sentences) == ("s3://bucket/a.tif", "/vsicurl/b.tif", tuple(TEXTS))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t1,sentences\na.tif,x\n", "has no column t2: name t1, t2, sentences, id"),
        ("t1,t2,T1\na,b,c\n", "has 2 columns t1"),
        ('t1,t2,sentences\na,b,"the house\nc,d,x\ne,f,y\n', "is a quote missing"),
        ("", "has no column t1"),
        ("t1,t2\n", "there is no pair"),
    ],
)
def test_bad_tables(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_manifest([path], TEXTS)


@pytest.mark.parametrize(
    "text",
    [
        "id;t1;t2;sentences\nA;a.tif;b.tif;one, two|three\n",
        "id\tt1\tt2\tsentences\nA\ta.tif\tb.tif\tone, two|three\n",
        "sep=;\r\nid;t1;t2;sentences\r\nA;a.tif;b.tif;one, two|three\r\n",
        'ID, T1, T2, Sentence\nA, a.tif, b.tif, "one, two|three"\n\n,,,\n',
        'id,t1,t2,sentences\n A ,a.tif ,b.tif,"[""one, two"", ""three"", ""  ""]"\n',
        'id,t1,t2,sentences\nA,a.tif,b.tif,"|one, two||three| "\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_as_programs_write_them(text: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_bytes(text.encode(encoding))
    (row,) = read_manifest([path], TEXTS)
    expected = ("A", str(tmp_path / "a.tif"), str(tmp_path / "b.tif"), ("one, two", "three"), "")
    assert (row.id, row.t1, row.t2, row.sentences, row.problem) == expected


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"t2": None}, "its row has no t2"),
        ({"t1": 1}, "t1 is of the type int"),
        ({"t1": {"bytes": b"x"}}, "t1 is of the type dict"),
        ({"sentences": 5}, "not strings, but 5"),
        ({"sentences": [1]}, r"not strings, but \[1\]"),
        ({"sentences": "['the house', 'the car']"}, "begin like a list, but are not JSON"),
        ({"id": "../x"}, "cannot be a folder name"),
        ({"id": "x" * 300}, "cannot be a folder name"),
        ({"id": "first"}, "the id first is already used by an earlier pair: give"),
        ({"id": "First"}, r"already used by an earlier pair \(as first, which differs only in case or Unicode form\)"),
    ],
)
def test_a_bad_row_fails_alone(row: dict, problem: str, tmp_path: Path, predictor: ColorPredictor) -> None:
    Image.fromarray(ground(40, 40)).save(tmp_path / "a.png")
    good = {"t1": "a.png", "t2": "a.png", "sentences": "red", "id": "first"}
    bad = {**good, "id": "bad", **row}
    path = tmp_path / "pairs.parquet"
    columns = {
        name: pyarrow.array([value]) if value is not None else pyarrow.array([None], pyarrow.string())
        for name, value in bad.items()
    }
    alone = tmp_path / "alone.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), alone)
    rows = [ManifestRow("first", str(tmp_path / "a.png"), str(tmp_path / "a.png"), ("red",))]
    if row.get("id", "").casefold() != "first":
        rows += read_manifest([alone], TEXTS)
    else:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([good, bad]), path)
        rows = read_manifest([path], TEXTS)
    assert re.search(problem, rows[1].problem)
    table = run_manifest(rows, ManifestSettings(str(tmp_path / "out"), OPTIONS), predictor=predictor)
    lines = pyarrow.parquet.read_table(table).to_pylist()
    assert [line["status"] for line in lines if line["id"] != rows[1].id or line["error"] is None] == ["done"]
    failed = [line for line in lines if line["status"] == "failed"]
    assert failed
    assert all(re.search(problem, line["error"]) for line in failed)


def test_a_row_with_too_many_cells_fails_alone(tmp_path: Path) -> None:
    """The sentence would end at its comma."""
    path = tmp_path / "pairs.csv"
    path.write_text("t1,t2,sentences\na.tif,b.tif,the house, that is red\nc.tif,d.tif,the car\n")
    first, second = read_manifest([path], TEXTS)
    assert "its row has 4 cells for 3 columns: put cells that contain ',' in quotes" in first.problem
    assert (second.sentences, second.problem) == (("the car",), "")


def test_columns_that_are_not_read_are_named(tmp_path: Path) -> None:
    """Sentences in a column of another name would be ignored, and every change segmented."""
    said: list[str] = []
    for name, text in (
        ("odd", "t1,t2,text,date\na,b,the car,2019\n"),
        ("usual", "id,t1,t2,sentence,\nx,a,b,the car,\n"),
    ):
        (tmp_path / f"{name}.csv").write_text(text)
        read_manifest([tmp_path / f"{name}.csv"], [], said.append)
    pyarrow.parquet.write_table(pyarrow.table({"t1": ["a"], "t2": ["b"], "caption": ["x"]}), tmp_path / "odd.parquet")
    read_manifest([tmp_path / "odd.parquet"], [], said.append)
    assert said == [
        f"{tmp_path / 'odd.csv'}: columns other than t1, t2, sentences, id are ignored (text, date)",
        f"{tmp_path / 'odd.parquet'}: columns other than t1, t2, sentences, id are ignored (caption)",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, names of files are Unicode")
def test_names_that_are_not_utf_8_leave_the_table_whole(tmp_path: Path, predictor: ColorPredictor) -> None:
    """Archives of other systems contain such names; Parquet cannot contain them."""
    for folder in "AB":
        (tmp_path / folder).mkdir()
        Image.fromarray(ground(40, 40)).save(tmp_path / folder / "a.png")
        Image.fromarray(ground(40, 40)).save(tmp_path / folder / os.fsdecode(b"caf\xe9.png"))
    (tmp_path / "A" / os.fsdecode(b"\xe9.png")).touch()
    rows = read_manifest([tmp_path / "A", tmp_path / "B"], ["red"])
    table = run_manifest(rows, ManifestSettings(str(tmp_path / "out"), OPTIONS), predictor=predictor)
    found = [(Path(line["t1"]).name, line["status"]) for line in pyarrow.parquet.read_table(table).to_pylist()]
    assert found == [("a.png", "done"), (r"caf\udce9.png", "done"), (r"\udce9.png", "failed")]


def test_a_sentence_of_half_a_letter_fails_alone(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text('t1,t2,sentences\na,b,"[""\\ud83d""]"\na,b,the car\n')
    first, second = read_manifest([path], [])
    assert "contain incomplete characters" in first.problem
    assert not second.problem


@pytest.mark.parametrize("damaged", ["", "[]", '{"fingerprint": "x"}'])
def test_a_damaged_report_of_an_earlier_run_is_replaced(
    damaged: str, manifest: Path, tmp_path: Path, predictor: ColorPredictor
) -> None:
    manifest.write_text("id,t1,t2\nx,t1.tif,t2.tif\n")
    expected = run(manifest, tmp_path / "out", predictor)
    (tmp_path / "out" / "pairs" / "x" / "result.json").write_text(damaged)
    assert run(manifest, tmp_path / "out", predictor) == expected


def test_ids_that_pandas_has_made_floats_and_numbers_that_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    table = {"t1": ["a"] * 3, "t2": ["b"] * 3, "id": [7.0, float("nan"), None]}
    pyarrow.parquet.write_table(pyarrow.table(table), path)
    assert [row.id for row in read_manifest([path], TEXTS)] == ["7", "000002", "000003"]
    path = tmp_path / "pairs.csv"
    path.write_text("id,t1,t2\n000002,a,b\n,a,b\n")
    assert [(row.id, row.problem) for row in read_manifest([path], TEXTS)] == [("000002", ""), ("000002_", "")]


def test_a_table_that_expands_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pairs.parquet"
    monkeypatch.setattr(tables, "_MOST_BYTES", 1 << 26)
    text = pyarrow.array(["x" * 400_000]).dictionary_encode()
    many = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 1000, pyarrow.int32()), text.dictionary)
    pyarrow.parquet.write_table(pyarrow.table({"t1": many.cast(pyarrow.string()), "t2": many}), path)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(UserError, match=r"pairs\.parquet would need more than 64 MiB"):
        read_manifest([path], TEXTS)


def test_files_beside_images_doubled_names_and_odd_names_in_folders(tmp_path: Path) -> None:
    """What lies beside an image with its name could be taken for it."""
    names = {
        "A": ("1.tif", "1.tfw", "1.tif.aux.xml", "2.png", "2.jpg", "e\u0301.png", "X.PNG", "f (1).png", "notes.txt"),
        "B": ("1.tif", "1.tfw", "2.png", "\u00e9.png", "x.png", "f (1).png"),
    }
    for folder, files in names.items():
        (tmp_path / folder).mkdir()
        for name in files:
            (tmp_path / folder / name).touch()
    said: list[str] = []
    rows = read_manifest([tmp_path / "A", tmp_path / "B"], TEXTS, said.append)
    found = {row.id: (Path(row.t1).name, Path(row.t2).name, row.problem) for row in rows}
    assert "2.jpg and " in found.pop("2")[2]
    assert found == {
        "1": ("1.tif", "1.tif", ""),
        "X": ("X.PNG", "x.png", ""),
        "f__1_": ("f (1).png", "f (1).png", ""),
        "\u00e9": ("e\u0301.png", "\u00e9.png", ""),
    }
    assert "A: 3 files are not images and are ignored (1.tfw, 1.tif.aux.xml, notes.txt)" in said[0]


@pytest.mark.parametrize("name", ["gone.csv", "pairs.xlsx"])
def test_no_table(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=name):
        read_manifest([tmp_path / name], TEXTS)


@pytest.mark.skipif(os.environ.get("MTREFSEG_TEST_RAY") != "1", reason="slow; MTREFSEG_TEST_RAY=1 runs it")
def test_ray_finds_what_this_machine_finds(manifest: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    model = {"model": str(save_mtrefseg(tmp_path / "model"))}
    rows = read_manifest([manifest], TEXTS)
    tables = [
        run_manifest(rows, ManifestSettings(str(tmp_path / engine), OPTIONS, model), engine, workers=2)
        for engine in ("local", "ray")
    ]
    assert pyarrow.parquet.read_table(tables[0]).equals(pyarrow.parquet.read_table(tables[1]))


@pytest.mark.skipif(os.environ.get("MTREFSEG_TEST_RAY") != "1", reason="slow; MTREFSEG_TEST_RAY=1 runs it")
def test_a_killed_ray_run_goes_on_to_the_same_table(tmp_path: Path, save: Callable[..., Path]) -> None:
    """The driver is killed after the first pair and amid a later one, and in between a worker is."""
    pytest.importorskip("ray")
    lines = ["id,t1,t2"]
    for number in range(8):
        for date in (1, 2):
            noise = np.random.default_rng(10 * number + date).integers(0, 256, (120, 150, 3), dtype=np.uint8)
            save(f"{number}_t{date}.tif", noise)
        lines.append(f"pair{number},{number}_t1.tif,{number}_t2.tif")
    manifest = tmp_path / "pairs.csv"
    manifest.write_text("\n".join(lines) + "\n")
    settings = {"model": str(save_mtrefseg(tmp_path / "model")), "no_target_threshold": 0.999}
    expected = run_manifest(
        read_manifest([manifest], TEXTS), ManifestSettings(str(tmp_path / "local"), OPTIONS, settings)
    )
    out = tmp_path / "ray"
    command = [sys.executable, "-m", "tests.mtrefseg.scenes.killed_ray_runs", str(manifest), str(out)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment["RAY_raylet_start_wait_time_s"] = "600"  # On a busy machine.
    killed = subprocess.run(
        [*command, json.dumps(settings), *TEXTS],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=3000,
        check=False,
    )
    assert killed.returncode == 0, killed.stderr
    assert killed.stdout.split() == ["driver", "worker", "driver", "finished"]
    table, true_table = (pyarrow.parquet.read_table(path) for path in (out / expected.name, expected))
    assert table.equals(true_table)
    assert set(table["status"].to_pylist()) == {"done"}
    assert any(area for area in table["area_pixels"].to_pylist())
    for number in range(8):
        masks = [
            rasterio.open(path / "pairs" / f"pair{number}" / "masks.tif").read() for path in (out, expected.parent)
        ]
        np.testing.assert_array_equal(*masks)
    assert not list((out / "pairs").glob(".*"))


@pytest.mark.parametrize("path", ["zip+https://host/a.zip!b.tif", "s3://bucket/b.tif", "/vsicurl/https://host/b.tif"])
def test_addresses_are_not_beside_the_table(path: str, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(f"t1,t2\n{path},b.tif\n", encoding="utf-8")
    (row,) = read_manifest([tmp_path / "pairs.csv"], [])
    assert (row.t1, row.t2) == (path, str(tmp_path / "b.tif"))
