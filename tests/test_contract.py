"""Tables in and out of the real command, to the letter of the contract."""

import csv
import gzip
import json

import pytest
from command import SAMPLE, dicts, fails, process, succeeds, table, write, write_rows

STANCE = ["stance", "stance_against", "stance_neutral", "stance_favor"]
TONE = ["sentiment", "sentiment_negative", "sentiment_neutral", "sentiment_positive"]
LONG = ["row", "actor", "mentions", *STANCE, "holder", *TONE]

TEXT = "Poland praised NATO, and NATO thanked Poland."


@pytest.fixture
def mine(tmp_path):
    return tmp_path / "mine.csv"


@pytest.fixture
def predict(model_path):
    return lambda *args: succeeds("predict", *args, "--model", model_path)


@pytest.fixture
def refused(model_path):
    return lambda status, *args: fails(status, "predict", *args, "--model", model_path)


# --- The long form ---


def test_the_columns_of_the_long_form(predict, mine):
    rows = table(predict(write(mine, f'id,text\n7,"{TEXT}"\n')).stdout)
    assert rows[0] == ["id", "text", *LONG]
    assert table(predict(write(mine, "id,text\n")).stdout) == rows[:1]
    assert [row[:5] for row in rows[1:]] == [
        ["7", TEXT, "1", "Poland", "2"],
        ["7", TEXT, "1", "NATO", "2"],
    ]


def test_cells_come_back_as_they_went_in_and_rows_in_order(predict, mine):
    cells = ["007", "NA", "1e5", " x ", "", "null", "1,5", 'a "b"', "two\nlines", "two\r\nlines"]
    cells += ["TRUE", "-0", "3/4", "\u00a0", "e\u0301", "0x1F", "\ttab"]
    texts = ("Nothing here.", TEXT)
    asked = [(cell, texts[at % 2], cell[::-1]) for at, cell in enumerate(cells)]
    write_rows(mine, asked, ("z", "text", "a b"))
    rows = dicts(predict(mine).stdout_bytes.decode())
    first = {row["row"]: row for row in rows}
    assert list(first) == [str(number) for number in range(1, len(cells) + 1)]
    assert [row["z"] for row in first.values()] == cells
    assert [row["a b"] for row in first.values()] == [cell[::-1] for cell in cells]
    for row in rows:  # the second row of a record repeats its cells
        assert row["z"] == cells[int(row["row"]) - 1]


def test_a_row_that_names_no_actor_yields_one_row(predict, mine):
    (row,) = dicts(predict(write(mine, "text\nThe weather was fine.\n")).stdout)
    assert [row[name] for name in LONG[:7]] == ["1", "", "0", "", "", "", ""]
    assert row["sentiment"]


def test_probabilities_have_six_decimals_and_sum_to_one(predict):
    for row in dicts(predict(SAMPLE / "paragraphs.csv").stdout):
        for names in (STANCE, TONE):
            label, *printed = (row[name] for name in names)
            if not label:
                assert printed == ["", "", ""]
                continue
            assert all(len(cell) == 8 and cell[1] == "." for cell in printed)
            assert sum(int(cell.replace(".", "")) for cell in printed) == 1_000_000
            best = max(range(3), key=lambda at: float(printed[at]))
            assert label in ("uncertain", names[1 + best].partition("_")[2])


# --- Actors and places given by the user ---


def test_an_actor_column_is_not_repeated_and_exactly_that_actor_is_judged(predict, mine):
    pairs = f'NATO,"{TEXT}"\nJapan,"{TEXT}"\nAcme Corp,We praised Acme Corp.\n'
    result = predict(write(mine, f"actor,text\n{pairs}"))
    rows = table(result.stdout)
    assert rows[0] == ["actor", "text", *(name for name in LONG if name != "actor")]
    assert [(row[0], row[2], row[3]) for row in rows[1:]] == [
        ("NATO", "1", "2"),
        ("Japan", "2", "0"),
        ("Acme Corp", "3", "1"),  # that no book knows is found by its literal name
    ]
    assert rows[2][4] == "uncertain"  # the text does not name it
    assert "3 rows in = 3 judged + 0 rejected; 2 naming an actor" in result.stderr


def test_an_empty_actor_cell_asks_for_nothing(predict, mine):
    result = predict(write(mine, f'actor,text\n,"{TEXT}"\n  ,"{TEXT}"\n'))
    for row in dicts(result.stdout):
        assert [row[name] for name in ("mentions", *STANCE)] == ["0", "", "", "", ""]
    told = "2 rows without a name in column 'actor', so without a stance (first: line 2)"
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 3  # no table of an actor without a name


