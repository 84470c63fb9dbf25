# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What is exported for other tools and read again is the same; what is wrong is refused in one line."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from craft_agent.audit.decisions import Decision
from craft_agent.audit.funnel import read_funnel
from craft_agent.audit.store import AuditStore
from craft_agent.audit.team import AuditTeam
from craft_agent.command_line import main
from craft_agent.errors import CraftError
from craft_agent.exchange import FORMATS, importing
from craft_agent.exchange.formats import find_format
from craft_agent.state.store import Store
from mtrs_iou import decode_rle
from tests.craft_agent.small_work import make_work


HOLE = (slice(28, 36), slice(30, 44))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A run whose samples one person has accepted; the first one with a hole, quotes and umlauts, one rejected."""
    work = make_work(tmp_path, pairs=2)
    store = AuditStore(work)
    for number, sample_id in enumerate(store.sample_ids("ann")):
        decision = Decision("accept")
        if number == 0:
            mask = store.sample(sample_id).mask.copy()
            mask[HOLE] = False
            mask[140:145, 3:9] = True  # A second part.
            decision = Decision("accept", expressions=('the "red" <block> & its Türe', "a block"), mask=mask)
        store.decide(sample_id, "ann", Decision("reject", "other") if number == 4 else decision)
    return work


def accepted(work: Path) -> list[tuple]:
    samples = AuditStore(work).accepted_samples(1)
    return [(each.pair_id, each.expressions, each.change_type, each.mask.tobytes()) for each in samples]


def export(work: Path, out: Path, name: str, *words: str) -> Path:
    assert main(["export", "--format", name, *words, str(work), str(out)]) == 0
    return out / find_format(name).FILE_NAME


def read(file: Path, work: Path, name: str, *words: str) -> int:
    return main(["import", "--format", name, *words, str(file), str(work)])


@pytest.mark.parametrize("shapes", ["masks", "polygons"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_new_run_holds_the_same(name, shapes, work, tmp_path, capsys):
    file = export(work, tmp_path / "out", name, "--shapes", shapes)
    assert "2 pairs, 5 regions, 10 sentences" in capsys.readouterr().out
    assert read(file, tmp_path / "again", name, "--auditor", "bob", "--domain", "RS") == 0
    assert "2 pairs: 5 new regions, 0 corrected, 0 unchanged" in capsys.readouterr().out
    # CVAT lists what is seen at t1 first.
    assert sorted(accepted(tmp_path / "again")) == sorted(accepted(work))
    counts = {stage.name: stage.count for stage in read_funnel(Store(tmp_path / "again")).stages}
    assert counts["samples with sentences"] == counts["samples accepted"] == counts["differences perceived"] == 5
    # The audit page shows it without a history.
    assert AuditStore(tmp_path / "again").sample("place_000_0").rounds == ()


@pytest.mark.parametrize("name", FORMATS)
def test_corrections_come_back_to_their_samples(name, work, tmp_path, capsys):
    file = export(work, tmp_path / "out", name)
    text = file.read_text(encoding="utf-8")
    changed = text.replace("the blue block that disappeared", "the blue box that is gone")
    assert changed != text
    file.write_text(changed, encoding="utf-8")
    assert read(file, work, name) == 2
    problem = capsys.readouterr().err
    assert "--auditor" in problem
    assert problem.count("\n") == 1
    assert read(file, work, name, "--auditor", "ann") == 0
    # The first sample has been edited already, so that it differs from the proposal.
    assert "0 new regions, 2 corrected, 3 unchanged" in capsys.readouterr().out
    texts = [expressions[0] for _, expressions, *_ in accepted(work)]
    assert "the blue box that is gone" in texts
    assert read(file, work, name, "--auditor", "ann") == 0
    assert len(accepted(work)) == 5


@pytest.mark.parametrize("name", FORMATS)
def test_added_regions_are_added_once(name, work, tmp_path, capsys):
    file = export(work, tmp_path / "out", name)
    # Somebody drew one anew, and the tool gave it a name of its own.
    text = file.read_text(encoding="utf-8").replace("place_000_2", "kX3fr").replace("white block", "white van")
    file.write_text(text, encoding="utf-8")
    for found in ("1 new regions, 2 corrected, 2 unchanged", "0 new regions, 2 corrected, 3 unchanged"):
        assert read(file, work, name, "--auditor", "ann") == 0
        assert found in capsys.readouterr().out
    assert [each.sample_id for each in Store(work).samples("place_000")][2:] == ["place_000_2", "place_000_3"]


def test_masks_are_not_held_together(work, tmp_path):
    file = export(work, tmp_path / "out", "coco")
    content = json.loads(file.read_text(encoding="utf-8"))
    region = content["annotations"][-1]
    region["attributes"]["sample_id"] = ""
    content["annotations"] = [{**region, "id": number} for number in range(1000)]
    file.write_text(json.dumps(content), encoding="utf-8")
    height, width = region["segmentation"]["size"]
    tracemalloc.start()
    try:
        assert read(file, tmp_path / "again", "coco", "--auditor", "bob", "--domain", "RS") == 0
        assert tracemalloc.get_traced_memory()[1] < 1000 * height * width / 3
    finally:
        tracemalloc.stop()
    assert len(accepted(tmp_path / "again")) == 1000


def test_what_nobody_has_judged(tmp_path, capsys):
    work = make_work(tmp_path, pairs=1)
    assert main(["export", "--format", "coco", str(work), str(tmp_path / "out")]) == 2
    assert "--auditors 0" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    file = export(work, tmp_path / "out", "coco", "--auditors", "0")
    assert read(file, tmp_path / "again", "coco") == 0
    assert "craft-agent audit" in capsys.readouterr().out
    assert AuditStore(tmp_path / "again").judged_counts() == {}
    assert len(Store(tmp_path / "again").samples("place_000")) == 3


def test_what_somebody_rejected_is_not_exported_as_unjudged(work, tmp_path):
    """Also if somebody else accepted it afterwards; an adjudicator has the last word."""
    store = AuditStore(work)
    rejected = store.sample_ids("ann", "all")[4]
    store.decide(rejected, "bob", Decision("accept"))
    assert rejected not in export(work, tmp_path / "out", "cvat", "--auditors", "0").read_text(encoding="utf-8")
    store.decide(rejected, "carl", Decision("accept"), final=True)
    assert rejected in export(work, tmp_path / "out", "cvat", "--auditors", "0").read_text(encoding="utf-8")


def test_a_sentence_with_a_control_character_does_not_spoil_the_file(work, tmp_path):
    store = AuditStore(work)
    store.decide(store.sample_ids("ann", "all")[0], "ann", Decision("accept", expressions=("a\x01 block",)))
    file = export(work, tmp_path / "out", "cvat")
    assert read(file, tmp_path / "again", "cvat", "--auditor", "bob") == 0
    assert "a block" in [expressions[0] for _, expressions, *_ in accepted(tmp_path / "again")]


def test_two_images_of_one_name_are_not_one_pair(work, tmp_path, capsys):
    file = export(work, tmp_path / "out", "coco")
    content = json.loads(file.read_text(encoding="utf-8"))
    content["images"].append({**content["images"][0], "id": 9, "file_name": "other/B/place_000.png"})
    file.write_text(json.dumps(content), encoding="utf-8")
    assert_refused(file, tmp_path, "coco", ["image 9", "other/B/place_000.png", "rename one of them"], capsys)


def test_a_pair_without_its_other_image_is_named(work, tmp_path, capsys):
    file = export(work, tmp_path / "out", "coco")
    (file.parent / "A" / "place_001.png").unlink()
    assert_refused(file, tmp_path, "coco", ["image 2", "A/ has no file that matches B/place_001.png"], capsys)


def test_images_that_changed_since_the_run_are_refused(work, tmp_path, capsys):
    file = export(work, tmp_path / "out", "coco")
    image = Path(Store(work).settings.pairs) / "B" / "place_000.png"
    image.write_bytes((image.parent / "place_001.png").read_bytes())
    assert read(file, work, "coco", "--auditor", "ann") == 2
    assert "B/place_000.png has changed since the run started" in capsys.readouterr().err


def test_an_adjudicator_takes_no_seat(work, tmp_path):
    file = export(work, tmp_path / "out", "coco")
    store = AuditStore(work)
    store.decide(store.sample_ids("ann", "all")[1], "carl", Decision("accept"), final=True)
    assert read(file, work, "coco", "--auditor", "bob") == 0


def test_what_an_adjudicator_imports_is_final(work, tmp_path):
    """Also where two others have judged, and it does not reopen what the adjudicator had decided."""
    file = export(work, tmp_path / "out", "coco")
    AuditTeam(work).invite("carl", "adjudicator")
    store = AuditStore(work)
    first, second, *_ = store.sample_ids("ann", "all")
    for sample_id, name in ((first, "bob"), (second, "ann")):
        store.decide(sample_id, name, Decision("reject", "other"))
    store.decide(second, "carl", Decision("accept"), final=True)
    assert read(file, work, "coco", "--auditor", "carl") == 0
    assert store.disagreements() == []
    assert {first, second} <= {sample.sample_id for sample in store.accepted_samples(1)}


def test_a_run_inside_of_an_export_is_not_removed_with_it(work, tmp_path, capsys, monkeypatch):
    file = export(work, tmp_path / "out", "coco")
    inside = file.parent / "work"
    assert read(file, inside, "coco", "--auditor", "ann", "--pairs", str(Store(work).settings.pairs)) == 0
    assert main(["export", "--format", "coco", str(inside), str(file.parent)]) == 2
    assert "contains the folder of the run" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert main(["export", "--format", "coco", str(work), "."]) == 2
    assert "name a new folder" in capsys.readouterr().err


def test_only_an_unchanged_export_is_replaced(work, tmp_path, capsys):
    out = tmp_path / "out"
    (out / "images").mkdir(parents=True)
    (out / "annotations.json").write_text("{}", encoding="utf-8")
    assert main(["export", "--format", "coco", str(work), str(out)]) == 2
    assert "something other than an earlier export" in capsys.readouterr().err
    assert (out / "images").is_dir()
    again = tmp_path / "again"
    for _ in range(2):
        file = export(work, again, "coco")
    (again / "notes.txt").write_text("mine", encoding="utf-8")
    assert main(["export", "--format", "coco", str(work), str(again)]) == 2
    assert "notes.txt was added or changed" in capsys.readouterr().err
    (again / "notes.txt").unlink()
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert main(["export", "--format", "coco", str(work), str(again)]) == 2
    assert "annotations.json was added or changed" in capsys.readouterr().err
    for damaged in ("[1]", "7", "{"):
        (again / ".craft-export").write_text(damaged, encoding="utf-8")
        assert main(["export", "--format", "coco", str(work), str(again)]) == 2
        assert ".craft-export is damaged" in capsys.readouterr().err


def test_who_imports_what_another_decided_counts_as_having_seen_it(work, tmp_path):
    store = AuditStore(work)
    [first, *_] = store.sample_ids("bob", "all")
    assert [each.settled for each in store.decisions(first)] == [False]
    file = export(work, tmp_path / "out", "coco")
    assert read(file, work, "coco", "--auditor", "bob") == 0
    assert {each.auditor: each.settled for each in store.decisions(first)} == {"ann": False, "bob": True}


def test_an_interrupted_import_can_be_repeated(work, tmp_path, monkeypatch):
    file = export(work, tmp_path / "out", "coco")
    words = ("--auditor", "bob", "--domain", "RS")

    def killed(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(importing, "insert_rows", killed)
        assert read(file, tmp_path / "again", "coco", *words) == 130
    assert read(file, tmp_path / "again", "coco", *words) == 0
    assert accepted(tmp_path / "again") == accepted(work)


def test_options_of_the_other_kind(work, tmp_path, capsys):
    assert main(["export", "--shapes", "masks", str(work), str(tmp_path / "out")]) == 2
    assert main(["export", "--format", "coco", "--split", "val", str(work), str(tmp_path / "out")]) == 2
    file = export(work, tmp_path / "out", "coco")
    assert read(file, work, "coco", "--domain", "RS") == 2
    assert read(file, tmp_path / "new", "coco", "--auditor", "<script>") == 2
    assert capsys.readouterr().err.count("\n") == 4


def test_pycocotools_reads_the_same(work, tmp_path):
    coco_mask = pytest.importorskip("pycocotools.mask")
    content = json.loads(export(work, tmp_path / "out", "coco").read_text(encoding="utf-8"))
    masks = [coco_mask.decode(each["segmentation"]).astype(bool).tobytes() for each in content["annotations"]]
    assert masks == [mask for *_, mask in accepted(work)]
    assert [each["area"] for each in content["annotations"]] == [np.frombuffer(m, bool).sum() for m in masks]


def test_all_masks_of_coco_are_read_also_those_of_crowds(work, tmp_path, capsys):
    """CVAT writes each mask as a crowd with uncompressed runs; a region with a sentence may be several objects."""
    file = export(work, tmp_path / "out", "coco")
    polygons = json.loads(export(work, tmp_path / "polygons", "coco", "--shapes", "polygons").read_text("utf-8"))
    content = json.loads(file.read_text(encoding="utf-8"))
    uncompressed, outline = content["annotations"][0], content["annotations"][1]
    uncompressed.update(iscrowd=1, segmentation=runs_of(decode_rle(uncompressed["segmentation"])))
    outline["segmentation"] = polygons["annotations"][1]["segmentation"]
    file.write_text(json.dumps(content), encoding="utf-8")
    capsys.readouterr()
    assert read(file, tmp_path / "again", "coco", "--auditor", "bob", "--domain", "RS") == 0
    assert "5 new regions" in capsys.readouterr().out
    assert accepted(tmp_path / "again") == accepted(work)


def runs_of(mask: np.ndarray) -> dict:
    """Uncompressed run lengths: counts of zeros and ones in turn, down the columns."""
    flat = mask.ravel(order="F").astype(np.uint8)
    ends = np.flatnonzero(np.diff(flat, prepend=0)).tolist()
    return {"size": list(mask.shape), "counts": np.diff([0, *ends, flat.size]).tolist()}


COCO = {
    "no annotation's pair": (("annotations", 0, "image_id"), 99, "annotation 1", "no image 99"),
    "category": (("annotations", 0, "category_id"), 99, "annotation 1", "no category 99"),
    "label": (("categories", 0, "name"), "built", "annotation 1", "appear, disappear, state_change"),
    "sentence": (("annotations", 1, "attributes", "sentence"), " ", "annotation 2", "no sentence"),
    "attributes": (("annotations", 1, "attributes"), None, "annotation 2", '"attributes" is None'),
    "counts": (("annotations", 1, "segmentation", "counts"), "zz", "annotation 2", "draw the region again"),
    "mask size": (("annotations", 1, "segmentation", "size"), [1, 1], "annotation 2", "200 x 150"),
    "polygon": (("annotations", 1, "segmentation"), [[1, 2, 3]], "annotation 2", "three corners"),
    "not a number": (("annotations", 1, "segmentation"), [[1, 2, "x", 4, 5, 6]], "annotation 2", "not a number"),
    "far away": (("annotations", 1, "segmentation"), [[0, -1e308, 1e308, 1e308, 9, 9]], "annotation 2", "pixels"),
    "huge": (("annotations", 1, "segmentation"), [[10**400, 1, 2, 3, 4, 5]], "annotation 2", "pixels"),
    "mask of no size": (("annotations", 1, "segmentation", "size"), 5, "annotation 2", "200 x 150"),
    "one id, two images": (("images", 1, "id"), 1, "image 2", "another image has the id 1"),
    "one id, two categories": (("categories", 1, "id"), 1, "category 2", "another category has the id 1"),
    "empty": (("annotations", 1, "segmentation"), [], "annotation 2", "covers no pixel"),
    "unknown pair": (("images", 0, "file_name"), "B/none.png", "image 1", "no pair none"),
    "image size": (("images", 0, "width"), -1, "image 1", "not a valid image size"),
    "copy": (("annotations", 1, "attributes", "sample_id"), "place_000_0", "annotation", "clear the sample_id"),
    "box": (("annotations", 1, "segmentation"), None, "annotation 2", "a box is not a mask"),
    "surrogate": (("annotations", 1, "attributes", "sentence"), "x\ud800", "annotation 2", "not valid Unicode"),
    "other t1": (("images", 0, "file_name_t1"), "A/place_001.png", "image 1", "is that of the pair place_001"),
    "no list": (("annotations",), {}, "the file", '"annotations" is {}'),
}


@pytest.mark.parametrize("case", COCO)
def test_wrong_coco(case, work, tmp_path, capsys):
    file = export(work, tmp_path / "out", "coco")
    keys, value, *expected = COCO[case]
    content = json.loads(file.read_text(encoding="utf-8"))
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    file.write_text(json.dumps(content), encoding="utf-8")
    assert_refused(file, tmp_path, "coco", expected, capsys)


def test_exchanged_times_are_refused(work, tmp_path, capsys):
    file = export(work, tmp_path / "out", "coco")
    content = json.loads(file.read_text(encoding="utf-8"))
    image = content["images"][0]
    image["file_name"], image["file_name_t1"] = image["file_name_t1"], image["file_name"]
    file.write_text(json.dumps(content), encoding="utf-8")
    assert_refused(file, tmp_path, "coco", ["image 1", "its t1 is B/place_000.png", "swap them"], capsys)


def test_both_images_may_be_frames_in_one_folder(work, tmp_path):
    file = export(work, tmp_path / "out", "coco")
    content = json.loads(file.read_text(encoding="utf-8"))
    for image in content["images"]:
        image["file_name"] = f"frames/{Path(image['file_name']).name}"
        image["file_name_t1"] = "frames/place_000.png"
    file.write_text(json.dumps(content), encoding="utf-8")
    assert read(file, tmp_path / "new", "coco", "--auditor", "bob") == 0


LABEL_STUDIO = {
    "label": ('"appear"', '"built"', "task 1, region place_000_0", "must be one of"),
    "no label": ('["appear"]', "[]", "task 1, region place_000_0", "must be one of"),
    "tool": ('"brushlabels",', '"rectanglelabels",', "task 1, result 1", "brush or as a polygon"),
    "width": ('"original_width": 200', '"original_width": 20', "task 1, region place_000_0", "brush has"),
    "no text": ('"textarea"', '"choices"', "task 1, result 2", "choices"),
    "turned": ('"image_rotation": 0', '"image_rotation": 90', "task 1, result 1", "turned by 90"),
    "no whole number": ('"original_width": 200', '"original_width": 200.5', "task 1", "not a valid image size"),
    "no tasks": ("[", "[[", "the file", "not JSON"),
    "image": ('"image_t2"', '"image"', "task 1", '"image_t2" is missing'),
}


@pytest.mark.parametrize("case", LABEL_STUDIO)
def test_wrong_label_studio(case, work, tmp_path, capsys):
    before, after, *expected = LABEL_STUDIO[case]
    refuse_replaced(work, tmp_path, "label-studio", before, after, expected, capsys)


def test_results_of_label_studio_that_would_be_lost_are_named(tmp_path):
    """A second shape of a region's id, and a sentence whose shape was deleted."""
    value = {"points": [[10, 10], [50, 10], [50, 50]], "polygonlabels": ["appear"]}
    shape = {"id": "r1", "type": "polygonlabels", "value": value, "original_width": 64, "original_height": 48}
    text = {"id": "r1", "type": "textarea", "value": {"text": ["the house"]}}
    for results, problem in (
        ([shape, shape, text], "task 1, result 2: another shape has the id r1"),
        ([shape, text, {**text, "id": "r2"}], "task 1, region r2: it has a sentence but no shape"),
    ):
        path = tmp_path / "tasks.json"
        task = {"data": {"image_t1": "A/a.png", "image_t2": "B/a.png"}, "annotations": [{"result": results}]}
        path.write_text(json.dumps([task]))
        with pytest.raises(CraftError, match=problem):
            list(find_format("label-studio").read(path))


