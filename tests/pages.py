"""A page as a test reads it: parsed strictly, without a browser."""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from itertools import chain, pairwise

from command import succeeds

from stance.findings import Request
from stance.reports import stylesheet
from stance.reports.predictions import write_predictions

VOID = {"meta", "br", "input"}
_NAMES = """
html head title style body header nav main footer section aside h1 h2 h3 h4 p ul li dl div dt dd
small strong span article form label input
table caption thead tbody tr th td figure figcaption details summary a bdi mark blockquote pre code
svg desc g rect line circle path polyline polygon text
"""
_ATTRIBUTES = """
lang charset http-equiv content name class id role aria-label aria-labelledby aria-hidden tabindex
scope href title aria-description
type checked
download x y x1 x2 y1 y2 cx cy r d width height points viewbox preserveaspectratio
overflow transform
"""
ELEMENTS = VOID | set(_NAMES.split())
ATTRIBUTES = set(_ATTRIBUTES.split())


@dataclass
class Page(HTMLParser):
    """A page; reading it fails where it is not well-formed or holds what no page may hold."""

    html: str
    tags: list = field(default_factory=list)
    texts: list = field(default_factory=list)
    named: dict = field(default_factory=dict)
    tables: list = field(default_factory=list)
    headings: list = field(default_factory=list)
    ids: list = field(default_factory=list)
    jumps: list = field(default_factory=list)
    pages: list = field(default_factory=list)
    stack: list = field(default_factory=list)

    def __post_init__(self):
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag, attrs):
        assert tag in ELEMENTS, tag
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names)
        assert set(names) <= ATTRIBUTES, names
        given = dict(attrs)
        self.tags.append((tag, *names, given.get("class", "")))
        for name, value in attrs:
            assert name in ("href", "aria-description", "aria-label", "title") or not re.search(
                r"(?i)https?:|(?<![\w+])//|url\(|javascript:", value or ""
            )
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a" and given["href"].startswith("#"):
            self.jumps.append(given["href"][1:])
        elif tag == "a":
            assert re.fullmatch(r"[\w-]+\.html", given["href"])
            self.pages.append(given["href"])
        if tag == "th":
            assert given["scope"] in ("col", "row")
        if tag == "svg" and given.get("role") == "img":
            assert given["aria-label"]
        if tag == "table":
            self.tables.append([])
            self.named.setdefault(given.get("aria-label"), self.tables[-1])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append([int(tag[1]), ""])
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack
        assert self.stack.pop() == tag

    def handle_startendtag(self, tag, attrs):
        raise AssertionError(f"<{tag}/>")

    def handle_data(self, data):
        if self.stack and self.stack[-1] == "style":
            assert data.startswith(stylesheet())
            assert not re.search(r"url\(|@import|http", data)
            return
        self.texts.append(data)
        if "td" in self.stack or "th" in self.stack:
            small = "\n" if self.stack[-1] == "small" else ""
            self.tables[-1][-1][-1] += small + data
        if self.headings and re.fullmatch("h[1-6]", "".join(self.stack[-1:])):
            self.headings[-1][1] += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data):
        raise AssertionError(f"an instruction: {data}")

    def unknown_decl(self, data):
        raise AssertionError(f"a declaration: {data}")

    def handle_decl(self, decl):
        assert decl == "doctype html"

    @property
    def text(self):
        return " ".join("".join(self.texts).split())  # as a browser shows white space

    def rows(self, name):
        """Return the rows of a named table by column; an interval's ends have keys of their own."""
        (*head,), *rows = self.named[name]
        keys = [title.partition(",")[0] for title in head]
        return [dict(chain.from_iterable(map(read_cell, keys, row))) for row in rows]


def read_cell(key, cell):
    """Return the parts of a cell under their keys: a text or number, and any interval."""
    parts = re.fullmatch(r"(\S+) \[(\S+), (\S+)\]", cell)
    cells = parts.groups() if parts else [cell]
    return zip((key, f"{key}_low", f"{key}_high"), map(plain, cells), strict=False)


def plain(cell):
    """Return a printed number as Python reads it; a dash is none."""
    if not re.fullmatch(r"[−+\d.,]+|–", cell):
        return cell
    return cell.replace("–", "").replace("−", "-").replace(",", "")


def part(cell):
    """Return a printed share or net stance between -1 and 1."""
    return float(cell) / 100


def read_page(data):
    """Return a page of its own that is well-formed and loads nothing but its style."""
    text = data.decode("utf-8") if isinstance(data, bytes) else data
    style = re.search("<style>(.*)</style>", text, re.DOTALL)[1]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'" in text
    return parse_page(text)


def report_page(table, **request):
    """Make the report on a table without a model; return it read."""
    output = table.with_name("page.html")
    write_predictions(Request(table, **request), output, force=True)
    return read_page(output.read_bytes())


def report_on(table, *options):
    """Make the report on a table by the command; return it read, and what the terminal said."""
    output = table.with_name("page.html")
    result = succeeds("report", table, "-o", output, "--force", *options)
    assert result.stdout == ""
    return read_page(output.read_bytes()), result.stderr


def parse_page(text):
    """Return a page that is well-formed."""
    page = Page(text)
    page.feed(text)
    page.close()
    assert page.stack == []
    assert len(set(page.ids)) == len(page.ids)
    assert set(page.jumps) <= set(page.ids)
    assert page.tags[0][0] == "html"
    assert 'lang="en"' in text[:60]
    levels = [level for level, _ in page.headings]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", text)
    return page
