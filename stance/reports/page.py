"""The shell of a page: head, sections, figures; one file that loads nothing."""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from importlib.metadata import version

from stance.reports.markup import Content, Html, escaped, isolated, joined, tag
from stance.reports.style import stylesheet
from stance.reports.tables import Data, csv_link, html_table


def page(title: str, opening: Iterable[Html], sections: Iterable[Html]) -> bytes:
    """Return a whole page as UTF-8.

    Its Content-Security-Policy lets a browser load nothing, run nothing and use only this style.

    Parameters
    ----------
    title : str
    opening : iterable of Html
        What stands under the title.
    sections : iterable of Html
    """
    style, parts = stylesheet(), joined(sections, "\n")
    digest = b64encode(sha256(style.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content=f"stance {version('stance')}"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        Html(f"<style>{style}</style>"),
    )
    body = tag(
        "body",
        tag("header", tag("h1", isolated(title)), list(opening), _contents(parts)),
        "\n",
        tag("main", parts),
        "\n",
        tag("footer", f"Made by stance {version('stance')}, which opens no connection. "
            "This file loads nothing from anywhere."),
    )  # fmt: skip
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n".encode()


_SECTION = re.compile(r'<section id="([\w-]+)"[^>]*><h2[^>]*>([^<]*)</h2>')


def _contents(sections: Html) -> Html:
    """Return links to the sections."""
    links = [tag("li", tag("a", Html(title), href=f"#{name}"))
             for name, title in _SECTION.findall(sections)]  # fmt: skip
    return tag("nav", tag("ul", links), aria_label="Sections")


def section(name: str, title: str, *content: Content) -> Html:
    """Return a section under a heading of the second order."""
    heading = tag("h2", title, id=f"{name}-title")
    return tag("section", heading, *content, id=name, aria_labelledby=f"{name}-title")


def figure(title: str, note: Content, chart: Html, data: Data, legend: Content = "") -> Html:
    """Return a chart under its title, with its numbers to open and to save."""
    caption = tag("figcaption", tag("h3", title), paragraph(note) if note else "")
    # Always four parts, so that figures side by side stand on the same lines.
    return tag("figure", caption, tag("div", legend), tag("div", chart), numbers(data))


def numbers(data: Data, summary: str = "The numbers") -> Html:
    """Return a table that opens on demand, and its CSV file."""
    inner = (tag("summary", summary), html_table(data), tag("p", csv_link(data)))
    return tag("details", *inner)


def paragraph(text: Content, class_: str | None = None) -> Html:
    """Return a paragraph."""
    return tag("p", prose(text), class_=class_)


def prose(text: Content) -> Html:
    """Return words of our own, in which no line ends between a number and its percent sign."""
    return Html((escaped(text) if isinstance(text, str) else joined(text)).replace(" %", "\u00a0%"))


def facts(pairs: Iterable[tuple[str, str, str]]) -> Html:
    """Return figures in large type: what they count, the figure, a remark."""
    return tag(
        "dl",
        [
            tag(
                "div",
                tag("dt", name),
                tag("dd", isolated(value), tag("small", isolated(prose(note))) if note else ""),
            )
            for name, value, note in pairs
        ],
        class_="facts",
    )  # fmt: skip


def warnings(lines: Sequence[Content]) -> Html:
    """Return what a reader must know before anything else; nothing where there is nothing."""
    if not lines:
        return escaped("")
    listed = tag("ul", [tag("li", prose(line)) for line in lines])
    return tag("aside", tag("h2", "Read this first"), listed, class_="warnings")