def test_drafts_and_relations_of_label_studio_are_named(tmp_path):
    data = {"image_t1": "A/a.png", "image_t2": "B/a.png", "width": 64, "height": 48}
    relation = {"type": "relation", "from_id": "r1", "to_id": "r2", "direction": "right"}
    for task, problem in (
        ({"annotations": [], "drafts": [{"result": []}]}, "task 1: it has an unsubmitted draft: submit it"),
        ({"annotations": [{"result": [relation]}]}, "task 1, result 1: it is of the type relation, which is not"),
    ):
        path = tmp_path / "tasks.json"
        path.write_text(json.dumps([{"data": data, **task}]))
        with pytest.raises(CraftError, match=problem):
            list(find_format("label-studio").read(path))
    path.write_text(json.dumps([{"data": data, "annotations": [], "drafts": []}]))
    assert len(list(find_format("label-studio").read(path))) == 1


def test_a_sentence_of_cvat_ends_at_a_line_only(tmp_path):
    path = tmp_path / "annotations.xml"
    sentences = "the house\u2028that appeared\nthe new\x85house\r\n"
    shape = (
        f'<polygon label="appear" points="1,1;9,1;9,9"><attribute name="sentence">{sentences}</attribute></polygon>'
    )
    path.write_text(
        f'<annotations><image id="0" name="B/a.png" width="64" height="48">{shape}</image></annotations>', "utf-8"
    )
    [pair] = find_format("cvat").read(path)
    assert pair.regions[0].expressions == ("the house that appeared", "the new house")


