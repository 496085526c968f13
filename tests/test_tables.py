import contextlib
import csv
import gzip
import io
import os
import re
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import pytest
from command import ROOT, fails, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stance.errors import DataError
from stance.tables import (
    Format,
    Record,
    Rejects,
    Table,
    TableWriter,
    column,
    open_table,
    optional_column,
    write_table,
)

often = partial(settings, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def cells_of(path, **options):
    with open_table(path, **options) as table:
        return [record.cells for record in table]


def put(folder, data, name="mine.csv"):
    return write(folder / name, data)


def run(code, folder):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


# --- Opening ---------------------------------------------------------------------------------


def test_a_table_says_what_it_is(tmp_path, monkeypatch):
    mine = put(tmp_path, 'text,actor\nNATO acts,NATO\n"a\nb",US\n\nc,EU\n')
    with open_table(mine) as table:
        records = list(table)
    assert table.columns == ("text", "actor")
    assert table.notes[0] == f"{mine}: separator ',', 2 columns, UTF-8"
    assert records[0] == Record(1, 2, ("NATO acts", "NATO"))
    assert [(record.number, record.line) for record in records] == [(1, 2), (2, 3), (3, 6)]
    assert table.progress() == (mine.stat().st_size,) * 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"text\tactor\na\tb\n")))
    assert cells_of(None) == [("a", "b")]


def test_lines_are_right_across_chunks(tmp_path):
    row = '"' + "x" * 700 + "\r\n" + "é" * 300 + '",NATO\r\n'
    with open_table(put(tmp_path, "text,actor\r\n" + row * 500)) as table:
        records = list(table)
    assert [record.line for record in records] == list(range(2, 1002, 2))
    assert {record.cells for record in records} == {("x" * 700 + "\r\n" + "é" * 300, "NATO")}
    long = '"' + ('he said ""no""\n' * 40_000) + '"'
    with open_table(put(tmp_path, f"text,actor\n{long},b\n" + "a,b\n" * 20_000)) as table:
        records = list(table)
    assert len(records) == 20_001
    assert (records[-1].number, records[-1].line) == (20_001, 60_002)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_end_on_the_edge_of_a_chunk_is_one_line_end(tmp_path, end):
    for length in range(65_536 - 14, 65_536 - 8):
        text = "text,actor" + end + "x" * (length - 10) + ",b" + end + "c,d" + end
        assert cells_of(put(tmp_path, text)) == [("x" * (length - 10), "b"), ("c", "d")]


def test_no_control_character_of_the_data_is_in_a_message(tmp_path):
    path = put(tmp_path, '\x1b[31mred\u202e,b\n"x\n', "a\x1b[2J.csv")
    with pytest.raises(DataError, match="never closed") as caught:
        cells_of(path)
    assert str(caught.value).isprintable()
    with pytest.raises(DataError, match=r"no column 'text\\x07'") as caught:
        column(Table("mine.csv", ("\x1b[31mred\u202e" * 100,)), "text\x07")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


# --- Columns ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["text", "Text", "TEXT", " text ", "te\u200bxt", "\ufefftext"])
def test_case_and_what_is_not_seen_do_not_count(tmp_path, name):
    with open_table(put(tmp_path, f"id,{name}\n1,a\n")) as table:
        assert column(table, "text") == 1
        assert ("is read as 'text'" in table.notes[-1]) == (name != "text")


def test_an_exact_name_wins_and_others_that_differ_in_case_are_both_named():
    assert column(Table("mine.csv", ("Text", "text", "TEXT")), "text") == 1
    for find in (column, optional_column):
        with pytest.raises(DataError, match="columns 'Text' and 'TEXT' could each be 'text'; ren"):
            find(Table("mine.csv", ("Text", "id", "TEXT")), "text")


