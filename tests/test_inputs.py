"""Several inputs as one table: which files are read, how their columns join, and what is bad."""

import gzip
import json
from pathlib import Path

import pytest
from command import dicts, fails, invoke, predict, stopped, table, write

from stance.errors import DataError, OutputError
from stance.tables import InputOptions, find_inputs, open_inputs

TEXT = "Poland praised NATO for its resolve."


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of mixed files, seen from where it stands."""
    monkeypatch.chdir(tmp_path)
    files = {
        "in/b.csv": f"text,id\n{TEXT},007\nRussia was condemned.,NA\n",
        "in/a/story.txt": "Menu\nNATO leaders meet\nRussia has not commented.\nShare\n",
        "in/a/lines.jsonl": '{"id": 1, "text": "China met Japan."}\n',
        "in/.hidden/x.csv": "text\nno\n",
        "in/.DS_Store": "no",
        "in/picture.png": "no",
    }
    for name, text in files.items():
        write(tmp_path / name, text)
    return tmp_path / "in"


def opened(*named, rejects=None, **reading):
    """Return the joined table as rows, its header first, and its notes."""
    inputs = find_inputs(list(map(Path, named)))
    with open_inputs(inputs, InputOptions(**reading), rejects) as found:
        rows = [found.columns, *((str(r.number), *r.cells) for r in found)]
        return rows, (*inputs.notes, *found.notes)


def names(*named):
    return [str(path) for path in find_inputs(list(map(Path, named))).paths]


# --- Which files ---


def test_a_folder_is_read_in_the_order_of_paths_and_what_is_skipped_is_counted(folder, tmp_path):
    write(tmp_path / "private.txt", "NATO condemned Russia.")
    for name, target in (("loop", folder), ("leak.txt", "../private.txt"), ("again.csv", "b.csv")):
        (folder / name).symlink_to(target)
    for name in ("Page.html", "Page_files/frame.html", "Page-Dateien/x.htm", "Page/x.txt"):
        write(folder / name, "text")
    assert names("in") == [
        *("in/Page/x.txt", "in/Page.html", "in/a/lines.jsonl", "in/a/story.txt"),
        "in/again.csv",
    ]
    note, again = find_inputs([folder]).notes
    assert again == "1 file named twice or linked; each file is read once"
    assert "in: 6 files; skipped 2 hidden, 2 of parts of a page, " in note
    for reason in ("linking to a folder", "linking out of the folder", "of unknown kind '.png'"):
        assert f"1 {reason}" in note


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (["in/b.csv", "in"], ["in/b.csv", "in/a/lines.jsonl", "in/a/story.txt"]),
        (["in/b.csv", "in/../in/b.csv", "other/b.csv"], ["in/b.csv"]),
    ],
)
def test_named_files_come_in_the_order_given_and_once(folder, named, found):
    (folder.parent / "other").symlink_to(folder)
    assert names(*named) == found
    note = find_inputs(list(map(Path, named))).notes[-1]
    assert "named twice or linked; each file is read once" in note


@pytest.mark.parametrize(
    ("status", "args", "told"),
    [
        (1, ["empty"], "empty: has no file to read; check the folder"),
        (1, ["pictures"], "pictures: has no file to read (1 of unknown kind '.png'); check"),
        (1, ["alike"], "alike/b.csv: columns 'text' and 'TEXT' are one in the other files; rename"),
        (2, ["-", "in"], "standard input cannot be read beside files"),
    ],
)
def test_inputs_that_make_no_sense_are_refused(folder, status, args, told):
    (folder.parent / "empty").mkdir()
    write(folder.parent / "alike" / "a.csv", f"Text\n{TEXT}\n")
    write(folder.parent / "alike" / "b.csv", f"text,TEXT\n{TEXT},x\n")
    write(folder.parent / "pictures" / "a.png", "no")
    assert told in fails(status, "predict", *args)
    if args == ["alike"]:  # which is told where it is put aside, too
        aside = invoke("predict", "alike", "-o", "o.csv", "--rejects", "bad.csv").stderr
        assert "columns 'text' and 'TEXT' are one in the other files; rename one (counts" in aside


# --- How they join ---


def test_columns_join_in_order_of_first_appearance_and_rows_are_numbered_over_all(folder):
    rows, notes = opened("in")
    assert rows == [
        ("file", "id", "text", "document", "paragraph"),
        ("1", "in/a/lines.jsonl", "1", "China met Japan.", "", ""),
        ("2", "in/a/story.txt", "", "NATO leaders meet", "in/a/story.txt", "1"),
        ("3", "in/a/story.txt", "", "Russia has not commented.", "in/a/story.txt", "2"),
        ("4", "in/b.csv", "007", TEXT, "", ""),
        ("5", "in/b.csv", "NA", "Russia was condemned.", "", ""),
    ]
    left = "left out as boilerplate, see --keep-all (first: in/a/story.txt, paragraph 1)"
    assert notes[-1] == f"3 files: 2 paragraphs {left}"


def test_columns_that_differ_in_case_join_and_notes_on_many_files_are_told_once(folder):
    write(folder / "c.csv", f"ID,text,File\n8,{TEXT},own\n")
    rows, notes = opened("in/b.csv", "in/c.csv")
    assert rows[0] == ("file", "text", "id", "File")  # no own column takes the files' names
    assert rows[-1] == ("3", "in/c.csv", TEXT, "8", "own")
    assert "in/c.csv: column 'ID' is read as 'id'" in notes
    for number in range(40):
        write(folder / f"t{number:02}.csv", f"Text,id\n{TEXT},1\n")
    _, notes = opened(*(f"in/t{number:02}.csv" for number in range(40)))
    same = "in/t00.csv and 39 more: separator ',', 2 columns, UTF-8"
    assert set(notes) == {same, "40 files: column 'Text' is read as 'text'"}


def test_texts_with_markup_are_counted(folder):
    texts = ["NATO <b>praised</b> it.", "a < b & c", "NATO&nbsp;met.", "R&D; x<y"]
    write(folder / "b.csv", "text\n" + "\n".join(texts) + "\n")
    told = "2 texts with HTML such as <b> or &nbsp;, which hides words; remove it (first: line 2)"
    assert f"in/b.csv: {told}" in opened("in/b.csv")[1]
    text = write(folder / "c.txt", "NATO met.\n\n\nNATO <b>won</b>.\n")
    assert "(first: paragraph 2)" in invoke("predict", text).stderr
    assert "(first: in/c.txt, paragraph 2)" in opened("in/c.txt", "in/b.csv")[1][-1]


def test_articles_of_one_name_are_two_documents_whose_text_is_called_as_in_tables(folder):
    write(folder / "a" / "story.html", "<title>NATO</title><p>Russia has not commented on it.</p>")
    write(folder / "story.txt", "NATO met.")
    rows, _ = opened("in/a/story.html", "in/a/story.txt", "in/story.txt")
    documents = list(dict.fromkeys(row[2] for row in rows[1:]))
    assert documents == ["in/a/story.html", "in/a/story.txt", "in/story.txt"]
    write(folder / "b.csv", "body\nNATO met.\n")
    rows, _ = opened("in/b.csv", "in/story.txt", text_column="body")
    assert rows[0][1] == "body"
    assert [row[2] for row in rows[1:]] == ["NATO met.", "NATO met."]


@pytest.mark.parametrize("actor", ["Whom", None])
def test_an_actor_column_of_only_some_files_is_refused(folder, actor):
    write(folder / "c.csv", f"text,{actor or 'actor'}\nNATO met.,NATO\n")
    why = rf": has a column '{actor or 'actor'}', and in/{{}} has none"
    with pytest.raises(DataError, match="in/c.csv" + why.format("b.csv")):
        opened("in/b.csv", "in/c.csv", actor_column=actor)
    deep = folder / ("d" * 200)  # more than a message shows
    deep.mkdir()
    for name in ("b.csv", "c.csv"):
        (folder / name).rename(deep / name)
    with pytest.raises(DataError, match=why.format("d+…")):
        opened(f"in/{deep.name}", actor_column=actor)


@pytest.fixture
def about_nato(tmp_path):
    rows = "Poland praised it.,favor\nNATO won.,neutral\n"
    return write(tmp_path / "nato.csv", f"text,stance\n{rows}")


def test_one_actor_of_all_rows_is_judged_as_if_a_column_said_it(about_nato, model_path):
    told = ("--actor", "NATO", "--model", model_path)
    answers = dicts(invoke("predict", about_nato, "--prefix", "s_", *told).stdout)
    assert [*answers[0]][:4] == ["text", "stance", "s_row", "s_actor"]
    assert [row["s_actor"] for row in answers] == ["NATO", "NATO"]
    assert [row["s_mentions"] for row in answers] == ["0", "1"]
    found = json.loads(invoke("evaluate", about_nato, *told, "--json").stdout)
    assert found["per_actor"]["NATO"]["n"] == 2
    assert json.loads(invoke("check", about_nato, *told[:2], "--json").stdout)["rows"] == 2
    target = about_nato.with_name("coded.csv")
    invoke("import", "table", about_nato, *told[:2], "-o", target)
    own = dicts(target.read_text())
    assert [row["actor"] for row in own] == ["NATO", "NATO"]
    column = dicts(invoke("predict", target, "--prefix", "s_", "--model", model_path).stdout)
    same = {"s_stance", "s_stance_favor", "s_mentions"}
    assert [[row[k] for k in same] for row in column] == [[row[k] for k in same] for row in answers]


def test_an_actor_column_contradicts_the_one_asked_for(about_nato, model_path):
    out = ("-o", about_nato.with_name("out.csv"))
    assert "drop --wide" in fails(1, "predict", about_nato, "--actor", "NATO", "--wide")
    assert "drop one" in fails(2, "predict", about_nato, "--actor", "a", "--actor-column", "Actor")
    write(about_nato, "Actor,text,stance\nNATO ,NATO won.,neutral\nRussia,x,favor\n")
    why = "nato.csv: column 'Actor' says the actor of each row; drop --actor"
    for command in (["predict"], ["evaluate"], ["check"], ["import", "table", *out]):
        assert fails(1, *command, about_nato, "--actor", "NATO").endswith(why)


def test_a_column_called_file_is_refused_and_a_prefix_helps(folder, model_path):
    write(folder / "c.csv", "text,file\nNATO met.,x\n")
    with pytest.raises(DataError, match=r"in/c.csv: has a column 'file'.*--prefix stance_"):
        opened("in/b.csv", "in/c.csv")
    write(folder / "d.csv", "text,stance\nNATO met.,x\n")
    told = fails(1, "predict", "in/b.csv", "in/d.csv", "--model", model_path)
    assert told.startswith("in/d.csv: column 'stance' would be written twice")
    args = ("predict", "in/b.csv", "in/c.csv", "--prefix", "s_", "--model", model_path)
    found = dicts(invoke(*args).stdout)
    assert [(row["s_file"], row["file"]) for row in found][-1] == ("in/c.csv", "x")


# --- Bad files ---


@pytest.fixture
def broken(folder):
    write(folder / "empty.csv", "")
    (folder / "late.csv").write_bytes(b"text,id\n" + b"NATO met.,1\n" * 20 + b"\xff\xfe,2\n")
    write(folder / "allbad.csv", "text,id\nx,y,z\n")
    write(folder / "blank.txt", " \n\n")
    write(folder / "bare.csv", "text,id\n")
    write(folder / "nocolumn.csv", "body\nNATO met.\n")
    write(folder / "ragged.csv", "text,id\nNATO met.,1\nx,y,z\nRussia met.,2\n")
    write(folder / "twice.csv", "text,Actor,ACTOR\nNATO met.,NATO,NATO\n")
    (folder / "gone.csv").symlink_to(folder / "nowhere")
    rows = b"".join(b"NATO met on day %d.,1\n" % day for day in range(9000))
    (folder / "middle.csv.gz").write_bytes(gzip.compress(b"text,id\n" + rows)[:-9000])
    (folder / "cut.csv.gz").write_bytes(b"\x1f\x8b\x08\x00")
    return folder


def test_without_rejects_the_first_bad_file_ends_the_run_before_any_work(broken, model_path):
    line = fails(1, "predict", "in", "-o", "out.csv", "--model", model_path)
    assert line.startswith("in/cut.csv.gz:1: the gz data end early")
    assert not (broken.parent / "out.csv").exists()


def test_with_rejects_each_bad_file_is_one_line_and_all_else_is_answered(broken, model_path):
    args = ("predict", "in", "-o", "out.csv", "--rejects", "bad.csv", "--model", model_path)
    result = invoke(*args)
    assert result.exit_code == 0
    bad = dicts((broken.parent / "bad.csv").read_text())
    assert [(row["file"], row["line"], row["reason"].split(";")[0][:40]) for row in bad] == [
        ("in/allbad.csv", "2", "3 cells where the header has 2"),
        ("in/cut.csv.gz", "1", "the gz data end early or are damaged nea"),
        ("in/empty.csv", "", "is empty"),
        ("in/gone.csv", "", "no such file"),
        ("in/late.csv", "22", "byte 0xff is not UTF-8 in column 'text'"),
        ("in/middle.csv.gz", "2834", "the gz data end early or are damaged nea"),
        ("in/nocolumn.csv", "", "no column 'text'"),
        ("in/ragged.csv", "3", "3 cells where the header has 2"),
        ("in/twice.csv", "", "columns 'Actor' and 'ACTOR' could each b"),
    ]
    answers = dicts((broken.parent / "out.csv").read_text())
    numbers = sorted({int(row["row"]) for row in answers})
    judged = 5 + 20 + 2832 + 2
    assert len(numbers) == judged
    assert f"{judged + 9:,} rows in = {judged:,} judged + 9 rejected" in result.stderr
    assert "in/bare.csv and 1 more: has no row\n" in result.stderr
    told = [line for line in result.stderr.splitlines() if line.startswith("in/")]
    assert sum("no such file" in line for line in told) == 1


# --- Runs ---


@pytest.fixture
def many(folder):
    for number in range(30):
        text = "".join(f"NATO met Russia on day {number}.{row}.,{row}\n" for row in range(4))
        write(folder / f"n{number:02}.csv", f"text,id\n{text}")
    return folder


def test_bytes_depend_on_neither_jobs_nor_parts_nor_a_stop(many, model):
    predict(model, many, one := many.parent / "one.csv")
    predict(model, many, two := many.parent / "two.csv", jobs=2, size=7)
    stopped(model, many, three := many.parent / "three.csv")
    predict(model, many, three, resume=True, size=7)
    assert one.read_bytes() == two.read_bytes() == three.read_bytes()
    rows = table(one.read_text())
    assert len({(row[0], row[rows[0].index("row")]) for row in rows[1:]}) == 30 * 4 + 5


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda f: write(f / "n20.csv", "text,id\nx,1\n"), r"the file .*in/n20\.csv has changed"),
        (lambda f: (f / "n20.csv").unlink(), r"the file .*in/n20\.csv is gone"),
        (lambda f: write(f / "z.csv", "text,id\nx,1\n"), r"the file .*in/z\.csv is new"),
        (None, "the order of the files has changed"),
    ],
)
def test_a_run_does_not_go_on_with_other_files(many, model, change, why):
    named = [many] if change else sorted(many.glob("n*.csv"))
    stopped(model, named, target := many.parent / "out.csv")
    if change:
        change(many)
    with pytest.raises(OutputError, match=f"cannot resume, since {why}"):
        predict(model, named[::-1], target, resume=True, size=7)
