"""The commands of a how-to run as they stand in it."""

import csv
import re
import shlex

import pytest
from archives import label, write
from command import ROOT, STARTER, invoke

GUIDE = (ROOT / "docs" / "shares.md").read_text("utf-8")
OPINION = {"op-ed", "think-tank", "state-media", "statement"}


def commands():
    """Return the commands of the guide, but for those that wait for a coder."""
    blocks = re.findall(r"```(?:sh|console)\n(.*?)```", GUIDE, re.DOTALL)
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
    for command in commands():
        names.append(command[0])
        if command[0] == "label":
            label(tmp_path / "to_label.csv", truth, tmp_path / "labelled.csv")
            continue
        result = invoke(*command)
        refused = "200" in command
        assert (result.exit_code == 1) == refused, result.output
        assert not refused or "is too small to compare" in result.stderr
    assert names == ["predict", "sample", "sample", "label", "label", "shares", "shares"]
    with (tmp_path / "shares.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for actor in ("Russia", "United States"):
        own = [truth[str(n)] for n, row in enumerate(archive, 1) if row["actor"] == actor]
        found = next(r for r in rows if r["actor"] == actor and r["class"] == "against")
        assert float(found["corrected"]) == pytest.approx(own.count("against") / len(own), abs=0.06)
