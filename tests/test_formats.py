"""Workbooks, Parquet, Arrow and nested JSON: read as shown, and given back as they were."""

import datetime
import decimal
import json
import re
import shutil
import subprocess
import sys
import zipfile

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import python_calamine
import xlsxwriter
from command import dicts, fails, invoke, predict

from stance.errors import EXTRAS, DataError, ExtraError, OutputError
from stance.tables import open_table, write_table
from stance.tables.json_lines import read_json
from stance.tables.sources import Source
from stance.tables.table import Table

DAY, MINUTE = datetime.date(2025, 5, 18), datetime.datetime(2025, 5, 18, 14, 30)


def workbook(path, *sheets, hidden=()):
    """Write sheets of rows, each (name, rows), whose dates are dates."""
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
            if name in hidden:
                sheet.hide()
            else:
                sheet.activate()
    return path


def cells(path, **form):
    with open_table(path, **form) as table:
        rows = [table.columns, *(record.cells for record in table)]
        return rows, "\n".join(table.notes)


def shown(path):
    """Return the cells of a workbook's first sheet."""
    return python_calamine.load_workbook(str(path)).get_sheet_by_index(0).to_python()


# --- Excel in ---


def test_a_sheet_is_read_as_it_is_shown(tmp_path):
    rows = [
        [],
        ["text", "day", "when", "n", "share", "yes", "id"],
        ["NATO won", DAY, MINUTE, 2024, 0.1 + 0.2, True, "007"],
        [],
        ["", "", "", 1234567890123456, -0.5, False, "NA"],
    ]
    found, notes = cells(workbook(tmp_path / "a.xlsx", ("Data", rows)))
    assert found[0] == ("text", "day", "when", "n", "share", "yes", "id")
    assert found[1] == (
        "NATO won",
        "2025-05-18",
        "2025-05-18 14:30:00",
        "2024",
        "0.3",
        "TRUE",
        "007",
    )
    assert found[2] == ("", "", "", "1234567890123456", "-0.5", "FALSE", "NA")
    assert "a.xlsx[Data]: sheet 'Data', 7 columns" in notes


def test_the_first_sheet_that_is_not_hidden_is_read_and_named(tmp_path):
    sheets = [(name, [["text"], [name]]) for name in ("Notes", "Data", "More")]
    path = workbook(tmp_path / "a.xlsx", *sheets, hidden=["Notes"])
    assert cells(path)[0] == [("text",), ("Data",)]
    assert "sheet 'Data' of 3 (--sheet chooses another: 'Notes', 'More')" in cells(path)[1]
    assert cells(path, sheet="Notes")[0] == [("text",), ("Notes",)]
    with pytest.raises(DataError, match=r"no sheet 'X'; --sheet can be 'Notes', 'Data', 'More'"):
        open_table(path, sheet="X")


