"""Tables that other programs, people and accidents made: each is read exactly or refused.

Each case is a file as bytes or text, and either its records or what the refusal must say.
"""

# ruff: noqa: E501  (a case is read best as one line)
# fmt: off

import gzip
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
import zstandard
from command import write

from stance.errors import StanceError
from stance.tables import Rejects, open_table


@dataclass(frozen=True)
class Case:
    name: str
    data: str | bytes
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    refusal: str = ""
    file: str = "mine.csv"
    notes: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def read(name, data, *rows, file="mine.csv", notes="", **options):
    """A table that is read: its columns, then its records."""
    return Case(name, data, rows[0], rows[1:], "", file, notes, options)


def refuse(name, data, refusal, file="mine.csv", **options):
    return Case(name, data, refusal=refusal, file=file, options=options)


TA = ("text", "actor")
ONE = ("NATO acts", "NATO")
TWO = ("Russia acts", "Russia")
GOOD = "text,actor\nNATO acts,NATO\nRussia acts,Russia\n"
GERMAN = "text,actor\nDie NATO prüft was zu tun ist: Grüße aus Köln,NATO\n"

SEPARATORS = [
    read("comma", GOOD, TA, ONE, TWO, notes="separator ','"),
    read("tab", GOOD.replace(",", "\t"), TA, ONE, TWO, notes="separator tab"),
    read("bar by option", "id|text\n1|a,b;NATO\n", ("id", "text"), ("1", "a,b;NATO"), delimiter="|"),
    read("tab by name", GOOD.replace(",", "\t"), TA, ONE, TWO, delimiter="tab"),
    read("semicolon, commas in text", "text;actor\na, b, c;NATO\nd;US\n", TA, ("a, b, c", "NATO"), ("d", "US")),
    refuse("two separators fit", "a,b;c,d\n1,2;3,4\n", r"mine.csv:1: the separator may be ',' or ';'; name it with --delimiter"),
    read("sep= line of Excel", "sep=;\ntext;actor\na,b;NATO\n", TA, ("a,b", "NATO"), notes="line 1 names the separator"),
    read("tsv of one column", "text\na, b\nc\n", ("text",), ("a, b",), ("c",), file="mine.tsv"),
    refuse("separator changes in one row", GOOD.replace("acts,Russia", "acts;Russia"),
           r"mine.csv:3: 1 cell where the header has 2; complete the row"),
    refuse("bad delimiter", GOOD, "--delimiter must be one character", delimiter=",,"),
]

LINE_ENDS = [
    read("mixed", "text,actor\r\nNATO acts,NATO\nRussia acts,Russia\r", TA, ONE, TWO),
    read("quoted LF in CRLF, as Excel writes", 'text,actor\r\n"a\nb",NATO\r\nc,US\r\n', TA, ("a\nb", "NATO"), ("c", "US")),
    read("other line separators are text", "text,actor\na\u2028b\x0bc\x0cd\x85e\x1cf,NATO\n", TA, ("a\u2028b\x0bc\x0cd\x85e\x1cf", "NATO")),
    refuse("two records in one line", "id,text,actor\n1,a,NATO2,b,US\n3,c,US\n", r":2: 5 cells where the header has 3; quote cells that hold ','"),
]

