"""Workbooks, Parquet and nested JSON: read as shown, and given back as they were."""

import datetime
import decimal
import json
import re
import zipfile
from itertools import permutations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import python_calamine
import xlsxwriter
from command import dicts, fails, invoke, predict, write
from test_tables import written

from stance.errors import OutputError
from stance.tables import open_table

DAY, MINUTE = datetime.date(2025, 5, 18), datetime.datetime(2025, 5, 18, 14, 30)
TRAPS = ["=1+1", "@x", "-2+3", "007", "http://a.b", "x\x0by", "_x0041_", "<b>&", "😀\r\ny", " z "]
TRAPS += ["NA", "1e5", "null", "true", "2025-05-18", "1.50", 'a "b", c', "a\tb;c|d", "'x", ""]
KINDS = ("csv", "tsv", "psv", "csv.gz", "jsonl", "jsonl.gz", "xlsx", "parquet")


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


def repacked(source, target, change, method=zipfile.ZIP_DEFLATED):
    """Copy a workbook, its members changed by name and bytes."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", method) as new:
        for name in old.namelist():
            new.writestr(*change(name, old.read(name)))
    return target


def cells(path, **form):
    with open_table(path, **form) as table:
        rows = [table.columns, *(record.cells for record in table)]
        return rows, "\n".join(table.notes)


# --- Any format to any format ---


def test_every_cell_survives_the_way_from_any_format_to_any_other(tmp_path):
    columns, rows = ("id", "text, or not"), [(str(at), cell) for at, cell in enumerate(TRAPS)]
    paths = {kind: tmp_path / f"a.{kind}" for kind in KINDS}
    for path in paths.values():
        written(path, rows, columns)
    for one, other in permutations(KINDS, 2):
        found, _ = cells(paths[one])
        assert found == [columns, *rows], one
        written(target := tmp_path / f"{one}.{other}", found[1:], found[0])
        # The same cells are the same bytes, wherever they come from.
        assert target.read_bytes() == paths[other].read_bytes(), (one, other)


# --- Excel in ---


def test_a_sheet_is_read_as_it_is_shown(tmp_path):
    rows = [
        [],
        ["text", "day", "when", "n", "share", "yes", "id"],
        ["NATO won", DAY, MINUTE, 2024, 0.1 + 0.2, True, "007"],
        [],
        ["", "", "", 1234567890123456, 1234567890123450000, False, "NA"],
    ]
    found, notes = cells(workbook(tmp_path / "a.xlsx", ("Data", rows)))
    shown = ("NATO won", "2025-05-18", "2025-05-18 14:30:00", "2024", "0.3", "TRUE", "007")
    assert found == [
        tuple(rows[1]),
        shown,
        ("", "", "", "1234567890123456", "1234567890123450000", "FALSE", "NA"),
    ]
    assert "a.xlsx[Data]: sheet 'Data', 7 columns" in notes


def test_the_first_sheet_that_is_not_hidden_is_read_and_named(model_path, tmp_path):
    sheets = [(name, [["text"], [name]]) for name in ("Notes", "Data", "More")]
    path = workbook(tmp_path / "a.xlsx", *sheets, hidden=["Notes"])
    assert cells(path)[0] == [("text",), ("Data",)]
    assert "sheet 'Data' of 3 (choose another with --sheet: 'Notes', 'More')" in cells(path)[1]
    told = invoke("predict", path, "--sheet", "Notes", "-m", model_path)
    assert dicts(told.stdout)[0]["text"] == "Notes"
    line = fails(1, "predict", path, "--sheet=X")
    assert "no sheet 'X'; --sheet can be 'Notes', 'Data', " in line


def test_a_missing_column_may_be_in_another_sheet(tmp_path):
    title = ("Title", [["A study of what newspapers in five countries write of NATO"]])
    data, empty = ("Data", [["Text"]]), ("Empty", [])
    path = workbook(tmp_path / "a.xlsx", title, data, ("Notes", [["note"]]), empty)
    for command, sheet, why in (
        ("predict", "Title", "no column 'text'; use --sheet 'Data'"),
        ("check", "Data", "choose another with --sheet: 'Title', 'Notes', 'Empty'"),
        ("predict", "Empty", "choose another with --sheet: 'Title', 'Data', 'Notes'"),
    ):
        assert why in fails(1, command, path, "--sheet", sheet)
    write(tmp_path / "b.csv", "text\nNATO won\n")
    invoke("predict", tmp_path, "--rejects", tmp_path / "bad.csv")
    (bad,) = dicts((tmp_path / "bad.csv").read_text())
    assert bad["reason"] == "[Title]: no column 'text'; use --sheet 'Data'"
    lost = repacked(path, tmp_path / "c.xlsx", lambda n, d: (n.replace("sheet3", "lost"), d))
    assert "no column 'text'; use --sheet 'Data'" in fails(1, "predict", lost, "--sheet", "Title")


def test_errors_in_cells_beside_a_chart_are_told(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row("A1", ["text", "group"])
        sheet.write_column("A2", ["x", "y"])
        sheet.merge_range("B2:B3", "one")
        sheet.write_formula("A4", "=1/0", None, "#DIV/0!")
        sheet.write("B4", "z")
        chart = book.add_chart({"type": "column"})  # whose place is in rows, too
        chart.add_series({"values": "=Sheet1!$B$2:$B$3"})
        sheet.insert_chart("D2", chart)
        book.add_worksheet("second").write_formula("A1", "=1/0", None, "#DIV/0!")
    found, notes = cells(path)
    assert found[1:] == [("x", "one"), ("y", ""), ("", "z")]
    assert "cells with an error such as #N/A, read as empty: 2 in all sheets" in notes


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([["text"], [], ["x"], ["y", "beyond"]], ":4: 'beyond' stands right of the last column"),
        ([], ": is empty; a sheet begins with its column names"),
        ([["a", "a"]], ":1: column 'a' appears twice"),
        ([["text", "actor", "stance"], ["x", "NATO", "oops"]], ":2: stance 'oops' in row 1 is not"),
    ],
)
def test_bad_rows_of_a_sheet_have_its_name_and_their_row(tmp_path, rows, told):
    path = workbook(tmp_path / "a.xlsx", ("S", rows))
    assert f"a.xlsx[S]{told}" in fails(1, "check" if "stance" in told else "predict", path)


@pytest.mark.parametrize(
    ("folder", "far"),
    [
        ("worksheets", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        ("foo", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        ("foo", b"<row r = '1048576'><c r = 'xfd1048576'><v>1</v></c></row>"),
        ("foo", b'<row r="1048576"><c/></row><row><c r="XFD1"><v>1</v></c></row>'),
        ("worksheets", b'<row r="4000000"/><row>' + b"<c><v>1</v></c>" * 16_000 + b"</row>"),
    ],
)
def test_far_cells_are_refused_wherever_they_hide(folder, far, tmp_path):
    def change(name, data):
        data = data.replace(b"worksheets/", f"{folder}/".encode())
        data = data.replace(b"</sheetData>", far + b"</sheetData>")
        return name.replace("worksheets/", f"{folder}/"), data

    good = workbook(tmp_path / "good.xlsx", ("S", [["text"], ["x"]]))
    told = r"a sheet of [14],\d+,\d+ rows and 16,\d+ columns; delete"
    assert re.search(told, fails(1, "predict", repacked(good, tmp_path / "bad.xlsx", change)))


def test_what_unpacks_to_far_more_than_it_holds_is_refused(tmp_path):
    sheet = [["text"], *[["LONG"]] * 500]
    good = workbook(tmp_path / "a.xlsx", ("S", sheet))
    long = repacked(good, tmp_path / "b", lambda n, d: (n, d.replace(b"LONG", b"x" * 1_000_000)))
    assert long.stat().st_size < 10_000
    with zipfile.ZipFile(good, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros", bytes(2**25))
    zeros = pa.table({"text": pa.array(["x" * 1000] * 30_000)})
    pq.write_table(zeros, tmp_path / "c", use_dictionary=False, compression="zstd")
    for path in (good, long, tmp_path / "c"):
        assert "expands to more than 16 MB, as a deco" in fails(1, "predict", path)


# --- Damaged files ---


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls", "a.parquet"])
def test_a_text_is_read_whatever_its_name_ends_in_and_other_bytes_are_refused(tmp_path, name):
    path = write(tmp_path / name, bytes(range(256)) * 20)
    assert "is not text, or is damaged; copy it" in fails(1, "predict", path)
    write(path, "text\nNATO met.\n")  # as some systems export tables
    assert cells(path)[0][0] == ("text",)


def test_a_file_without_columns_is_refused(tmp_path):
    path = store(pa.table({}), tmp_path / "a.parquet")
    assert "a.parquet: has no columns; copy or" in fails(1, "predict", path)


def halved(data):
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("name", "damage", "told"),
    [
        ("a.xlsx", halved, "cannot be read as a workbook"),
        ("a.xlsx", lambda data: data.replace(b"<row", b"<<ow"), "cannot be read as a workbook"),
        ("a.parquet", halved, r"cannot be read as a Parquet file \(.*\); copy or"),
    ],
)
def test_damaged_files_are_refused_in_one_line(tmp_path, name, damage, told):
    path = tmp_path / name
    if name == "a.xlsx":
        packed = workbook(tmp_path / "packed", ("S", [["text"], ["NATO met."]]))
        repacked(packed, path, lambda *member: member, zipfile.ZIP_STORED)  # so damage is in XML
    else:
        store(pa.table({"text": ["NATO met."] * 50}), path)
    path.write_bytes(damage(path.read_bytes()))
    assert re.search(told, fails(1, "predict", path))


def test_a_damaged_cell_is_a_bad_row(tmp_path):
    for bad, told in (("a\0b", "a NUL byte in"), ("y" * 10_500_000, "more than 10 MB in")):
        path = store(pa.table({"text": ["x", bad]}), tmp_path / "a.parquet")
        assert f"a.parquet:2: {told} column 'text'" in fails(1, "predict", path)


# --- Excel out ---


def test_a_workbook_out_holds_texts_and_numbers_and_no_formula(model, tmp_path):
    source = tmp_path / "a.jsonl"
    source.write_text("".join(json.dumps({"text": trap}) + "\n" for trap in TRAPS))
    predict(model, source, tmp_path / "out.xlsx")
    book = python_calamine.load_workbook(str(tmp_path / "out.xlsx"))
    head, *rows = book.get_sheet_by_index(0).to_python()
    assert head[:4] == ["text", "row", "actor", "mentions"]
    assert [row[0] for row in rows] == TRAPS
    assert [row[1] for row in rows] == [*range(1, len(TRAPS) + 1)]
    with zipfile.ZipFile(tmp_path / "out.xlsx") as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_what_a_sheet_cannot_hold_is_one_line_and_no_file(tmp_path):
    told = "row 2, column 'text' is more than Excel holds: .* 32,767 characters in a cell; write"
    with pytest.raises(OutputError, match=told):
        written(tmp_path / "out.xlsx", [["1", "x" * n] for n in (32_767, 32_768)], ["id", "text"])
    assert not list(tmp_path.iterdir())
    columns = [f"c{number}" for number in range(16_385)]
    with pytest.raises(OutputError, match="row 0, column 'c16384' is more than Excel holds"):
        written(tmp_path / "out.xlsx", [], columns)


# --- Parquet ---


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
        "long": pa.array([datetime.timedelta(1)] * rows),
    })  # fmt: skip


def store(table, path):
    pq.write_table(table, path, row_group_size=7)
    return path


def test_answers_are_numbers_in_parquet_and_everything_else_is_a_text(model, tmp_path):
    predict(model, store(typed(20), tmp_path / "a.parquet"), tmp_path / "out.parquet")
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.schema.types[:11] == [pa.string()] * 11
    assert out.schema.field("stance_favor").type == pa.float64()
    assert out["mentions"].to_pylist() == [int(n % 3 > 0) for n in range(20)]
    assert out["row"].to_pylist() == list(range(1, 21))


def test_cells_of_every_type_are_texts(tmp_path):
    (_, _, row, *_), notes = cells(store(typed(3), tmp_path / "a.parquet"))
    assert row == (
        *("1", "NATO praised 1.", "2025-05-18 16:30:00+0200", "0.1", '["a", null]', "u", "1.50"),
        *("0xff00", "2025-05-18", '{"k": 1, "s": "é"}', "1 day, 0:00:00"),
    )
    assert "a.parquet: Parquet, 11 columns" in notes
    assert "nulls read as an empty cell (first: line 1)" in notes


# --- JSON ---


def test_values_come_back_as_they_were_in_json(model, tmp_path):
    rows = (
        '{"text": "NATO won", "n": 1e5, "s": "1e5", "o": {"a": [1.50, null]}, "f": null, "t": true}'
    )
    source = write(tmp_path / "a.json", f"[{rows},\n {rows}]")
    predict(model, source, tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert [line.startswith(rows[:-1] + ', "row": ') for line in lines] == [True, True]
    assert cells(source)[0][1] == ("NATO won", "1e5", "1e5", '{"a": [1.50, null]}', "", "true")
