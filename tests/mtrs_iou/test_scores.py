# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import json
import math
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mtrs_iou import MaskScores, merge, score_masks
from tests.oracles.brute_force import KINDS, RLE_KINDS, Case, columns, draw_cases, expected


def differing(result: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """What is wanted and not there, but for the last bits of a sum."""
    return {
        name: (result[name], value)
        for name, value in wanted.items()
        if result[name] != value and (value is None or not math.isclose(result[name] or 0, value, rel_tol=1e-13))
    }


@pytest.mark.parametrize("convention", ["reference", "nonempty"])
def test_the_scores_of_10000_random_samples_equal_brute_force(convention: str) -> None:
    dice = random.Random(3)
    for number in range(101):
        cases = draw_cases(number, 100 if number else 0)
        kind = dice.choice(KINDS + RLE_KINDS)
        result = score_masks(**columns(cases, kind), boundary=True, convention=convention)
        wanted = expected(cases, convention)
        # Without a single score there is no AUROC to speak of.
        if not cases:
            del wanted["no_target_AUROC"]
        assert not differing(result, wanted)
        for group, of_group in group_by_hand(cases).items():
            for label, members in of_group.items():
                assert not differing(result[group][label], expected(members, convention))


def group_by_hand(cases: list[Case]) -> dict[str, dict[str, list[Case]]]:
    groups: dict[str, dict[str, list[Case]]] = {"by_domain": {}, "by_mask_size": {}}
    for case in cases:
        groups["by_domain"].setdefault(case.domain or "unknown", []).append(case)
        # 9 x 9 pixels are always small.
        groups["by_mask_size"].setdefault("small" if case.reference else "empty", []).append(case)
    return groups


def strip(area: int) -> dict[str, Any]:
    """A mask of 1 x 20,000 pixels, of which the first ones are set."""
    return {"size": [1, 20_000], "counts": [0, area, 20_000 - area]}


def test_the_limits_of_mask_size_are_those_of_coco() -> None:
    areas = [0, 1, 1023, 1024, 9215, 9216, 20_000]
    result = score_masks([strip(1)] * 7, [strip(area) for area in areas])
    counts = {size: scores["num_samples"] for size, scores in result["by_mask_size"].items()}
    assert counts == {"empty": 1, "small": 2, "medium": 2, "large": 2}


@pytest.mark.parametrize("threshold", [50, 60, 70, 80, 90])
def test_an_iou_of_exactly_the_threshold_counts(threshold: int) -> None:
    for union in (10, 170, 190, 19_990):
        area = threshold * union // 100
        below = [strip(area - 1)], [strip(union)]
        assert score_masks([strip(area)], [strip(union)])[f"Pr@{threshold}"] == 100
        assert score_masks(*below)[f"Pr@{threshold}"] == 0


def test_an_empty_prediction_on_an_empty_truth() -> None:
    masks = [strip(0), strip(0), strip(50)], [strip(0), strip(10), strip(100)]
    result = score_masks(*masks)
    assert (result["mIoU"], result["Pr@50"], result["oIoU"]) == (
        50.0,
        pytest.approx(200 / 3),
        pytest.approx(5000 / 110),
    )
    nonempty = score_masks(*masks, convention="nonempty")
    assert (nonempty["mIoU"], nonempty["Pr@50"], nonempty["oIoU"]) == (25.0, 50.0, result["oIoU"])
    for each in (result, nonempty):
        assert (each["mIoU_nonempty"], each["N-acc"], each["T-acc"]) == (25.0, 100.0, 50.0)


def test_a_missing_prediction_is_wrong_and_stays() -> None:
    result = score_masks([None, None, strip(0)], [strip(0), strip(10), strip(0)], boundary=True)
    assert result["mIoU"] == result["boundary_IoU"] == result["Pr@50"] == pytest.approx(100 / 3)
    assert (result["oIoU"], result["N-acc"], result["T-acc"], result["recall"]) == (0.0, 50.0, 0.0, 0.0)
    assert (result["num_samples"], result["num_missing_predictions"], result["num_both_empty"]) == (3, 2, 1)
    assert (result["num_false_negatives"], result["num_false_positives_on_empty"]) == (1, 0)


def test_a_score_with_nothing_to_divide_by_is_none() -> None:
    result = score_masks([strip(0)], [strip(0)], bootstrap=10)
    undefined = {name for name, value in result.items() if value is None}
    assert undefined == {"oIoU", "cIoU", "mIoU_nonempty", "T-acc", "precision", "recall", "f1"}
    assert result["confidence_intervals"]["oIoU"] is None
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    nothing = score_masks([], [], bootstrap=10)
    assert nothing["mIoU"] is None
    assert nothing["num_samples"] == 0


def test_a_mean_has_no_rounding_but_its_own() -> None:
    for seed in range(5):
        result = score_masks(**columns(draw_cases(seed, 400)), percent=False, per_sample=True)
        exact = sum(Fraction(sample["IoU"]) for sample in result["per_sample"])
        assert result["mIoU"] == float(exact) / 400


def test_fractions_are_percents_divided_by_100() -> None:
    arguments = columns(draw_cases(5, 40)) | {"boundary": True, "bootstrap": 20, "per_sample": True}
    percents, fractions = score_masks(**arguments), score_masks(**arguments, percent=False)
    assert fractions["mIoU"] == pytest.approx(percents["mIoU"] / 100)
    assert fractions["no_target_AUROC"] == pytest.approx(percents["no_target_AUROC"] / 100)
    assert fractions["by_domain"]["NS"]["f1"] == pytest.approx(percents["by_domain"]["NS"]["f1"] / 100)
    intervals = [each["confidence_intervals"]["mIoU"] for each in (fractions, percents)]
    assert intervals[0] == pytest.approx([bound / 100 for bound in intervals[1]])
    assert fractions["per_sample"][-1]["IoU"] == 1
    assert fractions["num_samples"] == percents["num_samples"]
    assert fractions["boundary_dilation_ratio"] == percents["boundary_dilation_ratio"] == 0.02


def test_groups_are_there_only_with_labels() -> None:
    masks = [strip(1)] * 3, [strip(1)] * 3
    assert not {"by_domain", "by_change_type"} & set(score_masks(*masks))
    labelled = score_masks(*masks, change_types=["appear", None, "appear"])
    assert "by_domain" not in labelled
    counts = {label: scores["num_samples"] for label, scores in labelled["by_change_type"].items()}
    assert counts == {"appear": 2, "unknown": 1}


def test_the_printed_log_is_consistent_with_the_counters() -> None:
    """
    1,995 samples, 21 of them empty (8 on both sides, 13 with a false positive), 17 false negatives, and IoUs that give
    the printed mIoU and Pr@50 to Pr@90.
    """
    ious = [0.93] * 456 + [0.85] * 394 + [0.75] * 218 + [0.65] * 144 + [0.55] * 111 + [0.173] * 317 + [0.172] * 317
    predicted = [0] * 8 + [400] * 13 + [0] * 17 + [round(10_000 * value) for value in ious]
    result = score_masks(map(strip, predicted), map(strip, [0] * 21 + [10_000] * 1974))
    printed = {"mIoU": 59.87, "Pr@50": 66.72, "Pr@60": 61.15, "Pr@70": 53.93, "Pr@80": 43.01, "Pr@90": 23.26}
    assert {name: round(result[name], 2) for name in printed} == printed
    assert (result["num_samples"], result["num_empty_references"], result["num_both_empty"]) == (1995, 21, 8)
    assert (result["num_false_positives_on_empty"], result["num_false_negatives"]) == (13, 17)
    assert [round(result[name], 1) for name in ("N-acc", "T-acc", "mIoU_nonempty")] == [38.1, 99.1, 60.1]
    # Had the empty ones been left out, no whole number of samples would give the printed shares.
    for name, value in (("Pr@60", 61.15), ("Pr@70", 53.93)):
        assert value in {round(100 * count / 1995, 2) for count in range(1996)}, name
        assert value not in {round(100 * count / 1974, 2) for count in range(1975)}, name


def test_auroc_by_hand() -> None:
    masks = [strip(0)] * 4, [strip(0), strip(0), strip(5), strip(5)]
    assert score_masks(*masks, scores=[0.9, 0.8, 0.1, 0.2])["no_target_AUROC"] == 100
    assert score_masks(*masks, scores=[0.1, 0.8, 0.1, 0.2])["no_target_AUROC"] == 62.5  # a tie and two wins of four
    assert score_masks(*masks, scores=np.zeros(4, dtype=np.float32))["no_target_AUROC"] == 50
    assert score_masks(masks[0][:2], masks[1][:2], scores=[0.1, 0.2])["no_target_AUROC"] is None
    missing = [None, strip(0), strip(0), None]
    assert score_masks(missing, masks[1], scores=[None, 0.8, 0.1, None])["no_target_AUROC"] == 25
    assert "no_target_AUROC" not in score_masks(*masks)


def test_bootstrap_intervals_are_those_of_plain_resampling() -> None:
    cases = draw_cases(6, 100)
    result = score_masks(**columns(cases), bootstrap=400)
    dice = random.Random(0)
    drawn = [score_masks(**columns(dice.choices(cases, k=100)) | {"sample_ids": None}) for _ in range(400)]
    ratios = {name for name in expected(cases) if not name.startswith("num_")} - {"gIoU", "cIoU", "boundary_IoU"}
    assert set(result["confidence_intervals"]) == ratios
    for name, (low, high) in result["confidence_intervals"].items():
        values = [each[name] for each in drawn]
        assert low < result[name] < high
        spread = max(values) - min(values)
        assert [low, high] == pytest.approx(np.percentile(values, [2.5, 97.5]).tolist(), abs=spread / 10), name


def test_the_bootstrap_is_the_same_each_time_in_any_order_and_in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = columns(draw_cases(7, 60))
    result = score_masks(**arguments, bootstrap=100)
    order = random.Random(0).sample(range(60), 60)
    shuffled = {name: [column[place] for place in order] for name, column in arguments.items()}
    assert score_masks(**shuffled, bootstrap=100) == result
    assert set(result["by_domain"]["NS"]["confidence_intervals"]) == set(result["confidence_intervals"])
    monkeypatch.setattr("mtrs_iou.scores.BOOTSTRAP_CELLS", 200)
    stepwise = score_masks(**arguments, bootstrap=100)["confidence_intervals"]
    assert stepwise["mIoU"] == pytest.approx(result["confidence_intervals"]["mIoU"])


def test_samples_are_listed_worst_first() -> None:
    listed = score_masks(
        [strip(10), None, strip(5), strip(0)],
        [strip(10), strip(0), strip(10), strip(0)],
        sample_ids=["d", "a", "b", None],
        domains=["NS", None, "RS", "RS"],
        per_sample=True,
        boundary=True,
    )["per_sample"]
    assert [(each["sample_id"], each["IoU"]) for each in listed] == [("a", 0), ("b", 50), (None, 100), ("d", 100)]
    assert listed[0] == {
        "sample_id": "a",
        "domain": None,
        "change_type": None,
        "IoU": 0.0,
        "boundary_IoU": 0.0,
        "intersection": 0,
        "prediction_area": 0,
        "reference_area": 0,
        "is_missing": True,
    }


SAMPLES: dict[str, Any] = {"predictions": [strip(1), strip(2)], "references": [strip(3), strip(4)]}
WRONG_ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"references": [strip(1)]}, "2 predictions, 1 references"),
    ({"sample_ids": ["a", "b", "c"]}, "2 predictions, 2 references, 3 sample_ids"),
    ({"references": iter([strip(1)])}, "references ended after 1 samples"),
    ({"predictions": strip(1)}, "predictions must be a list"),
    ({"predictions": None}, "predictions must be a list"),
    ({"domains": "NS"}, "domains must be a list"),
    (
        {"sample_ids": ["a", "a"]},
        r"sample 'a' was added twice \(1 pixels shared, 1 predicted, 3 true; 2 pixels shared",
    ),
    ({"sample_ids": ["a", ""]}, "sample '': its sample_id is ''"),
    ({"sample_ids": ["a", 1.5]}, "sample '1.5': its sample_id is 1.5"),
    ({"sample_ids": ["a", "b"], "domains": ["NS", 1]}, "sample 'b': its domain is 1; give a name.*int2str"),
    ({"change_types": ["appear", 0]}, "sample number 1: its change_type is 0"),
    ({"scores": [0.5, 1.5]}, r"sample number 1: its no-target score is 1\.5; it must be a probability"),
    ({"scores": [0.5, float("nan")]}, "sample number 1: its no-target score is nan"),
    ({"scores": [0.5, 10**400]}, "sample number 1: its no-target score is 1000"),
    ({"sample_ids": ["a", 10**5000]}, "sample 'an integer of thousands of digits': its sample_id is an integer of"),
    ({"sample_ids": ["a", "bad\udcff.png"]}, r"sample 'bad\\udcff.png': its sample_id is 'bad\\udcff.png', which no"),
    ({"domains": ["NS", "\ud800"]}, r"sample number 1: its domain is '\\ud800', which no file can hold"),
    ({"scores": [0.5, "high"]}, "sample number 1: its no-target score is 'high'"),
    ({"scores": [0.5, "0.5"]}, "sample number 1: its no-target score is '0.5'; it must be a probability, a number"),
    ({"scores": [None, 0.5]}, "sample number 1 has a no-target score, but others have none"),
    ({"percent": "False"}, "percent='False' is neither True nor False"),
    ({"boundary": "no"}, "boundary='no' is neither True nor False"),
    ({"sample_ids": ["a", "b"], "scores": [0.5, None]}, "sample 'b' has no no-target score, but others have"),
    ({"predictions": [strip(1), np.eye(3)], "sample_ids": ["a", "b"]}, "sample 'b': the prediction is 3 x 3"),
    ({"predictions": np.eye(2)}, "sample number 0: the prediction has the shape 2; "),
    ({"bootstrap": -1}, "bootstrap=-1 is not a number of resamples"),
    ({"bootstrap": True}, "bootstrap=True is not a number of resamples"),
    ({"convention": "mine"}, "convention='mine' is unknown; choose one of reference, nonempty"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG_ARGUMENTS, ids=range(len(WRONG_ARGUMENTS)))