CVAT = {
    "label": ('<mask label="appear"', '<mask label="built"', "place_000.png), shape 1", "must be one of"),
    "shape": ("mask", "box", "shape 1", "as a mask or a polygon"),
    "runs": ('rle="', 'rle="7, ', "shape 1", "do not add up"),
    "no runs": ('rle="', 'rle="x', "shape 1", "not integers"),
    "box": ('left="', 'left="1', "shape 1", "extends beyond the image"),
    "pair": ("B/place_000.png", "B/none.png", "image 1", "no pair none"),
    "sizes": ('height="150"', 'height="149"', "image 0", "its size is 200 x 149"),
    "document type": ("<annotations>", '<!DOCTYPE a [<!ENTITY b "c">]><annotations>', "the file", "document type"),
    "two sentences": ('<attribute name="sample_id"', '<attribute name="sentence"', "shape 1", "sentence 2 times"),
    "far away": ("<mask ", '<polygon points="0,-1e308;1e308,1e308;9,9"/><mask ', "shape 1", "pixels"),
    "cut": ("</annotations>", "", "the file", "not XML"),
}


@pytest.mark.parametrize("case", CVAT)
def test_wrong_cvat(case, work, tmp_path, capsys):
    before, after, *expected = CVAT[case]
    refuse_replaced(work, tmp_path, "cvat", before, after, expected, capsys)


def refuse_replaced(work, tmp_path, name, before, after, expected, capsys):
    file = export(work, tmp_path / "out", name)
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")
    assert_refused(file, tmp_path, name, expected, capsys)


def assert_refused(file, tmp_path, name, expected, capsys):
    capsys.readouterr()
    assert read(file, tmp_path / "new", name, "--auditor", "bob") == 2
    problem = capsys.readouterr().err
    for part in (str(file), *expected):
        assert part in problem
    assert problem.count("\n") == 1
    assert not (tmp_path / "new").exists()
