"""Thousands of tables with one fault each: none is read as another table in silence."""

import contextlib
import io
import re
from collections import Counter
from unittest import mock

from pollution import Polluted, clean_tables, encode, pollute

from stance.errors import StanceError
from stance.tables import column, open_table

CASES = [case for clean in clean_tables() for case in pollute(clean)]

SAID = (
    r"empty lines? skipped, records below read as the same table",
    r"empty line skipped \(first: line 1\)",
    r"quoted cell with lines that look like records",
    r"cells? with quotes inside but none around: read as written",
    r"records? in .…. quotes, kept as part of the cells",
    r"the last line has no line end",
    r"column name '.*spaces, quotes and invisible characters in names and cells are kept",
    r"column \d has no name; it is kept",
)


FINE = ("exact", "refused", "said")


class Aside:
    """Takes bad records, and keeps why."""

    def __init__(self):
        self.reasons = []

    def add(self, line, column, reason, raw):
        self.reasons.append(reason)


def cells_of(data, rejects=None):
    """Read a table as `predict` does; return its rows, the header first, and its notes."""
    stdin = io.TextIOWrapper(io.BytesIO(data))  # thousands of files would take a minute
    with mock.patch("sys.stdin", stdin), open_table(None, rejects=rejects) as table:
        column(table, "text")
        rows = [list(table.columns), *(list(record.cells) for record in table)]
    assert table.records_in == len(rows) - 1 + (len(rejects.reasons) if rejects else 0)
    return rows, list(table.notes)


def outcome(case: Polluted) -> str:
    try:
        rows, notes = cells_of(case.data)
    except StanceError as error:
        message = str(error)
        assert message.isprintable()
        assert len(message) < 300
        assert re.search(r";|use --encoding", message)  # what to do
        return "refused" if case.rows is None else "refused, though clear"
    if rows == case.rows:
        return "exact"
    said = any(re.search(words, note) for words in SAID for note in notes)
    return "said" if said or len(rows) == 1 else "silently wrong"  # "0 rows in" is always printed


def test_no_polluted_table_is_read_as_another_in_silence():
    found = [outcome(case) for case in CASES]
    assert len(CASES) > 2290
    counts = Counter(found)
    assert counts["exact"] > 1000
    assert counts["said"] < 200
    wrong = [case for case, what in zip(CASES, found, strict=True) if what not in FINE]
    assert wrong == []


def test_clean_tables_are_read():
    for clean in clean_tables():
        rows, notes = cells_of(encode(clean.lines()))
        assert rows == clean.rows
        assert len(notes) == 1  # nothing to be said but the format


def test_with_rejects_every_record_of_a_polluted_table_is_counted():
    bad = 0
    for case in CASES:
        aside = Aside()
        with contextlib.suppress(StanceError):  # the header is bad, or no column is the text's
            rows, notes = cells_of(case.data, aside)
            assert aside.reasons or len(notes) > 1 or len(rows) == 1 or rows == case.rows
            bad += len(aside.reasons)
    assert bad > 1000