QUOTES = [
    read("doubled quotes", 'text,actor\n"he said ""no""",NATO\n', TA, ('he said "no"', "NATO")),
    read("quotes inside an unquoted cell, beside a quoted one", 'text,actor\nno "a" x,"b, ""c"""\n', TA, ('no "a" x', 'b, "c"'), notes=r"1 cell with quotes"),
    refuse("two files joined far down", "text,actor\n" + "a,b\n" * 5000 + " Text,Actor \n", r":5002: repeats the header"),
    refuse("gz with a wrong checksum", gzip.compress(GOOD.encode())[:-8] + b"\0" * 8, "gz data end early or are damaged"),
    read("quotes inside an unquoted cell are said", 'text,actor\nHe said "no" to NATO,NATO\nthe 5" gun,NATO\n',
         TA, ('He said "no" to NATO', "NATO"), ('the 5" gun', "NATO"), notes=r"2 cells with quotes inside but none around: read as written \(first: line 2\)"),
    refuse("quotes inside an unquoted cell, and a separator", 'text,actor\nHe said "no, never",NATO\n',
           r"mine.csv:2: a quote inside the unquoted column 'text'; double each quote inside a cell and quote the cell"),
    refuse("quote in the last unquoted cell", 'text,actor\na,NATO\nb,"US\n', r":3: the quote that opens in column 'actor' is never closed"),
    refuse("backslash before a quote", 'text,actor\n"he said \\"no\\" to it",NATO\n', r":2: text after the closing quote"),
    refuse("unclosed quote that a later one closes", 'text,actor\na,"NATO\nb,US\nc,"EU"\n', r":4: text after the closing quote of column 'actor', which opens in line 2"),
    refuse("second cell opens the quote in its own line", 'a,b\n"x\ny\nz","open\n1,2\n', r":4: the quote that opens in column 'b' is never closed"),
    read("swallowed rows of the right width are said", 'id,text,actor\n1,"a,X\n2,b,Y\n3,c,Z\n4,d,"\n5,e,V\n'.replace('4,d,"', '4",d'),
         ("id", "text", "actor"), ("1", "a,X\n2,b,Y\n3,c,Z\n4", "d"), ("5", "e", "V"), notes="lines that look like records"),
    read("rows in apostrophes are said", "text,actor\n'a','X'\nb,Y\n", TA, ("'a'", "'X'"), ("b", "Y"),
         notes=r"1 record in '…' quotes, kept as part of the cells \(first: line 2\)"),
    read("rows in typographic quotes are said", "text,actor\nb,Y\n“a”,“X”\n", TA, ("b", "Y"), ("“a”", "“X”"), notes=r"in “…”.*first: line 3"),
    read("no quoting: quotes are text", 'text\tactor\n"a\tNATO\nthe 5" gun, "b""\tUS\n"c"\t"EU"\n', TA, ('"a', "NATO"), ('the 5" gun, "b""', "US"), ('"c"', '"EU"'),
         quoting="none", notes="separator tab, no quoting(.|\n)*1 record in \"…\""),
    refuse("no quoting: a quoted separator", 'text,actor\n"a, b",NATO\n', r":2: 3 cells where the header has 2", quoting="none"),
    refuse("no quoting: two files joined", GOOD + GOOD, r":4: repeats the header", quoting="none"),
]

SHAPES = [
    read("trailing separator everywhere", "a,b,\n1,2,\n", ("a", "b", ""), ("1", "2", ""), notes="column 3 has no name"),
    refuse("title before the header", "Export of 3 May\ntext,actor\na,b\n", r":2: 2 cells where the header has 1; quote cells that hold ',', and remove lines before the header"),
    refuse("two files joined, columns in another order", GOOD + "actor,text\nNATO,NATO acts\n", r":4: repeats the header"),
    read("a row of some column names is a row", "id,text,actor\n1,actor,text\ntext,text,text\n", ("id", "text", "actor"), ("1", "actor", "text"), ("text", "text", "text")),
    read("last line without end is said", "text,actor\na,b\nc,NA", TA, ("a", "b"), ("c", "NA"), notes="the last line has no line end; check that it is complete"),
    read("empty lines between", "text,actor\n\na,b\n\n\nc,d\n\n", TA, ("a", "b"), ("c", "d"), notes=r"4 empty lines skipped, records below read as the same table \(first: line 2\)"),
    read("empty lines before the header", "\n\r\ntext,actor\na,b\n", TA, ("a", "b"), notes="2 empty lines"),
    read("empty lines in a single column are cells", "text\na\n\nb\n", ("text",), ("a",), ("",), ("b",), notes=r"1 empty line.* \(first: line 3\)"),
    refuse("unquoted commas in a single column", "text\na, b\n", r":2: 2 cells where the header has 1.*quote cells that hold ','"),
    refuse("line ends only", "\n\n\r\n", "is empty; a table begins with its column names"),
]

