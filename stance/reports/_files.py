"""Figures as files: SVG of each, PDF on request, and all their numbers as one tidy table."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import Any
from unicodedata import normalize

from stance.display import count
from stance.errors import load_extra, refusal, reported
from stance.files import check_output
from stance.reports._figures import (
    NARROW,
    Figure,
    Mark,
    Style,
    corners,
    drawn,
    element,
    legend_mark,
    tidy,
)
from stance.reports._page import plain_cell, stylesheet, without_forbidden
from stance.tables import Format

COLUMNS = ("figure", "actor", "group", "period", "measure", "value", "low", "high")
NUMBERS = "numbers.csv"
FONT = 12.5  # pixels of all type
HEADING, ENTRY, LETTER = 18, 22, 6.2  # pixels for a line, an entry of the legend, a letter
MILLIMETRES = 85 / NARROW  # of a pixel, with which type is 7.5 points high
POINTS = MILLIMETRES / 25.4 * 72  # of a pixel
SIGNS = str.maketrans({"\u2212": "\u2013", "\u2011": "-"})  # for want of a minus sign


def check_figures(folder: Path | None, *, pdf: bool = False, force: bool) -> None:
    """Raise, before any work is done, if figures cannot be written to a folder."""
    if pdf:
        load_extra("reportlab", "--pdf", "pdf")
    if folder is not None:
        check_folder(folder, NUMBERS, force=force)


def check_folder(folder: Path, name: str, *, force: bool) -> None:
    """Raise if files, one of this name among them, cannot be written to a folder."""
    if not folder.is_dir() and (folder.exists() or folder.is_symlink()):
        raise refusal(folder, "is not a folder; name one, or a new one")
    check_output(folder / name if folder.is_dir() else folder, force=force)


def figure_files(
    folder: Path, figures: Mapping[str, Figure], *, pdf: bool = False, excel_safe: bool = False
) -> tuple[list[tuple[Path, bytes]], list[str]]:
    """Return each figure by its file, and the numbers of all; and what to say of them."""
    files = [(folder / f"{name}.svg", as_svg(each)) for name, each in figures.items()]
    if pdf:
        files += ((folder / f"{name}.pdf", as_pdf(each)) for name, each in figures.items())
    distinct = dict.fromkeys(row for each in figures.values() for row in numbers(each))
    rows = list(map(list, distinct))
    form = Format(COLUMNS, excel_safe=excel_safe)
    files.append((folder / NUMBERS, form.header() + form.encode(rows)))
    said = [f"wrote {count(len(figures), 'figure')} and {NUMBERS} to {folder}"]
    if pdf and any(map(lacks_letters, figures.values())):
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


def numbers(figure: Figure) -> Iterator[tuple[str, ...]]:
    """Yield a row for each number of a figure, with its interval where it has one."""
    for names, measure, (value, *ends) in tidy(figure.data):
        known = {key if key in COLUMNS else "group": cell for key, cell in names.items()}
        known |= {"figure": figure.data.name, "measure": measure, "value": value}
        known |= dict(zip(("low", "high"), ends, strict=False))
        yield tuple(plain_cell(known.get(column, "")) for column in COLUMNS)


# --- Drawings at a fixed width, in the light colours ---


def placed(figure: Figure) -> tuple[float, list[tuple[Mark, float, float, float]]]:
    """Return a figure's height, and each mark with left, top and width of its piece."""
    room = int(figure.width / LETTER)
    titles, captions = wrap(figure.title, room - 4), wrap(figure.caption, room)
    top, marks = 0.0, list[tuple[Mark, float, float, float]]()

    def write(lines: Sequence[str], look: str) -> None:
        nonlocal top
        for line in lines:
            marks.append((Mark("text", 0, 13, look, line), 0.0, top, figure.width))
            top += HEADING

    write(titles, "strong")
    top, x = top + 8, 0.0
    for form, tone, words in figure.legend:
        long = 40 + LETTER * len(words)
        if x and x + long - 20 > figure.width:
            x, top = 0.0, top + ENTRY
        marks.append((legend_mark(form, tone), x, top, 16))
        marks.append((Mark("text", 0, 10, "", words), x + 21, top, figure.width))
        x += long
    top += ENTRY + 2 if figure.legend else 0
    for height, piece in figure.paper or figure.pieces:
        marks += ((mark, 0.0, top, figure.width) for mark in piece)
        top += height
    top += 8 if captions else 0
    write(captions, "quiet")
    return top, marks


@cache
def colours() -> dict[str, str]:
    """Return the colours of the style sheet by name, those of light pages and of paper."""
    style = stylesheet()
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", style[: style.index("@media")]))
    return found | {"quietly": found["muted"], "grid": found["rule"], "axis": found["muted"]}


