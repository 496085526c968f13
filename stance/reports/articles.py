"""Articles to read: a page for each, its mentions coloured by stance, and an index of several."""

import re
import warnings
from collections.abc import Iterator, Sequence
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
from stance.runs.summary import abstention_notes
from stance.tables import Inputs, months_of, open_inputs
from stance.tables.articles import open_article
from stance.tables.sources import InputFile

INDEX = "index.html"
_ENDS = re.compile(r"[.!…。！][\"'”’»)\]]*$")
_STEM = 40  # characters of a file's name in that of its page
_TITLE = 30  # words of a first paragraph that may be a headline
Piece = tuple[str, str, str]  # element of a paragraph, why it is boilerplate or "", and its text
Place = tuple[str, str, Verdict]  # anchor of an answer, its part such as "paragraph 2", and it


class Article(NamedTuple):
    """An article and the answers to it."""

    name: str  # of its file
    title: str  # its headline, or else the name of its file
    byline: str
    parts: Sequence[tuple[str, str, Passage]]  # element (h1 for a headline, h2, p), reason, text
    actors: Sequence[tuple[str, Sequence[Place]]]  # most mentions first
    numbers: dict[str, int]  # of the actors, in order of first mention
    answers: int  # that are given
    withheld: int  # because of the rate
    asked: int  # for answers
    notes: Sequence[str]  # for its readers


def write_articles(
    inputs: Inputs, reading: InputOptions, output: Path, maker: Maker, *,
    abstain: float | None = None, force: bool = False,
) -> tuple[list[str], int]:  # fmt: skip
    """Write a page, or a folder of pages; return what to say, and how many files are unread."""
    several = inputs.several
    if several and output.suffix.lower() in (".html", ".htm"):
        raise UsageError(f"{output}: several articles make several pages; name a folder")
    if several:
        make_folder(output, INDEX, force=force)
    notes, listed = [*inputs.notes], list[tuple[str, Article]]()
    with AtomicGroup() as group:
        articles = read_articles(inputs, reading, maker.model, abstain, notes)
        for number, article in enumerate(articles, 1):
            stem = re.sub(r"\W+", "-", article.name.rpartition(".")[0], flags=re.ASCII)[:_STEM]
            name = f"{number:03}-{stem}.html"
            listed.append((name, article))
            page = render(
                "article", len(article.numbers), title=shown(article.title, 200),
                article=article, maker=maker, actor=reading.actor, abstain=abstain,
                index=INDEX if several else "",
            )  # fmt: skip
            group.write(output / name if several else output, page, force=force)
        if not listed:
            raise DataError(notes[-1])
        failed = len(inputs.paths) - len(listed)
        lost = [f"{count(failed, 'file')} could not be read"] * (failed > 0)
        sizes = ((article.answers, article.withheld, article.asked) for _, article in listed)
        answers, *rates = map(sum, zip(*sizes, strict=True))
        rated = [*abstention_notes(maker.model, abstain, *rates)]
        if several:
            best = sorted(listed, key=lambda pair: -pair[1].answers)
            title = f"Stance in {count(len(listed), 'article')}"
            page = render("articles", title=title, listed=best, stances=ANSWERS, notes=rated + lost)
            group.write(output / INDEX, page, force=force)
    what = "; ".join([f"{count(len(listed), 'article')}, {count(answers, 'answer')}", *lost])
    return [*notes, *rated, f"wrote {output / INDEX if several else output}: {what}"], failed


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