def test_wrong_arguments_are_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score_masks(**(SAMPLES | wrong))


def test_numbers_are_ids_too() -> None:
    listed = score_masks(**SAMPLES, sample_ids=np.array([7, 8]), per_sample=True)["per_sample"]
    assert {each["sample_id"] for each in listed} == {"7", "8"}


def test_an_error_in_a_batch_adds_nothing() -> None:
    scores = MaskScores()
    scores.add(strip(1), strip(1))
    with pytest.raises(ValueError, match="sample number 2: the reference"):
        scores.add_batch([strip(1), strip(1)], [strip(1), "mask.png"])
    assert len(scores) == 1
    assert scores.compute()["num_samples"] == 1


def test_a_score_unlike_those_before_is_refused_when_it_is_added() -> None:
    scores = MaskScores()
    scores.add(None, strip(1))
    scores.add(strip(1), strip(1), score=0.5)
    for restored in (scores, MaskScores.from_state(scores.state())):
        with pytest.raises(ValueError, match="sample 'c' has no no-target score, but others have one"):
            restored.add(strip(1), strip(1), sample_id="c")
        restored.add(None, strip(1))
        assert restored.compute()["num_samples"] == 3
    only_missing = MaskScores()
    only_missing.add(None, strip(1))
    without = MaskScores.from_state(only_missing.state())
    without.add(strip(1), strip(1))
    with pytest.raises(ValueError, match="sample number 2 has a no-target score, but others have none"):
        without.add(strip(1), strip(1), score=0.5)
    assert "no_target_AUROC" not in without.compute()


