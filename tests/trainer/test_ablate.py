# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""ablate.py: planning, training, resuming and writing results; mostly with a stand-in for the training scripts."""

import csv
import fcntl
import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml
from PIL import Image

from trainer import ablate
from trainer.ablation import folder as ablation_folder
from trainer.ablation.curves import draw_curves, draw_noise, mean_curve
from trainer.ablation.folder import LOG, RECIPE, TrainingFailedError, TrainingFolder, failure_reason
from trainer.ablation.matrix import plan, read_matrix
from trainer.ablation.tables import HEADER, Outcome, make_rows, write_tables
from trainer.command_line import parse_arguments
from trainer.errors import TrainingError
from trainer.names import MATRICES


MATRIX = {
    "recipes": {"pretrain": "recipe.yaml", "finetune": "recipe.yaml"},
    "all": {"steps": 8, "stage1_share": 0.5, "stage1": None},
    "runs": {
        "full": {},
        "end_to_end": {"stage1_share": 0.0},
        "short": {"stage1_share": 0.0, "steps": 4},
        "avg": {"fusion_type": "avg"},
    },
}
# Stands in for pretrain.py and finetune.py: same arguments, same files, and failures on request.
STAND_IN = """
import json, os, pathlib, signal, sys, time
import yaml

assert sys.argv[1] == "--config" and sys.argv[3:] == ["--resume_from_checkpoint", "last"], sys.argv
settings = yaml.safe_load(pathlib.Path(sys.argv[2]).read_text())
folder, steps = pathlib.Path(settings["output_dir"]), settings["max_steps"]
mood = settings.get("run_name", "")
print("pid", os.getpid(), flush=True)
print(f"\\r 50%|███  | {steps // 2}/{steps} [00:01<00:01,  2.0it/s]\\r", end="", file=sys.stderr, flush=True)
if mood == "raise" and not (folder.parent / "mended").exists():
    raise RuntimeError("out of memory")
if mood == "killed" and not (folder / "checkpoint-2").exists():
    (folder / "checkpoint-2").mkdir()
    os.kill(os.getpid(), signal.SIGKILL)
if mood == "sleep":
    time.sleep(3600)
stage1 = settings.get("stage1")
assert stage1 in (None, "shipped") or pathlib.Path(stage1, "results.json").is_file(), stage1
print("resumes" if (folder / "checkpoint-2").exists() else "begins", "from", settings.get("stage1"))
score = 100 * settings.get("generated_noise", 0.0) + settings["seed"]
log = [{"step": steps, "loss": 2.0}, {"step": steps, "eval_mIoU": score}]
(folder / "trainer_state.json").write_text(json.dumps({"log_history": log}))
results = {"engine": "stand-in", "steps": steps, "pairs": 2 * steps}
results["evaluation"] = {"mIoU": score, "loss": 1.5, "num_samples": 7}
(folder / "results.json").write_text(json.dumps(results))
"""


@pytest.fixture
def write_matrix(tmp_path):
    """A function from the parts of a matrix that differ to its file."""

    def write(**parts):
        (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"stage1": "shipped", "learning_rate": 0.1}))
        path = tmp_path / "matrix.yaml"
        path.write_text(yaml.safe_dump({**MATRIX, **parts}, sort_keys=False))
        return path

    return write


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """A function that runs the command in this process with the stand-in, and gives its exit status and its output,
    or else its errors."""
    for stage in ("pretrain", "finetune"):
        (tmp_path / f"{stage}.py").write_text(STAND_IN)
    monkeypatch.setattr(ablation_folder, "SCRIPTS", tmp_path)

    def run(matrix, *arguments):
        command = ["trainer/ablate.py", "--matrix", matrix, "--output_dir", tmp_path / "out", *arguments]
        monkeypatch.setattr(sys, "argv", [*map(str, command)])
        try:
            code = ablate.main()
        except SystemExit as stop:  # of a wrong command line
            code = stop.code
        printed = capsys.readouterr()
        return code, printed.out or printed.err

    return run


def read_csv(path):
    with path.open(newline="") as file:
        return {row["run"]: row for row in csv.DictReader(file)}


def logs(folder):
    return {path.parent.name.rsplit("-", 1)[0]: path.read_text() for path in sorted(folder.glob(f"runs/*/{LOG}"))}


