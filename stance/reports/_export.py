"""Figures as files: SVG and PDF of each, and all their numbers as one tidy table."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from stance.display import count
from stance.files import check_output, output_error, write_whole
from stance.reports._drawing import as_svg, draw
from stance.reports._page import Data, Figure, plain_cell
from stance.reports._pdf import as_pdf, lacking
from stance.tables import Format

COLUMNS = ("figure", "actor", "group", "period", "measure", "value", "low", "high")
KEYS = {"actor": "actor", **dict.fromkeys(("week", "month", "quarter", "year"), "period")}
NUMBERS = "numbers.csv"


def check_figures(folder: Path | None, *, force: bool) -> None:
    """Raise, before any work is done, if figures cannot be written to a folder."""
    if folder is not None:
        check_output(folder / NUMBERS if folder.is_dir() else folder, force=force)


def write_figures(folder: Path, figures: Mapping[str, Figure], *, force: bool = False) -> list[str]:
    """Write each figure by its name, and the numbers of all; return what to say of it."""
    drawings = {
        name: draw(figure.chart, figure.legend, figure.width) for name, figure in figures.items()
    }
    contents = {f"{name}.svg": as_svg(each) for name, each in drawings.items()}
    contents |= {f"{name}.pdf": as_pdf(each) for name, each in drawings.items()}
    contents[NUMBERS] = _table([figure.data for figure in figures.values()])
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise output_error(error, folder) from error
    for name in contents:
        check_output(folder / name, force=force, regular=True)
    for name, content in contents.items():
        write_whole(folder / name, content, force=force)
    said = [f"wrote {count(len(drawings), 'figure')} and {NUMBERS} to {folder}"]
    if any(map(lacking, drawings.values())):
        said.append(
            f"{folder}: some names have letters that the PDF's fonts lack; '?' stands for "
            "them there, and the SVG has them"
        )
    return said


def _table(tables: list[Data]) -> bytes:
    form = Format(COLUMNS)
    rows = [row for data in {each.name: each for each in tables}.values() for row in tidy(data)]
    return form.header() + form.encode(rows)


def tidy(data: Data) -> Iterator[list[str]]:
    """Yield a row for each number of a table, with its interval where it has one."""
    columns = data.columns
    texts = [column.kind == "text" for column in columns]
    keys = texts.index(False) if False in texts else 1
    for row in data.rows:
        names = {"actor": data.actor}
        for column, cell in zip(columns[:keys], row, strict=False):
            names[KEYS.get(column.name, "group")] = plain_cell(cell)
        at = keys
        while at < len(columns):
            ends = [column.title for column in columns[at + 1 : at + 3]] == ["low", "high"]
            low, high = row[at + 1 : at + 3] if ends else ("", "")
            found = names | {"figure": data.name, "measure": columns[at].name}
            found |= {
                "value": plain_cell(row[at]),
                "low": plain_cell(low),
                "high": plain_cell(high),
            }
            if row[at] is not None:
                yield [found.get(column, "") for column in COLUMNS]
            at += 3 if ends else 1