def test_merged_cells_and_errors_are_told(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row("A1", ["text", "group"])
        sheet.write_column("A2", ["x", "y"])
        sheet.merge_range("B2:B3", "one")
        sheet.write_formula("A4", "=1/0", None, "#DIV/0!")
        sheet.write("B4", "z")
    found, notes = cells(path)
    assert found[1:] == [("x", "one"), ("y", ""), ("", "z")]
    assert "1 merged range (first: B2): the value stands in the first cell of each" in notes
    assert "cells with an error such as #N/A, read as empty: 1" in notes
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("first").write_row("A1", ["text"])
        book.add_worksheet("second").write_formula("A1", "=1/0", None, "#DIV/0!")
    assert "#N/A, read as empty: 1 in all sheets" in cells(path)[1]


def test_bad_rows_of_a_sheet_have_its_name_and_their_row(tmp_path):
    rows = [["text"], [], ["x"], ["y", "beyond"]]
    with (
        open_table(workbook(tmp_path / "a.xlsx", ("S", rows))) as table,
        pytest.raises(DataError, match=r"a.xlsx\[S\]:4: 'beyond' stands right of the last column"),
    ):
        list(table)
    with pytest.raises(DataError, match=r"a.xlsx\[S\]: is empty; a sheet begins with its column"):
        open_table(workbook(tmp_path / "a.xlsx", ("S", [])))
    with pytest.raises(DataError, match=r"a.xlsx\[S\]:1: column 'a' appears twice"):
        open_table(workbook(tmp_path / "a.xlsx", ("S", [["a", "a"]])))


def test_a_workbook_that_would_fill_the_memory_is_refused(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write("A1", "text")
        sheet.write("XFD1048576", "far")
    with pytest.raises(DataError, match="a sheet of 1,048,576 rows and 16,384 columns; delete"):
        open_table(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros", bytes(2**25))
    with pytest.raises(DataError, match="expands more than 200 times, as a decompression bomb"):
        open_table(path)


@pytest.mark.parametrize(
    ("folder", "cells"),
    [
        ("foo", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        (
            "worksheets",
            b'<row r="1048576"><c><v>1</v></c></row><row><c r="XFD1"><v>1</v></c></row>',
        ),
        ("worksheets", b'<row r="4000000"/><row>' + b"<c><v>1</v></c>" * 16_000 + b"</row>"),
    ],
)
def test_far_cells_cannot_hide_from_the_count(folder, cells, tmp_path):
    good, bad = workbook(tmp_path / "good.xlsx", ("S", [["text"], ["x"]])), tmp_path / "bad.xlsx"
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name).replace(b"worksheets/", f"{folder}/".encode())
            data = data.replace(b"</sheetData>", cells + b"</sheetData>")
            new.writestr(name.replace("worksheets/", f"{folder}/"), data)
    with pytest.raises(DataError, match=r"a sheet of [14],\d+,\d+ rows and 16,\d+ columns; delete"):
        open_table(bad)


def test_a_long_text_that_hundreds_of_cells_share_is_refused(tmp_path):
    good, bad = workbook(tmp_path / "a.xlsx", ("S", [["text"], *[["LONG"]] * 500])), tmp_path / "b"
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"LONG", b"x" * 1_000_000))
    assert bad.stat().st_size < 10_000
    assert "expands more than 200 times" in fails(1, "predict", bad)


def test_a_missing_column_names_the_sheet_that_has_it(model_path, tmp_path):
    title = ("Title", [["A study of what newspapers in five countries write of NATO"]])
    rows = [["Text", "actor", "stance"], *[["NATO won", "NATO", "favor"]] * 9]
    path = workbook(tmp_path / "a.xlsx", ("Data", rows), title, ("Empty", []), ("End", rows[:1]))
    told = f"{path}[Title]: no column 'text'; use --sheet 'Data' or 'End'"
    for command in (["predict"], ["check"], ["actors"], ["evaluate"]):
        sheet = ["--sheet", "Title"]
        assert fails(1, *command, path, *sheet) == told
    assert "--sheet chooses another: 'Data'" in fails(1, "predict", path, "--sheet", "Empty")


def test_what_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(DataError, match=r"is a zip archive or another kind of document"):
        open_table(path)
    whole = workbook(path, ("S", [["text"], ["x" * 9]])).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cannot be read as a workbook|is a damaged workbook"):
        open_table(path)


# --- Excel out ---

TRAPS = ["=1+1", "@x", "-2+3", "007", "http://a.b", "x\x0by", "_x0041_", "<b>&", "😀\r\ny", " z "]


@pytest.mark.parametrize("start", [b"", b"as text begins, "])
@pytest.mark.parametrize("name", ["a.xlsx", "a.xls", "a.parquet", "a.zip"])
def test_bytes_that_are_neither_text_nor_what_the_name_says_are_refused(tmp_path, name, start):
    (tmp_path / name).write_bytes(start + bytes(range(256)) * 20)
    kind = "(an Excel workbook|a Parquet or Arrow file|a zip archive)"
    why = f"{name}: is not {kind}, though its name ends in"
    with pytest.raises(DataError, match=why):
        open_table(tmp_path / name)
    (tmp_path / name).write_text("text\nNATO met.\n")  # as some systems export tables
    with open_table(tmp_path / name) as table:
        assert table.columns == ("text",)


def test_a_sheet_whose_compressed_bytes_are_damaged_is_refused(tmp_path):
    path = workbook(tmp_path / "a.xlsx", ("S", [["text"], ["NATO met."]]))
    with zipfile.ZipFile(path) as archive:
        sheet = archive.getinfo("xl/worksheets/sheet1.xml")
    data = bytearray(path.read_bytes())
    data[sheet.header_offset + 30 + len(sheet.filename)] = 7  # no kind of block
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"a.xlsx: is a damaged workbook \(.*invalid block type"):
        cells(path)


