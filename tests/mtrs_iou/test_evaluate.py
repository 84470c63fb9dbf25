# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import evaluate
import numpy as np
import pytest

from mtrs_iou import MaskScores, score_masks
from tests.oracles.brute_force import KINDS, RLE_KINDS, columns, draw_cases, write_mask


ROOT = Path(__file__).parents[2]
OPTIONS: dict[str, Any] = {"boundary": True, "bootstrap": 20, "per_sample": True}
# Any attempt to reach another machine ends the process.
OFFLINE = """
import socket

def refuse(*arguments):
    raise SystemExit(f"the network was asked for {arguments[1:]}")

socket.socket.connect = socket.getaddrinfo = refuse
"""
SHARDS: dict[str, list[Sequence[int]]] = {
    "uneven": [range(5), range(5, 7)],
    "padded": [[0, 2, 4, 6], [1, 3, 5, 0]],
    "repeated within a process": [[0, 2, 4, 6, 0], [1, 3, 5]],
    "first one empty": [[], range(7)],
    "last one empty": [range(7), []],
}


def clean_environment(folder: Path) -> dict[str, str]:
    """No caches, no settings, no path to this checkout."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")}
    return kept | {"HOME": str(folder), "HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1", "PYTHONSAFEPATH": "1"}


def run(code: str, *arguments: str, folder: Path, home: Path) -> str:
    process = subprocess.run(
        [sys.executable, "-c", OFFLINE + code, *arguments],
        cwd=folder,
        env=clean_environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_equals_the_plain_functions(load_metric: Callable[..., Any]) -> None:
    arguments = columns(draw_cases(10, 60))
    metric = load_metric()
    wanted = score_masks(**arguments, **OPTIONS)
    assert metric.compute(**arguments, **OPTIONS) == wanted
    names = {"predictions": "prediction", "references": "reference", "sample_ids": "sample_id", "domains": "domain"}
    for place in range(20):
        sample = {names.get(name, "score"): column[place] for name, column in arguments.items()}
        metric.add(**sample, boundary=True)
    for rows in (slice(20, 50), slice(50, 50)):
        metric.add_batch(**{name: column[rows] for name, column in arguments.items()}, boundary=True)
    assert len(metric) == 50
    rest = {name: column[50:] for name, column in arguments.items()}
    assert metric.compute(**rest, **OPTIONS) == wanted
    in_memory = load_metric(keep_in_memory=True)
    assert in_memory.compute(**arguments, **OPTIONS) == wanted


@pytest.mark.parametrize("kind", KINDS + RLE_KINDS)
def test_every_type_of_mask(load_metric: Callable[..., Any], kind: str) -> None:
    cases = draw_cases(11, 12)
    assert load_metric().compute(**columns(cases, kind)) == score_masks(**columns(cases))


def test_types_may_be_mixed(load_metric: Callable[..., Any]) -> None:
    cases = draw_cases(12, 40)
    arguments = columns(cases)
    kinds = (KINDS + RLE_KINDS) * 3
    arguments["predictions"] = [write_mask(c.prediction, c.height, c.width, kind) for c, kind in zip(cases, kinds)]
    assert load_metric().compute(**arguments) == score_masks(**columns(cases))


def test_the_metric_can_be_used_again_after_an_error(load_metric: Callable[..., Any], tmp_path: Path) -> None:
    arguments = columns(draw_cases(13, 10))
    metric = load_metric()
    for keep_in_memory in (False, True):
        metric = load_metric(keep_in_memory=keep_in_memory)
        with pytest.raises(ValueError, match="sample '3' was added twice"):
            metric.compute(**arguments | {"sample_ids": ["3"] * 10})
        with pytest.raises(ValueError, match="convention='mine' is unknown"):
            metric.compute(**arguments, convention="mine")
        with pytest.raises(ValueError, match="sample '9': the reference is a str"):
            metric.compute(**arguments | {"references": [*arguments["references"][:9], "mask.png"]})
        assert metric.compute(**arguments) == score_masks(**arguments)
        assert not list((tmp_path / "cache").rglob("*.arrow"))
    with pytest.raises(ValueError, match="No sample was added"):
        metric.compute()


def test_boundary_must_be_asked_for_when_adding(load_metric: Callable[..., Any]) -> None:
    metric = load_metric()
    metric.add(prediction=np.eye(3), reference=np.eye(3), sample_id="a")
    with pytest.raises(ValueError, match="sample 'a' was added without boundary=True"):
        metric.compute(boundary=True)
    with pytest.raises(ValueError, match="'a' was added twice"):
        metric.compute(predictions=[np.eye(3)], references=[np.eye(3)], sample_ids=["a"])
    assert (len(metric), metric.compute()["mIoU"]) == (1, 100.0), "what was added before an error stays"


def test_a_repeated_id_is_refused_when_it_is_added(load_metric: Callable[..., Any]) -> None:
    metric, mask = load_metric(), np.eye(3)
    metric.add(prediction=mask, reference=mask, sample_id="a")
    with pytest.raises(ValueError, match="sample 'a' was added twice"):
        metric.add(prediction=mask, reference=mask, sample_id="a")
    with pytest.raises(ValueError, match="sample 'b' was added twice"):
        metric.add_batch(predictions=[mask] * 3, references=[mask] * 3, sample_ids=["b", "c", "b"])
    with pytest.raises(ValueError, match="without boundary=True"):
        metric.compute(predictions=[mask], references=[mask], sample_ids=["b"], boundary=True)
    metric.add_batch(predictions=[mask] * 3, references=[mask] * 3, sample_ids=["b", None, None])
    assert metric.compute()["num_samples"] == 4, "the samples added before can still be scored"
    assert metric.compute(predictions=[mask], references=[mask], sample_ids=["a"])["num_samples"] == 1


def test_a_score_unlike_those_before_is_refused_when_it_is_added(load_metric: Callable[..., Any]) -> None:
    metric, mask = load_metric(), np.eye(3)
    metric.add(prediction=mask, reference=mask, score=0.5)
    with pytest.raises(ValueError, match="sample number 1 has no no-target score, but others have one"):
        metric.add(prediction=mask, reference=mask)
    with pytest.raises(ValueError, match="without boundary=True"):
        metric.compute(boundary=True)
    with pytest.raises(ValueError, match="sample number 1 has no no-target score"):
        metric.compute(predictions=[mask], references=[mask])
    with pytest.raises(ValueError, match="percent='False' is neither True nor False"):
        metric.compute(percent="False")
    assert metric.compute()["num_samples"] == 1, "the samples added before can still be scored"
    assert metric.compute(predictions=[mask], references=[mask])["num_samples"] == 1, "the next set may have none"


@pytest.mark.parametrize("labels", [{"domains": ["RS"]}, {"scores": [0.5], "sample_ids": ["a"]}])
def test_labels_without_masks_are_refused(load_metric: Callable[..., Any], labels: dict[str, Any]) -> None:
    metric = load_metric()
    metric.add(prediction=np.eye(3), reference=np.eye(3))
    with pytest.raises(ValueError, match=f"{next(reversed(labels))}.* were passed without masks"):
        metric.compute(**labels)
    assert metric.compute()["num_samples"] == 1


def test_no_samples_give_no_scores(load_metric: Callable[..., Any]) -> None:
    result = load_metric().compute(predictions=[], references=[])
    assert (result["num_samples"], result["mIoU"]) == (0, None)


OTHER_METRIC = '''
import datasets
import evaluate


class CountRows(evaluate.Metric):
    """Something to be combined with."""

    def _info(self):
        features = datasets.Features({name: datasets.Sequence(datasets.Sequence(datasets.Value("bool")))
                                      for name in ("predictions", "references")})
        return evaluate.MetricInfo(description="", citation="", inputs_description="", features=features)

    def _compute(self, predictions, references):
        return {"rows": len(predictions), "mIoU": -1.0}
'''


def test_combines_with_other_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "count_rows").mkdir()
    (tmp_path / "count_rows" / "count_rows.py").write_text(OTHER_METRIC)
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", str(tmp_path / "cache"))
    arguments = columns([case for case in draw_cases(14, 10) if case.prediction is not None])
    masks = {name: arguments[name] for name in ("predictions", "references")}
    wanted = score_masks(**masks)
    paths = [str(ROOT / "mtrs_iou"), str(tmp_path / "count_rows")]
    for step in ("compute", "add_batch", "add"):
        combined = evaluate.combine(paths)
        if step == "compute":
            result = combined.compute(**masks)
        elif step == "add_batch":
            combined.add_batch(**masks)
            result = combined.compute()
        else:
            for prediction, reference in zip(masks["predictions"], masks["references"]):
                combined.add(prediction=prediction, reference=reference)
            result = combined.compute()
        assert result.pop("rows") == len(masks["predictions"])
        assert result.pop("count_rows_mIoU") == -1
        assert result.pop("mtrs_iou_mIoU") == wanted["mIoU"]
        assert result == {name: value for name, value in wanted.items() if name != "mIoU"}
    twice = evaluate.combine({"one": paths[0], "two": paths[0]}, force_prefix=True)
    assert twice.compute(**arguments)["two_by_domain"] == score_masks(**arguments)["by_domain"]


def test_loads_offline_in_a_clean_process(tmp_path: Path) -> None:
    folder = ROOT / "mtrs_iou"
    copy = tmp_path / "copy" / "mtrs_iou"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    code = """
