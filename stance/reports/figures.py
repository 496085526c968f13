"""Figures: marks with a legend and their numbers, which pages show and SVG and PDF files hold."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple
from unicodedata import normalize

from markupsafe import Markup

from stance.display import count, listed, shown
from stance.errors import load_extra, refusal, reported
from stance.files import AtomicGroup, check_output
from stance.model.passages import templates

TEMPLATES = Path(__file__).parent / "templates"
NUMBERS = "numbers.csv"
NARROW, WIDE = 400.0, 800.0  # pixels of a figure of one column, of a page
MILLIMETRES = 85 / NARROW  # of a pixel, so that type is 7.5 points high
FONT, LETTER = 12.5, 6.6  # pixels of all type, of a letter
HEADING, ENTRY, RADIUS = 18, 22, 5  # pixels of a line of words, of the legend, of a dot
PLAIN = str.maketrans({"\u2212": "\u2013", "\u2011": "-"})  # for want of a minus sign
Legend = Sequence[tuple[str, str, str]]  # form, look and words of each entry
_LAST = "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_FORBIDDEN = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_LAST}]")


class Mark(NamedTuple):
    """A sign in a chart, in pixels from its upper left corner."""

    form: str  # text, line, box, or what stands at a place: dot, ring
    x: float
    y: float
    look: str = ""  # classes of the style sheet
    text: str = ""
    x2: float = 0.0  # other end of a line, right end of a box
    y2: float = 0.0
    link: str = ""  # place of the page that says more

    def moved(self, x: float, y: float) -> "Mark":
        """Return the mark farther to the right and down."""
        return self._replace(x=self.x + x, y=self.y + y, x2=self.x2 + x, y2=self.y2 + y)


SIGNS = {  # of a legend, 16 by 12 pixels
    "dot": Mark("dot", 8, 6),
    "ring": Mark("ring", 8, 6),
    "line": Mark("line", 0, 6, x2=16, y2=6),
    "box": Mark("box", 0, 0, x2=16, y2=12),
}


class Drawing(NamedTuple):
    """Marks, and the room that they take."""

    width: float
    height: float
    marks: Sequence[Mark]


class Figure(NamedTuple):
    """A chart, its numbers, and what is written around it."""

    name: str  # of its files
    title: str
    chart: Drawing
    numbers: Sequence[Sequence[str]]  # a head, and a row for each estimate
    legend: Legend = ()
    caption: str = ""  # n, method and interval

    def drawing(self, *, whole: bool = True) -> Drawing:
        """Return the chart with its legend and, if it is to be the whole, title and caption."""
        width, room = self.chart.width, int(self.chart.width / LETTER)
        marks, top, x = list[Mark](), 0.0, 0.0
        for line in wrap(self.title, room - 4) if whole else ():
            marks.append(Mark("text", 0, top + 13, "strong", line))
            top += HEADING
        top += 8 if whole else 2
        for form, tone, words in self.legend:
            long = 40 + LETTER * len(words)
            if x and x + long - 20 > NARROW:
                x, top = 0.0, top + ENTRY
            sign = SIGNS[form]._replace(look=tone).moved(x, top)
            marks += [sign, Mark("text", x + 21, top + 10, "", words)]
            x += long
        top += ENTRY + 2 if self.legend else 0
        marks += (mark.moved(0, top) for mark in self.chart.marks)
        top += self.chart.height
        for number, line in enumerate(wrap(self.caption, room) if whole else ()):
            top += HEADING if number else HEADING + 8
            marks.append(Mark("text", 0, top - 5, "quiet", line))
        return Drawing(width, top, marks)

    @property
    def svg(self) -> Markup:
        """The chart as a page shows it, in the colours of its style sheet."""
        return Markup(_svg(self, self.drawing(whole=False)))  # noqa: S704 (escaped)


def _svg(figure: Figure, drawing: Drawing, **painting: Any) -> str:
    """Return a drawing as SVG, its marks painted unless a style sheet knows their looks."""
    template = templates().get_template("figure.svg.j2")
    return template.render(title=figure.title, drawing=drawing, radius=RADIUS, **painting)


# --- Files, in the light colours ---


def without_forbidden(text: str) -> str:
    r"""Return a text in which U+FFFD stands for each character that HTML or XML forbids.

    >>> without_forbidden("a\r\nb\x00\U0001ffff")
    'a\nb\ufffd\ufffd'
    """
    return _FORBIDDEN.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def make_folder(folder: Path, name: str, *, force: bool) -> None:
    """Make a folder for files, one of this name among them; raise if they cannot be written."""
    if folder.exists() and not folder.is_dir():
        raise refusal(folder, "is not a folder; name one, or a new one")
    with reported(folder):
        folder.mkdir(exist_ok=True)
    check_output(folder / name, force=force)


def write_figures(
    folder: Path, figures: Sequence[Figure], group: AtomicGroup, *, pdf: bool, force: bool
) -> list[str]:
    """Write figures to a folder; return what to say of them."""
    for figure in figures:
        group.write(folder / f"{figure.name}.svg", as_svg(figure), force=force)
        if pdf:
            group.write(folder / f"{figure.name}.pdf", as_pdf(figure), force=force)
    notes = [f"wrote {count(len(figures), 'figure')} and their numbers to {folder}"]
    new = {f"{figure.name}.{kind}" for figure in figures for kind in ["svg", *["pdf"] * pdf]}
    if old := sorted({path.name for path in folder.glob("*.[ps][dv][fg]")} - new):
        names = listed([shown(name) for name in old], 3, "figure")
        notes.append(f"{folder} also has {names}; remove what an earlier report wrote")
    texts = [mark.text for figure in figures for mark in figure.drawing().marks]
    if pdf and any(_plain(text).count("?") > text.count("?") for text in texts):
        notes.append(f"{folder}: the PDF fonts lack some letters of names, shown as '?'; use SVG")
    return notes


@cache
def colours() -> dict[str, str]:
    """Return the colours of the style sheet by name, those on light pages and on paper."""
    style = (TEMPLATES / "look.css").read_text("utf-8")
    light = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", style.partition("@media")[0]))
    muted = dict.fromkeys(("quiet", "quietly", "axis"), light["muted"])
    return light | muted | {"grid": light["rule"]}


def painted(mark: Mark) -> dict[str, str]:
    """Return the style of a mark in a file, which has no style sheet."""
    known, looks = colours(), mark.look.split()
    tone = next((known[look] for look in looks if look in known), known["ink"])
    if mark.form in ("line", "ring"):
        wide = "1" if {"grid", "axis"} & set(looks) else "2"
        return {"fill": "none", "stroke": tone, "stroke-width": wide}
    style = {"stroke": known["paper"]} if mark.form == "box" else {}
    for anchor in {"middle", "end"} & set(looks):
        style["text-anchor"] = anchor
    style |= {"font-weight": "bold"} if "strong" in looks else {}
    return {"fill": tone, **style}


def as_svg(figure: Figure) -> bytes:
    """Return a figure as an SVG file that any program shows alike."""
    painting = {"painted": painted, "font": FONT, "unit": MILLIMETRES, "paper": colours()["paper"]}
    return without_forbidden(_svg(figure, figure.drawing(), **painting)).encode()


def as_pdf(figure: Figure) -> bytes:
    """Return a figure as a PDF file of one page, the same bytes each time."""
    width, height, marks = figure.drawing()
    target, canvas = BytesIO(), load_extra("reportlab.pdfgen.canvas", "--pdf", "pdf").Canvas
    scale = MILLIMETRES / 25.4 * 72
    page = canvas(target, (scale * width, scale * height), bottomup=0, invariant=1)
    page.setTitle(_plain(figure.title))
    page.scale(scale, scale)
    for mark in marks:
        _draw(page, mark, painted(mark))
    page.save()
    return target.getvalue()


def _draw(page: Any, mark: Mark, style: Mapping[str, str]) -> None:
    stroke, fill = style.get("stroke"), style["fill"]
    page.setLineWidth(float(style.get("stroke-width", 1)))
    page.setStrokeColor(stroke or fill)
    page.setFillColor(stroke if fill == "none" else fill)
    if mark.form == "text":
        page.setFont("Helvetica-Bold" if "font-weight" in style else "Helvetica", FONT)
        names = {"middle": "drawCentredString", "end": "drawRightString"}
        write = getattr(page, names.get(style.get("text-anchor", ""), "drawString"))
        page.saveState()
        page.translate(mark.x, mark.y)
        page.rotate(-90 if "turned" in mark.look else 0)
        write(0, 0, _plain(mark.text))
        page.restoreState()
    elif mark.form == "line":
        page.line(mark.x, mark.y, mark.x2, mark.y2)
    elif mark.form == "box":
        page.rect(mark.x, mark.y, mark.x2 - mark.x, mark.y2 - mark.y, stroke=1, fill=1)
    else:
        page.circle(mark.x, mark.y, RADIUS, stroke=bool(stroke), fill=fill != "none")


def _plain(text: str) -> str:
    """Return a text with "?" for each character that the fonts of every PDF reader lack."""
    line = normalize("NFC", " ".join(text.split())).translate(PLAIN)
    return line.encode("cp1252", "replace").decode("cp1252")
