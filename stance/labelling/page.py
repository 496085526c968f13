"""The page that a coder labels on: one document that carries its style and script."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from stance import __version__
from stance.labelling.session import Session

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = files(__package__) / "templates"


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader(__package__)
    made = Environment(autoescape=True, loader=loader, undefined=StrictUndefined)
    made.lstrip_blocks = made.trim_blocks = True
    return made


def render(session: Session, codebook: str, nonce: str) -> str:
    """Return the page; what it shows of the table, its script asks for pair by pair."""
    template = _environment().get_template("label.html.j2")
    return template.render(
        session=session,
        codebook=markdown(codebook),
        nonce=nonce,
        style=_own("label.css"),
        script=_own("label.js"),
        version=__version__,
    )


def _own(name: str) -> Markup:
    return Markup((_TEMPLATES / name).read_text("utf-8"))  # noqa: S704 (our own file)


def markdown(text: str) -> Markup:
    r"""Return Markdown as HTML that loads nothing and leads nowhere: links and images stay text.

    >>> markdown("**favor** <b>")
    Markup('<p><strong>favor</strong> &lt;b&gt;</p>\n')
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.disable(["link", "image", "autolink", "reference"])
    tokens = parser.parse(text)
    for token in tokens:
        if token.type.startswith("heading"):  # the page has a heading above them
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704 (it escapes)