@pytest.mark.parametrize(
    ("name", "columns", "message"),
    [
        ("text", "id,texts", "no column 'text'; did you mean --text-column 'texts'?"),
        ("text", "id,Body", "did you mean --text-column 'Body'?"),
        ("text", "Paragraph,articleText", "--text-column 'Paragraph'?"),
        ("text", "Outlet,Paragraph text", "did you mean --text-column 'Paragraph text'?"),
        ("text", "id,Текст", "did you mean --text-column 'Текст'?"),
        ("text", "id,outlet", "it has id, outlet; choose one with --text-column"),
        ("text", "text:actor", "one column 'text:actor'; name its separator with --delimiter"),
        ("text", "text actor", "name its separator with --delimiter"),
        ("text", "My survey", "choose it with --text-column, or remove lines above the header"),
        ("text", "My survey,,", "(columns 2 and 3); give each its own name, or remove lines above"),
        ("text", "12,2022-02-24", "it has 12, 2022-02-24; choose one with --text-column"),
        ("actor", "text,Target", "did you mean stance import table --map actor='Target'?"),
        ("actor", "text,x", "--map actor=, or name the actor of all rows with --actor"),
        ("stance", "text,actor,label", "did you mean stance import table --map stance='label'?"),
    ],
)
def test_a_missing_column_gets_the_option_to_type(tmp_path, name, columns, message):
    path = put(tmp_path, f"{columns}\n")
    command = "predict" if name == "text" else "evaluate"
    assert message in fails(1, command, path)


# --- Rejects ---------------------------------------------------------------------------------


def read_with_rejects(tmp_path, data, name="mine.csv"):
    path = put(tmp_path, data, name)
    with Rejects(tmp_path / "bad.csv", force=True) as rejects:
        with open_table(path, rejects=rejects) as table:
            good = [record.cells for record in table]
        assert table.records_in == len(good) + rejects.rows
    return good, cells_of(tmp_path / "bad.csv")


AFTER = "text after the closing quote of column 'text', which opens in line"
REJECTED = [  # body, good records, and of the bad ones line, column, reason and raw text
    ("a,b\nc\nd,e\n", "a,b d,e", [("3", "", "1 cell where the header has 2", "c")]),
    ('""x"",b\nd,e\n', "d,e", [("2", "text", f"{AFTER} 2", '""x"",b')]),
    ('a ""x"",b\nd,e\n', "d,e", [("2", "text", "a quote inside the unquoted column", 'a ""x"",b')]),
    (b"c\xe9,d\n\xc3\xa9,g\n", "é,g", [("2", "text", "byte 0xe9 is not UTF-8", "c\\xe9,d")]),
    ("e\0,f\na,b\n", "a,b", [("2", "text", "a NUL byte in column 'text'", "e\\x00,f")]),
    ('a,b,c\n"open,1\n', "", [("2", "", "3", "a,b,c"), ("3", "text", "the", '"open,1')]),
    # A quote that was never meant to open a cell costs its own line only …
    ('"a,1\n"b",2\nc,3\n', "b,2 c,3", [("3", "text", f"{AFTER} 2", '"a,1')]),
    ('a,"1\nb,2\nc,3\n', "b,2 c,3", [("2", "actor", "the quote that opens", 'a,"1')]),
    ('"a,1\nb,2\nc"\nd,4\n', "d,4", [("2", "", "1 cell where", '"a,1\nb,2\nc"')]),
    ('"a,1\nb,2\nc,3",4,5\nd,6\n', "d,6", [("2", "", "3 cells where", '"a,1\nb,2\nc,3",4,5')]),
    # … but what stands inside a quoted cell never becomes a record.
    ('"a\nb "no" c",2\nd,3\n', "d,3", [("3", "text", f"{AFTER} 2", '"a\nb "no" c",2')]),
    ('"a\nb\nc', "", [("2", "text", "the quote that opens in column 'text'", '"a\nb\nc')]),
]


@pytest.mark.parametrize(("body", "good", "bad"), REJECTED)
def test_bad_records_are_put_aside_with_line_column_reason_and_raw_text(tmp_path, body, good, bad):
    head = b"text,actor\n" if isinstance(body, bytes) else "text,actor\n"
    found, aside = read_with_rejects(tmp_path, head + body)
    assert found == [tuple(record.split(",")) for record in good.split()]
    assert [(line, name, raw) for line, name, _, raw in aside] == [(w[0], w[1], w[3]) for w in bad]
    for (_, _, reason, _), (_, _, wanted, _) in zip(aside, bad, strict=True):
        assert reason.startswith(wanted)


