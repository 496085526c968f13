"""The doctor: what in a corpus would spoil a study."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from stance.check._coders import agreement, coder_names, measure_coders
from stance.check._database import read_study
from stance.check._duplicates import duplicates, find_pairs, leaks
from stance.check._shortcuts import givers, shortcuts
from stance.check._study import LABELS, Few, Finding, Severity, Study
from stance.corpus import CorpusForm
from stance.display import count, shown
from stance.evaluation.agreement import AgreementReport
from stance.label_values import HOLDERS
from stance.reading.actors import ActorBook
from stance.reading.spans import literal_spans
from stance.reading.text import normalise
from stance.records import Stance

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
        rows = study.select("SELECT count(*) FROM records GROUP BY file ORDER BY file")
        return Findings(
            files=tuple((name, size) for name, (size,) in zip(study.files, rows, strict=True)),
            rows=len(study),
            documents=study.documents,
            texts=study.texts,
            classes=tuple(study.classes),
            checks=tuple(name for name in CHECKS if used.get(name, True)),
            findings=tuple(sorted(found, key=lambda f: SEVERITIES.index(f.severity))),
            genres=_parts(study, "genre"),
            actors=_parts(study, "actor"),
            coders=names,
            agreement=report,
        )


def _findings(study: Study) -> Iterator[Finding]:
    find_pairs(study)
    yield from chain(classes(study), actors(study), mentions(study), duplicates(study))
    yield from chain(leaks(study), shortcuts(study), givers(study), lengths(study), _marks(study))
    yield from (Finding("note", "reading", shown(note, 300)) for note in study.notes)


def _parts(study: Study, name: str) -> tuple[Part, ...]:
    """Return the counts of labels by the names in a column, the most frequent first."""
    rows = study.select(f"SELECT * FROM {name}s")
    found = [Part(study.value(name, value), tuple(counts)) for value, *counts in rows]
    if not any(part.name for part in found):
        return ()
    return tuple(sorted(found, key=lambda part: (-sum(part.rows), part.name)))


def classes(study: Study) -> Iterator[Finding]:
    """Find labels that are missing or too small to learn."""
    for label, rows, documents in study.classes:
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
    rows = {part.name: sum(part.rows) for part in _parts(study, "actor")}
    few = {name: number for name, number in rows.items() if number < ACTOR_ROWS}
    if few:
        listed = ", ".join(f"{shown(name, 24)} {few[name]}" for name in [*few][:5])
        more = ", …" if len(few) > 5 else ""
        text = (
            f"{len(few):,} of {count(len(rows), 'actor')} with fewer than {ACTOR_ROWS} "
            f"rows: report no figures for these actors ({listed}{more})"
        )
        yield Finding("warn", "actors", text, {"actors": few})


def mentions(study: Study) -> Iterator[Finding]:
    """Find actors that are labelled but not named, or named but not labelled."""
    study.base.execute("CREATE TABLE named (text, actor, PRIMARY KEY (text, actor)) WITHOUT ROWID")
    study.base.executemany("INSERT INTO named VALUES (?, ?)", _mentions(study))
    rows = study.select(
        "SELECT row, written, named FROM rows LEFT JOIN named ON named.text = rows.text AND "
        "named.actor = rows.actor WHERE spans = '' AND named.text IS NULL"
    )
    yield from _unnamed(study, Few(row for row in rows if not _is_named(study, *row)))
    others = study.select("SELECT text, actor FROM named EXCEPT SELECT text, actor FROM rows")
    yield from _unlabelled(study, Few(others))


_AT_ONCE = 10_000  # texts


def _mentions(study: Study) -> Iterator[tuple[int, int]]:
    """Yield each text and the actors that it names, of those that some row is about."""
    coded = [actor for (actor,) in study.select("SELECT value FROM actors")]
    texts = study.select("SELECT row FROM marks ORDER BY row")
    while rows := [row for (row,) in islice(texts, _AT_ONCE)]:
        found = study.book.named(map(study.written, rows))
        study.book.forget()  # or it would remember the words of the whole corpus
        yield from ((rows[at], who) for at, who in found[np.isin(found[:, 1], coded)].tolist())


def _is_named(study: Study, _row: int, written: int, name: int) -> bool:
    """Return whether the text names the actor as the row does."""
    named = normalise(study.named[name])
    return any(literal_spans(normalise(study.written(written)), named))


def _unnamed(study: Study, found: Few) -> Iterator[Finding]:
    if rows := found.number:
        share = rows / len(study)
        examples = [
            f"{shown(study.named[name], 24)} {study.place(row)}" for row, _, name in found.least
        ]
        text = (
            f"{count(rows, 'row')} ({share:.1%}) about an actor that the text does not name: "
            "add aliases (--actors) or spans, or train a recipe with per_actor"
        )
        severity: Severity = "spoils" if share > UNNAMED else "warn"
        yield Finding.at(severity, "mentions", text, examples, rows=rows, share=share)


def _unlabelled(study: Study, found: Few) -> Iterator[Finding]:
    """Report texts that name an actor judged elsewhere in the corpus, without judging it."""
    if pairs := found.number:
        share = pairs / study.number("SELECT count(*) FROM named")
        examples = [
            f"{shown(study.actors[actor], 24)} {study.place(text)}" for text, actor in found.least
        ]
        text = (
            f"{count(pairs, 'time')} ({share:.1%}) a text names an actor of the corpus but "
            "has no label for it; label these too, or shares of labels mislead"
        )
        yield Finding.at("warn", "mentions", text, examples, pairs=pairs, share=share)


def lengths(study: Study) -> Iterator[Finding]:
    """Find texts that are empty, very short or very long."""
    kinds = (
        ("no word", 0, 0, "delete them"),
        (f"fewer than {SHORT} words", 1, SHORT - 1, "are they paragraphs?"),
        (f"more than {LONG} words", LONG + 1, 1 << 62, "split them into paragraphs"),
    )
    for what, least, most, advice in kinds:
        query = "SELECT row FROM marks WHERE words BETWEEN ? AND ?"
        found = Few(study.select(query, least, most))
        if texts := found.number:
            examples = [study.place(row) for (row,) in found.least]
            text = f"{count(texts, 'text')} with {what}: {advice}"
            yield Finding.at("warn", "lengths", text, examples, texts=texts)


def _marks(study: Study) -> Iterator[Finding]:
    """Count the rows that say whose stance it is, or that the alias is not the actor."""
    names = [HOLDERS[0], "an actor", HOLDERS[1]]
    query = (
        "SELECT holder, count(*) FROM records WHERE holder >= 0 GROUP BY holder ORDER BY min(row)"
    )
    if met := {names[kind]: rows for kind, rows in study.select(query)}:
        listed = ", ".join(
            f"{name} {rows:,}" for name, rows in sorted(met.items(), key=lambda own: -own[1])
        )
        text = f"{count(sum(met.values()), 'row')} with a holder of the stance: {listed}"
        yield Finding("note", "holders", text, met)
    if wrong := study.number("SELECT sum(false_match) FROM records"):
        share = wrong / len(study)
        text = f"{count(wrong, 'row')} ({share:.1%}) where the alias is not the actor"
        yield Finding("note", "false matches", text, {"rows": wrong, "share": round(share, 6)})