HEADERS = [
    refuse("two columns without name", ",text,\n1,a,2\n", r":1: columns have no name \(columns 1 and 3\)"),
    read("row names of R and pandas", ",text\n0,a\n1,b\n", ("", "text"), ("0", "a"), ("1", "b"), notes="column 1 has no name"),
    read("names with spaces stay", " text , actor\na,b\n", (" text ", " actor"), ("a", "b"),
         notes="column name ' text ' and 1 more: spaces, quotes and invisible characters in names and cells are kept"),
    read("two marks", b"\xef\xbb\xbf\xef\xbb\xbfid,text\n1,a\n", ("\ufeffid", "text"), ("1", "a"), notes=r"column name '\\ufeffid'"),
    refuse("NUL in the header", "te\0xt,actor\na,b\n", r":1: a NUL byte in column"),
]

ENCODINGS = [
    read("UTF-16 without mark, by option", GOOD.encode("utf-16-le"), TA, ONE, TWO, encoding="utf-16-le"),
    refuse("UTF-16 LE without mark", GOOD.encode("utf-16-le"), r":1: a NUL byte in column 't.*; save it as UTF-8 .it may be UTF-16"),
    refuse("UTF-16 cut off", GOOD.encode("utf-16")[:-1], r"is not UTF-16-LE"),
    read("Windows Western by option", GERMAN.encode("cp1252"), TA,
         ("Die NATO prüft was zu tun ist: Grüße aus Köln", "NATO"), encoding="cp1252", notes="CP1252"),
    read("UTF-8 whatever the option", GERMAN.encode(), TA,
         ("Die NATO prüft was zu tun ist: Grüße aus Köln", "NATO"), encoding="cp1252", notes=", UTF-8"),
    read("UTF-8 that begins in ASCII", GERMAN.replace("\n", "\n" + "a,b\n" * 40_000, 1).encode(), TA, *[("a", "b")] * 40_000,
         ("Die NATO prüft was zu tun ist: Grüße aus Köln", "NATO"), encoding="cp1252", notes=", UTF-8"),
    read("Windows Western to the last byte", "text,actor\na,é".encode("cp1252"), TA, ("a", "é"), encoding="cp1252"),
    read("UTF-8 after a line end on the edge of a chunk", b"text,actor\r" + b"a" * 65_522 + b",b\r" + "ä,b\r".encode(), TA,
         ("a" * 65_522, "b"), ("ä", "b"), encoding="cp1252", notes=", UTF-8"),
    read("UTF-8 whose first letter is cut at the edge of a chunk", b"text,actor\n" + b"a" * 65_521 + b",b\n" + "ä,b\n".encode(),
         TA, ("a" * 65_521, "b"), ("ä", "b"), encoding="cp1252", notes=", UTF-8"),
    refuse("bad byte of the option", b"text,actor\na\x81,b\n", r":2: byte 0x81 is not CP1252; name", encoding="cp1252"),
    read("GB 18030 by option", "text,actor\n北约,北约\n".encode("gb18030"), TA, ("北约", "北约"), encoding="gb18030"),
    refuse("bad byte far down", b"text,actor\n" + b"a,b\n" * 50_000 + b"\xe9,b\n", r":50002: byte 0xe9 is not UTF-8"),
    refuse("UTF-8 cut off in a character", "text,actor\na,é".encode()[:-1], r":2: byte 0xc3 is not UTF-8"),
    read("mark and option differ", b"\xef\xbb\xbf" + GOOD.encode(), TA, ONE, TWO, encoding="cp1252", notes="UTF-8"),
    refuse("unknown encoding", GOOD, "unknown encoding 'klingon'", encoding="klingon"),
    refuse("codec of names", GOOD, "unknown encoding 'punycode'", encoding="punycode"),
    refuse("encoding with a mark", b"text,actor\n" + b"a,bb\n" * 3, "(?i)utf-16; name another --encoding", encoding="utf-16"),
]