def test_a_stray_quote_in_a_long_table_costs_one_line(tmp_path):
    rows = [f"text {n},{n}" for n in range(20_000)]
    rows[7000] = f'"{rows[7000]}'
    good, bad = read_with_rejects(tmp_path, "text,actor\n" + "\n".join(rows))
    assert len(good) == 19_999
    assert [line for line, *_ in bad] == ["7002"]


# --- Bombs -----------------------------------------------------------------------------------

HEAD = b"text,actor\n"
BOMBS = {  # file, beginning, a piece of what follows, and how many MB of it
    "zeros": ("a.csv.gz", HEAD, b"0", 160),
    "long line": ("a.csv", HEAD, b"0", 50),
    "long line of wide characters": ("a.csv", HEAD, "🕊".encode(), 100),
    "open quote": ("a.csv", HEAD + b'"', b"a,b\n", 50),
    "open quote before doubled quotes": ("a.csv", HEAD + b'"', b'""' * 500 + b"\n", 14),
    "json line": ("a.jsonl", b'{"text": "', b"x", 50),
}


@pytest.mark.endurance
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from /proc")
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_within_150_mb(tmp_path, bomb):
    name, head, piece, megabytes = bomb
    body = piece * (2**20 // len(piece))
    pack = partial(gzip.open, compresslevel=1) if name.endswith(".gz") else open
    with pack(tmp_path / name, "wb") as file:
        file.write(head)
        for _ in range(megabytes):
            file.write(body)
    code = f"""
        import re
        from pathlib import Path
        from stance.errors import DataError
        from stance.tables import open_table
        peak = lambda: int(re.search("VmHWM:.*?([0-9]+)", Path("/proc/self/status").read_text())[1])
        before = peak()
        try:
            with open_table(Path("{name}")) as table:
                for record in table:
                    pass
        except DataError as error:
            print((peak() - before) // 1024, error)
    """
    grown, message = run(code, tmp_path).split(" ", 1)
    assert int(grown) < 150
    assert ";" in message


def test_memory_does_not_grow_with_the_table(tmp_path):
    path = put(tmp_path, "text,actor\n" + ('"' + "word " * 90 + '",NATO\n') * 50_000, "a.csv")
    code = """
        import tracemalloc
        from pathlib import Path
        from stance.tables import open_table
        with open_table(Path("a.csv")) as table:
            tracemalloc.start()
            for record in table:
                pass
        print(tracemalloc.get_traced_memory()[1])
    """
    assert int(run(code, tmp_path)) < 3 * 2**20 < path.stat().st_size / 5


# --- Writing ---------------------------------------------------------------------------------


def written(path, rows, columns=("a", "b"), **options):
    with write_table(path, columns, **options) as writer:
        for row in rows:
            writer.write(row)
    return writer


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_bytes_depend_on_the_rows_only(tmp_path, name):
    rows = [(str(n), "text" * (n % 70)) for n in range(15_000)]  # of 2 MB: two blocks of gz
    writer = written(tmp_path / name, rows)
    again = tmp_path / f"again-{name}"
    with write_table(again, ("a", "b")) as other:
        for start in range(0, len(rows), 777):
            other.write_encoded(other.format.encode(rows[start : start + 777]), 777)
    assert (tmp_path / name).read_bytes() == again.read_bytes()
    assert writer.rows == len(rows)


def test_excel_safe_quotes_formulas_and_adds_a_mark(tmp_path):
    formulas = ["=1+1", "+49 30", "@x", "\tx", "＝1+1", "＋1+1", "－1+1", "＠SUM(1)"]
    rows = [("-0.25", cell) for cell in formulas]
    written(tmp_path / "a.csv", rows, excel_safe=True)
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbfa,b\n")
    assert cells_of(tmp_path / "a.csv") == [("-0.25", f"'{cell}") for cell in formulas]


def test_nothing_appears_when_the_run_fails(tmp_path, monkeypatch):
    def interrupted(writer):
        writer.write(("x",))
        assert not (tmp_path / "a.csv").exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), write_table(tmp_path / "a.csv", ("a",)) as writer:
        interrupted(writer)
    with pytest.raises(DataError, match="half a character"):
        written(tmp_path / "a.csv", [("\ud83d", "x")])
    assert not list(tmp_path.iterdir())
    stdout = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", stdout)
    written(None, [("x", "y")])
    assert stdout.buffer.getvalue() == b"a,b\nx,y\n"