def test_merging_drops_what_padding_repeats() -> None:
    cases = draw_cases(8, 30)
    whole = MaskScores(boundary=True)
    whole.add_batch(**columns(cases))
    parts = [MaskScores(boundary=True) for _ in range(3)]
    arguments = columns(cases)
    for number in [*range(30), 0, 1, 2]:
        part = parts[number * 7 % 3]
        part.add_batch(**{name: [column[number]] for name, column in arguments.items()})
    states = [json.loads(json.dumps(part.state(), allow_nan=False)) for part in parts]
    before = json.dumps(states)
    merged = MaskScores.from_state(merge(states)).compute(bootstrap=50, per_sample=True)
    assert merged.pop("num_duplicates_removed") == 3
    alone = whole.compute(bootstrap=50, per_sample=True)
    assert alone.pop("num_duplicates_removed") == 0
    assert merged == alone
    # In steps, and again: the same, and the parts are as they were.
    stepwise = merge([merge(states[:2]), merge(states[2:]), merge([])])
    assert MaskScores.from_state(merge([stepwise, stepwise])).compute()["num_samples"] == 30
    assert json.dumps(states) == before


@pytest.mark.parametrize(
    "other",
    [
        {"predictions": [strip(2)]},
        {"references": [strip(4)]},
        {"domains": ["RS"]},
        {"scores": [0.75]},
        {"predictions": [None]},
    ],
)
def test_merging_refuses_an_id_of_two_samples(other: dict[str, Any]) -> None:
    sample = {
        "predictions": [strip(1)],
        "references": [strip(3)],
        "sample_ids": ["a"],
        "domains": ["NS"],
        "scores": [0.5],
    }
    parts = [MaskScores(), MaskScores()]
    parts[0].add_batch(**sample)
    parts[1].add_batch(**(sample | other))
    with pytest.raises(ValueError, match="sample 'a' occurs twice with different masks, labels or scores"):
        merge([part.state() for part in parts])


