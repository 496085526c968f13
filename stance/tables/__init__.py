"""Tables in and out: CSV, TSV and JSON Lines, strict, in a stream; nothing else opens one."""

from stance.tables.articles import is_article, split_article
from stance.tables.columns import Header, column, likely, optional_column
from stance.tables.dates import (
    DateColumn,
    day_of,
    find_dates,
    months_of,
    read_date,
    rewrite_dates,
)
from stance.tables.inputs import Inputs, cell_of, find_inputs
from stance.tables.opening import (
    Form,
    InputOptions,
    encoded_by,
    join_tables,
    open_inputs,
    open_table,
)
from stance.tables.output import (
    HALF_CHARACTER,
    Format,
    Rejects,
    TableWriter,
    joined,
    table_format,
    write_table,
)
from stance.tables.table import Fault, Record, Records, Table

__all__ = ["HALF_CHARACTER", "DateColumn", "Fault", "Form", "Format", "Header"]
__all__ += [
    "InputOptions",
    "Inputs",
    "Record",
    "Records",
    "Rejects",
    "Table",
    "TableWriter",
    "cell_of",
    "column",
    "day_of",
]
__all__ += ["encoded_by", "find_dates", "find_inputs", "is_article", "join_tables", "joined"]
__all__ += ["likely", "months_of", "open_inputs", "open_table", "optional_column"]
__all__ += ["read_date", "rewrite_dates", "split_article", "table_format", "write_table"]
