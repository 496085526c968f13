import csv
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest
from command import predict

TRAINING = Path(__file__).parent.parent / "training"


@pytest.fixture
def table(corpus, tmp_path):
    path = tmp_path / "in.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["text"], *([text] for text in corpus.texts[:50])])
    return path


def test_the_stages_of_a_run_add_up_to_all_of_it(model, table, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(TRAINING), *sys.path])
    stages = import_module("stages")
    before = time.perf_counter()
    seconds = stages.stage_times(lambda: predict(model, table, tmp_path / "out.csv", size=20))
    took = time.perf_counter() - before
    assert list(seconds) == list(stages.STAGES)
    assert all(seconds.values()), seconds
    assert 0.5 * took < sum(seconds.values()) <= took


def test_other_ways_through_the_table_answer_each_row_once(corpus, table, tmp_path, monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.setattr(sys, "path", [str(TRAINING), *sys.path])
    competitors = import_module("competitors")
    target = tmp_path / "out.csv"
    way = competitors.COMPETITORS["scikit-learn"]
    way.train(corpus, tmp_path / "model")
    way.load(tmp_path / "model", table, target)()
    with table.open(newline="") as source, target.open(newline="") as found:
        texts, answers = list(csv.DictReader(source)), list(csv.DictReader(found))
    assert [row["text"] for row in answers] == [row["text"] for row in texts]
    assert {row["label"] for row in answers} <= {"against", "neutral", "favor"}
    assert all(1 / 3 <= float(row["probability"]) <= 1 for row in answers)
