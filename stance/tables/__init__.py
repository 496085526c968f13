"""Tables in and out: CSV, TSV and JSON Lines, strict, in a stream; nothing else opens one."""

from stance.tables._reading import Fault, Record, Records
from stance.tables.articles import Article, open_input, split_article
from stance.tables.output import (
    FORMULA_STARTS,
    HALF_CHARACTER,
    Format,
    Rejects,
    TableWriter,
    encode_rows,
    is_formula,
    joined,
    table_format,
    write_table,
)
from stance.tables.table import Table, column, misnamed, month_of, months_of, open_table

__all__ = [
    "FORMULA_STARTS",
    "HALF_CHARACTER",
    "Article",
    "Fault",
    "Format",
    "Record",
    "Records",
    "Rejects",
]
__all__ += ["Table", "TableWriter", "column", "encode_rows", "is_formula", "joined", "misnamed"]
__all__ += ["month_of", "months_of", "open_input", "open_table", "split_article"]
__all__ += ["table_format", "write_table"]
