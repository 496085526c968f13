"""Tables of a page: as HTML, and as a CSV file that the page carries within itself."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stance.reports.markup import Html, isolated, joined, tag
from stance.tables import Format

Kind = Literal["text", "count", "share", "signed", "number"]
"""How cells of a column are printed; shares and signed shares in percent."""

Cell = str | float | None
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes
    ----------
    title : str
    name : str
        Its header in the CSV file.
    kind : Kind
    """

    title: str
    name: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Data:
    """A table's name, columns and rows; the first cell of a row names it."""

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]


def shown_cell(value: Cell, kind: Kind) -> str:
    """Return a cell as it is printed.

    >>> shown_cell(0.1234, "share"), shown_cell(-0.05, "signed"), shown_cell(1234, "count")
    ('12.3', '−5.0', '1,234')
    """
    if value is None or isinstance(value, str):
        return NOTHING if value is None else value
    if kind == "count":
        return f"{value:,.0f}"
    if kind == "number":
        return f"{value:.3f}"
    return signed(100 * value, 1) if kind == "signed" else f"{100 * value:.1f}"


def signed(value: float, digits: int = 0) -> str:
    """Return a number with its sign, and no sign where it is printed as zero.

    >>> signed(12.4), signed(-0.2), signed(-3.25, 1)
    ('+12', '0', '−3.2')
    """
    text = f"{value:+.{digits}f}".replace("-", "−")
    return text if any(digit in text for digit in "123456789") else text[1:]


def html_table(data: Data, caption: str | None = None) -> Html:
    """Return a table with its headers, which scrolls sideways where it has no room."""
    head = [
        tag("th", column.title, scope="col", class_="text" if column.kind == "text" else None)
        for column in data.columns
    ]
    body = [
        tag(
            "tr",
            tag("th", isolated(shown_cell(row[0], data.columns[0].kind)), scope="row"),
            [
                tag(
                    "td",
                    isolated(value) if isinstance(value, str) else shown_cell(value, column.kind),
                    class_="text" if column.kind == "text" else None,
                )
                for value, column in zip(row[1:], data.columns[1:], strict=True)
            ],
        )
        for row in data.rows
    ]
    title = [tag("caption", caption)] if caption else []
    parts = [tag("thead", tag("tr", head)), tag("tbody", joined(body, "\n"))]
    # A region that scrolls must be reachable by keyboard.
    return tag("div", tag("table", title, parts), class_="scroll", tabindex=0)


def csv_link(data: Data) -> Html:
    """Return a link that saves the table as CSV; no cell of it can run in a spreadsheet."""
    form = Format(tuple(_plain(column.name) for column in data.columns), excel_safe=True)
    rows = [[_plain(cell) for cell in row] for row in data.rows]
    content = b64encode(form.header() + form.encode(rows)).decode("ascii")
    return tag(
        "a",
        "Save these numbers as CSV",
        href=f"data:text/csv;charset=utf-8;base64,{content}",
        download=f"{data.name}.csv",
        class_="download",
    )


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.encode("utf-8", "replace").decode()
    return f"{cell:.6f}" if isinstance(cell, float) else str(cell)