def test_another_column_may_name_the_actor(predict, refused, mine):
    write(mine, f'target,text\nNATO,"{TEXT}"\n')
    rows = table(predict(mine, "--actor-column", "target").stdout)
    assert rows[0] == ["target", "text", *(name for name in LONG if name != "actor")]
    line = refused(1, mine, "--actor-column", "tarrget")
    assert line.endswith("did you mean --actor-column 'target'?")


def test_spans_say_where_the_actor_is_named(predict, refused, mine):
    write(mine, "text,actor,spans\nThey praised it and it won.,the bloc, 20:22 ; 13:15 \n")
    (row,) = dicts(predict(mine).stdout)
    assert row["mentions"] == "2"
    wrong = ("0:17", "4:0", "4:4", "x", "1", "0-4", "-1:2", "0:1:2", "a:b", "²:4")
    cut = {"0:4;": "", ";": "", "0:" + "9" * 5000: "0:" + "9" * 18 + "…"}
    for cell, shown in (dict(zip(wrong, wrong, strict=True)) | cut).items():
        write(mine, f"text,actor,spans\nThey praised it.,it,{cell}\n")
        line = refused(1, mine)
        assert f"mine.csv:2: spans '{shown}' is not a place in the text; write start:end" in line
        assert "the text has 16 characters" in line


def test_an_actor_book_of_the_user(predict, refused, mine, tmp_path):
    book = write(tmp_path / "book.toml", '["The Moon"]\nkind = "other"\nname = ["the moon"]\n')
    write(mine, "text\nNATO praised the moon.\n")
    (row,) = dicts(predict(mine, "--actors", book).stdout)
    assert row["actor"] == "The Moon"
    assert "bad.toml" in refused(1, mine, "--actors", write(tmp_path / "bad.toml", "[x\n"))


# --- The wide form ---


def test_the_wide_form_has_one_row_per_input_row(predict, refused, model, mine):
    write(mine, f'id,text\n1,"{TEXT}"\n2,Nothing.\n')
    rows = table(predict(mine, "--wide").stdout)
    ends = ["", "_against", "_neutral", "_favor", "_holder"]
    actors = [name + end for name in model.book.names for end in ends]
    assert rows[0] == ["id", "text", "row", *actors, *TONE]
    assert len(rows) == 3
    wide = dict(zip(rows[0], rows[1], strict=True))
    for row in dicts(predict(mine).stdout)[:2]:
        for name, end in zip([*STANCE, "holder"], ends, strict=True):
            assert wide[row["actor"] + end] == row[name]
    assert set(rows[2][3:-4]) == {""}
    assert "drop --wide" in refused(1, write(mine, "actor,text\nNATO,x\n"), "--wide")


# --- Collisions ---


@pytest.mark.parametrize("name", ["row", "mentions", *STANCE, "holder", *TONE])
def test_a_collision_names_the_column_and_the_way_out(refused, mine, name):
    line = refused(1, write(mine, f"{name},text\nx,y\n"))
    assert f"mine.csv: column '{name}' would be written twice" in line
    assert "--prefix" in line


def test_columns_that_would_pass_for_what_was_judged_are_refused_or_noted(refused, predict, mine):
    write(mine, "text,target,actor,spans\nPoland condemned Russia.,Russia,Poland,\n")
    assert "column 'actor' beside" in refused(1, mine, "--actor-column", "target")
    write(mine, "body,spans\nPoland condemned Russia.,0:6\n")
    notes = predict(mine, "--text-column", "body").stderr
    assert "column 'spans' is not read, because no column or --actor names the actor" in notes


def test_with_a_prefix_both_are_there(predict, mine):
    write(mine, f'row,text\nx,"{TEXT}"\n')
    head, first, *_ = table(predict(mine, "--prefix", "s_").stdout)
    assert head == ["row", "text", *(f"s_{name}" for name in LONG)]
    assert first[0] == "x"


def test_actors_of_a_book_whose_columns_collide_are_refused(refused, mine, tmp_path):
    names = '["Foo"]\nname = ["Foo"]\n["Foo_favor"]\nname = ["Foos"]\n'
    book = write(tmp_path / "book.toml", names)
    line = refused(1, write(mine, "text\nx\n"), "--wide", "--actors", book)
    assert "column 'Foo_favor' would be written twice" in line


# --- Forms of tables ---


