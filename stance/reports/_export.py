"""Figures as files: SVG and PDF of each, and all their numbers as one tidy table."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from unicodedata import normalize

from stance.display import count
from stance.errors import refusal, reported
from stance.files import check_output
from stance.reports._drawing import FONT, Drawing, Label, Shape, as_svg, draw
from stance.reports._page import Data, Figure, plain_cell
from stance.tables import Format, formula_note

COLUMNS = ("figure", "actor", "group", "period", "measure", "value", "low", "high")
KEYS = {"actor": "actor", **dict.fromkeys(("week", "month", "quarter", "year"), "period")}
NUMBERS = "numbers.csv"


def check_figures(folder: Path | None, *, force: bool) -> None:
    """Raise, before any work is done, if figures cannot be written to a folder."""
    if folder is None:
        return
    if not folder.is_dir() and (folder.exists() or folder.is_symlink()):
        raise refusal(folder, "is not a folder; name one, or a new one")
    check_output(folder / NUMBERS if folder.is_dir() else folder, force=force)


def figure_files(
    folder: Path, figures: Mapping[str, Figure], *, excel_safe: bool = False
) -> tuple[list[tuple[Path, bytes]], list[str]]:
    """Return each figure by its file, and the numbers of all; and what to say of them."""
    drawings = {
        name: draw(figure.chart, figure.legend, figure.width) for name, figure in figures.items()
    }
    files = [(folder / f"{name}.svg", as_svg(each)) for name, each in drawings.items()]
    files += ((folder / f"{name}.pdf", as_pdf(each)) for name, each in drawings.items())
    tables = {figure.data.name: figure.data for figure in figures.values()}
    rows = [row for data in tables.values() for row in tidy(data)]
    form = Format(COLUMNS, excel_safe=excel_safe)
    files.append((folder / NUMBERS, form.header() + form.encode(rows)))
    said = [f"wrote {count(len(drawings), 'figure')} and {NUMBERS} to {folder}"]
    if note := formula_note(form.formulas(rows), quoted=excel_safe):
        said.append(f"{folder / NUMBERS}: {note}")
    if any(map(lacking, drawings.values())):
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


# --- PDF: one page, in the fonts that every reader has ---

PIXEL = 0.75  # points of one
# Widths of Helvetica's characters from the space to "~", in thousandths of the font's size, and of
# all others, which are mostly accented letters (Adobe Font Metrics, Helvetica 3.1).
WIDTHS = [278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278]
WIDTHS += [556] * 10 + [278, 278, 584, 584, 584, 556, 1015]
WIDTHS += [667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833]
WIDTHS += [722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611]
WIDTHS += [278, 278, 278, 469, 556, 333]
WIDTHS += [556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833]
WIDTHS += [556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584]
OTHER = 556
SIGNS = str.maketrans({"\u2212": "\u2013", "\u2011": "-"})  # for want of a minus sign


def _plain(text: str) -> bytes:
    """Return a text in Windows' Latin alphabet, with "?" for each character that it lacks."""
    return normalize("NFC", text).translate(SIGNS).encode("cp1252", "replace")


def lacking(drawing: Drawing) -> bool:
    """Return whether a label has a character that the fonts lack."""
    labels = (mark.text for mark in drawing.marks if isinstance(mark, Label))
    return any(_plain(text).count(b"?") > text.count("?") for text in labels)


def as_pdf(drawing: Drawing) -> bytes:
    """Return a drawing as a PDF file, the same bytes each time."""
    size = f"{PIXEL * drawing.width:.2f} {PIXEL * drawing.height:.2f}"
    height = drawing.height
    flip = f"{PIXEL} 0 0 {PIXEL} 0 0 cm 1 j"
    content = b"\n".join([flip.encode(), *(_pdf_mark(mark, height) for mark in drawing.marks)])
    faces = (b"Helvetica", b"Helvetica-Bold")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size}] /Contents 4 0 R "
        "/Resources << /Font << /F0 5 0 R /F1 6 0 R >> "
        "/ExtGState << /Faint 7 0 R /Full 8 0 R >> >> >>".encode(),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        *(
            b"<< /Type /Font /Subtype /Type1 /BaseFont /%b /Encoding /WinAnsiEncoding >>" % face
            for face in faces
        ),
        b"<< /ca 0.22 >>",
        b"<< /ca 1 >>",
        b"<< /Title (%b) >>" % _escaped(drawing.title),
    ]
    return _pdf_file(objects)


def _pdf_file(objects: list[bytes]) -> bytes:
    """Return objects, of which the first is the catalog and the last the title, as a file."""
    body, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects)
    trailer = b"<< /Size %d /Root 1 0 R /Info %d 0 R >>" % (count + 1, count)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (count + 1)
    return body + head + table + b"trailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (trailer, len(body))


def _pdf_mark(mark: Shape | Label, height: float) -> bytes:
    return (
        _text(mark, height) if isinstance(mark, Label) else " ".join(_path(mark, height)).encode()
    )


def _path(mark: Shape, height: float) -> Iterator[str]:
    """Yield the operators of a shape; PDF counts from the bottom."""
    yield "/Faint gs" if mark.faint else "/Full gs"
    if mark.fill:
        yield f"{_colour(mark.fill)} rg"
    if mark.stroke:
        dashes = "[4 3]" if mark.dashed else "[]"
        yield f"{_colour(mark.stroke)} RG {mark.width:g} w {dashes} 0 d"
    for number, (x, y) in enumerate(mark.places):
        yield f"{x:.2f} {height - y:.2f} {'l' if number else 'm'}"
    yield ("b" if mark.stroke else "h f") if mark.fill else "S"


def _text(mark: Label, height: float) -> bytes:
    text = _plain(mark.text)
    wide = sum(WIDTHS[code - 32] if 32 <= code <= 126 else OTHER for code in text) * FONT / 1000
    x = mark.x - wide * {"start": 0, "middle": 0.5, "end": 1}[mark.anchor]
    place = f"/Full gs BT {_colour(mark.colour)} rg /F{int(mark.bold)} {FONT} Tf"
    return f"{place} {x:.2f} {height - mark.y:.2f} Td (".encode() + _escaped(mark.text) + b") Tj ET"


def _escaped(text: str) -> bytes:
    found = _plain(" ".join(text.split()))
    for sign in (b"\\", b"(", b")"):
        found = found.replace(sign, b"\\" + sign)
    return found


def _colour(text: str) -> str:
    return " ".join(f"{int(text[at : at + 2], 16) / 255:.3f}" for at in (1, 3, 5))