def read_articles(
    inputs: Inputs, reading: InputOptions, model: StanceModel, abstain: float | None,
    notes: list[str],
) -> Iterator[Article]:  # fmt: skip
    """Yield articles with the answers to them, and add notes on each.

    Of several, one that cannot be read is left out, with a note.
    """
    limits = thresholds(model.calibration, abstain)
    for path in inputs.paths:
        name = shown_path(path or "standard input")
        try:
            pieces, about = _paragraphs(path, reading, notes)
        except DataError as error:
            if not inputs.several or isinstance(error, ExtraError):
                raise
            notes.append(f"{error}; left out")
            continue
        texts = [text for *_, text in pieces]
        months = np.repeat(months_of([about.get("date", "")]), len(texts))
        asked = [reading.actor] * len(texts) if reading.actor else None
        kept = iter(["", *(text for _, reason, text in pieces if not reason)])
        before = ["" if reason else next(kept) for _, reason, _ in pieces]  # of no boilerplate
        with warnings.catch_warnings(record=True, action="always") as warned:
            judged = model.judge(texts, asked, months=months, before=before, pushes=True)
        passages = judged.passages(texts, limits)
        parts = [(*piece[:2], passage) for piece, passage in zip(pieces, passages, strict=True)]
        places, remarks = _places(parts), [str(warning.message) for warning in warned]
        unknown = judged.withheld & (judged.mentions > 0)
        if judged.foreign.any():
            number = len({*np.flatnonzero(judged.foreign), *judged.para[unknown]})
            remarks.append(foreign_note(number, len(texts), model.recipe.language))
        notes += [f"{name}: {note}" for note in remarks]
        stances = [place[2].answer.stance for mine in places.values() for place in mine]
        withheld = stances.count(UNCERTAIN) - int(unknown.sum())
        remarks += abstention_notes(model, abstain, withheld, len(stances))
        if not places:
            whom = "the actor" if reading.actor else "any actor of the book"
            notes.append(f"{name}: does not name {whom}; add its aliases to your book (--actors)")
        file = shown_path(path.name) if path else name
        title = next((text for tag, _, text in pieces if tag == "h1"), file)
        numbers = {actor: number for number, actor in enumerate(places)}
        actors = sorted(places.items(), key=lambda one: -sum(v.answer.mentions for *_, v in one[1]))
        sizes = len(stances) - stances.count(UNCERTAIN), withheld, len(stances)
        byline = ", ".join(about.values())
        yield Article(file, title, byline, parts, actors, numbers, *sizes, remarks)


def _paragraphs(
    path: Path | None, reading: InputOptions, notes: list[str]
) -> tuple[list[Piece], dict[str, str]]:
    """Return paragraphs, a short first line as headline, and what an article says of itself."""
    opened = open_inputs(Inputs((path,)), reading) if path else open_article(None, reading)
    with opened as table:
        rows = [dict(zip(table.columns, record.cells, strict=True)) for record in table]
        notes += table.notes
    about = {k: shown(rows[0][k], 80) for k in ("date", "outlet") if rows and rows[0].get(k)}
    pieces, headings = [(r["text"], r.get("boilerplate", "")) for r in rows], table.headings
    if not pieces:
        where = shown_path(path or "standard input")
        raise DataError(f"{where}: has no paragraph; check that it is an article")
    tags = ["p" if reason or text not in headings else "h2" for text, reason in pieces]
    first = next((text for text, reason in pieces if not reason), "")
    if first and (first in headings or (len(first.split()) <= _TITLE and not _ENDS.search(first))):
        tags[pieces.index((first, ""))] = "h1"
    return [(tag, reason, text) for tag, (text, reason) in zip(tags, pieces, strict=True)], about


def _places(parts: Sequence[tuple[str, str, Passage]]) -> dict[str, list[Place]]:
    """Return the answers on each actor, and where they are, in order of first mention."""
    places = dict[str, list[Place]]()
    for number, (tag, _, passage) in enumerate(parts, 1):
        part = f"paragraph {number}" if tag == "p" else "heading"
        for verdict in filter(lambda verdict: verdict.mentions, passage.verdicts):
            mine = places.setdefault(verdict.answer.actor, [])
            anchor = f"p{number}a{[*places].index(verdict.answer.actor)}"
            mine.append((anchor, part, verdict))
    return places
