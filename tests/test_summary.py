"""What a run says it did, the rows that it may reject, and runs that add what is new."""

import hashlib
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from command import fails, invoke, one_line, read_rows, write
from small_model import small_model

from stance.errors import DataError
from stance.runs import Request, predict_table
from stance.storage import save_model

GOOD, BAD = "1,Poland praised NATO.\n", "2,Russia condemned NATO.,3\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_model(small_model(), tmp_path / "m.stance")
    return tmp_path


@pytest.fixture
def folder(here):
    for number in (1, 2, 3):
        write(here / "in" / f"{number}.csv", f"id,text\n{GOOD * number}")
    return here / "in"


def predict(*args):
    return invoke("predict", *args, "-m", "m.stance")


def summary(path="run.json"):
    return json.loads(Path(path).read_text("utf-8"))


def rows(path="answers.csv"):
    return read_rows(Path(path))


def test_a_summary_says_what_a_run_did(folder):
    (folder / "2.csv").write_text(f"id,text\n{GOOD}{BAD}{GOOD}")
    more = ("--rejects", "bad.csv", "--summary", "run.json", "--prefix", "s_")
    done = predict("in", "-o", "answers.csv", *more)
    assert done.exit_code == 0
    found = summary()
    assert found["rows"] == {
        **{"in": 7, "judged": 6, "rejected": 1},
        **{"naming_an_actor": 6, "out": len(rows()), "numbered": 7, "table": len(rows())},
    }
    counts = [(file["file"], file["rows"], file["rejected"]) for file in found["files"]]
    assert counts == [("in/1.csv", 1, 0), ("in/2.csv", 3, 1), ("in/3.csv", 3, 0)]
    data = (folder / "3.csv").read_bytes()
    assert found["files"][2]["sha256"] == hashlib.sha256(data).hexdigest()
    assert found["files"][2]["bytes"] == len(data)
    assert found["run"]["--prefix"] == "s_"
    assert len(found["run"]["the model"]) == 64
    assert set(found["versions"]) == {"stance", "numpy", "PyStemmer", "python"}
    assert found["started"] <= found["finished"]
    assert found["seconds"] > 0
    assert sum(found["answers"]["NATO"].values()) == 6
    assert all(note in done.stderr for note in found["notes"])


def test_a_summary_has_the_hash_of_a_file_before_it_grew_in_the_run(folder):
    path = folder / "3.csv"
    before = path.read_bytes()

    def grow(rows, *_):
        path.write_bytes(before + GOOD.encode() * rows)

    asked = Request((Path("in"),), Path("answers.csv"), summary=Path("run.json"))
    done = predict_table(small_model(), asked, grow)
    assert "in/3.csv: has changed while it was read; --since judges it again" in done.notes
    assert path.read_bytes() != before
    path.write_bytes(before)
    with pytest.raises(DataError, match=r"3.csv: has changed while it was read; run again"):
        predict_table(small_model(), replace(asked, summary=None, force=True), grow)
    assert summary()["files"][2]["sha256"] == hashlib.sha256(before).hexdigest()


def test_a_summary_appears_with_its_output_or_not_at_all(folder):
    (folder / "2.csv").write_text(f"id,text\n{BAD}")
    fails(1, "predict", "in", "-o", "a.csv", "--summary", "run.json", "-m", "m.stance")
    write(folder.parent / "run.json", "mine")
    (folder / "2.csv").write_text(f"id,text\n{GOOD}")
    told = fails(4, "predict", "in", "-o", "a.csv", "--summary", "run.json", "-m", "m.stance")
    assert told == "run.json: exists already; use --force to overwrite it"
    assert not Path("a.csv").exists()


@pytest.mark.parametrize(("most", "status"), [(2, 0), (1, 1), (0, 1)])
def test_rejects_end_a_run_only_beyond_the_limit(here, most, status):
    write(here / "in" / "a.csv", f"id,text\n{GOOD}{BAD}{GOOD}{BAD}")
    files = ("-o", "answers.csv", "--rejects", "bad.csv", "--max-rejects", most)
    done = predict("in", "in/a.csv", *files)
    assert done.exit_code == status
    assert Path("answers.csv").exists() == Path("bad.csv").exists() == (status == 0)
    if status:
        told = one_line(done.stderr)
        assert f"more than {most} " in told
        assert f"(--max-rejects; last: in/a.csv:{3 + 2 * most}: " in told


