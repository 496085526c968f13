"""The doctor: what in a corpus would spoil a study."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from stance.arrays import Ints
from stance.check.codings import agreement, coder_names, measure
from stance.check.duplicates import EXAMPLES, conflicts, duplicates, leaks, near_twins
from stance.check.findings import LABELS, SEVERITIES, Finding, Findings, Part
from stance.check.shortcuts import givers, shortcuts
from stance.check.study import Study, read_study
from stance.display import count, shown
from stance.evaluation.agreement import AgreementReport
from stance.reading.actors import ActorBook
from stance.reading.spans import literal_spans
from stance.reading.text import normalise

__all__ = ["Finding", "Findings", "check"]

CLASS_ROWS, CLASS_DOCUMENTS = 30, 10
"""Rows and documents below which a label is too small to learn."""

ACTOR_ROWS = 20
"""Rows below which nothing can be said of an actor."""

UNNAMED = 0.2
"""Part of the rows whose actor may be missing from the text."""

SHORT, LONG = 5, 500
"""Words below which a text says too little, and beyond which it is no paragraph."""

CHECKS = (
    "classes",
    "actors",
    "mentions",
    "duplicates",
    "near-duplicates",
    "conflicts",
    "leaks",
    "shortcuts",
    "giveaways",
    "lengths",
    "agreement",
)
"""What is looked for: leaks where there are two files, agreement where there are coders."""


def check(
    paths: Sequence[Path],
    *,
    book: ActorBook,
    coders: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> Findings:
    """Look for what in a corpus would spoil a study.

    Parameters
    ----------
    paths : sequence of Path
        Texts that two files share leak: someone may train on one and test on the other.
    book : ActorBook
    coders : str or None
        Columns with labels of single coders, separated by commas; one alone is compared with
        ``stance``. An empty cell was not coded.

    Raises
    ------
    DataError
        A file is no corpus, or none has a column of ``coders``.
    """
    names = coder_names(coders)
    study = read_study(paths, book, names, delimiter=delimiter, encoding=encoding)
    report = measure(study, names) if names else None
    return _gather(study, names, report)


def _gather(study: Study, names: tuple[str, ...], report: AgreementReport | None) -> Findings:
    found = [*_findings(study), *(agreement(report, names) if report else ())]
    used = {"leaks": len(study.files) > 1, "agreement": report is not None}
    return Findings(
        files=tuple(zip(study.files, (s.rows for s in study.corpus.sources), strict=True)),
        rows=len(study.corpus),
        documents=len(np.unique(study.corpus.document)),
        texts=len(study.first),
        classes=tuple(_classes(study)),
        checks=tuple(name for name in CHECKS if used.get(name, True)),
        findings=tuple(sorted(found, key=lambda f: SEVERITIES.index(f.severity))),
        genres=_parts(study, study.corpus.extra.get("genre", ())),
        actors=_parts(study, [study.actors[number] for number in study.actor]),
        coders=names,
        agreement=report,
    )


def _findings(study: Study) -> Iterator[Finding]:
    twins = near_twins(study)
    yield from classes(study)
    yield from actors(study)
    yield from mentions(study)
    yield from duplicates(study, twins)
    yield from conflicts(study)
    yield from leaks(study, twins)
    yield from shortcuts(study)
    yield from givers(study)
    yield from lengths(study)
    yield from (Finding("note", "reading", shown(note, 300)) for note in study.corpus.notes)


def _classes(study: Study) -> Iterator[tuple[str, int, int]]:
    for number, label in enumerate(LABELS):
        rows = np.flatnonzero(study.corpus.stance == number)
        yield label, len(rows), study.documents(rows)


def _parts(study: Study, names: Sequence[str]) -> tuple[Part, ...]:
    """Return the counts of labels by the names in a column, the most frequent first."""
    counts = Counter(zip(names, study.corpus.stance.tolist(), strict=True)) if names else Counter()
    sizes = Counter(names)
    ordered = sorted(sizes, key=lambda name: (-sizes[name], name))
    return tuple(
        Part(name, tuple(counts[name, label] for label in range(len(LABELS)))) for name in ordered
    )


def classes(study: Study) -> Iterator[Finding]:
    """Find labels that are missing or too small to learn."""
    for label, rows, documents in _classes(study):
        figures = {"label": label, "rows": rows, "documents": documents}
        if not rows:
            text = f"no row is {label}: a model cannot learn it; add such rows"
            yield Finding("spoils", "classes", text, figures)
        elif rows < CLASS_ROWS or documents < CLASS_DOCUMENTS:
            text = (
                f"{label} has {count(rows, 'row')} of {count(documents, 'document')}, too few to "
                f"learn: add some, up to {CLASS_ROWS} rows of {CLASS_DOCUMENTS} documents"
            )
            yield Finding("warn", "classes", text, figures)


def actors(study: Study) -> Iterator[Finding]:
    """Find actors with too few rows to say something of them."""
    rows = np.bincount(study.actor, minlength=len(study.actors))
    few = [i for i in np.argsort(-rows, kind="stable").tolist() if rows[i] < ACTOR_ROWS]
    if few:
        listed = ", ".join(f"{shown(study.actors[i], 24)} {rows[i]}" for i in few[:5])
        more = ", …" if len(few) > 5 else ""
        yield Finding(
            "warn",
            "actors",
            f"{len(few):,} of {count(len(study.actors), 'actor')} with fewer than {ACTOR_ROWS} "
            f"rows: give no figures per actor for them ({listed}{more})",
            {"actors": {study.actors[i]: int(rows[i]) for i in few}},
        )


def mentions(study: Study) -> Iterator[Finding]:
    """Find actors that are labelled but not named, and named but not labelled."""
    size = max(1, len(study.book))
    pairs = study.book.named(study.corpus.texts[row] for row in study.first.tolist())
    named = pairs[:, 0] * size + pairs[:, 1]
    numbers = np.array([study.book.number(name) for name in study.actors])
    number = numbers[study.actor]
    labelled = study.text * size + number
    known = (number >= 0) & np.isin(labelled, named)
    yield from _unnamed(study, [r for r in np.flatnonzero(~known).tolist() if not _named(study, r)])
    coded = np.isin(pairs[:, 1], numbers[numbers >= 0])
    open_pairs = pairs[coded & ~np.isin(named, labelled[number >= 0])]
    yield from _unlabelled(study, open_pairs, int(coded.sum()))


def _named(study: Study, row: int) -> bool:
    """Return whether spans or the literal name say where the actor is."""
    if study.corpus.spans[row]:
        return True
    text = normalise(study.corpus.texts[row])
    return bool(literal_spans(text, normalise(study.corpus.actors[row])))


def _unnamed(study: Study, rows: list[int]) -> Iterator[Finding]:
    if rows:
        share = len(rows) / len(study.corpus)
        examples = [
            f"{shown(study.corpus.actors[row], 24)} {study.place(row)}" for row in rows[:EXAMPLES]
        ]
        yield Finding(
            "spoils" if share > UNNAMED else "warn",
            "mentions",
            f"{count(len(rows), 'row')} ({share:.1%}) on an actor that the text does not name: "
            f"add aliases (--actors) or spans ({', '.join(examples)})",
            {"rows": len(rows), "share": round(share, 6), "examples": examples},
        )


def _unlabelled(study: Study, pairs: Ints, named: int) -> Iterator[Finding]:
    """Tell of texts that name an actor judged elsewhere in the corpus, without judging it."""
    if len(pairs):
        share = len(pairs) / named
        rows = sorted((int(study.first[text]), int(actor)) for text, actor in pairs)
        examples = [
            f"{shown(study.book.names[actor], 24)} {study.place(row)}"
            for row, actor in rows[:EXAMPLES]
        ]
        yield Finding(
            "warn",
            "mentions",
            f"{count(len(pairs), 'time')} ({share:.1%}) a text names an actor of the corpus "
            f"without a label for it; label these too, or shares of labels mislead "
            f"({', '.join(examples)})",
            {"pairs": len(pairs), "share": round(share, 6), "examples": examples},
        )


def lengths(study: Study) -> Iterator[Finding]:
    """Find texts that are empty, very short or very long."""
    words = np.array([len(words) for words in study.words])
    kinds = (
        ("no word", words == 0, "delete them"),
        (f"fewer than {SHORT} words", (words > 0) & (words < SHORT), "are they paragraphs?"),
        (f"more than {LONG} words", words > LONG, "cut them into paragraphs"),
    )
    for what, which, advice in kinds:
        if which.any():
            rows = np.sort(study.first[which])
            examples = [study.place(row) for row in rows[:EXAMPLES].tolist()]
            yield Finding(
                "warn",
                "lengths",
                f"{count(len(rows), 'text')} with {what}: {advice} ({', '.join(examples)})",
                {"texts": len(rows), "examples": examples},
            )
