"""What in a corpus would spoil a study."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from stance.arrays import Ints
from stance.check import EXAMPLES, LABELS, Finding, Severity, Study, lay_out
from stance.check.duplicates import duplicates, find_pairs, leaks, near_duplicates
from stance.corpus import CorpusForm, read_corpus, table_form
from stance.display import count, shown
from stance.evaluation.agreement import MISSING, coded_twice, report_agreement
from stance.evaluation.answers import Figures
from stance.label_values import LabelReader, stance_spellings
from stance.reading.actors import ActorBook
from stance.reading.spans import literal_places
from stance.reading.text import normalise
from stance.records import Stance
from stance.tables import Record, column, open_table

SEVERITIES: tuple[Severity, ...] = ("spoils", "warn", "note")  # from worst to least
CLASS_ROWS, CLASS_DOCUMENTS = 30, 10  # rows and documents below which a label is too small to learn
ACTOR_ROWS = 20  # rows below which nothing can be said about an actor
UNNAMED = 0.2  # share of the rows whose actor may be missing from the text

# Alpha below which no conclusion can be drawn, and from which on it can (Krippendorff 2004,
# "Content Analysis", section 11.4.2).
TENTATIVE, RELIABLE = 0.667, 0.8
MOST_ACTORS = 8  # actors whose agreement is measured, those coded most often
FEWEST_CODED = 100  # rows coded twice below which alpha says little

# What is looked for: leaks if there are two files, agreement if there are coders.
CHECKS = (
    *("classes", "actors", "mentions", "duplicates", "near-duplicates", "conflicts", "leaks"),
    "agreement",
)
_TEXTS = 10_000  # searched for mentions at a time


def check_corpora(
    paths: Sequence[Path], *, book: ActorBook, coders: str | None = None, **form: Unpack[CorpusForm]
) -> dict[str, Any]:
    """Look for what in a corpus would spoil a study; return counts and findings, the worst first.

    Texts that two files share leak: someone may train on one and test on the other. ``coders``
    names columns with labels of single coders, separated by commas; one alone is compared with
    ``stance``. An empty cell was not coded. The form is as in `stance.corpus.read_corpus`. Raises
    `DataError` if a file is not a corpus, or none has a column of ``coders``.
    """
    names = coder_columns(coders)
    corpus = read_corpus(paths, keep=("document", *names), **form)
    study = lay_out(corpus, paths, book)
    names, report = _measure_coders(study, names, paths, form)
    findings = [*_findings(study), *(_agreed(report, names) if report else ())]
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    used = {"leaks": len(paths) > 1, "agreement": report is not None}
    failed = {finding.check for finding in findings if finding.severity != "note"}
    sizes = zip(study.files, corpus.sources, strict=True)
    return {
        "spoils": any(finding.severity == "spoils" for finding in findings),
        "files": [{"name": name, "rows": source.rows} for name, source in sizes],
        "rows": len(corpus),
        "documents": len(np.unique(corpus.document)),
        "texts": len(np.unique(study.text)),
        "classes": _class_sizes(study),
        "findings": [asdict(finding) for finding in findings],
        "passed": [name for name in CHECKS if used.get(name, True) and name not in failed],
        "coders": list(names),
        "agreement": report,
    }


def _findings(study: Study) -> Iterator[Finding]:
    pairs = find_pairs(study)
    yield from chain(_classes(study), _actors(study), _mentions(study), duplicates(study))
    yield from chain(near_duplicates(study, pairs), leaks(study, pairs))
    yield from (Finding("note", "reading", shown(note, 300)) for note in study.corpus.notes)


def _class_sizes(study: Study) -> dict[str, dict[str, int]]:
    rows_of = [study.corpus.stance == label for label in range(len(LABELS))]
    documents = [len(np.unique(study.corpus.document[rows])) for rows in rows_of]
    return {
        label: {"rows": int(rows.sum()), "documents": number}
        for label, rows, number in zip(LABELS, rows_of, documents, strict=True)
    }


def _classes(study: Study) -> Iterator[Finding]:
    """Find labels that are missing or too small to learn."""
    for label, size in _class_sizes(study).items():
        rows, documents = size["rows"], size["documents"]
        if not rows:
            text = f"no row is {label}, so a model never answers it: add such rows"
        elif rows < CLASS_ROWS or documents < CLASS_DOCUMENTS:
            text = (
                f"{label} has only {count(rows, 'row')} from {count(documents, 'document')}, too "
                f"few to learn: have at least {CLASS_ROWS} rows from {CLASS_DOCUMENTS} documents"
            )
        else:
            continue
        severity: Severity = "warn" if rows or label == Stance.NEUTRAL else "spoils"
        yield Finding(severity, "classes", text)


def _actors(study: Study) -> Iterator[Finding]:
    """Find actors with too few rows to say anything about them."""
    sizes = Counter(study.actors).most_common()
    few = [(name, rows) for name, rows in sizes if rows < ACTOR_ROWS]
    if few:
        listed = [f"{shown(name, 24)} {rows}" for name, rows in few[:EXAMPLES]]
        text = (
            f"{len(few):,} of {count(len(sizes), 'actor')} with fewer than {ACTOR_ROWS} "
            "rows: report no figures for these actors"
        )
        yield Finding.at("warn", "actors", text, listed)


def _mentions(study: Study) -> Iterator[Finding]:
    """Find rows about an actor that the text does not name."""
    corpus, book = study.corpus, study.book
    number = {name: book.number(name) for name in set(study.actors)}
    named, texts = set[tuple[int, int]](), np.unique(study.text).tolist()
    for low in range(0, len(texts), _TEXTS):
        pairs = book.named(corpus.texts[row] for row in texts[low : low + _TEXTS])
        book.forget()  # or it would remember the words of the whole corpus
        named.update((texts[low + place], actor) for place, actor in pairs.tolist())
    labelled = zip(study.text.tolist(), map(number.__getitem__, study.actors), strict=True)
    unnamed = [
        row
        for row, pair in enumerate(labelled)
        if not corpus.spans[row] and pair not in named and not _is_named(study, row)
    ]
    if unnamed:
        share = len(unnamed) / len(corpus)
        text = (
            f"{count(len(unnamed), 'row')} ({share:.1%}) about an actor that the text does not "
            "name: add aliases (--actors) or spans, or train a recipe with per_actor"
        )
        examples = [
            f"{shown(corpus.actors[row], 24)} {study.place(row)}" for row in unnamed[:EXAMPLES]
        ]
        severity: Severity = "spoils" if share > UNNAMED else "warn"
        yield Finding.at(severity, "mentions", text, examples)


def _is_named(study: Study, row: int) -> bool:
    """Return whether the text names the actor as the row does."""
    corpus = study.corpus
    return any(literal_places(study.book, normalise(corpus.texts[row]), corpus.actors[row]))


# --- How far coders agree, and whether conclusions can be drawn from that ---


def coder_columns(coders: str | None) -> tuple[str, ...]:
    """Return the columns to compare; a single one is compared with ``stance``.

    >>> coder_columns("second"), coder_columns("coder_1, coder_2"), coder_columns(None)
    (('stance', 'second'), ('coder_1', 'coder_2'), ())
    """
    names = tuple(dict.fromkeys(name.strip() for name in (coders or "").split(",") if name.strip()))
    return ("stance", *names) if len(names) == 1 and names != ("stance",) else names


def _measure_coders(
    study: Study, names: tuple[str, ...], paths: Sequence[Path], form: CorpusForm
) -> tuple[tuple[str, ...], Figures | None]:
    """Return the coders, those of the columns named or of long form, and how far they agree."""
    corpus = study.corpus
    if names:
        codes = np.stack([_codes(study, name, paths, form) for name in names])
    elif corpus.annotations:
        names, codes = corpus.annotations.coders, corpus.annotations.codes
    else:
        return (), None
    twice = np.flatnonzero(coded_twice(codes))  # the other rows say nothing
    actors = [study.actors[row] for row in twice.tolist()]
    documents = corpus.document[twice]
    return names, report_agreement(codes[:, twice], LABELS, documents, actors, largest=MOST_ACTORS)


def _codes(study: Study, name: str, paths: Sequence[Path], form: CorpusForm) -> Ints:
    """Return the stance that a coder gave each row, or `MISSING`, from the column of this name."""
    if name == "stance":
        return study.corpus.stance
    cells = study.corpus.extra.get(name)
    if cells is None:
        with open_table(paths[0], **table_form(form)) as table:
            column(table.columns, name, table.name)  # raises, and suggests a name like it
        return np.full(len(study.corpus), MISSING)
    spellings = stance_spellings(form.get("labels"))
    readers = [LabelReader(str(path), Stance, spellings, name) for path in paths]
    places = zip(study.corpus.source.tolist(), study.corpus.number.tolist(), cells, strict=True)
    codes = [
        readers[file].read(cell, Record(number, 0, ())) if cell.strip() else MISSING
        for file, number, cell in places
    ]
    for reader in readers:
        reader.refuse_guess()
    return np.array(codes, np.int64)


def _agreed(agreement: Figures, names: Sequence[str]) -> Iterator[Finding]:
    """Judge how far the coders agree, which is measured within files."""
    who = " and ".join(shown(name, 20) for name in names)
    alpha, units = agreement["alpha"]["value"], agreement["units"]
    if alpha is None:
        what = "only one label was used" if units else "no row was coded twice"
        yield Finding("warn", "agreement", f"alpha of {who} is undefined: {what}; code more rows")
        return
    if units < FEWEST_CODED:
        text = f"only {count(units, 'row')} coded twice: code at least {FEWEST_CODED}"
        yield Finding("warn", "agreement", text)
    if alpha < RELIABLE:
        limit = f"below {RELIABLE} conclusions are tentative: make the codebook clearer"
        if alpha < TENTATIVE:
            limit = f"below {TENTATIVE} no conclusion holds: make the codebook clearer and recode"
        severity: Severity = "spoils" if alpha < TENTATIVE else "warn"
        text = f"Krippendorff's alpha of {who} is {alpha:.3f}; {limit}"
        yield Finding(severity, "agreement", text)
