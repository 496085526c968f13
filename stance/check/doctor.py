"""The doctor: what in a corpus would spoil a study."""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from stance.check._coders import agreement, coder_names, measure_coders
from stance.check._duplicates import EXAMPLES, conflicts, duplicates, leaks, near_twins
from stance.check._shortcuts import givers, shortcuts
from stance.check.census import LABELS, Finding, Names, Severity, Study, grouped, read_study
from stance.corpus import CorpusForm
from stance.display import count, shown
from stance.evaluation.agreement import AgreementReport
from stance.reading.actors import ActorBook
from stance.reading.spans import literal_spans
from stance.reading.text import normalise
from stance.records import Stance
from stance.spellings import HOLDERS

SEVERITIES: tuple[Severity, ...] = ("spoils", "warn", "note")  # from worst to least
CLASS_ROWS, CLASS_DOCUMENTS = 30, 10  # rows and documents below which a label is too small to learn
ACTOR_ROWS = 20  # rows below which nothing can be said about an actor
UNNAMED = 0.2  # share of the rows whose actor may be missing from the text

SHORT, LONG = 5, 500  # words below which a text says too little, and above which it is no paragraph

# What is looked for: leaks if there are two files, agreement if there are coders.
CHECKS = (
    *("classes", "actors", "mentions", "duplicates", "near-duplicates", "conflicts", "leaks"),
    *("shortcuts", "giveaways", "lengths", "agreement"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of each label in part of a corpus."""

    name: str
    rows: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON object."""
        counts: dict[str, Any] = dict(zip(LABELS, self.rows, strict=True))
        return {"name": self.name, "rows": sum(self.rows)} | counts


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that a check says about a corpus."""

    files: tuple[tuple[str, int], ...]  # name and rows
    rows: int
    documents: int
    texts: int
    classes: tuple[tuple[str, int, int], ...]  # label, its rows and its documents
    checks: tuple[str, ...]  # everything that was looked for
    findings: tuple[Finding, ...]  # the worst first
    genres: tuple[Part, ...] = ()  # the most frequent first
    actors: tuple[Part, ...] = ()  # likewise; an actor of the book by its name there
    coders: tuple[str, ...] = ()  # columns whose agreement was measured
    agreement: AgreementReport | None = None

    @property
    def spoils(self) -> bool:
        """Whether something found would spoil a study."""
        return any(finding.severity == "spoils" for finding in self.findings)

    @property
    def passed(self) -> tuple[str, ...]:
        """Checks that found nothing to fix."""
        failed = {finding.check for finding in self.findings if finding.severity != "note"}
        return tuple(check for check in self.checks if check not in failed)

    def to_json(self) -> dict[str, Any]:
        """Return everything as a JSON object."""
        return {
            "spoils": self.spoils,
            "files": [{"name": name, "rows": rows} for name, rows in self.files],
            "rows": self.rows,
            "documents": self.documents,
            "texts": self.texts,
            "classes": {name: {"rows": r, "documents": d} for name, r, d in self.classes},
            "findings": [finding.to_json() for finding in self.findings],
            "passed": list(self.passed),
            "genres": [part.to_json() for part in self.genres],
            "actors": [part.to_json() for part in self.actors],
            "coders": list(self.coders),
            "agreement": self.agreement and self.agreement.to_json(),
        }


def check(
    paths: Sequence[Path],
    *,
    book: ActorBook,
    coders: str | None = None,
    **form: Unpack[CorpusForm],
) -> Findings:
    """Look for what in a corpus would spoil a study.

    Texts that two files share leak: someone may train on one and test on the other. ``coders``
    names columns with labels of single coders, separated by commas; one alone is compared with
    ``stance``. An empty cell was not coded. The form is as in `stance.corpus.read_corpus`. Raises
    `DataError` if a file is not a corpus, or none has a column of ``coders``.
    """
    names = coder_names(coders)
    with read_study(paths, book, [name for name in names if name != "stance"], **form) as study:
        names, report = measure_coders(study, names, form.get("labels"))
        found = [*_findings(study), *agreement(study, report, names)]
        used = {"leaks": len(study.files) > 1, "agreement": report is not None}
        rows = np.bincount(study.source, minlength=len(study.files)).tolist()
        return Findings(
            files=tuple(zip(study.files, rows, strict=True)),
            rows=len(study),
            documents=len(np.unique(study.document)),
            texts=len(study.first),
            classes=tuple(_classes(study)),
            checks=tuple(name for name in CHECKS if used.get(name, True)),
            findings=tuple(sorted(found, key=lambda f: SEVERITIES.index(f.severity))),
            genres=_parts(study, study.columns["genre"]),
            actors=_parts(study, Names(study.actor, study.actors)),
            coders=names,
            agreement=report,
        )


def _findings(study: Study) -> Iterator[Finding]:
    twins = near_twins(study)
    yield from chain(classes(study), actors(study), mentions(study), duplicates(study, twins))
    yield from chain(conflicts(study), leaks(study, twins), shortcuts(study), givers(study))
    yield from lengths(study)
    yield from _marks(study)
    yield from (Finding("note", "reading", shown(note, 300)) for note in study.notes)


def _classes(study: Study) -> Iterator[tuple[str, int, int]]:
    for number, label in enumerate(LABELS):
        rows = np.flatnonzero(study.stance == number)
        yield label, len(rows), study.count_documents(rows)


def _parts(study: Study, column: Names) -> tuple[Part, ...]:
    """Return the counts of labels by the names in a column, the most frequent first."""
    cells = column.number * np.int64(len(LABELS)) + study.stance
    table = np.bincount(cells, minlength=len(LABELS) * len(column.names)).reshape(-1, len(LABELS))
    rows = zip(column.names, map(tuple, table.tolist()), strict=True)
    found = [Part(name, own) for name, own in rows if any(own)]
    if not any(part.name for part in found):
        return ()
    return tuple(sorted(found, key=lambda part: (-sum(part.rows), part.name)))


def classes(study: Study) -> Iterator[Finding]:
    """Find labels that are missing or too small to learn."""
    for label, rows, documents in _classes(study):
        figures = {"label": label, "rows": rows, "documents": documents}
        if not rows and label == Stance.NEUTRAL:
            text = f"no row is {label}: a model never answers it, whatever the text; add such rows"
            yield Finding("warn", "classes", text, figures)
        elif not rows:
            text = f"no row is {label}: a model cannot learn it; add such rows"
            yield Finding("spoils", "classes", text, figures)
        elif rows < CLASS_ROWS or documents < CLASS_DOCUMENTS:
            text = (
                f"{label} has only {count(rows, 'row')} from {count(documents, 'document')}, too "
                f"few to learn: have at least {CLASS_ROWS} rows from {CLASS_DOCUMENTS} documents"
            )
            yield Finding("warn", "classes", text, figures)


def actors(study: Study) -> Iterator[Finding]:
    """Find actors with too few rows to say anything about them."""
    rows = np.bincount(study.actor, minlength=len(study.actors))
    few = [i for i in np.argsort(-rows, kind="stable").tolist() if rows[i] < ACTOR_ROWS]
    if few:
        listed = ", ".join(f"{shown(study.actors[i], 24)} {rows[i]}" for i in few[:5])
        more = ", …" if len(few) > 5 else ""
        text = (
            f"{len(few):,} of {count(len(study.actors), 'actor')} with fewer than {ACTOR_ROWS} "
            f"rows: report no figures for these actors ({listed}{more})"
        )
        figures = {"actors": {study.actors[i]: int(rows[i]) for i in few}}
        yield Finding("warn", "actors", text, figures)


def mentions(study: Study) -> Iterator[Finding]:
    """Find actors that are labelled but not named, or named but not labelled."""
    book = copy(study.book)  # so that the words it meets here are forgotten afterwards
    size = np.int64(max(1, len(book)))
    number = np.array([book.number(name) for name in study.actors])[study.actor]
    coded, spanned = np.unique(number[number >= 0]), study.key("spans") > 0
    order, starts, _ = grouped(study.text)
    unnamed, unlabelled, named = array("q"), array("q"), 0
    for low in range(0, len(starts), _AT_ONCE):
        texts = study.first[low : low + _AT_ONCE].tolist()
        pairs = np.add(book.named(map(study.written, texts)), [low, 0])
        pairs = pairs[np.isin(pairs[:, 1], coded)]
        rows = order[slice(*np.append(starts, len(order))[[low, low + len(texts)]])]
        asked, found = study.text[rows] * size + number[rows], pairs[:, 0] * size + pairs[:, 1]
        known = (number[rows] >= 0) & np.isin(asked, found) | spanned[rows]
        unnamed.extend(row for row in rows[~known].tolist() if not _named(study, row))
        named += len(pairs)
        others = pairs[~np.isin(found, asked[number[rows] >= 0])]
        unlabelled.extend((study.first[others[:, 0]] * size + others[:, 1]).tolist())
    yield from _unnamed(study, sorted(unnamed))
    yield from _unlabelled(study, sorted(unlabelled), named)


_AT_ONCE = 10_000  # texts


def _named(study: Study, row: int) -> bool:
    """Return whether the text names the actor as the row does."""
    name = study.named.names[study.named.number[row]]
    return bool(literal_spans(normalise(study.written(row)), normalise(name)))


def _unnamed(study: Study, rows: Sequence[int]) -> Iterator[Finding]:
    if rows:
        share, named = len(rows) / len(study), study.named
        examples = [
            f"{shown(named.names[named.number[row]], 24)} {study.place(row)}"
            for row in rows[:EXAMPLES]
        ]
        text = (
            f"{count(len(rows), 'row')} ({share:.1%}) about an actor that the text does not name: "
            "add aliases (--actors) or spans, or train a recipe with per_actor"
        )
        severity: Severity = "spoils" if share > UNNAMED else "warn"
        yield Finding.at(severity, "mentions", text, examples, rows=len(rows), share=share)


def _unlabelled(study: Study, pairs: Sequence[int], named: int) -> Iterator[Finding]:
    """Report texts that name an actor judged elsewhere in the corpus, without judging it.

    A pair is the first row of the text, times the actors in the book, plus the actor's number.
    """
    if pairs:
        share = len(pairs) / named
        examples = [
            f"{shown(study.book.names[actor], 24)} {study.place(row)}"
            for row, actor in (divmod(pair, len(study.book)) for pair in pairs[:EXAMPLES])
        ]
        text = (
            f"{count(len(pairs), 'time')} ({share:.1%}) a text names an actor of the corpus but "
            "has no label for it; label these too, or shares of labels mislead"
        )
        yield Finding.at("warn", "mentions", text, examples, pairs=len(pairs), share=share)


def lengths(study: Study) -> Iterator[Finding]:
    """Find texts that are empty, very short or very long."""
    words = np.fromiter((len(study.words(text)) for text in range(len(study.first))), np.int32)
    kinds = (
        ("no word", words == 0, "delete them"),
        (f"fewer than {SHORT} words", (words > 0) & (words < SHORT), "are they paragraphs?"),
        (f"more than {LONG} words", words > LONG, "split them into paragraphs"),
    )
    for what, which, advice in kinds:
        if which.any():
            rows = np.sort(study.first[which])
            examples = [study.place(row) for row in rows[:EXAMPLES].tolist()]
            text = f"{count(len(rows), 'text')} with {what}: {advice}"
            yield Finding.at("warn", "lengths", text, examples, texts=len(rows))


def _marks(study: Study) -> Iterator[Finding]:
    """Count the rows that say whose stance it is, or that the alias is not the actor."""
    kinds, first, sizes = np.unique(study.holder, return_index=True, return_counts=True)
    names = [HOLDERS[0], "an actor", HOLDERS[1]]
    met = [at for at in np.argsort(first).tolist() if kinds[at] >= 0]  # by first row
    if met:
        named = Counter({names[kinds[at]]: int(sizes[at]) for at in met})
        listed = ", ".join(f"{name} {number:,}" for name, number in named.most_common())
        text = f"{count(named.total(), 'row')} with a holder of the stance: {listed}"
        yield Finding("note", "holders", text, dict(named))
    if wrong := int(study.false_match.sum()):
        share = wrong / len(study)
        text = f"{count(wrong, 'row')} ({share:.1%}) where the alias is not the actor"
        yield Finding("note", "false matches", text, {"rows": wrong, "share": round(share, 6)})
