"""The commands of a how-to run as they stand in it."""

import csv
import re
import shlex

import pytest
from archives import label, write
from command import ROOT, STARTER, invoke
from test_label import rows_of, sample

GUIDE = (ROOT / "docs" / "shares.md").read_text("utf-8")
LABELLING = (ROOT / "docs" / "label.md").read_text("utf-8")
OPINION = {"op-ed", "think-tank", "state-media", "statement"}


def commands(guide):
    """Return the commands of a guide."""
    blocks = re.findall(r"```(?:sh|console)\n(.*?)```", guide, re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("stance ")]


def starter():
    """Return the pairs of the starter corpus on two actors, as an archive, and the truth by row."""
    rows = []
    for part in ("test", "train"):
        with (STARTER / f"starter_{part}.csv").open(encoding="utf-8", newline="") as file:
            rows += [r for r in csv.DictReader(file) if r["actor"] in ("Russia", "United States")]
    kept = ("document", "date", "kind", "text", "actor")
    archive = [{**row, "kind": "opinion" if row["genre"] in OPINION else "news"} for row in rows]
    truth = {str(number): row["stance"] for number, row in enumerate(rows, 1)}
    return [{name: row[name] for name in kept} for row in archive], truth


def test_the_guide_to_shares_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive, truth = starter()
    assert f"{len(archive)} pairs on Russia and the United States" in GUIDE
    write(tmp_path / "archive.csv", archive)
    names = []
    for command in commands(GUIDE):
        names.append(command[0])
        if command[0] == "label":
            label(tmp_path / "to_label.csv", truth, tmp_path / "labelled.csv")
            continue
        result = invoke(*command)
        refused = "100" in command
        assert (result.exit_code == 1) == refused, result.output
        assert not refused or "is too small to compare" in result.stderr
    assert names == ["predict", "sample", "sample", "label", "label", "shares", "shares"]
    with (tmp_path / "shares.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for actor in ("Russia", "United States"):
        own = [truth[str(n)] for n, row in enumerate(archive, 1) if row["actor"] == actor]
        found = next(r for r in rows if r["actor"] == actor and r["class"] == "against")
        assert float(found["corrected"]) == pytest.approx(own.count("against") / len(own), abs=0.06)


def work(session, *_, **__):
    """Label all that a session shows, as a coder would; coders differ on the first rows."""
    while key := (item := session.next())["pair"]:
        row = next(pair.row for pair in session.task.pairs if pair.key == key)
        stance = session.coder == "ben" and row <= 3 and "against"
        session.save(key, {"stance": stance or "favor"}, 2.0)
    assert item["progress"]["done"] == item["progress"]["total"] > 0


def test_the_guide_to_labelling_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stance.labelling.server.serve", work)
    sample(tmp_path / "to_label.csv", 12)
    said = {}
    for command in commands(LABELLING):
        if command[0] == "label":
            said[command[-1]] = result = invoke(*command)
            assert result.exit_code == 0, result.output
    assert len(said) == 9
    assert "12 labels read, 12 of them new" in said["ben.sqlite"].stderr
    assert re.search(r"^all +12 ", said["--agreement"].stdout, re.MULTILINE)
    assert len(rows_of(tmp_path / "coders.csv")) == 24
    assert {row["stance"] for row in rows_of(tmp_path / "labelled.csv")} == {"favor"}
    assert {path.name for path in tmp_path.iterdir()} >= {"labels.json", "labels.jsonl"}