DAMAGE = [
    refuse("Excel workbook", b"PK\x03\x04" + b"\0" * 100, "cannot be read as a workbook", file="mine.csv"),
    refuse("old Excel workbook", b"\xd0\xcf\x11\xe0" + b"\0" * 100, r"cannot be read as a workbook .*; if it has a password"),
    refuse("random bytes", bytes(range(200, 0, -1)) * 9, "is not text, or is damaged; copy it again, or name"),
    refuse("ELF", b"\x7fELF\x02\x01" + b"\0" * 58 + b"\xe0\n", "is not text, or is damaged"),
    refuse("PDF", b"%PDF-1.4\n", "is a PDF"),
    refuse("Word document", b"PK\x03\x04", "is a .docx document; save its text as .txt", file="mine.docx"),
    refuse("page", "<!-- saved -->\n<HTML lang=en><p>NATO", "is a web page; save it as .html to have it read", file="mine.csv"),
    refuse("page named as one", "<p>NATO met.</p>", "is a web page; name a table", file="mine.html"),
    refuse("page as a table", "<!DOCTYPE html>", "is a web page; .*name a table", file="mine.html"),
    read("text of a spreadsheet by name", GOOD.replace(",", "\t").encode("utf-16"), TA, ONE, TWO, file="mine.xls"),
    refuse("pickle", b"\x80\x04\x95abc", "is not text, or is damaged"),
    read("gz", gzip.compress(GOOD.encode()), TA, ONE, TWO, file="mine.csv.gz", notes="gz compressed"),
    read("gz in two members", gzip.compress(GOOD[:20].encode()) + gzip.compress(GOOD[20:].encode()), TA, ONE, TWO),
    refuse("gz cut off", gzip.compress(GOOD.encode())[:-12], "gz data end early or are damaged"),
    refuse("gz with garbage behind", gzip.compress(GOOD.encode()) + b"garbage", "gz data end early or are damaged"),
    read("zst", zstandard.compress(GOOD.encode()), TA, ONE, TWO, file="mine.csv.zst", notes="zst compressed"),
    read("zst in two frames", zstandard.compress(GOOD[:20].encode()) + zstandard.compress(GOOD[20:].encode()), TA, ONE, TWO),
    refuse("zst cut off", zstandard.compress(GOOD.encode())[:-3], "the zst data end early"),
    refuse("zst with garbage behind", zstandard.compress(GOOD.encode()) + b"garbage", "the zst data end early"),
    refuse("zst bomb", zstandard.compress(b"text,actor\n" + b"0" * 50_000_000), r"a line of more than 16 MB"),
    read("gz by name only", GOOD, TA, ONE, TWO, file="mine.csv.gz"),
]

CELLS = [
    read("words that other readers change", "a,b,c,d,e,f\nNA,null,007,1e5,TRUE,NaN\n", tuple("abcdef"), ("NA", "null", "007", "1e5", "TRUE", "NaN")),
    read("a cell of 10 MB", "text,actor\n" + "x" * (10 * 2**20) + ",b\n", TA, ("x" * (10 * 2**20), "b")),
    read("a quoted cell of 60,000 lines", 'text,actor\n"' + "x, y\n" * 60_000 + '",b\nc,d\n', TA, ("x, y\n" * 60_000, "b"), ("c", "d")),
    refuse("a cell of 11 MB", "text,actor\n" + "x" * (11 * 2**20) + ",b\n", r":2: a cell of more than 10 MB; split its text"),
    refuse("a line of 20 MB", "text,actor\n" + "x" * (20 * 2**20), r":2: a line of more than 16 MB"),
]