def test_a_name_of_a_column_that_is_no_utf8_is_refused(tmp_path):
    path = tmp_path / "a.arrow"
    pyarrow.feather.write_feather(pa.table({"text€": ["NATO met."]}), path, compression="lz4")
    path.write_bytes(path.read_bytes().replace("€".encode(), b"\xc6(("))
    with pytest.raises(DataError, match=r"a.arrow: is not a whole Arrow file \('utf-8' codec"):
        cells(path)


def test_a_workbook_out_holds_texts_and_numbers_and_no_formula(model, tmp_path):
    source = tmp_path / "a.jsonl"
    source.write_text("".join(json.dumps({"text": f"NATO {trap}"[5:]}) + "\n" for trap in TRAPS))
    done = predict(model, source, tmp_path / "out.xlsx")
    assert done.formulas == 0
    head, *rows = shown(tmp_path / "out.xlsx")
    assert head[:4] == ["text", "row", "actor", "mentions"]
    assert [row[0] for row in rows] == TRAPS
    assert [row[1] for row in rows] == [*range(1, len(TRAPS) + 1)]
    with zipfile.ZipFile(tmp_path / "out.xlsx") as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_workbook_without_temporary_files_is_one_line_and_no_file(tmp_path, monkeypatch, when):
    def write():
        with write_table(out / "a.xlsx", ["id", "text"]) as table:
            table.write(["1", "text"])
            shutil.rmtree(folder)

    folder, out = tmp_path / "temporary", tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    if when == "meanwhile":
        folder.mkdir()
    told = f"^{re.escape(str(folder))}: is not a folder; .* name another folder in TMPDIR$"
    with pytest.raises(OutputError, match=told):
        write()
    assert not [*out.iterdir()]


