"""Figures as files: SVG of each, and PDF on request."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from unicodedata import normalize

from stance.display import count
from stance.errors import load_extra, refusal, reported
from stance.files import AtomicGroup, check_output
from stance.reports._figures import NARROW, Figure, Mark, Style, element, shape
from stance.reports._page import stylesheet, without_forbidden

NUMBERS = "numbers.csv"
FONT = 12.5  # pixels of all type
COLUMN, PAGE = 85, 170  # millimetres of a figure; with 85 for 400 pixels, type is 7.5 points high
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


def write_figures(
    folder: Path, figures: Sequence[Figure], group: AtomicGroup, *, pdf: bool, force: bool
) -> list[str]:
    """Write figures to a folder; return what to say of them."""
    for figure in figures:
        group.write(folder / f"{figure.data.name}.svg", as_svg(figure), force=force)
        if pdf:
            group.write(folder / f"{figure.data.name}.pdf", as_pdf(figure), force=force)
    notes = [f"wrote {count(len(figures), 'figure')} and {NUMBERS} to {folder}"]
    if pdf and any(map(lacks_letters, figures)):
        notes.append(f"{folder}: the PDF fonts lack some letters of names, shown as '?'; use SVG")
    return notes


def make_folder(folder: Path) -> None:
    """Make a folder unless it is there."""
    with reported(folder):
        folder.mkdir(exist_ok=True)


# --- Drawings in the light colours ---


@cache
def colours() -> dict[str, str]:
    """Return the colours of the style sheet by name, those on light pages and on paper."""
    style = stylesheet()
    light = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", style[: style.index("@media")]))
    return light | {"quietly": light["muted"], "grid": light["rule"], "axis": light["muted"]}


def painted(mark: Mark) -> Style:
    """Return fill and stroke of a mark, for a file that has no style sheet."""
    known, looks = colours(), mark.look.replace("quiet ", "muted ").split()
    tone = next((known[look] for look in looks if look in known), known["ink"])
    if mark.form == "text":
        return {"fill": known["muted"] if "quiet" in mark.look.split() else tone}
    if mark.form in ("line", "ring"):
        wide = 1.0 if {"grid", "axis"} & set(looks) else 2.0
        return {"fill": "none", "stroke": tone, "stroke_width": wide}
    return {"fill": tone, "stroke": known["paper"] if mark.form == "box" else None}


def millimetres(width: float) -> float:
    """Return the size of a pixel of a figure that is so wide."""
    return (COLUMN if width <= NARROW else PAGE) / width


def as_svg(figure: Figure) -> bytes:
    """Return a figure as an SVG file that any program shows alike."""
    width, height, marks = figure.drawing()
    lines = [element("title", figure.title)]
    lines.append(element("rect", width="100%", height="100%", fill=colours()["paper"]))
    for mark in marks:
        style, looks = painted(mark), mark.look.split()
        if mark.form == "text":
            style["text_anchor"] = next((x for x in ("middle", "end") if x in looks), None)
            style["font_weight"] = "bold" if "strong" in looks else None
        lines.append(shape(replace(mark, link=""), style))
    across, down = (f"{length * millimetres(width):.2f}mm" for length in (width, height))
    size: Style = {"width": across, "height": down, "font_size": FONT}
    size |= {"viewBox": f"0 0 {width:g} {height:g}", "font_family": "Helvetica, Arial, sans-serif"}
    root = element("svg", *lines, xmlns="http://www.w3.org/2000/svg", **size)
    return without_forbidden(f"{root}\n".replace("><", ">\n<")).encode()


def as_pdf(figure: Figure) -> bytes:
    """Return a figure as a PDF file of one page, the same bytes each time."""
    width, height, marks = figure.drawing()
    target, canvas = BytesIO(), load_extra("reportlab.pdfgen.canvas", "--pdf", "pdf").Canvas
    points = millimetres(width) / 25.4 * 72
    page = canvas(target, (points * width, points * height), bottomup=0, invariant=1)
    page.setTitle(_plain(figure.title))
    page.scale(points, points)
    for mark in marks:
        _draw(page, mark, painted(mark))
    page.save()
    return target.getvalue()


def _draw(page: Any, mark: Mark, style: Style) -> None:
    stroke, fill = style.get("stroke"), style["fill"]
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
        write(mark.x, mark.y, _plain(mark.text))
    elif mark.form == "line":
        page.line(mark.x, mark.y, mark.x2, mark.y2)
    elif mark.form == "box":
        page.rect(mark.x, mark.y, mark.x2 - mark.x, mark.y2 - mark.y, **kinds)
    else:
        page.circle(mark.x, mark.y, 5, **kinds)


def _plain(text: str) -> str:
    """Return a text with "?" for each character that the fonts of every PDF reader lack."""
    line = normalize("NFC", " ".join(text.split())).translate(SIGNS)
    return line.encode("cp1252", "replace").decode("cp1252", "replace")


def lacks_letters(figure: Figure) -> bool:
    """Return whether a label has a character that the fonts lack."""
    texts = [mark.text for mark in figure.drawing().marks]
    return any(_plain(text).count("?") > text.count("?") for text in texts)
