"""Measure how well articles are told from boilerplate, in web pages and in saved text.

Usage: python training/pages.py [--saved] [--show] [--others]

The pages are invented: stories of datasets/pages/stories.toml in the dress of web.toml (30 pages
in the style of 15 publishing systems) or saved.toml (40 in the style of 20 newspapers). Recall is
the share of the stories' paragraphs that are kept, precision that of kept paragraphs which are
some story's. Headlines, summaries and cross-heads count as neither. `--others` compares other
libraries (pip install readability-lxml resiliparse boilerpy3 justext), `--show` lists what is
wrong, `--saved` is about saved text.
"""

import argparse
import re
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import jinja2

from stance.errors import DataError
from stance.tables import InputOptions, split_article
from stance.tables.articles import open_article

PAGES = Path(__file__).parent.parent / "datasets" / "pages"


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph or a cross-head."""

    text: str
    head: bool


@dataclass(frozen=True, slots=True)
class Story:
    """What a page tells."""

    title: str
    date: str
    outlet: str
    author: str
    summary: str
    body: tuple[Line, ...]

    @property
    def day(self) -> str:
        """The date in words."""
        day = date.fromisoformat(self.date)
        return f"{day.day} {day:%B %Y}"

    @property
    def iso(self) -> str:
        """The date and a time."""
        return f"{self.date}T09:41:00+00:00"

    @property
    def url(self) -> str:
        """Where it would stand."""
        host = re.sub("[^a-z]", "", self.outlet.lower())
        slug = re.sub(r"\W+", "-", self.title.lower()).strip("-")
        return f"https://www.{host}.example/{self.date.replace('-', '/')}/{slug}"

    @property
    def wanted(self) -> list[str]:
        """The paragraphs to be kept."""
        return [line.text for line in self.body if not line.head]

    @property
    def allowed(self) -> set[str]:
        """What may be kept as well."""
        return {line.text for line in self.body} | {self.title, self.summary}


@dataclass(frozen=True, slots=True)
class Dressed:
    """A story as a page."""

    style: str
    story: Story
    text: str  # HTML, or lines


def stories() -> list[Story]:
    """Return the invented stories."""
    listed = tomllib.loads((PAGES / "stories.toml").read_text("utf-8"))["story"]
    return [_story(**story) for story in listed]


def _story(paragraphs: str, **fields: str) -> Story:
    lines = paragraphs.strip().splitlines()
    body = tuple(Line(line.removeprefix("## "), line.startswith("## ")) for line in lines)
    return Story(body=body, **fields)


def dressed(kind: str) -> Iterator[Dressed]:
    """Yield pages: of each style (``web`` or ``saved``) two, with different stories."""
    invented = stories()
    environment = jinja2.Environment(autoescape=kind == "web")
    pages = tomllib.loads((PAGES / f"{kind}.toml").read_text("utf-8"))["page"]
    for number, page in enumerate(pages):
        template = environment.from_string(page["html" if kind == "web" else "text"])
        for first in (number, number + len(invented) // 2):
            story, *other = (invented[(first + step) % len(invented)] for step in range(4))
            text = template.render(story=story, other=other)
            yield Dressed(page["style"], story, text)


def plain(text: str) -> str:
    """Return a text without the marks of list items and extra space."""
    return " ".join(re.sub(r"^[-*#>•] +", "", text.strip()).split())


@dataclass(slots=True)
class Score:
    """Paragraphs kept and lost."""

    right: int = 0
    wanted: int = 0
    wrong: int = 0
    seconds: float = 0.0

    def add(self, page: Dressed, kept: Sequence[str], *, show: bool = False) -> None:
        """Count the paragraphs that were kept of a page."""
        texts = [plain(text) for text in kept if plain(text)]
        wrong = [text for text in texts if text not in page.story.allowed]
        lost = [text for text in page.story.wanted if text not in texts]
        self.right += len(page.story.wanted) - len(lost)
        self.wanted += len(page.story.wanted)
        self.wrong += len(wrong)
        if show and (wrong or lost):
            print(f"{page.style}: {page.story.title}")
            for mark, texts in (("kept", wrong), ("LOST", lost)):
                for text in texts:
                    print(f"    {mark} {text[:100]}")

    def line(self, name: str, pages: int) -> str:
        """Return a row of the printed table."""
        recall, precision = self.right / self.wanted, self.right / max(1, self.right + self.wrong)
        return f"{name:24}{recall:8.3f}{precision:11.3f}{1000 * self.seconds / pages:10.1f}"


Extract = Callable[[str], Sequence[str]]


def measure(name: str, extract: Extract, pages: Sequence[Dressed], *, show: bool = False) -> None:
    """Print the scores of a way to read pages."""
    score = Score()
    for page in pages:
        start = time.process_time()
        try:
            kept = extract(page.text)
        except DataError:
            kept = []
        score.seconds += time.process_time() - start
        score.add(page, kept, show=show)
    print(score.line(name, len(pages)), flush=True)


def split(text: str) -> list[str]:
    """Return the paragraphs of saved text that `stance predict` would judge."""
    return [line for line, reason in split_article(text) if not reason]


def ours(html: str, folder: Path) -> list[dict[str, str]]:
    """Return the rows that `stance predict` would judge of a web page."""
    path = folder / "page.html"
    path.write_text(html, encoding="utf-8")
    with open_article(path, InputOptions()) as table:
        return [dict(zip(table.columns, record.cells, strict=True)) for record in table]


def _others() -> dict[str, Extract]:
    boilerpy3, justext = import_module("boilerpy3.extractors"), import_module("justext")
    html2text = import_module("resiliparse.extract.html2text")
    lxml_html, readability = import_module("lxml.html"), import_module("readability")
    trafilatura = import_module("trafilatura")

    def readable(html: str) -> list[str]:
        tree = lxml_html.fromstring(readability.Document(html).summary())
        return [element.text_content() for element in tree.iter("p", "h2", "h3", "li")]

    def just(html: str) -> list[str]:
        paragraphs = justext.justext(html.encode(), justext.get_stoplist("English"))
        return [paragraph.text for paragraph in paragraphs if not paragraph.is_boilerplate]

    def alone(**options: bool) -> Extract:
        base = {"include_comments": False, "include_tables": False}
        return lambda html: (trafilatura.extract(html, **base, **options) or "").splitlines()

    def resilient(html: str) -> list[str]:
        text: str = html2text.extract_plain_text(html, main_content=True)
        return text.splitlines()

    boiler = boilerpy3.ArticleExtractor()
    return {
        "trafilatura alone": alone(),
        "  favor precision": alone(favor_precision=True),
        "  favor recall": alone(favor_recall=True),
        "readability-lxml": readable,
        "jusText": just,
        "resiliparse": resilient,
        "boilerpy3": lambda html: boiler.get_content(html).splitlines(),
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("saved", "show", "others"):
        parser.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()
    kind = "saved" if options.saved else "web"
    pages = list(dressed(kind))
    print(f"{len(pages)} pages{'':16}recall  precision   ms/page")
    if options.saved:
        measure("all lines", str.splitlines, pages)
        half = len(pages) // 2
        measure("  first ten styles", split, pages[:half], show=options.show)
        measure("  other ten styles", split, pages[half:])
        measure("stance", split, pages)
        kept = sum(page.story.title in split(page.text) for page in pages)
        print(f"headlines kept: {kept} of {len(pages)}")
        return
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        texts: Extract = lambda html: [row["text"] for row in ours(html, place)]  # noqa: E731
        measure("stance", texts, pages, show=options.show)
        for name, extract in _others().items() if options.others else ():
            measure(name, extract, pages)
        _print_metadata(pages, place)


def _print_metadata(pages: Sequence[Dressed], folder: Path) -> None:
    names = ("title", "date", "outlet")
    right: dict[str, int] = dict.fromkeys(names, 0)
    wrong: dict[str, int] = dict.fromkeys(names, 0)
    for page in pages:
        row: dict[str, Any] = ours(page.text, folder)[0]
        for name in names:
            if row[name] == getattr(page.story, name):
                right[name] += 1
            elif row[name]:
                wrong[name] += 1
    for name in names:
        print(f"{name}: right on {right[name]} pages, wrong on {wrong[name]}")


if __name__ == "__main__":
    main()