def finish(folder, score, steps=4, seconds=10.0):
    """Leaves in a training's folder what a finished training leaves."""
    folder.path.mkdir(parents=True)
    evaluation = {"loss": score / 100, "mIoU": score, "oIoU": score + 1, "Pr@50": score + 2, "num_samples": 1234}
    results = {"engine": "none", "steps": steps, "pairs": 8 * steps, "evaluation": evaluation}
    (folder.path / "results.json").write_text(json.dumps(results))
    history = [{"step": 2, "loss": 3.0}, {"step": steps, "loss": 2.0}, {"step": steps, "eval_mIoU": score}]
    (folder.path / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    (folder.path / "attempts.json").write_text(json.dumps([[100.0, 100.0 + seconds]]))


# The plan.


def test_runs_have_the_same_steps_with_and_without_stage_1(write_matrix):
    runs = {run.name: run for run in plan(read_matrix(write_matrix()), [0])}
    assert [training.steps for training in runs["full"].trainings] == [4, 4]
    assert [training.steps for training in runs["end_to_end"].trainings] == [8]
    assert [training.steps for training in runs["short"].trainings] == [4]
    assert runs["avg"].changes == "fusion_type=avg"
    # No run starts from the shipped weights of the recipe, and each of both stages has what the matrix says.
    for run in runs.values():
        for training in run.trainings:
            assert "stage1" not in training.settings
            assert training.settings["learning_rate"] == 0.1
            assert training.settings.get("fusion_type") == ("avg" if run.name == "avg" else None)


def test_steps_scale_all_runs_alike(write_matrix):
    runs = plan(read_matrix(write_matrix()), [0], steps=100)
    assert [sum(training.steps for training in run.trainings) for run in runs] == [100, 100, 50, 100]
    with pytest.raises(TrainingError, match="full has 1 steps, too few for a stage1_share"):
        plan(read_matrix(write_matrix()), [0], steps=1)


def test_trainings_that_do_the_same_are_the_same(write_matrix):
    runs = {"full": {}, "again": {}, "one": {"finetune": {"sentences_per_pair": 1}}, "avg": {"fusion_type": "avg"}}
    planned = {run.name: run for run in plan(read_matrix(write_matrix(runs=runs)), [0], noise=[0, 0.3])}
    assert planned["again"].trainings == planned["noise_0"].trainings == planned["full"].trainings
    for name in ("one", "noise_0.3"):
        assert planned[name].trainings[0] is planned["full"].trainings[0]
        assert planned[name].trainings[1].digest != planned["full"].trainings[1].digest
    assert planned["noise_0.3"].trainings[1].settings["generated_noise"] == 0.3
    # Stage 2 is another one if its stage 1 is, and everything is with another seed or engine.
    assert planned["avg"].trainings[1].digest != planned["full"].trainings[1].digest
    digests = {training.digest for run in planned.values() for training in run.trainings}
    for others in ({"seeds": [1]}, {"seeds": [0], "engine": {"num_processes": 2}}):
        other = plan(read_matrix(write_matrix(runs=runs)), **others)
        assert not digests & {training.digest for run in other for training in run.trainings}


def test_fields_of_mappings_are_changed_one_by_one(write_matrix):
    common = {**MATRIX["all"], "config_overrides": {"num_points": 8, "seg_head_size": 16}}
    runs = {"full": {}, "other": {"config_overrides": {"num_points": 9}}}
    planned = plan(read_matrix(write_matrix(all=common, runs=runs)), [0])
    assert planned[1].trainings[0].settings["config_overrides"] == {"num_points": 9, "seg_head_size": 16}
    assert planned[0].trainings[0].settings["config_overrides"] == {"num_points": 8, "seg_head_size": 16}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"runs": {"full": {"fusion_typ": "avg"}}}, "full: unknown argument 'fusion_typ'; did you mean fusion_type?"),
        ({"runs": {"full": {"finetune": {"seed": 3}}}}, "full: seed is set by"),
        ({"runs": {"full": {"stage1_share": 1}}}, "stage1_share=1 must be"),
        ({"runs": {"full": {"steps": 0.5}}}, "steps=0.5 must be"),
        ({"runs": {"full": None}}, "full must hold a mapping"),
        ({"runs": {"full": {"pretrain": 3}}}, "full must hold a mapping"),
        ({"runs": {8: {}}}, "the run 8 needs another name"),
        ({"runs": {"../away": {}}}, "the run '../away' needs another name"),
        ({"runs": {}}, "must contain exactly three non-empty mappings"),
        ({"rest": 1}, "must contain exactly three non-empty mappings"),
        ({"all": {"steps": 8}}, "all must set steps and stage1_share"),
        ({"recipes": {"pretrain": "recipe.yaml"}}, "name finetune"),
        ({"recipes": {"finetune": "nowhere.yaml"}}, "nowhere.yaml cannot be read"),
        ({"recipes": {"finetune": "recipe.yaml"}}, "full has a stage1_share, but recipes has no entry"),
    ],
)
def test_what_cannot_be_in_a_matrix_is_named(write_matrix, parts, message):
    with pytest.raises(TrainingError) as caught:
        plan(read_matrix(write_matrix(**parts)), [0])
    assert message in str(caught.value)
    assert "matrix.yaml" in str(caught.value) or "nowhere.yaml" in str(caught.value)


