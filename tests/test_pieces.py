"""A stopped training of a large corpus goes on with what it had computed, to the same bytes."""

import csv
import itertools
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from stance.corpus import bundled_corpus
from stance.errors import DataError, OutputError
from stance.files import write_checked
from stance.fitting import folds, heldout, pieces, train_files
from stance.runs.plan import difference, files_plan
from stance.runs.resume import folder_of

RECIPE = """name = "small"
[features]
min_df = 2
[features.blocks]
stem = 1.0
mention = 0.4
[sentiment_features.blocks]
stem = 1.0
[validation]
folds = 3
draws = 100
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A corpus that counts as large, a recipe, and where the model goes."""
    with bundled_corpus().open(encoding="utf-8", newline="") as file:
        rows = list(itertools.islice(csv.reader(file), 401))
    corpus, recipe = tmp_path / "corpus.csv", tmp_path / "recipe.toml"
    with corpus.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    recipe.write_text(RECIPE, encoding="utf-8")
    monkeypatch.setattr(folds, "LARGE", 300)
    return corpus, recipe, tmp_path / "model.stance"


def learn(files, *, resume=False, force=False, tell=lambda _: None, **validation):
    corpus, recipe, output = files
    return train_files(
        corpus if isinstance(corpus, list) else [corpus], output, recipe, None,
        validation=validation, jobs=1, force=force, resume=resume, tell=tell,
    )  # fmt: skip


def stop(files, monkeypatch, kept, **how):
    """Learn, have Ctrl-C come once so many pieces are kept, and return what it raised."""
    left = itertools.count(kept, -1)
    real = pieces.write_checked

    def write(*args):
        if next(left) == 0:
            raise KeyboardInterrupt
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(pieces, "write_checked", write)
        with pytest.raises(KeyboardInterrupt) as stopped:
            learn(files, **how)
    return stopped.value


@pytest.mark.parametrize("kept", [1, 2, 7, 10])
def test_a_stopped_training_goes_on_to_the_same_bytes(files, monkeypatch, kept):
    learn(files)
    whole = files[2].read_bytes()
    files[2].unlink()
    (note,) = stop(files, monkeypatch, kept).__notes__
    assert note == f"{kept} finished part{'s' * (kept > 1)} kept: run again with --resume to go on"
    assert not files[2].exists()
    with pytest.raises(OutputError, match="--resume goes on with them, --force starts anew"):
        learn(files)
    fitted = []
    real = heldout.fit_head
    monkeypatch.setattr(heldout, "fit_head", lambda *a: fitted.append(a) or real(*a))
    learn(files, resume=True)
    assert files[2].read_bytes() == whole
    assert not folder_of(files[2]).exists()
    first = len(fitted)
    learn(files, force=True)  # all anew
    assert 0 < first < len(fitted) - first
    assert files[2].read_bytes() == whole


LARGE = "from stance.fitting import folds; folds.LARGE = 300; from stance.cli import main; main()"


def test_a_killed_training_goes_on_to_the_same_bytes(files):
    corpus, recipe, output = files
    command = [sys.executable, "-c", LARGE, "train", corpus, "--recipe", recipe, "-o", output]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while killed.poll() is None and len(list(folder_of(output).glob("*.rows"))) < 2:
        time.sleep(0.005)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    assert not output.exists()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 4
    assert again.stderr.endswith("--resume goes on with them, --force starts anew\n")
    subprocess.run([*command, "--resume"], capture_output=True, check=True)
    resumed = output.read_bytes()
    learn(files, force=True)
    assert output.read_bytes() == resumed
    assert not list(output.parent.glob(".model*"))


