"""Articles to read: a page for each, its mentions coloured by stance, and an index of several."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stance.display import count, shown, shown_path
from stance.errors import DataError, ExtraError, UsageError
from stance.files import AtomicGroup, check_output
from stance.model import StanceModel
from stance.model.abstention import thresholds
from stance.model.passages import Passage, Verdict, numbered, passage_html
from stance.records import ANSWERS, UNCERTAIN
from stance.reports import render
from stance.reports.answers import Maker
from stance.reports.figures import check_folder, make_folder
from stance.tables import InputOptions, Inputs, is_article, months_of, open_inputs, split_article

INDEX = "index.html"
_ENDS = re.compile(r"[.!…。！][\"'”’»)\]]*$")
_TITLE = 30  # words of a first paragraph that may be a headline
_STEM = 40  # characters of a file's name in that of its page


class Place(NamedTuple):
    """An answer in the table of actors, which leads to it."""

    anchor: str
    part: str  # such as "paragraph 2", as readers count
    verdict: Verdict


@dataclass(frozen=True)
class Article:
    """An article and the answers to it."""

    name: str  # of its file
    byline: str
    passages: tuple[Passage, ...]
    headings: Set[str]  # as its page marks them

    @property
    def title(self) -> str:
        """Its headline, or else the name of its file."""
        return self.passages[0].text if self.has_headline else self.name

    @property
    def has_headline(self) -> bool:
        """Whether it begins with a heading, or with a short line that is no sentence."""
        first = self.passages[0].text
        return first in self.headings or (len(first.split()) <= _TITLE and not _ENDS.search(first))

    @cached_property
    def tags(self) -> list[str]:
        """The elements of the passages, which are headings or paragraphs."""
        tags = ["h2" if passage.text in self.headings else "p" for passage in self.passages]
        return ["h1" if self.has_headline else "p", *tags[1:]]

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Numbers of the actors, in order of first mention."""
        return numbered(self.passages)

    @cached_property
    def actors(self) -> list[tuple[str, int, list[Place]]]:
        """Each actor with its mentions and answers, most mentions first."""
        places: dict[str, list[Place]] = {name: [] for name in self.numbers}
        for number, (passage, tag) in enumerate(zip(self.passages, self.tags, strict=True), 1):
            part = f"paragraph {self.tags[:number].count('p')}" if tag == "p" else "heading"
            for verdict in passage.verdicts:
                name = verdict.answer.actor
                places[name].append(Place(f"p{number}a{self.numbers[name]}", part, verdict))
        rows = [(n, sum(p.verdict.answer.mentions for p in ps), ps) for n, ps in places.items()]
        return sorted(rows, key=lambda row: -row[1])

    @property
    def answers(self) -> int:
        """How many answers are given, none of them withheld."""
        given = (verdict.answer.stance for passage in self.passages for verdict in passage.verdicts)
        return sum(label != UNCERTAIN for label in given)

    @staticmethod
    def tally(places: Sequence[Place]) -> list[tuple[str, int]]:
        """Return how often each stance is taken, in their order, without those never taken."""
        counts = Counter(place.verdict.answer.stance for place in places)
        return [(label, counts[label]) for label in ANSWERS if counts[label]]


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What is to be read, and how it is judged."""

    inputs: Inputs
    reading: InputOptions
    actor: str | None = None  # None for all that are named
    abstain: float | None = None
    text: str = ""  # of standard input, which ``inputs`` then are


def read_articles(request: ReadRequest, model: StanceModel, notes: list[str]) -> Iterator[Article]:
    """Yield articles with the answers to them, and add notes on each.

    Of several, one that cannot be read is left out, with a note.
    """
    limits = thresholds(model.calibration, request.abstain)
    for path in request.inputs.paths:
        name = shown_path(path.name) if path else "standard input"
        try:
            texts, about, headings = _paragraphs(path, request, notes)
        except DataError as error:
            if not request.inputs.several or isinstance(error, ExtraError):
                raise
            notes.append(f"{error}; left out")
            continue
        months = np.repeat(months_of([about.get("date", "")]), len(texts))
        asked = [request.actor] * len(texts) if request.actor else None
        judged = model.judge(texts, asked, months=months, pushes=True)
        passages = (
            replace(passage, verdicts=tuple(v for v in passage.verdicts if v.mentions))
            for passage in judged.passages(texts, limits)
        )
        article = Article(name, ", ".join(about.values()), tuple(passages), headings)
        if not article.actors:
            whom = "does not name this actor" if request.actor else "names no actor of the book"
            notes.append(f"{name}: {whom}; add its aliases to a book of your own (--actors)")
        yield article


def _paragraphs(
    path: Path | None, request: ReadRequest, notes: list[str]
) -> tuple[list[str], dict[str, str], Set[str]]:
    """Return the paragraphs of an article, what it says of itself, and its headings."""
    if path is None:
        texts = [text for text, reason in split_article(request.text) if not reason]
        about, headings = dict[str, str](), set[str]()
    else:
        with open_inputs(Inputs((path,)), request.reading) as table:
            records = list(table)
            notes += table.notes
        about = dict(zip(table.columns, records[0].cells, strict=True)) if records else {}
        texts = [record.cells[table.columns.index("text")] for record in records]
        headings = table.headings
    if not texts:
        where = shown_path(path) if path else "standard input"
        raise DataError(f"{where}: has no paragraph; check that it is an article")
    known = {key: shown(about[key], 80) for key in ("date", "outlet") if about.get(key)}
    return texts, known, headings


def articles_of(inputs: Inputs, named: Sequence[Path | None]) -> Inputs:
    """Return the articles among files; a table raises, unless a folder holds it."""
    kept = tuple(path for path in inputs.paths if path is None or is_article(path))
    for path in inputs.paths:
        if path not in kept and path in named:
            why = "is no article; read takes .txt and .html, stance predict takes tables"
            raise DataError(f"{shown_path(path)}: {why}")
    others = len(inputs.paths) - len(kept)
    if not kept:
        raise DataError(f"{count(others, 'file')}, none of them an article; name .txt or .html")
    note = [f"{count(others, 'file')} left out: no article"] if others else []
    return replace(inputs, paths=kept, notes=(*inputs.notes, *note))


def write_articles(
    request: ReadRequest, output: Path, maker: Maker, *, force: bool = False
) -> list[str]:
    """Write the page of an article, or a folder of pages with an index; return what to say."""
    several = request.inputs.several
    if several and output.suffix.lower() in (".html", ".htm"):
        raise UsageError(f"{output}: several articles make several pages; name a folder")
    index = output / INDEX if several else output
    if several:
        check_folder(output, INDEX, force=force)
    else:
        check_output(output, force=force, inputs=request.inputs.paths, regular=True)
    notes, listed = [*request.inputs.notes], list[tuple[str, Article]]()
    if several:
        make_folder(output)
    with AtomicGroup() as group:
        for number, article in enumerate(read_articles(request, maker.model, notes), 1):
            listed.append((_page_name(article.name, number), article))
            path = output / listed[-1][0] if several else output
            group.write(path, _page(article, maker, INDEX if several else ""), force=force)
        if not listed:
            raise DataError(notes[-1])
        if several:
            ordered: list[Any] = sorted(listed, key=lambda pair: -pair[1].answers)
            title = f"Stance in {count(len(listed), 'article')}"
            group.write(index, render("articles", title=title, listed=ordered), force=force)
    answers = sum(article.answers for _, article in listed)
    what = f"{count(len(listed), 'article')}, {count(answers, 'answer')}"
    return [*notes, f"wrote {index}: {what}"]


def _page_name(name: str, number: int) -> str:
    """Return the name of an article's page.

    >>> _page_name("Über NATO.html", 7)
    '007-ber-NATO.html'
    """
    stem = re.sub("[^A-Za-z0-9_]+", "-", name.rpartition(".")[0])[:_STEM].strip("-")
    return f"{number:03}-{stem}".rstrip("-") + ".html"


def _page(article: Article, maker: Maker, index: str) -> bytes:
    parts = [
        passage_html(passage, article.numbers, tag, f"p{number}")
        for number, (passage, tag) in enumerate(zip(article.passages, article.tags, strict=True), 1)
    ]
    return render(
        "article", len(article.numbers), title=shown(article.title, 200), article=article,
        parts=parts, maker=maker, scores=maker.model.card.get("scores", {}), index=index,
    )  # fmt: skip
