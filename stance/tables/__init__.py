"""Tables in and out: CSV, TSV and JSON Lines, strict, in a stream; nothing else opens one."""

from stance.tables._reading import Fault, Record, Records
from stance.tables.articles import Article, is_article, split_article
from stance.tables.inputs import Inputs, Reading, find_inputs, open_inputs
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
from stance.tables.table import Table, column, day_of, misnamed, month_of, months_of, open_table

__all__ = [
    "FORMULA_STARTS",
    "HALF_CHARACTER",
    "Article",
    "Fault",
    "Format",
    "Inputs",
    "Reading",
    "Record",
    "Records",
    "Rejects",
]
__all__ += [
    "Table",
    "TableWriter",
    "column",
    "encode_rows",
    "find_inputs",
    "is_article",
    "is_formula",
    "joined",
    "misnamed",
]
__all__ += ["day_of", "month_of", "months_of", "open_inputs", "open_table", "split_article"]
__all__ += ["table_format", "write_table"]