def test_messages_name_every_option_that_a_spreadsheet_s_table_needs(predict, refused, mine):
    rows = "Outlet;Date published;Paragraph text\nLedger;04.03.2025;Poland “praised” NATO.\n"
    write(mine, rows, "cp1252")
    assert refused(1, mine).endswith("did you mean --text-column 'Paragraph text'?")
    asked = ["--text-column", "Paragraph text"]
    told = "mine.csv:2: byte 0x93 is not UTF-8 in column 'Paragraph text'; save the file as UTF-8,"
    assert f"{told} or name its encoding, such as --encoding cp1252" in refused(1, mine, *asked)
    asked += ["--encoding", "cp1252"]
    without_date = predict(mine, *asked)
    assert "did you mean --date-column 'Date published'?" in without_date.stderr
    dated = predict(mine, *asked, "--date-column", "Date published")
    assert "by the months in column" in dated.stderr


def test_the_output_follows_its_name(predict, mine, tmp_path):
    write(mine, f'id,text\n007,"{TEXT}"\n')
    printed = predict(mine).stdout
    predict(mine, "-o", tmp_path / "out.csv.gz")
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).decode() == printed
    predict(mine, "-o", tmp_path / "out.tsv")
    with (tmp_path / "out.tsv").open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file, delimiter="\t")) == dicts(printed)
    predict(mine, "-o", tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == dicts(printed)


def test_an_article_is_split_into_paragraphs(predict):
    result = predict(SAMPLE / "article.txt")
    rows = dicts(result.stdout)
    assert list(rows[0]) == ["document", "paragraph", "text", *LONG]
    assert {row["document"] for row in rows} == {"article"}
    assert all(row["paragraph"] == row["row"] for row in rows)


def test_a_spreadsheet_s_text_file_is_a_table_where_its_delimiter_is_named(predict, tmp_path):
    path = write(tmp_path / "saved.txt", "id\ttext\n007\tNATO warned Russia, again.\n")
    rows = dicts(predict(path, "--delimiter", "tab").stdout)
    assert [(row["id"], row["actor"]) for row in rows] == [("007", "NATO"), ("007", "Russia")]


# --- Spreadsheets ---


@pytest.mark.parametrize("wide", [(), ("--wide",)])
def test_formulas_are_quoted_on_demand_in_cells_and_names(predict, mine, wide):
    write(mine, "id,text\n=1+1,NATO won\n+4,NATO lost\n")
    plain = table(predict(mine, "--prefix", "=cmd", *wide).stdout)
    assert plain[1][0] == "=1+1"
    names = [name for name in plain[0] if name.startswith("=cmd")]
    safe = table(predict(mine, "--prefix", "=cmd", "--excel-safe", *wide).stdout)
    assert [safe[1][0], safe[2][0]] == ["'=1+1", "+4"]
    assert [name for name in safe[0] if "=cmd" in name] == [f"'{name}" for name in names]


# --- Streams and files ---


def test_dash_is_stdin_and_stdout(model_path):
    run = process("predict", "-", "-o", "-", "-m", model_path, stdin=f'text\n"{TEXT}"\n'.encode())
    assert run.returncode == 0
    assert len(dicts(run.stdout.decode())) == 2
    assert run.stderr.startswith(b"standard input: separator")


def test_nothing_that_is_read_is_overwritten_not_even_with_force(
    refused, mine, tmp_path, model_path
):
    write(mine, f'text\n"{TEXT}"\n')
    other = tmp_path / "folder" / ".." / "mine.csv"
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to(mine)
    model = model_path.read_bytes()
    for path in (mine, other, tmp_path / "link.csv", model_path):
        assert "is the input" in refused(4, mine, "-o", path, "--force")
    book = write(tmp_path / "book.toml", '["NATO"]\nname = ["NATO"]\n')
    for path in (mine, model_path, book):
        args = (mine, "-o", tmp_path / "out.csv", "--rejects", path, "--actors", book, "--force")
        assert "is the input" in refused(4, *args)
    assert book.read_text() == '["NATO"]\nname = ["NATO"]\n'
    assert mine.read_text() == f'text\n"{TEXT}"\n'
    assert model_path.read_bytes() == model


# --- Dates ---


def test_leaders_count_only_in_office_however_dates_are_written(predict, refused, mine):
    text = "Rutte praised the summit."
    for before, after in (("18 May 2023", "18 May 2025"), ("22/10/2023", "10/22/2024")):
        rows = dicts(predict(write(mine, f"text,date\n{text},{before}\n{text},{after}\n")).stdout)
        assert [row["actor"] for row in rows] == ["", "NATO"]
    write(mine, f"text,date\n{text},03/04/2023\n")
    assert "may be 3 April 2023 or 4 March" in refused(1, mine)
    assert not dicts(predict(mine, "--date-format", "%m/%d/%Y").stdout)[0]["actor"]
    write(mine, f"text,date\n{text},gestern\n{text},\n{text},2025\n")
    notes = predict(mine).stderr
    assert "1 date in column 'date' cannot be read; write 2024-03-09, or name their form" in notes
    assert "(first: line 2, 'gestern')" in notes