def painted(mark: Mark) -> Style:
    """Return fill and stroke of a mark, for a file that has no style sheet."""
    known, looks = colours(), mark.look.replace("quiet ", "muted ").split()
    tone = next((known[look] for look in looks if look in known), known["ink"])
    if mark.form == "text":
        return {"fill": known["muted"] if "quiet" in mark.look.split() else tone}
    if mark.form in ("line", "ring"):
        wide = 1.0 if {"grid", "axis"} & set(looks) else 2.0
        dashes = "4 3" if "dashed" in looks else None
        return {"fill": "none", "stroke": tone, "stroke_width": wide, "stroke_dasharray": dashes}
    return {"fill": tone, "stroke": known["paper"] if mark.form == "box" else None}


def as_svg(figure: Figure) -> bytes:
    """Return a figure as an SVG file that any program shows alike."""
    height, marks = placed(figure)
    paper = element("rect", width="100%", height="100%", fill=colours()["paper"])
    lines = [element("title", figure.title), paper]
    for mark, left, top, width in marks:
        style = painted(mark)
        if mark.form == "text":
            looks = mark.look.split()
            style["text_anchor"] = next((x for x in ("middle", "end") if x in looks), None)
            style["font_weight"] = "bold" if "strong" in looks else None
        inner = drawn(mark, lambda x, width=width: f"{width * x / 100:.2f}", style)  # type: ignore[misc]
        lines.append(element("g", inner, transform=f"translate({left:g} {top:g})"))
    across, down = (f"{MILLIMETRES * length:.2f}mm" for length in (figure.width, height))
    size: Style = {"width": across, "height": down, "font_size": FONT}
    box = f"0 0 {figure.width:g} {height:g}"
    family = {"font_family": "Helvetica, Arial, sans-serif"}
    root = element("svg", *lines, xmlns="http://www.w3.org/2000/svg", viewBox=box, **size, **family)
    return without_forbidden(f"{root}\n".replace("><g", ">\n<g")).encode()


def as_pdf(figure: Figure) -> bytes:
    """Return a figure as a PDF file of one page, the same bytes each time."""
    height, marks = placed(figure)
    target, size = BytesIO(), (POINTS * figure.width, POINTS * height)
    canvas = load_extra("reportlab.pdfgen.canvas", "--pdf", "pdf").Canvas
    page = canvas(target, size, bottomup=0, invariant=1)
    page.setTitle(_plain(figure.title))
    page.scale(POINTS, POINTS)
    for mark, left, top, width in marks:
        x, x2 = (left + width * at / 100 for at in (mark.x, mark.x2))
        _draw(page, mark, painted(mark), (x, top + mark.y, x2, top + mark.y2))
    page.save()
    return target.getvalue()


def _draw(page: Any, mark: Mark, style: Style, place: tuple[float, float, float, float]) -> None:
    x, y, x2, y2 = place
    stroke, fill = style.get("stroke"), style["fill"]
    page.setDash([4, 3] if style.get("stroke_dasharray") else [])
    page.setLineWidth(style.get("stroke_width") or 1)
    page.setStrokeColor(stroke or fill)
    if fill != "none":
        page.setFillColor(fill)
    kinds = {"stroke": int(bool(stroke)), "fill": int(fill != "none")}
    if mark.form == "text":
        page.setFont("Helvetica-Bold" if "strong" in mark.look else "Helvetica", FONT)
        looks = mark.look.split()
        centred, right = page.drawCentredString, page.drawRightString
        write = centred if "middle" in looks else right if "end" in looks else page.drawString
        write(x, y, _plain(mark.text))
    elif mark.form == "line":
        page.line(x, y, x2, y2)
    elif mark.form == "box":
        page.rect(x, y, x2 - x, y2 - y, **kinds)
    elif mark.form in ("dot", "ring"):
        page.circle(x, y, 5, **kinds)
    else:
        path = page.beginPath()
        (dx, dy), *others = corners(mark.form)
        path.moveTo(x + dx, y + dy)
        for dx, dy in others:
            path.lineTo(x + dx, y + dy)
        path.close()
        page.drawPath(path, **kinds)


def _plain(text: str) -> str:
    """Return a text with "?" for each character that the fonts of every PDF reader lack."""
    said = normalize("NFC", " ".join(text.split())).translate(SIGNS)
    return said.encode("cp1252", "replace").decode("cp1252", "replace")


def lacks_letters(figure: Figure) -> bool:
    """Return whether a label has a character that the fonts lack."""
    texts = [mark.text for mark, *_ in placed(figure)[1]]
    return any(_plain(text).count("?") > text.count("?") for text in texts)
