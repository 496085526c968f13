"""Tables in and out: CSV, TSV and JSON Lines, strict, in a stream; nothing else opens one."""

from stance.tables.headers import column
from stance.tables.table import Dialect, Record, Records, Table, open_table

__all__ = [
    "Dialect",
    "Record",
    "Records",
    "Table",
    "column",
    "open_table",
]