def test_noise_needs_generated_pairs(write_matrix):
    matrix = read_matrix(write_matrix(all={**MATRIX["all"], "train_data": ["somewhere"]}))
    plan(matrix, [0])
    with pytest.raises(TrainingError, match="train_data names none"):
        plan(matrix, [0], noise=[0.1])


@pytest.mark.parametrize("path", sorted(MATRICES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_matrices_give_recipes_that_can_be_read(path, tmp_path):
    for run in plan(read_matrix(path), [3], noise=[0.1]):
        for training in run.trainings:
            recipe = tmp_path / "recipe.yaml"
            recipe.write_text(yaml.safe_dump(training.settings))
            model, data, _, arguments, model_config = parse_arguments("tiny_stage2", ["--config", str(recipe)])
            assert (arguments.max_steps, arguments.seed) == (training.steps, 3)
            assert model.stage1 is None
            assert not arguments.load_best_model_at_end
            if run.name.startswith("fusion_"):
                assert model.fusion_type == run.name.removeprefix("fusion_")
            if "lora_r" in run.name:
                assert (model_config.use_peft, model_config.lora_r) == (True, int(run.name.removeprefix("lora_r")))
            if training.stage == "finetune":
                assert data.generated_noise == (run.noise or 0.0)


# Training.


def test_every_training_is_done_once_and_one_table_written(run, write_matrix, tmp_path):
    runs = {name: MATRIX["runs"][name] for name in ("full", "end_to_end")}
    status, said = run(write_matrix(runs=runs), "--seeds", 0, 1, "--noise", 0, 0.25)
    out = tmp_path / "out"
    assert status == 0
    assert "full, seed 1: finished" in said
    found = logs(out)
    assert len(found) == 2 * (2 + 1 + 1)  # The noise series has but one training of its own.
    stage1 = next(out.glob("runs/full-seed1-pretrain-*"))
    assert f"begins from {stage1}" in found["full-seed1-finetune"]
    assert "begins from None" in found["end_to_end-seed0-finetune"]
    assert "50%" not in "".join(found.values())
    rows = read_csv(out / "matrix.csv")
    assert [*rows] == ["full", "end_to_end"]
    full = rows["full"]
    assert (full["steps"], full["stage1_steps"], full["pairs"], full["seeds"]) == ("8", "4", "16.0", "2")
    assert rows["end_to_end"]["pairs"] == "16.0"
    assert (full["mIoU"], full["mIoU_spread"], full["loss"]) == ("0.5", "0.7071", "1.5")
    assert {name: row["mIoU"] for name, row in read_csv(out / "matrix_noise.csv").items()} == {
        "noise_0": "0.5",
        "noise_0.25": "25.5",
    }
    for name in ("matrix.png", "matrix_noise.png"):
        assert Image.open(out / name).size[0] > 500
    report = json.loads((out / "matrix.json").read_text())
    assert report["command"].startswith("python trainer/ablate.py --matrix")
    assert "torch" in report["versions"]
    assert len(report["runs"]) == 2 * (2 + 2)
    assert report["runs"][0]["stages"][0]["settings"]["max_steps"] == 4


def test_what_is_finished_is_not_trained_again(run, write_matrix, tmp_path):
    run(write_matrix())
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("out/runs/*/results.json")}
    table = (tmp_path / "out" / "matrix.md").read_text()
    status, said = run(write_matrix())
    assert status == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("out/runs/*/results.json")} == times
    assert (tmp_path / "out" / "matrix.md").read_text() == table
    # Another name is no other training; other settings are, and the old ones keep their folder.
    run(write_matrix(runs={"renamed": {}, "avg": {"fusion_type": "avg", "image_size": 64}}))
    folders = [path.name.rsplit("-", 1)[0] for path in tmp_path.glob("out/runs/*")]
    assert not [name for name in folders if name.startswith("renamed")]
    assert folders.count("avg-seed0-finetune") == 2
    assert len(folders) == len(times) + 2