def test_samples_without_an_id_are_all_kept() -> None:
    part = MaskScores()
    part.add(strip(1), strip(1))
    assert MaskScores.from_state(merge([part.state()] * 3)).compute()["num_samples"] == 3


def test_a_damaged_state_is_an_error() -> None:
    part = MaskScores()
    part.add(strip(1), strip(1))
    state = part.state()
    with pytest.raises(ValueError, match="the partial state has no is_missing; pass"):
        merge([{name: column for name, column in state.items() if name != "is_missing"}])
    with pytest.raises(ValueError, match=r"columns of the partial state differ in length: .*'domain': 2"):
        merge([state | {"domain": ["NS", "RS"]}])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("intersection", -5),
        ("intersection", 9),
        ("prediction_area", 2**41),
        ("reference_area", 2**80),
        ("reference_area", 1.5),
        ("reference_area", True),
        ("reference_area", "4"),
        ("is_missing", 1),
        ("is_missing", 2),
        ("boundary_intersection", 3),
        ("boundary_union", -2),
        ("no_target_score", float("inf")),
        ("no_target_score", float("nan")),
        ("no_target_score", -0.5),
        ("no_target_score", "0.5"),
        ("domain", None),
        ("domain", "\ud800"),
        ("change_type", 3),
    ],
)
def test_a_state_with_impossible_values_is_an_error(column: str, value: Any) -> None:
    part = MaskScores()
    part.add(strip(1), strip(1), sample_id="fine", score=0.5)
    part.add(strip(2), strip(3), sample_id="wrong", score=0.5)
    state = part.state()
    state[column][1] = value
    with pytest.raises(ValueError, match=r"^sample ('wrong'|number 1) of the partial state"):
        merge([part.state(), state])


@pytest.mark.parametrize("change", [{"num_duplicates_removed": -1}, {"num_duplicates_removed": 0.5}, {"domain": None}])
def test_a_state_of_other_types_is_an_error(change: dict[str, Any]) -> None:
    part = MaskScores()
    part.add(strip(1), strip(1))
    with pytest.raises(ValueError, match="of the partial state is no"):
        MaskScores.from_state(part.state() | change)
    with pytest.raises(ValueError, match="a partial state is a dict, not a list"):
        MaskScores.from_state([])  # type: ignore[arg-type]
