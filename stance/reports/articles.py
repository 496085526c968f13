"""Articles to read: a page for each, its mentions coloured by stance, and an index of several."""

import re
from collections.abc import Iterator, Sequence, Set
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stance.display import count, shown, shown_path
from stance.errors import DataError, ExtraError, UsageError
from stance.files import ARTICLE_NAMES, AtomicGroup, kind_suffix
from stance.model import StanceModel
from stance.model.abstention import thresholds
from stance.model.passages import Passage, Verdict
from stance.reading.text import foreign_note
from stance.records import ANSWERS, UNCERTAIN, InputOptions
from stance.reports import render
from stance.reports.answers import Maker
from stance.reports.figures import make_folder
from stance.tables import Inputs, months_of, open_inputs, split_article
from stance.tables.sources import InputFile

INDEX = "index.html"
_ENDS = re.compile(r"[.!…。！][\"'”’»)\]]*$")
_STEM = 40  # characters of a file's name in that of its page
_TITLE = 30  # words of a first paragraph that may be a headline
Place = tuple[str, str, Verdict]  # anchor of an answer, its part such as "paragraph 2", and it


class ReadRequest(NamedTuple):
    """What is to be read, and how it is judged."""

    inputs: Inputs
    reading: InputOptions
    actor: str | None = None  # None for all that are named
    abstain: float | None = None
    text: str = ""  # of standard input, which ``inputs`` then are


class Article(NamedTuple):
    """An article and the answers to it."""

    name: str  # of its file
    title: str  # its headline, or else the name of its file
    byline: str
    tags: Sequence[str]  # elements of its paragraphs: h1 for a headline, h2, p
    passages: Sequence[Passage]
    actors: Sequence[tuple[str, Sequence[Place]]]  # most mentions first
    numbers: dict[str, int]  # of the actors, in order of first mention

    @property
    def answers(self) -> int:
        """How many answers are given, none of them withheld."""
        verdicts = (verdict for passage in self.passages for verdict in passage.verdicts)
        return sum(verdict.answer.stance != UNCERTAIN for verdict in verdicts)


def write_articles(
    request: ReadRequest, output: Path, maker: Maker, *, force: bool = False
) -> list[str]:
    """Write the page of an article, or a folder of pages with an index; return what to say."""
    several = request.inputs.several
    if several and output.suffix.lower() in (".html", ".htm"):
        raise UsageError(f"{output}: several articles make several pages; name a folder")
    if several:
        make_folder(output, INDEX, force=force)
    notes, listed = [*request.inputs.notes], list[tuple[str, Article]]()
    with AtomicGroup() as group:
        for number, article in enumerate(read_articles(request, maker.model, notes), 1):
            stem = re.sub(r"\W+", "-", article.name.rpartition(".")[0], flags=re.ASCII)[:_STEM]
            name = f"{number:03}-{stem}.html"
            listed.append((name, article))
            page = render(
                "article", len(article.numbers), title=shown(article.title, 200),
                article=article, maker=maker, index=INDEX if several else "",
            )  # fmt: skip
            group.write(output / name if several else output, page, force=force)
        if not listed:
            raise DataError(notes[-1])
        if several:
            ordered = sorted(listed, key=lambda pair: -pair[1].answers)
            title = f"Stance in {count(len(listed), 'article')}"
            page = render("articles", title=title, listed=ordered, stances=ANSWERS)
            group.write(output / INDEX, page, force=force)
    answers = sum(article.answers for _, article in listed)
    what = f"{count(len(listed), 'article')}, {count(answers, 'answer')}"
    return [*notes, f"wrote {output / INDEX if several else output}: {what}"]


def articles_of(inputs: Inputs, named: Sequence[Path | None]) -> Inputs:
    """Return the articles among files; a table raises, unless a folder holds it."""
    kept = tuple(path for path in inputs.paths if not path or kind_suffix(path) in ARTICLE_NAMES)
    for path in inputs.paths:
        if path not in kept and path in named:
            why = "is not an article; read takes .txt and .html, stance predict takes tables"
            with closing(InputFile(path, binary=True)):  # which says if it cannot be read at all
                raise DataError(f"{shown_path(path)}: {why}")
    others = len(inputs.paths) - len(kept)
    if not kept:
        raise DataError(f"{count(others, 'file')}, none of them an article; name .txt or .html")
    note = [f"{count(others, 'file')} left out: no article"] if others else []
    return inputs._replace(paths=kept, notes=(*inputs.notes, *note))


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
        before = ["", *texts[:-1]]
        judged = model.judge(texts, asked, months=months, before=before, pushes=True)
        passages = [
            passage._replace(verdicts=tuple(v for v in passage.verdicts if v.mentions))
            for passage in judged.passages(texts, limits)
        ]
        if foreign := judged.foreign.sum():
            notes.append(f"{name}: {foreign_note(foreign, len(texts), model.recipe.language)}")
        article = _article(name, ", ".join(about.values()), passages, headings)
        if not article.actors:
            whom = "the actor" if request.actor else "any actor of the book"
            notes.append(f"{name}: does not name {whom}; add its aliases to your book (--actors)")
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


def _article(name: str, byline: str, passages: Sequence[Passage], headings: Set[str]) -> Article:
    """Return an article; a short first line that is no sentence is its headline, too."""
    first = passages[0].text
    tags = ["h2" if passage.text in headings else "p" for passage in passages]
    if first in headings or (len(first.split()) <= _TITLE and not _ENDS.search(first)):
        tags[0] = "h1"
    named = dict.fromkeys(actor for passage in passages for actor in passage.actors)
    numbers = {actor: number for number, actor in enumerate(named)}
    places: dict[str, list[Place]] = {actor: [] for actor in numbers}
    for number, (passage, tag) in enumerate(zip(passages, tags, strict=True), 1):
        part = f"paragraph {tags[:number].count('p')}" if tag == "p" else "heading"
        for verdict in passage.verdicts:
            actor = verdict.answer.actor
            places[actor].append((f"p{number}a{numbers[actor]}", part, verdict))
    actors = sorted(
        places.items(), key=lambda item: -sum(verdict.answer.mentions for *_, verdict in item[1])
    )
    title = first if tags[0] == "h1" else name
    return Article(name, title, byline, tags, passages, actors, numbers)
