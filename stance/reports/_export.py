"""Figures as files: SVG of each, PDF on request, and all their numbers as one tidy table."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from unicodedata import normalize

from stance.display import count
from stance.errors import load_extra, refusal, reported
from stance.files import check_output
from stance.reports._drawing import FONT, Drawing, Label, Shape, as_svg, draw
from stance.reports._page import Data, Figure, plain_cell
from stance.tables import Format, formula_note

COLUMNS = ("figure", "actor", "group", "period", "measure", "value", "low", "high")
KEYS = {"actor": "actor", **dict.fromkeys(("week", "month", "quarter", "year"), "period")}
NUMBERS = "numbers.csv"


def check_figures(folder: Path | None, *, pdf: bool = False, force: bool) -> None:
    """Raise, before any work is done, if figures cannot be written to a folder."""
    if pdf:
        load_extra("reportlab", "--pdf", "pdf")
    if folder is None:
        return
    if not folder.is_dir() and (folder.exists() or folder.is_symlink()):
        raise refusal(folder, "is not a folder; name one, or a new one")
    check_output(folder / NUMBERS if folder.is_dir() else folder, force=force)


def figure_files(
    folder: Path, figures: Mapping[str, Figure], *, pdf: bool = False, excel_safe: bool = False
) -> tuple[list[tuple[Path, bytes]], list[str]]:
    """Return each figure by its file, and the numbers of all; and what to say of them."""
    drawings = {
        name: draw(figure.chart, figure.legend, figure.width) for name, figure in figures.items()
    }
    files = [(folder / f"{name}.svg", as_svg(each)) for name, each in drawings.items()]
    if pdf:
        files += ((folder / f"{name}.pdf", as_pdf(each)) for name, each in drawings.items())
    tables = {figure.data.name: figure.data for figure in figures.values()}
    rows = [row for data in tables.values() for row in tidy(data)]
    form = Format(COLUMNS, excel_safe=excel_safe)
    files.append((folder / NUMBERS, form.header() + form.encode(rows)))
    said = [f"wrote {count(len(drawings), 'figure')} and {NUMBERS} to {folder}"]
    if note := formula_note(form.formulas(rows), quoted=excel_safe):
        said.append(f"{folder / NUMBERS}: {note}")
    if pdf and any(map(lacks_letters, drawings.values())):
        said.append(
            f"{folder}: some names have letters that the PDF's fonts lack; '?' stands for "
            "them there, and the SVG has them"
        )
    return files, said


@contextmanager
def folder_made(folder: Path | None) -> Iterator[None]:
    """Make a folder unless it is there, or none; remove it again if the block fails."""
    new = folder is not None and not folder.exists()
    try:
        if folder is not None:
            with reported(folder):
                folder.mkdir(exist_ok=True)
        yield
    except BaseException:
        if new and folder is not None:
            with suppress(OSError):
                folder.rmdir()  # unless another has put something into it
        raise


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


# --- PDF ---

PIXEL = 0.75  # points of one
SIGNS = str.maketrans({"\u2212": "\u2013", "\u2011": "-"})  # for want of a minus sign


def as_pdf(drawing: Drawing) -> bytes:
    """Return a drawing as a PDF file of one page, the same bytes each time."""
    target, size = BytesIO(), (PIXEL * drawing.width, PIXEL * drawing.height)
    canvas = load_extra("reportlab.pdfgen.canvas", "--pdf", "pdf").Canvas
    page = canvas(target, size, bottomup=0, invariant=1)
    page.setTitle(_plain(drawing.title))
    page.scale(PIXEL, PIXEL)
    for mark in drawing.marks:
        page.saveState()
        if isinstance(mark, Shape):
            _draw_shape(page, mark)
        else:
            page.setFillColor(mark.colour)
            page.setFont("Helvetica-Bold" if mark.bold else "Helvetica", FONT)
            kinds = {"middle": page.drawCentredString, "end": page.drawRightString}
            kinds.get(mark.anchor, page.drawString)(mark.x, mark.y, _plain(mark.text))
        page.restoreState()
    page.save()
    return target.getvalue()


def _draw_shape(page: Any, mark: Shape) -> None:
    path = page.beginPath()
    path.moveTo(*mark.places[0])
    for place in mark.places[1:]:
        path.lineTo(*place)
    if mark.fill:
        path.close()
        page.setFillColor(mark.fill, alpha=0.22 if mark.faint else 1)
    if mark.stroke:
        page.setStrokeColor(mark.stroke)
        page.setLineWidth(mark.width)
        page.setDash([4, 3] if mark.dashed else [])
    page.drawPath(path, stroke=bool(mark.stroke), fill=bool(mark.fill))


def _plain(text: str) -> str:
    """Return a text with "?" for each character that the fonts of every PDF reader lack."""
    said = normalize("NFC", " ".join(text.split())).translate(SIGNS)
    return said.encode("cp1252", "replace").decode("cp1252", "replace")


def lacks_letters(drawing: Drawing) -> bool:
    """Return whether a label has a character that the fonts lack."""
    labels = (mark.text for mark in drawing.marks if isinstance(mark, Label))
    return any(_plain(text).count("?") > text.count("?") for text in labels)