def test_a_damaged_piece_is_computed_again(files, monkeypatch):
    learn(files)
    whole = files[2].read_bytes()
    files[2].unlink()
    stop(files, monkeypatch, 5)
    one, other, third, fourth, *_ = sorted(folder_of(files[2]).glob("*.rows"))
    write_checked(fourth, b"no array")
    one.write_bytes(one.read_bytes()[:-30])
    other.write_bytes(b"")
    data = bytearray(third.read_bytes())
    data[len(data) // 2] ^= 1
    third.write_bytes(data)
    learn(files, resume=True)
    assert files[2].read_bytes() == whole


def test_a_training_of_something_else_does_not_go_on(files, monkeypatch):
    stop(files, monkeypatch, 3)
    with pytest.raises(OutputError, match=r"since --seed has changed \(was not given, is 5\)"):
        learn(files, resume=True, seed=5)
    with pytest.raises(OutputError, match=r"since --no-curve has changed \(was off, is on\)"):
        learn(files, resume=True, learning_curve=False)
    files[0].write_text(files[0].read_text("utf-8").replace("the", "a", 1), encoding="utf-8")
    with pytest.raises(OutputError, match=r"since the file .*corpus\.csv has changed; undo that"):
        learn(files, resume=True)
    learn(files, force=True)
    assert not folder_of(files[2]).exists()


def test_files_of_a_deep_folder_are_told_apart(tmp_path):
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    plans = [
        files_plan([(deep / "a.csv", one), (deep / "b.csv", "2" * 64)])
        for one in ("1" * 64, "3" * 64)
    ]
    assert len(plans[0]) == 3
    assert difference(*plans) == f"the file {deep / 'a.csv'} has changed"


def test_small_corpora_keep_nothing(files, monkeypatch):
    monkeypatch.setattr(folds, "LARGE", 20_000)
    monkeypatch.setattr(heldout, "fit_head", _stopped)
    with pytest.raises(KeyboardInterrupt) as stopped:
        learn(files)
    assert not folder_of(files[2]).exists()
    assert not hasattr(stopped.value, "__notes__")


def test_repeats_that_are_not_made_are_told(files):
    told = []
    learn(files, tell=told.append, repeats=2, learning_curve=False)
    assert "from 20,000 rows on, other folds change too little to be tried" in told


def test_a_file_given_twice_is_not_taken_for_once(files, monkeypatch):
    stop(files, monkeypatch, 2)
    with pytest.raises(OutputError, match=r"corpus\.csv has changed"):
        learn(([files[0], files[0]], *files[1:]), resume=True)


def test_a_changed_recipe_and_a_corpus_grown_small_are_noticed(files, monkeypatch):
    stop(files, monkeypatch, 2)
    recipe = files[1].read_text("utf-8")
    files[1].write_text(recipe.replace("min_df = 2", "min_df = 3"), encoding="utf-8")
    with pytest.raises(OutputError, match="cannot resume, since the recipe has changed; undo"):
        learn(files, resume=True)
    files[1].write_text(recipe, encoding="utf-8")
    lines = files[0].read_text("utf-8").splitlines(keepends=True)
    files[0].write_text("".join(lines[:201]), encoding="utf-8")
    with pytest.raises(OutputError, match=r"corpus\.csv has changed"):
        learn(files, resume=True)


@pytest.mark.parametrize(
    ("name", "why"), [("pipe", "is a pipe or device"), ("m.pkl", "use .stance")]
)
def test_an_output_that_cannot_be_is_refused_first(files, monkeypatch, name, why):
    output = files[2].with_name(name)
    if name == "pipe":
        os.mkfifo(output)
    monkeypatch.setattr(heldout, "fit_head", _stopped)
    with pytest.raises(OutputError, match=why):
        learn((*files[:2], output))
    assert not folder_of(output).exists()


def test_a_resumed_training_may_replace_the_model_that_it_was_to_replace(files, monkeypatch):
    files[2].write_text("an older model", encoding="utf-8")
    with pytest.raises(OutputError, match="exists already"):
        learn(files, resume=True)  # nothing is left to go on with
    stop(files, monkeypatch, 2, force=True)
    learn(files, resume=True)
    assert files[2].read_bytes().startswith(b"PK")


def test_bad_data_leaves_nothing(files):
    text = (
        files[0]
        .read_text("utf-8")
        .replace(",favor,", ",neutral,")
        .replace(",against,", ",neutral,")
    )
    files[0].write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="no against among"):
        learn(files)
    assert not folder_of(files[2]).exists()


def _stopped(*_):
    raise KeyboardInterrupt


def test_pieces_of_other_arrays_have_other_names():
    names = {
        pieces.name_of(np.arange(4)),
        pieces.name_of(np.arange(4.0)),
        pieces.name_of(np.arange(4).reshape(2, 2)),
        pieces.name_of(np.arange(2), np.arange(2, 4)),
    }
    assert len(names) == 4