J = "mine.jsonl"
JSON = [
    read("numbers as written", '{"a": 1e5, "b": 0.10, "c": -0, "d": 12345678901234567890123}\n', tuple("abcd"), ("1e5", "0.10", "-0", "12345678901234567890123"), file=J),
    read("null", '{"a": null, "b": ""}\n', ("a", "b"), ("", ""), file=J, notes="1 null read as an empty cell"),
    read("escapes", '{"a": "\\u00e9\\n\\"\\ud83d\\udd4a"}\n', ("a",), ('é\n"🕊',), file=J),
    read("other line separators are text", '{"a": "x\u2028y\x85z"}\n', ("a",), ("x\u2028y\x85z",), file=J),
    read("one list", '[{"a": "x"}, {"a": "y"}]\n', ("a",), ("x",), ("y",), file="mine.json", notes="a list in JSON"),
    refuse("a list not closed", '[{"a": "x"},\n{"a": "y"}', r":2: not JSON: Expecting ',' delimiter at character 11", file=J),
    refuse("no keys", '{"a": "x"}\n{}\n', r":2: not an object with keys; write", file=J),
    refuse("a list with a text", '[{"a": "x"},\n"b", {"a": "y"}]', r", object 2: not an object with keys", file=J),
    refuse("an empty list of records", "[]", r": holds no object; write one JSON object", file=J),
    refuse("one object over lines", '{\n"a": [{"b": "x"}]\n}\n', r":1: not JSON: Expecting property name .* at character 2; write one JSON object in each line", file=J),
    refuse("cut off", '{"a": "x"}\n{"a": "y', r":2: not JSON: Unterminated string", file=J),
    read("nested objects and lists", '{"a": {"b": [1.50, null, true, {}]}, "c": [], "d": "é"}\n', tuple("acd"), ('{"b": [1.50, null, true, {}]}', "[]", "é"), file=J),
    read("NaN, as Python writes it", '{"a": NaN, "b": [-Infinity]}\n', ("a", "b"), ("NaN", "[-Infinity]"), file=J),
    refuse("key twice", '{"a": "x", "a": "y"}\n', r":1: key 'a' appears twice", file=J),
    refuse("key missing", '{"a": "x", "b": "y"}\n{"a": "x"}\n', r":2: no key 'b'; give each the keys of the first", file=J),
    refuse("new key", '{"a": "x"}\n{"a": "x", "b": "y"}\n', r":2: a new key 'b'", file=J),
    refuse("a value nested 600 deep", '[{"a": "x"}, {"a": ' + "[" * 600 + "]" * 600 + "}]", r", object 2: values nested too deeply", file=J),
    refuse("NUL", '{"a": "x\\u0000y"}\n', r":1: a NUL byte in column 'a'", file=J),
    refuse("half a character", '{"a": "x\\ud83d"}\n', r":1: half .* in column 'a'; correct it", file=J),
    refuse("nested 100,000 deep", '{"a": ' + "[" * 50_000 + "}\n", r":1: values nested too deeply|:1: not an object", file=J),
    refuse("a value of 11 MB", '{"a": "' + "x" * (11 * 2**20) + '"}\n', r":1: more than 10 MB in column 'a'", file=J),
    refuse("JSON named csv: one strange column", '{"a": "x", "b": "y"}\n{"a": "z", "b": "w"}\n', r":1: a quote inside the unquoted", file="mine.csv"),
]

# fmt: on

CASES = {
    f"{group}: {case.name}": case
    for group, cases in {
        "separator": SEPARATORS,
        "line end": LINE_ENDS,
        "quote": QUOTES,
        "shape": SHAPES,
        "header": HEADERS,
        "encoding": ENCODINGS,
        "damage": DAMAGE,
        "cell": CELLS,
        "json": JSON,
    }.items()
    for case in cases
}
READ = {name: case for name, case in CASES.items() if not case.refusal}
REFUSED = {name: case for name, case in CASES.items() if case.refusal}


@pytest.mark.parametrize("case", READ.values(), ids=READ.keys())
def test_read_exactly(case, tmp_path):
    path = write(tmp_path / case.file, case.data)
    with open_table(path, **case.options) as table:
        records = list(table)
    assert table.columns == case.columns
    assert tuple(record.cells for record in records) == case.rows
    assert [record.number for record in records] == list(range(1, len(records) + 1))
    notes = "\n".join(table.notes)
    assert "separator " in notes or "JSON" in notes
    assert re.search(case.notes, notes), notes


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_refused_in_one_line(case, tmp_path):
    path = write(tmp_path / case.file, case.data)
    with (
        pytest.raises(StanceError, match=case.refusal) as caught,
        open_table(path, **case.options) as table,
    ):
        list(table)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message.removeprefix(str(tmp_path))) < 300
    assert ";" in message or "use --encoding" in message or "must be" in message  # what to do


PRECIOUS = {name: case for name, case in REFUSED.items() if "MB" not in name}


@pytest.mark.parametrize("case", PRECIOUS.values(), ids=PRECIOUS.keys())
def test_with_rejects_every_record_is_counted(case, tmp_path):
    path = write(tmp_path / case.file, case.data)
    try:
        with (
            Rejects(tmp_path / "rejects.csv") as rejects,
            open_table(path, rejects=rejects, **case.options) as table,
        ):
            good = list(table)
    except StanceError:
        assert not (tmp_path / "rejects.csv").exists()
        return
    with open_table(tmp_path / "rejects.csv") as table_of_rejects:
        bad = list(table_of_rejects)
    assert rejects.rows == len(bad) > 0
    assert table.records_in == len(good) + len(bad)
    assert all(len(record.cells) == len(table.columns) for record in good)