def test_rejects_beyond_the_limit_name_the_only_file_and_no_line_of_a_whole_one(here):
    write(here / "in" / "a.csv", f"id,text\n{BAD}")
    write(here / "in" / "b.csv", "")
    write(here / "in" / "c.csv", "text\n")
    files = ("-o", "answers.csv", "--rejects", "bad.csv", "--max-rejects", 0)
    assert one_line(predict("in/a.csv", *files).stderr).startswith("in/a.csv: more than 0 bad rows")
    assert "last: in/b.csv: is empty" in predict("in/b.csv", "in/c.csv", *files).stderr


AGAIN = ("in", "-o", "answers.csv", "--since", "run.json", "--summary", "run.json", "--resume")


def test_only_what_is_new_or_changed_is_judged_and_added(folder):
    assert predict(*AGAIN).exit_code == 0  # without an earlier run, all is judged
    before = rows()
    done = predict(*AGAIN)
    assert (done.exit_code, done.stdout) == (0, "")
    assert one_line(done.stderr) == "run.json: 0 of 3 files new or changed since; nothing to judge"
    write(folder / "2.csv", "id,text\n9,Germany condemned Russia.\n")
    write(folder / "4.csv", f"id,text\n{GOOD}")
    (folder / "3.csv").unlink()
    done = predict(*AGAIN)
    assert "2 of 3 files new or changed since run.json" in done.stderr
    assert "2 rows in = 2 judged" in done.stderr
    after = rows()
    kept = [row for row in before if row["file"] != "in/2.csv"]
    assert after[: len(kept)] == kept
    added = [(row["file"], row["id"], row["row"]) for row in after[len(kept) :]]
    assert sorted(set(added)) == [("in/2.csv", "9", "7"), ("in/4.csv", "1", "8")]
    found = summary()
    assert found["rows"]["numbered"] == 8
    assert sorted(file["file"] for file in found["files"]) == [f"in/{n}.csv" for n in (1, 2, 3, 4)]
    write(folder / "5.csv", f"id,text\n{GOOD}")
    Path("answers.csv").unlink()
    assert "answers.csv: is gone; restore it, or judge everything again" in predict(*AGAIN).stderr


def test_new_files_of_another_kind_are_added_too(folder):
    predict(*AGAIN)
    before = rows()
    write(folder / "1.txt", "Germany condemned Russia.\n")
    assert predict(*AGAIN).exit_code == 0
    after = rows()
    assert [{**row, "document": "", "paragraph": ""} for row in before] == after[: len(before)]
    assert {(row["document"], row["paragraph"], row["id"]) for row in after[len(before) :]} == {
        ("in/1.txt", "1", "")
    }
    write(folder / "9.csv", "text,actor\nNATO met.,NATO\n")
    error = fails(1, "predict", *AGAIN, "-m", "m.stance")
    assert "the earlier output has none; judge them in two runs" in error


def test_each_run_since_another_lists_its_own_bad_rows(folder):
    write(folder / "4.csv", "id,text\n1\n")
    assert predict(*AGAIN, "--rejects", "bad.csv").exit_code == 0
    assert "4.csv" in Path("bad.csv").read_text("utf-8")
    write(folder / "5.csv", f"id,text\n{GOOD}")
    assert predict(*AGAIN, "--rejects", "bad.csv").exit_code == 0
    assert "4.csv" not in Path("bad.csv").read_text("utf-8")
    for name in ("run.json", "answers.csv"):  # now no run has made the bad rows
        Path(name).unlink()
    assert predict(*AGAIN, "--rejects", "bad.csv").exit_code == 4


def test_what_was_added_by_a_run_without_its_summary_is_not_added_twice(folder):
    predict(*AGAIN)
    before = (folder.parent / "run.json").read_bytes()
    write(folder / "4.csv", f"id,text\n{GOOD}")
    predict(*AGAIN)
    after = rows()
    (folder.parent / "run.json").write_bytes(before)  # as after a kill between the two names
    assert predict(*AGAIN).exit_code == 0
    assert rows() == after


