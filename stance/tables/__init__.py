"""Tables in and out: CSV, TSV and JSON Lines, strict, in a stream; nothing else opens one."""

from stance.tables.articles import is_article, split_article
from stance.tables.columns import Header, column, likely, optional_column
from stance.tables.dates import DateColumn, day_of, find_dates, months_of, read_date, rewrite_dates
from stance.tables.inputs import Inputs, cell_of, find_inputs
from stance.tables.opening import Form, join_tables, open_inputs, open_table
from stance.tables.output import Format, Rejects, TableWriter, table_format, write_table
from stance.tables.table import Fault, InputOptions, Record, Records, Table

__all__ = ["DateColumn", "Fault", "Form", "Format", "Header", "InputOptions", "Inputs", "Record"]
__all__ += ["Records", "Rejects", "Table", "TableWriter", "cell_of", "column", "day_of"]
__all__ += ["find_dates", "find_inputs", "is_article", "join_tables", "likely", "months_of"]
__all__ += ["open_inputs", "open_table", "optional_column", "read_date", "rewrite_dates"]
__all__ += ["split_article", "table_format", "write_table"]