LIMITED = """
import resource, signal, sys
from pathlib import Path
from stance.errors import OutputError
from stance.tables import write_table
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    with write_table(Path(sys.argv[1]), ["text"]) as table:
        for at in range(1000):
            table.write([f"text {at}"])
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
def test_a_temporary_file_of_a_workbook_that_cannot_grow_is_one_line_and_no_file(tmp_path):
    # Python does not see it if the bytes of a module are cut off, too, and leaves them for others.
    command = [sys.executable, "-B", "-c", LIMITED, tmp_path / "a.xlsx"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "the file grew beyond the size limit; temporary files go there: " in done.stdout
    assert done.stderr == ""
    assert not [*tmp_path.iterdir()]


def test_what_a_sheet_cannot_hold_is_one_line_and_no_file(tmp_path, monkeypatch):
    def write(rows):
        with write_table(tmp_path / "out.xlsx", ["id", "text"]) as table:
            for row in rows:
                table.write(row)

    message = "row 2, column 'text': 32,768 characters, and a cell of Excel holds 32,767; write"
    with pytest.raises(OutputError, match=message):
        write([["1", "x" * 32_767], ["2", "x" * 32_768]])
    monkeypatch.setattr("stance.tables.excel._MOST_ROWS", 3)
    with pytest.raises(OutputError, match="more than 2 rows, the most that a sheet of Excel holds"):
        write([["1", "x"]] * 3)
    assert not list(tmp_path.iterdir())


# --- Parquet and Arrow ---


def typed(rows):
    """Return a table with a column of many a type, and empty cells of two kinds."""
    texts = [f"NATO praised {n}." if n % 3 else None if n % 2 else "" for n in range(rows)]
    return pa.table({
        "id": pa.array(range(rows), "int8" if rows < 100 else "int32"),
        "text": texts,
        "when": pa.array([MINUTE] * rows, pa.timestamp("ns", "Europe/Paris")),
        "x": pa.array([0.1 * n if n % 2 else None for n in range(rows)], "float32"),
        "tags": pa.array([["a", None] if n % 2 else None for n in range(rows)]),
        "kind": pa.array(["u"] * rows).dictionary_encode(),
        "price": pa.array([decimal.Decimal("1.50")] * rows),
        "raw": pa.array([b"\xff\0"] * rows),
        "day": pa.array([DAY] * rows),
        "deep": pa.array([{"k": n, "s": "é"} for n in range(rows)]),
    })  # fmt: skip


def store(table, path):
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=7)
    else:
        pyarrow.feather.write_feather(table, path)
    return path


def load(path):
    return pq.read_table(path) if path.suffix == ".parquet" else pyarrow.feather.read_table(path)


@pytest.mark.parametrize(("one", "other"), [("parquet", "feather"), ("arrow", "parquet")])
def test_input_columns_keep_their_types_and_values(model, tmp_path, one, other):
    table = typed(20)
    source = store(table, tmp_path / f"a.{one}")
    predict(model, source, tmp_path / f"out.{other}")
    found = load(tmp_path / f"out.{other}")
    kept = table.take([row - 1 for row in found["row"].to_pylist()])
    assert found.select(table.schema.names).equals(kept)
    assert found.schema.field("stance_favor").type == pa.float64()
    assert found["mentions"].to_pylist() == [int(n % 3 > 0) for n in range(20)]


def test_cells_of_every_type_are_texts_elsewhere(tmp_path):
    (_, _, row, *_), notes = cells(store(typed(3), tmp_path / "a.parquet"))
    assert row == (
        *("1", "NATO praised 1.", "2025-05-18 16:30:00+0200", "0.1", '["a", null]', "u", "1.50"),
        *("0xff00", "2025-05-18", '{"k": 1, "s": "é"}'),
    )
    assert "a.parquet: Parquet, 10 columns" in notes
    assert "nulls read as an empty cell (first: line 1)" in notes


def test_bytes_depend_on_neither_jobs_nor_parts(model, tmp_path):
    source = store(typed(60), tmp_path / "a.parquet")
    for suffix in ("parquet", "xlsx", "json"):
        one, two = tmp_path / f"one.{suffix}", tmp_path / f"two.{suffix}"
        predict(model, source, one)
        predict(model, source, two, jobs=2, size=25)
        assert one.read_bytes() == two.read_bytes()


def test_nested_values_that_json_lacks_are_texts_there(model, tmp_path):
    table = pa.table({"text": ["NATO"] * 2, "scores": [[1.5, float("nan")], [0.5]]})
    source, out = store(table, tmp_path / "a.parquet"), tmp_path / "out.jsonl"
    predict(model, source, out)
    lines = out.read_text("utf-8").splitlines()
    rows = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert [row["scores"] for row in rows] == ["[1.5, NaN]", [0.5]]


def test_several_parquet_files_keep_their_types(model_path, tmp_path):
    for n in (1, 2):
        store(typed(5), tmp_path / f"{n}.parquet")
    out = tmp_path / "out" / "all.parquet"
    out.parent.mkdir()
    paths = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    assert invoke("predict", *paths, "-o", out, "-m", model_path).exit_code == 0
    found = load(out)
    assert found.select(typed(5).schema.names).schema.equals(typed(5).schema)
    assert found["row"].to_pylist() == [*range(1, 11)]
    assert found["id"].to_pylist() == [*range(5), *range(5)]


def test_damaged_files_are_refused_in_one_line(tmp_path):
    for suffix in ("parquet", "arrow"):
        path = store(typed(50), tmp_path / f"a.{suffix}")
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) - 50])
        with pytest.raises(DataError, match=r"is not a whole (Parquet|Arrow) file \(.*\); copy or"):
            cells(path)
    zeros = pa.table({"text": pa.array(["x" * 1000] * 30_000)})
    pq.write_table(zeros, tmp_path / "b.parquet", use_dictionary=False, compression="zstd")
    with pytest.raises(DataError, match="expands more than 200 times, as a decompression bomb"):
        open_table(tmp_path / "b.parquet")


def test_a_damaged_cell_is_a_bad_row(tmp_path):
    path = store(pa.table({"text": ["x", "a\0b"]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a.parquet:2: a NUL byte in column 'text'"):
        cells(path)
    path = store(pa.table({"text": ["x", "y" * 10_500_000]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"b.parquet:2: more than 10 MB in column 'text'"):
        cells(path)


def test_a_cell_of_a_million_lines_takes_no_longer_than_its_size(tmp_path):
    text = "a\n" * 1_000_000
    with write_table(tmp_path / "a.parquet", ["text"]) as table:
        table.write([text])
        table.write(["b"])
    assert cells(tmp_path / "a.parquet")[0][1:] == [(text,), ("b",)]


# --- JSON ---


def test_values_come_back_as_they_were_in_json(model, tmp_path):
    rows = (
        '{"text": "NATO won", "n": 1e5, "s": "1e5", "o": {"a": [1.50, null]}, "f": null, "t": true}'
    )
    source = tmp_path / "a.json"
    source.write_text(f"[{rows},\n {rows}]")
    predict(model, source, tmp_path / "out.jsonl")
    predict(model, source, tmp_path / "out.json")
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert [line.startswith(rows[:-1] + ', "row": ') for line in lines] == [True, True]
    assert json.loads((tmp_path / "out.json").read_text("utf-8")) == [*map(json.loads, lines)]
    assert cells(source)[0][1] == ("NATO won", "1e5", "1e5", '{"a": [1.50, null]}', "", "true")


def test_an_empty_list_is_written_as_one(tmp_path):
    with write_table(tmp_path / "a.json", ["text"]):
        pass
    assert json.loads((tmp_path / "a.json").read_text()) == []


def test_lists_know_the_lines_of_their_objects(tmp_path):
    rows = [{"text": f'{n} "}}]\\ \n[{{', "more": [n, {"x": "é"}]} for n in range(50)]
    (tmp_path / "a.json").write_text(json.dumps(rows, indent=1))
    with open_table(tmp_path / "a.json", encoding="utf-8") as table:
        records = list(table)
    assert [record.cells[0] for record in records] == [row["text"] for row in rows]
    assert [record.line for record in records[:2]] == [2, 11]


def test_a_list_too_long_for_memory_is_refused(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([{"text": "NATO won"}] * 50))
    source = Source(tmp_path / "a.json")
    source.decode(None)
    with pytest.raises(
        DataError, match=r"a\.json: a list in JSON of more than .*; save it as JSON L"
    ):
        read_json(source, Table("a.json"), "list", max_list=1000)
    source.close()


# --- Without the extras ---


@pytest.mark.parametrize(
    ("library", "name", "extra"),
    [
        ("python_calamine", "a.xlsx", "excel"),
        ("pyarrow", "a.parquet", "parquet"),
        ("xlsxwriter", "out.xlsx", "excel"),
        ("pyarrow", "out.arrow", "parquet"),
    ],
)
def test_without_the_extra_the_error_names_the_command(tmp_path, monkeypatch, library, name, extra):
    path = tmp_path / name
    if name == "a.xlsx":
        workbook(path, ("S", [["text"], ["x"]]))
    elif name == "a.parquet":
        store(pa.table({"text": ["x"]}), path)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        ExtraError, match=rf"needs the extra '{extra}': pip install {EXTRAS[extra]}"
    ):
        write_table(path, ["text"]) if name.startswith("out") else open_table(path)


def test_a_corpus_may_be_a_workbook(tmp_path):
    rows = [["Paragraph", "Actor", "Label"], ["NATO won", "NATO", "favor"], ["x", "NATO", "oops"]]
    path = workbook(tmp_path / "a.xlsx", ("Codes", rows))
    said = fails(1, "check", path, "--text-column", "paragraph", "--stance-column", "label")
    assert "a.xlsx[Codes]:3: stance 'oops' in row 2 is not a label" in said


def test_sheet_is_an_option_of_predict(model_path, tmp_path):
    path = workbook(tmp_path / "a.xlsx", ("A", [["x"]]), ("B", [["text"], ["NATO won"]]))
    result = invoke("predict", path, "--sheet", "B", "-m", model_path)
    assert dicts(result.stdout)[0]["actor"] == "NATO"