def test_the_temporary_file_is_private_and_the_table_is_not(tmp_path):
    umask = os.umask(0o022)
    try:
        with TableWriter(tmp_path / "a.csv", Format(("a",)), force=False):
            assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())
        assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o644
        (tmp_path / "a.csv").chmod(0o640)
        written(tmp_path / "a.csv", [("x", "y")], force=True)
        assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(umask)


# --- Round trips -----------------------------------------------------------------------------

CELL = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    | st.sampled_from("\",;|\t\r\n\\' =-\u2028\x85\ufeff"),
    max_size=12,
)
NAME = CELL.filter(lambda name: name != "")


@st.composite
def tables(draw):
    columns = draw(st.lists(NAME, min_size=1, max_size=4, unique=True))
    width = len(columns)
    rows = draw(st.lists(st.lists(CELL, min_size=width, max_size=width), max_size=6))
    # In a table of several columns a record like the header means that two files were joined.
    return columns, [tuple(row) for row in rows if width == 1 or row != columns]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    table=tables(),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    compress=st.booleans(),
    quote=st.booleans(),
)
def test_any_cells_come_back(tmp_path_factory, table, delimiter, end, encoding, compress, quote):
    columns, rows = table
    path = tmp_path_factory.mktemp("any") / "any.csv"
    form = Format(tuple(columns), delimiter=delimiter)
    lines = [form.encode([row]).decode()[:-1] for row in (columns, *rows)]
    if quote or columns[0].startswith(("\ufeff", "sep=")):
        lines = [
            delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row)
            for row in (columns, *rows)
        ]
    data = "".join(line + end for line in lines).encode(encoding)
    path.write_bytes(gzip.compress(data) if compress else data)
    with open_table(path, delimiter=delimiter) as opened:
        assert opened.columns == tuple(columns)
        assert [record.cells for record in opened] == rows


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables(), delimiter=st.sampled_from(",;\t|"), name=st.sampled_from(["a.csv", "a.tsv"]))
def test_any_cells_without_quoting_come_back(tmp_path_factory, table, delimiter, name):
    def plain(cells):
        return tuple(re.sub(f"[\r\n{delimiter}]", "x", cell) or "x" for cell in cells)

    columns, rows = tuple(f"{n}{name}" for n, name in enumerate(plain(table[0]))), table[1]
    path = tmp_path_factory.mktemp("any") / name
    lines = [delimiter.join(cells) + "\n" for cells in (columns, *map(plain, rows))]
    path.write_bytes("".join(lines).encode())
    found = cells_of(path, delimiter=delimiter, quoting="none")
    assert found == list(map(plain, rows))
    again = path.with_name(f"again-{name}")
    written(again, found, columns)
    assert cells_of(again, delimiter="tab" if name == "a.tsv" else ",") == found


@often(max_examples=300)
@given(table=tables(), end=st.sampled_from(["\n", "\r\n", "\r"]), data=st.data())
def test_what_is_read_without_a_note_is_what_the_csv_module_reads(
    tmp_path_factory, table, end, data
):
    columns, rows = table
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=end).writerows([columns, *rows, *rows])
    text = file.getvalue()
    place = data.draw(st.integers(0, len(text)))
    text = text[:place] + data.draw(st.text('",\n\ra', max_size=2)) + text[place:]
    path = put(tmp_path_factory.mktemp("any"), text)
    with contextlib.suppress(DataError), open_table(path, delimiter=",") as opened:
        found = [opened.columns, *(record.cells for record in opened)]
        if len(opened.notes) == 1:
            told = csv.reader(io.StringIO(text, newline=""), strict=True)
            assert found == [tuple(cells) for cells in told if cells]