def test_a_failure_is_a_row_and_the_others_go_on(run, write_matrix, tmp_path):
    runs = {"full": {}, "bad": {"run_name": "raise"}, "worse": {"finetune": {"run_name": "killed"}}}
    matrix = write_matrix(runs={**runs, "last": {"fusion_type": "avg"}})
    status, said = run(matrix)
    out = tmp_path / "out"
    assert status == 1
    rows = read_csv(out / "matrix.csv")
    assert rows["full"]["status"] == rows["last"]["status"] == "finished"
    assert rows["bad"]["status"].startswith("failed: RuntimeError: out of memory (runs/bad-seed0-pretrain-")
    assert rows["worse"]["status"].startswith("failed: killed by SIGKILL (runs/worse-seed0-finetune-")
    assert rows["bad"]["mIoU"] == ""
    assert "bad (failed)" in said
    assert not list(out.glob("runs/bad-seed0-finetune-*"))  # Nothing follows a failed stage 1.
    # The next time both are tried again; what was killed resumes from its checkpoint, which is then removed.
    (out / "runs" / "mended").touch()
    _, listed = run(matrix, "--dry_run")
    assert "resumes from checkpoint-2" in listed
    assert run(matrix)[0] == 0
    assert "resumes from" in logs(out)["worse-seed0-finetune"]
    assert "RuntimeError: out of memory" in logs(out)["bad-seed0-pretrain"]  # The log of all attempts.
    assert not list(out.glob("runs/*/checkpoint-*"))
    assert {row["status"] for row in read_csv(out / "matrix.csv").values()} == {"finished"}


def test_a_dry_run_only_says_what_it_would_do(run, write_matrix, tmp_path):
    status, said = run(write_matrix(), "--dry_run", "--noise", 0)
    assert status == 0
    assert not (tmp_path / "out").exists()
    lines = said.splitlines()
    assert len(lines) == 2 + 1 + 1 + 2 + 2 + 1
    assert lines[0].split()[:6] == ["full", "seed", "0", "pretrain", "4", "steps"]
    assert "to be trained" in lines[0]
    assert lines[-2].endswith("shared with full")
    assert lines[-1].startswith("6 trainings; those that are not finished have 28 steps")


def test_runs_that_share_stage_1_are_trained_in_one_go(run, write_matrix, tmp_path):
    assert run(write_matrix(), "--runs", "full", "--noise", 0, 0.5)[0] == 0
    assert {row["status"] for row in read_csv(tmp_path / "out" / "matrix_noise.csv").values()} == {"finished"}
    assert {*logs(tmp_path / "out")} == {"full-seed0-pretrain", "full-seed0-finetune", "noise_0.5-seed0-finetune"}


def test_runs_can_be_chosen(run, write_matrix, tmp_path):
    assert run(write_matrix(), "--runs", "short")[0] == 0
    assert {*logs(tmp_path / "out")} == {"short-seed0-finetune"}
    # What is there is shown, what was neither asked for nor is there is not.
    run(write_matrix(), "--runs", "--noise", 0.5)
    assert [*read_csv(tmp_path / "out" / "matrix.csv")] == ["short"]
    assert [*read_csv(tmp_path / "out" / "matrix_noise.csv")] == ["noise_0.5"]
    status, said = run(write_matrix(), "--runs", "tall")
    assert status == 2
    assert "has no tall; it has full, end_to_end, short, avg" in said


