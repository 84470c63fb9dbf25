# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The commands as a user calls them: from images to a dataset."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from craft_agent.audit.decisions import Decision
from craft_agent.audit.store import AuditStore
from craft_agent.backends.offline import OfflinePerceiver
from craft_agent.command_line import main
from tests.craft_agent.runs import content, never, run_until
from tests.craft_agent.small_work import draw_pairs


NO_WEIGHTS = ("--perceiver", "difference")


def test_from_images_to_a_data_set(tmp_path, capsys):
    pairs, work = draw_pairs(tmp_path / "pairs", 2), tmp_path / "work"
    arguments = ["run", str(pairs), "--out", str(work), "--domain", "RS", "--grid", "2", *NO_WEIGHTS]
    assert main([*arguments, "--dry-run", "--input-price", "1000000"]) == 0
    estimate = capsys.readouterr().out
    assert "2 pairs to do" in estimate
    assert not work.exists()
    assert main(arguments) == 0
    assert "2 refined" in capsys.readouterr().out
    assert main(arguments) == 0
    assert main(["export", str(work), str(tmp_path / "out")]) == 2
    assert "craft-agent audit" in capsys.readouterr().err
    assert main(["status", str(work)]) == 0
    assert "samples: 6, 6 of which nobody has judged; run `craft-agent audit" in capsys.readouterr().out
    store = AuditStore(work)
    for sample_id in store.sample_ids("ann"):
        store.decide(sample_id, "ann", Decision("accept"))
    assert main(["export", str(work), str(tmp_path / "out")]) == 0
    assert "2 pairs, 6 regions, 18 sentences" in capsys.readouterr().out
    assert main(["status", str(work)]) == 0
    shown = capsys.readouterr().out
    assert "0 of which nobody has judged;" in shown
    assert "craft-agent export" in shown
    assert main(["stats", str(work), "--out", str(tmp_path / "funnel.png")]) == 0
    assert "samples accepted" in capsys.readouterr().out
    assert (tmp_path / "funnel.png").stat().st_size > 10_000
    assert main([*arguments, "--dry-run"]) == 0
    assert "0 pairs to do" in capsys.readouterr().out


def test_a_dry_run_counts_repaired_pairs(tmp_path, capsys):
    pairs, work = draw_pairs(tmp_path / "pairs", 2), tmp_path / "work"
    arguments = ["run", str(pairs), "--out", str(work), *NO_WEIGHTS]
    damaged, missing = (next((pairs / "B").glob(f"*_00{number}.png")) for number in range(2))
    contents = damaged.read_bytes(), missing.read_bytes()
    damaged.write_bytes(b"no image")
    missing.unlink()
    main(arguments)
    assert "2 skipped" in capsys.readouterr().out
    assert main([*arguments, "--dry-run"]) == 0
    assert "0 pairs to do" in capsys.readouterr().out
    damaged.write_bytes(contents[0])
    missing.write_bytes(contents[1])
    assert main([*arguments, "--dry-run"]) == 0
    assert "2 pairs to do" in capsys.readouterr().out
    main(arguments)
    assert "2 refined" in capsys.readouterr().out


def test_a_dry_run_loads_no_model(tmp_path, capsys):
    pairs, work = draw_pairs(tmp_path / "pairs", 2), tmp_path / "work"
    nowhere = ["--perceiver-model", str(tmp_path / "none"), "--segmenter-model", str(tmp_path / "none")]
    models = ["--perceiver", "transformers", "--segmenter", "clipseg", *nowhere]
    assert main(["run", str(pairs), "--out", str(work), *models, "--dry-run"]) == 0
    assert "2 pairs to do" in capsys.readouterr().out
    assert not work.exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["run", "{tmp}/none", "--out", "{tmp}/work"], "not a folder"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/pairs/A/work"], "inside the folder of images"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/pairs", *NO_WEIGHTS], "something other"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/work", "--rounds", "0"], "--rounds 0"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/work", "--grid", "0"], "--grid 0"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/work", "--grounding-iou", "nan"], "--grounding-iou nan"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/work", "--input-price", "nan"], "--input-price nan"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/work", "--prompts", "{tmp}"], "perceive_whole.txt"),
        (["status", "{tmp}"], "holds no run"),
        (["export", "{tmp}", "{tmp}/out"], "holds no run"),
        (["stats", "{tmp}/none"], "holds no run"),
    ],
)
def test_bad_input_ends_with_one_line(tmp_path, capsys, arguments, problem):
    draw_pairs(tmp_path / "pairs", 1)
    assert main([argument.format(tmp=tmp_path) for argument in arguments]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("craft-agent: error: ")
    assert problem in line
    assert not (tmp_path / "work").exists()


def test_a_wrong_command_line_is_one_line(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["run"])
    assert stopped.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert (
        line == "craft-agent: error: the following arguments are required: PAIRS, --out (see craft-agent run --help)"
    )


def test_other_settings_are_refused(tmp_path, capsys):
    arguments = [
        "run",
        str(draw_pairs(tmp_path / "pairs", 1)),
        "--out",
        str(tmp_path / "work"),
        "--grid",
        "1",
        "--perceiver",
        "difference",
    ]
    assert main(arguments) == 0
    assert main([*arguments, "--paraphrases", "0"]) == 2
    assert "paraphrases was 2 and is 0" in capsys.readouterr().err


def test_tracebacks_are_in_the_log_of_the_run(tmp_path, capsys, monkeypatch):
    ask = OfflinePerceiver.ask

    def buggy(self, question):
        return 1 // 0 if question.pair.pair_id == "place_001" else ask(self, question)

    monkeypatch.setattr(OfflinePerceiver, "ask", buggy)
    images, work = draw_pairs(tmp_path / "pairs", 2), tmp_path / "work"
    (images / "A" / "notes.psd").write_bytes(b"x")
    assert main(["run", str(images), "--out", str(work), "--grid", "1", *NO_WEIGHTS]) == 1
    out = capsys.readouterr().out
    assert "failed: 1 pairs, such as place_001: unexpected ZeroDivisionError" in out
    assert "A/notes.psd" in out
    assert "return 1 // 0 if question" in (work / "craft.log").read_text()


def test_two_processes_share_a_run(tmp_path):
    pairs = draw_pairs(tmp_path / "pairs", 3)

    def run_alone(work):
        words = [
            "craft_agent",
            "run",
            str(pairs),
            "--out",
            str(work),
            "--grid",
            "2",
            "--domain",
            "RS",
            "--perceiver",
            "difference",
        ]
        return run_until(words, never)

    assert run_alone(tmp_path / "alone") == 0
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run_alone, [tmp_path / "shared"] * 2)) == [0, 0]
    assert content(tmp_path / "shared") == content(tmp_path / "alone")