import os
import sys
import evaluate
for place in range(1, len(sys.argv), 2):
    os.chdir(sys.argv[place])
    metric = evaluate.load(sys.argv[place + 1])
    result = metric.compute(predictions=[[[0, 1], [0, 1]]], references=[[[0, 1], [0, 0]]])
    print(metric.name, result["mIoU"], result["num_samples"])
"""
    ways = [ROOT, "mtrs_iou", tmp_path, folder, tmp_path, folder / "mtrs_iou.py", copy.parent, "./mtrs_iou"]
    assert run(code, *map(str, ways), folder=tmp_path, home=tmp_path) == "mtrs_iou 50.0 1\n" * 4


def test_the_functions_need_numpy_alone(tmp_path: Path) -> None:
    code = """
import sys
for name in ("evaluate", "datasets", "torch", "PIL", "transformers", "pandas", "pyarrow"):
    sys.modules[name] = None
sys.path.insert(0, sys.argv[1])
from mtrs_iou import MaskScores, merge, score_masks
print(score_masks([[[0, 1], [0, 1]]], [[[0, 1], [0, 0]]], boundary=True, bootstrap=2)["mIoU"])
"""
    assert run(code, str(ROOT), folder=tmp_path, home=tmp_path) == "50.0\n"


def run_two_processes(code: str, *arguments: str, folder: Path) -> list[str]:
    """What each of two processes prints. They are told the metric, its cache, their number and `arguments`."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OFFLINE + code, str(ROOT / "mtrs_iou"), "cache", str(rank), *arguments],
            cwd=folder,
            env=clean_environment(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    return [output for output, _ in outputs]


def test_two_processes_with_uneven_shards(tmp_path: Path) -> None:
    code = """
import json
import sys

import evaluate

metric_path, cache, rank = sys.argv[1], sys.argv[2], int(sys.argv[3])
samples, all_shards = json.load(open(sys.argv[4]))
for name, shards in all_shards.items():
    experiment = name.replace(" ", "_")
    metric = evaluate.load(
        metric_path, cache_dir=cache, num_process=2, process_id=rank, experiment_id=experiment, timeout=60
    )
    for number in shards[rank]:
        metric.add(**samples[number], boundary=True)
    result = metric.compute(boundary=True, bootstrap=20, per_sample=True)
    assert (result is None) == (rank == 1)
    print(json.dumps(result))
"""
    arguments = columns(draw_cases(15, 7), "RLE text")
    names = {"predictions": "prediction", "references": "reference", "sample_ids": "sample_id", "domains": "domain"}
    samples = [{names.get(name, "score"): column[row] for name, column in arguments.items()} for row in range(7)]
    (tmp_path / "samples.json").write_text(
        json.dumps([samples, {name: [*map(list, s)] for name, s in SHARDS.items()}])
    )
    outputs = run_two_processes(code, "samples.json", folder=tmp_path)
    results = dict(zip(SHARDS, map(json.loads, outputs[0].splitlines()), strict=True))
    assert outputs[1] == "null\n" * len(SHARDS)
    wanted = score_masks(**arguments, **OPTIONS)
    removed = {name: result.pop("num_duplicates_removed") for name, result in results.items()}
    assert removed == {**dict.fromkeys(SHARDS, 0), "padded": 1, "repeated within a process": 1}
    del wanted["num_duplicates_removed"]
    for name, result in results.items():
        assert result == json.loads(json.dumps(wanted)), name


def test_a_process_may_begin_the_next_round_before_the_first_one_has_read_its_files(tmp_path: Path) -> None:
    code = """
import json
import sys
import time
from pathlib import Path

import evaluate

rank = int(sys.argv[3])
metric = evaluate.load(
    sys.argv[1], cache_dir=sys.argv[2], num_process=2, process_id=rank, experiment_id="rounds", timeout=60
)
begun = Path("begun")
scores = []
for number, prediction in enumerate([None, [[1]], [[0]]]):
    if rank == 1 and number == 1:
        wait_for_the_others = metric._check_rendez_vous

        def say_and_wait():
            begun.touch()  # Its file of the second round is open for writing.
            wait_for_the_others()

        metric._check_rendez_vous = say_and_wait
    metric.add_batch(predictions=[prediction] * 1000, references=[[[1]]] * 1000)
    while rank == 0 and not begun.exists():
        time.sleep(0.02)
    result = metric.compute()
    scores.append(result and [result["mIoU"], result["num_samples"]])
print(json.dumps(scores))
"""
    first, second = map(json.loads, run_two_processes(code, folder=tmp_path))
    assert first == [[0.0, 2000], [100.0, 2000], [0.0, 2000]]
    assert second == [None] * 3
    assert not list((tmp_path / "cache").rglob("*.arrow"))


def fresh_masks(count: int) -> Iterator[np.ndarray]:
    """Masks of 64 KB that nobody else keeps."""
    generator = np.random.default_rng(0)
    for number in range(count):
        yield np.repeat(generator.random(256) < 0.5, 256 + number % 2).reshape(256, -1)


def peak_of(score: Callable[[int], Any], count: int) -> int:
    tracemalloc.start()
    try:
        score(count)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_images(load_metric: Callable[..., Any]) -> None:
    metric = load_metric()

    def stream(count: int) -> None:
        for mask, true_mask in zip(fresh_masks(count), fresh_masks(count)):
            metric.add(prediction=mask, reference=true_mask)
        metric.compute()

    def plain(count: int) -> None:
        score_masks(fresh_masks(count), fresh_masks(count))

    for score in (stream, plain):
        score(2)
        # 900 more samples: the masks would be 59 MB each way, what is kept is less than 1 KB each.
        assert peak_of(score, 1000) - peak_of(score, 100) < 900 * 1000


def test_what_was_counted_goes_to_the_cache(load_metric: Callable[..., Any]) -> None:
    metric = load_metric()
    arguments = columns(draw_cases(16, 2500))
    for start in range(0, 2500, 50):
        metric.add_batch(**{name: column[start : start + 50] for name, column in arguments.items()})
        # The writer holds what is not in memory.
        assert len(metric) == start + 50
        assert (metric.writer is None) == (start + 50 < 1000)
    assert len(metric.writer) == 2000
    assert metric.compute() == score_masks(**arguments)


def test_a_sample_is_kept_as_a_few_numbers() -> None:
    scores = MaskScores()
    for mask in fresh_masks(10):
        scores.add(mask, mask, sample_id=len(scores))
    assert len(json.dumps(scores.state())) < 10 * 120 + 300


def test_what_evaluate_shows(load_metric: Callable[..., Any]) -> None:
    metric = load_metric()
    assert metric.name == "mtrs_iou"
    assert "2606.00987" in metric.citation
    assert "convention" in metric.compute.__doc__
    assert set(metric.features) == {"predictions", "references"}


def test_an_id_that_no_file_can_hold_loses_no_other_sample(load_metric: Callable[..., Any]) -> None:
    metric = load_metric()
    mask = np.eye(4, dtype=bool)
    for number in range(30):
        metric.add(prediction=mask, reference=mask, sample_id=f"good {number}")
    with pytest.raises(ValueError, match=r"^sample 'bad.udcff\.png': its sample_id is .* rename it"):
        metric.add(prediction=mask, reference=mask, sample_id="bad\udcff.png")
    assert len(metric) == 30
    assert metric.compute()["num_samples"] == 30


def test_a_failed_write_loses_nothing_and_adds_nothing(
    load_metric: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    metric = load_metric()
    masks = [np.eye(4, dtype=bool)] * 700

    def full(*_: Any, **__: Any) -> None:
        raise OSError("No space left on device")

    metric.add_batch(predictions=masks, references=masks)
    with monkeypatch.context() as patch:
        patch.setattr(evaluate.Metric, "add_batch", full)
        with pytest.raises(OSError, match="No space left"):
            metric.add_batch(predictions=masks, references=masks)
        with pytest.raises(OSError, match="No space left"):
            metric.compute()
    assert len(metric) == 700
    assert metric.compute()["num_samples"] == 700