@pytest.mark.parametrize(
    "wrong", [("--noise", "2"), ("--steps", "0"), ("--seeds", "-1"), ("--seeds", "1", "1"), ("--noise", "0.1", "0.1")]
)
def test_wrong_numbers_are_refused(run, write_matrix, wrong):
    assert run(write_matrix(), *wrong)[0] == 2


def test_a_stopped_ablation_leaves_no_process_behind(run, write_matrix, tmp_path):
    matrix = read_matrix(write_matrix(runs={"sleepy": {"stage1_share": 0, "run_name": "sleep"}}))
    folder = TrainingFolder(tmp_path / "out", plan(matrix, [0])[0].trainings[0])

    def stop(steps):
        assert steps == 4
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folder.train(stop)
    process = int((folder.path / LOG).read_text().split()[1])
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert folder.seconds() > 0


def test_two_processes_do_not_train_in_one_folder(run, write_matrix, tmp_path):
    training = plan(read_matrix(write_matrix()), [0])[0].trainings[0]
    folder = TrainingFolder(tmp_path / "out", training)
    folder.path.mkdir(parents=True)
    with (folder.path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = threading.Thread(target=folder.train, args=(lambda steps: None,))
        waiting.start()
        time.sleep(0.3)
        assert not (folder.path / RECIPE).exists()
    waiting.join()
    assert folder.results() is not None


def test_time_before_a_kill_counts(run, write_matrix, tmp_path):
    training = plan(read_matrix(write_matrix()), [0])[0].trainings[0]
    folder = TrainingFolder(tmp_path / "out", training)
    folder.path.mkdir(parents=True)
    (folder.path / LOG).write_text("its last word\n")
    last_word = (folder.path / LOG).stat().st_mtime
    (folder.path / "attempts.json").write_text(json.dumps([[last_word - 500.0, None]]))
    folder.train(lambda steps: None)
    assert folder.seconds() >= 500


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        ("x\nfinetune.py: error: no such thing\n", 2, "no such thing"),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory\n", 1, "OutOfMemoryError: CUDA out of memory"),
        ("[rank1]: ValueError: a\nsubprocess.CalledProcessError: Command 'x' returned 1\n", 1, "ValueError: a"),
        ("subprocess.CalledProcessError: Command 'x' died with <Signals.SIGKILL: 9>.\n", 1, "killed by SIGKILL"),
        ("ValueError: of an earlier try that was mended\n", -9, "killed by SIGKILL"),
        ("nothing to learn from this\n", 3, "exit status 3"),
        ("", 0, "exit status 0"),
    ],
)
def test_reasons_of_failures(said, status, reason):
    assert failure_reason(said, status) == reason


def test_a_training_that_leaves_no_results_has_failed(run, write_matrix, tmp_path):
    (tmp_path / "pretrain.py").write_text("")
    training = plan(read_matrix(write_matrix()), [0])[0].trainings[0]
    with pytest.raises(TrainingFailedError, match="exit status 0"):
        TrainingFolder(tmp_path / "out", training).train(lambda steps: None)


def test_accelerate_starts_it_where_a_configuration_is_given(run, write_matrix, tmp_path):
    configuration = Path(__file__).parents[2] / "trainer" / "accelerate" / "single.yaml"
    status, said = run(write_matrix(), "--runs", "short", "--accelerate_config", configuration)
    assert status == 0, logs(tmp_path / "out")
    status, said = run(write_matrix(), "--accelerate_config", tmp_path / "nowhere.yaml")
    assert status == 2
    assert "nowhere.yaml cannot be read" in said


# Tables.


@pytest.fixture
def hand_made(write_matrix, tmp_path):
    """Two seeds of a run with stage 1, one of two seeds of one without, one that failed and one not begun."""
    outcomes = []
    for run in plan(read_matrix(write_matrix()), [0, 1]):
        folders = [TrainingFolder(tmp_path / "out", training) for training in run.trainings]
        failure = None
        if run.name == "full":
            finish(folders[0], 90.0)
            finish(folders[1], 40.0 + 2 * run.seed, seconds=20.0)
        elif run.name == "short" and run.seed == 0:
            finish(folders[0], 30.0)
        elif run.name == "end_to_end":
            failure = "RuntimeError: 50 % of a_b | c\\d"
        outcomes.append(Outcome(run, folders, failure))
    return outcomes