def test_the_rows_of_a_file_that_is_gone_stay(folder):
    again = ("in/1.csv", "in/2.csv", *AGAIN[1:], "--rejects", "bad.csv")
    predict(*again)
    before = rows()
    (folder / "2.csv").unlink()
    write(folder / "1.csv", f"id,text\n{GOOD}")
    assert predict(*again).exit_code == 0
    gone = [row for row in before if row["file"] == "in/2.csv"]
    assert gone
    assert [row for row in rows() if row["file"] == "in/2.csv"] == gone


@pytest.mark.parametrize("name", ["new.csv", "new.jsonl", "new.csv.gz"])
def test_another_output_gets_the_new_rows_alone(folder, name):
    predict(*AGAIN)
    write(folder / "4.csv", f"id,text\n{GOOD}")
    assert predict("in", "-o", name, "--since", "run.json").exit_code == 0
    write(folder / "5.csv", f"id,text\n{GOOD}")
    done = predict("in", "-o", name, "--since", "run.json")  # which judges 4.csv again
    assert "2 of 5 files" in done.stderr
    again = predict(name, "-o", "all.csv", "--prefix", "x_")
    assert again.exit_code == 0
    assert sorted({row["file"] for row in rows("all.csv")}) == ["in/4.csv", "in/5.csv"]


@pytest.mark.parametrize(
    ("file", "old", "new", "options", "told"),
    [
        ("answers.csv", "\n.*\n$", "\n", [], "has 5 of the 6 rows that run.json counts; restore"),
        ("answers.csv", "(?s).+", "mine\n1\n", [], "has other columns than the new rows"),
        ("answers.csv", "\n", ",note\n", [], "has other columns than the new rows (note)"),
        ("run.json", "(?s).+", "[]", [], "is not a summary of files"),
        ("run.json", '"numbered": [0-9]+', '"numbered": 1e999', [], "is not a summary of files"),
        (
            "run.json",
            "",
            "",
            ["--wide"],
            "--wide has changed; undo that, or judge everything again",
        ),
        ("run.json", "", "", ["--aliases", "name"], "the actor book or --aliases has changed"),
    ],
)
def test_runs_that_do_not_fit_are_not_joined(folder, file, old, new, options, told):
    predict(*AGAIN)
    write(folder / "4.csv", f"id,text\n{GOOD}")
    changed = re.sub(old, new, Path(file).read_text("utf-8"))
    write(Path(file), changed)
    before = Path("answers.csv").read_bytes()
    assert fails(1, "predict", *AGAIN, *options, "-m", "m.stance").startswith(f"{file}: {told}")
    assert Path("answers.csv").read_bytes() == before


def test_files_by_other_paths_and_a_run_to_the_screen_are_not_joined_either(folder):
    predict(*AGAIN)
    before = Path("answers.csv").read_bytes()
    told = fails(1, "predict", folder, *AGAIN[1:], "-m", "m.stance")
    assert told.startswith("run.json: names none of these files; give the same paths as in that")
    predict("in", "-o", "-", "--summary", "run.json", "--force")
    told = fails(1, "predict", *AGAIN, "-m", "m.stance")
    assert told.startswith("answers.csv: is there, but run.json is about no output in a file; name")
    assert Path("answers.csv").read_bytes() == before


def test_a_finished_run_is_not_resumed_but_a_changed_input_is_told(here):
    path = write(here / "a.csv", f"id,text\n{GOOD}")
    predict("a.csv", "-o", "answers.csv")
    done = predict("a.csv", "-o", "answers.csv", "--resume")
    told = "answers.csv: is finished already (newer than its input; contents and options unch"
    assert (done.exit_code, one_line(done.stderr)[: len(told)]) == (0, told)
    later = Path("answers.csv").stat().st_mtime + 5
    os.utime(path, (later, later))
    told = fails(4, "predict", "a.csv", "-o", "answers.csv", "--resume", "-m", "m.stance")
    assert told == "answers.csv: exists already; use --force to overwrite it"