def test_tables_say_what_the_folders_hold(hand_made, tmp_path):
    shown = write_tables(make_rows(hand_made), tmp_path / "table")
    lines = (tmp_path / "table.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines[:6]]
    assert cells[0] == list(HEADER)
    # Of both stages the time and pairs, of the last one the scores, which have no N-acc.
    assert cells[2][:5] == ["full", "", "4 + 4", "30", "64"]
    assert cells[2][5:] == ["41.00 ± 1.41", "42.00 ± 1.41", "43.00 ± 1.41", "-", "-", "0.410 ± 0.014"]
    assert cells[3][:6] == ["end_to_end (failed)", "stage1_share=0.0", "8", "-", "-", "-"]
    assert cells[4][:6] == [
        "short (1 of 2 seeds; not finished)",
        "stage1_share=0.0, steps=4",
        "4",
        "10",
        "32",
        "30.00",
    ]
    assert cells[5][:6] == ["avg (not finished)", "fusion_type=avg", "4 + 4", "-", "-", "-"]
    assert len({len(line) for line in lines[:6]}) == 1
    assert "generated; 1,234 sentences" in shown
    assert "Not trained on as many pairs as full: short." in shown
    assert "end_to_end, seed 1, failed: RuntimeError: 50 % of" in shown
    latex = (tmp_path / "table.tex").read_text()
    assert r"41.00 $\pm$ 1.41" in latex
    assert r"50 \% of a\_b | c\textbackslash{}d" in latex
    assert all(line.count(" & ") == len(HEADER) - 1 for line in latex.splitlines() if line.endswith(r"\\"))
    rows = read_csv(tmp_path / "table.csv")
    assert (rows["full"]["seconds"], rows["full"]["mIoU_spread"]) == ("30.0", "1.4142")
    assert (rows["short"]["seeds"], rows["short"]["finished"], rows["short"]["mIoU_spread"]) == ("2", "1", "")
    assert rows["short"]["status"] == "finished; not finished"


def test_curves_count_the_steps_of_stage_1(hand_made, tmp_path):
    full, end_to_end = make_rows(hand_made)[:2]
    assert mean_curve(full.finished, "loss") == {6: 3.0, 8: 2.0}
    assert mean_curve(full.finished, "eval_mIoU") == {8: 41.0}
    assert mean_curve(end_to_end.finished, "loss") == {}
    draw_curves(make_rows(hand_made), tmp_path / "curves.png")
    draw_noise([end_to_end], tmp_path / "nothing.png")
    assert len(Image.open(tmp_path / "curves.png").convert("RGB").getcolors(1 << 24)) > 20


# A real one.


def test_the_real_scripts(recipe, tmp_path, monkeypatch, capsys):
    settings = yaml.safe_load(recipe.read_text())
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump({**settings, "eval_strategy": "no"}))
    matrix = tmp_path / "ablation.yaml"
    content = {
        "recipes": {"pretrain": "tiny.yaml", "finetune": "tiny.yaml"},
        "all": {"steps": 4, "stage1_share": 0.5},
        "runs": {"full": {}, "frozen_tail": {"finetune": {"freeze": ["tail"]}}},
    }
    matrix.write_text(yaml.safe_dump(content, sort_keys=False))
    for name, value in {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["ablate.py", "--matrix", str(matrix), "--output_dir", str(tmp_path / "out")])
    assert ablate.main() == 1
    said = capsys.readouterr().out
    rows = read_csv(tmp_path / "out" / "ablation.csv")
    assert rows["full"]["status"] == "finished", said
    assert (rows["full"]["stage1_steps"], rows["full"]["steps"], rows["full"]["pairs"]) == ("2", "4", "8.0")
    assert 0 <= float(rows["full"]["mIoU"]) <= 100
    assert float(rows["full"]["loss"]) > 0
    assert float(rows["full"]["seconds"]) > 1
    assert "failed: freeze names tail" in rows["frozen_tail"]["status"]
