"""What in a corpus would spoil a study."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from stance.arrays import Ints
from stance.check import EXAMPLES, LABELS, Finding, Severity, Study, lay_out
from stance.check.shortcuts import duplicates, find_pairs, leaks, one_sided, shortcuts
from stance.corpus import CorpusForm, read_corpus, table_form
from stance.display import count, shown
from stance.evaluation.agreement import MISSING, AgreementReport, coded_twice, report_agreement
from stance.label_values import LabelReader, stance_spellings
from stance.reading.actors import ActorBook
from stance.reading.spans import literal_places
from stance.reading.text import normalise
from stance.records import Stance
from stance.tables import column, open_table, optional_column

SEVERITIES: tuple[Severity, ...] = ("spoils", "warn", "note")  # from worst to least
CLASS_ROWS, CLASS_DOCUMENTS = 30, 10  # rows and documents below which a label is too small to learn
ACTOR_ROWS = 20  # rows below which nothing can be said about an actor
UNNAMED = 0.2  # share of the rows whose actor may be missing from the text

# Alpha below which no conclusion can be drawn, and from which on it can (Krippendorff 2004,
# "Content Analysis", section 11.4.2).
TENTATIVE, RELIABLE = 0.667, 0.8
MOST_ACTORS = 8  # actors whose agreement is measured, those coded most often
FEWEST_CODED = 100  # rows coded twice below which alpha says little
FEWEST_IN_GROUP = 20  # rows coded twice below which an actor's or label's own alpha is not judged

# What is looked for: leaks if there are two files, agreement if there are coders.
CHECKS = (
    *("classes", "actors", "mentions", "duplicates", "near-duplicates", "conflicts", "leaks"),
    *("shortcuts", "giveaways", "agreement"),
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
    corpus = read_corpus(paths, keep=("document",), **form)
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
        "texts": len(study.lengths),
        "classes": _class_sizes(study),
        "findings": [
            {"severity": f.severity, "check": f.check, "text": f.text, "figures": dict(f.figures)}
            for f in findings
        ],
        "passed": [name for name in CHECKS if used.get(name, True) and name not in failed],
        "actors": _by_frequency(study),
        "coders": list(names),
        "agreement": report and report.to_json(),
    }


def _findings(study: Study) -> Iterator[Finding]:
    pairs = find_pairs(study)
    yield from chain(_classes(study), _actors(study), _mentions(study), duplicates(study, pairs))
    yield from chain(leaks(study, pairs), shortcuts(study), one_sided(study))
    yield from (Finding("note", "reading", shown(note, 300)) for note in study.corpus.notes)


def _class_sizes(study: Study) -> dict[str, dict[str, int]]:
    rows = np.array([*study.counts(study.corpus.document.tolist()).values()])
    sizes = zip(rows.sum(axis=0).tolist(), (rows > 0).sum(axis=0).tolist(), strict=True)
    return {label: {"rows": r, "documents": d} for label, (r, d) in zip(LABELS, sizes, strict=True)}


def _by_frequency(study: Study) -> list[dict[str, Any]]:
    """Return the rows of each label by actor, the most frequent first."""
    counts = sorted(study.counts(study.actors).items(), key=lambda part: (-sum(part[1]), part[0]))
    return [
        {"name": name, "rows": sum(rows), **dict(zip(LABELS, rows, strict=True))}
        for name, rows in counts
    ]


def _classes(study: Study) -> Iterator[Finding]:
    """Find labels that are missing or too small to learn."""
    for label, size in _class_sizes(study).items():
        rows, documents = size["rows"], size["documents"]
        if not rows and label == Stance.NEUTRAL:
            text = f"no row is {label}: a model never answers it, whatever the text; add such rows"
        elif not rows:
            text = f"no row is {label}: a model cannot learn it; add such rows"
        elif rows < CLASS_ROWS or documents < CLASS_DOCUMENTS:
            text = (
                f"{label} has only {count(rows, 'row')} from {count(documents, 'document')}, too "
                f"few to learn: have at least {CLASS_ROWS} rows from {CLASS_DOCUMENTS} documents"
            )
        else:
            continue
        severity: Severity = "warn" if rows or label == Stance.NEUTRAL else "spoils"
        yield Finding(severity, "classes", text, {"label": label, **size})


def _actors(study: Study) -> Iterator[Finding]:
    """Find actors with too few rows to say anything about them."""
    parts = _by_frequency(study)
    few = {part["name"]: part["rows"] for part in parts if part["rows"] < ACTOR_ROWS}
    if few:
        listed = ", ".join(f"{shown(name, 24)} {few[name]}" for name in [*few][:5])
        more = ", …" if len(few) > 5 else ""
        text = (
            f"{len(few):,} of {count(len(parts), 'actor')} with fewer than {ACTOR_ROWS} "
            f"rows: report no figures for these actors ({listed}{more})"
        )
        yield Finding("warn", "actors", text, {"actors": few})


def _mentions(study: Study) -> Iterator[Finding]:
    """Find actors that are labelled but not named, or named but not labelled."""
    corpus, book = study.corpus, study.book
    number = {name: book.number(name) for name in set(study.actors)}
    named, texts = set[tuple[int, int]](), [*study.lengths]
    for low in range(0, len(texts), _TEXTS):
        pairs = book.named(corpus.texts[row] for row in texts[low : low + _TEXTS])
        book.forget()  # or it would remember the words of the whole corpus
        pairs = pairs[np.isin(pairs[:, 1], [*number.values()])]
        named.update((texts[low + place], actor) for place, actor in pairs.tolist())
    labelled = [*zip(study.text.tolist(), map(number.__getitem__, study.actors), strict=True)]
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
        yield Finding.at(severity, "mentions", text, examples, rows=len(unnamed), share=share)
    if others := sorted(named.difference(labelled)):
        share = len(others) / len(named)
        text = (
            f"{count(len(others), 'time')} ({share:.1%}) a text names an actor of the corpus but "
            "has no label for it; label these too, or shares of labels mislead"
        )
        examples = [
            f"{shown(book.names[actor], 24)} {study.place(row)}" for row, actor in others[:EXAMPLES]
        ]
        yield Finding.at("warn", "mentions", text, examples, pairs=len(others), share=share)


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
) -> tuple[tuple[str, ...], AgreementReport | None]:
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
    spellings, heads = stance_spellings(form.get("labels")), list[tuple[str, ...]]()
    codes: dict[tuple[int, int], int] = {}
    for file, path in enumerate(paths):
        reader = LabelReader(str(path), Stance, spellings, name)
        with open_table(path, **table_form(form)) as table:
            heads.append(table.columns)
            place = optional_column(table.columns, name, table.name)
            for record in table if place is not None else ():
                if (cell := record.cells[place or 0]).strip():
                    codes[file, record.number] = reader.read(cell, record)
        reader.refuse_guess()
    if all(optional_column(head, name, "") is None for head in heads):
        column(heads[0], name, str(paths[0]))  # raises, and suggests a name like it
    rows = zip(study.corpus.source.tolist(), study.corpus.number.tolist(), strict=True)
    return np.array([codes.get(row, MISSING) for row in rows], np.int64)


def _agreed(report: AgreementReport, names: Sequence[str]) -> Iterator[Finding]:
    """Judge how far the coders agree, which is measured within files."""
    overall, who = report.overall, " and ".join(shown(name, 20) for name in names)
    alpha, interval = overall.alpha.value, overall.alpha.interval
    if alpha is None:
        what = "only one label was used" if overall.units else "no row was coded twice"
        yield Finding("warn", "agreement", f"alpha of {who} is undefined: {what}; code more rows")
        return
    if overall.units < FEWEST_CODED:
        text = f"only {count(overall.units, 'row')} coded twice: code at least {FEWEST_CODED}"
        yield Finding("warn", "agreement", text, {"units": overall.units})
    low, advice = alpha if interval is None else interval[0], ""
    if alpha < TENTATIVE:
        advice = f"; below {TENTATIVE} no conclusion holds: sharpen the codebook and recode"
    elif alpha < RELIABLE:
        advice = f"; below {RELIABLE} conclusions are tentative: sharpen the codebook"
    elif low < TENTATIVE:
        advice = f", but its interval reaches down to {low:.3f}: code more rows twice"
    if advice:
        severity: Severity = "spoils" if alpha < TENTATIVE else "warn"
        text = f"Krippendorff's alpha of {who} is {alpha:.3f}{advice}"
        yield Finding(severity, "agreement", text, {"alpha": round(alpha, 6)})
    parts = {**report.per_label, **report.per_group}
    alphas = {n: part.alpha.value for n, part in parts.items() if part.units >= FEWEST_IN_GROUP}
    weak = {n: round(v, 6) for n, v in alphas.items() if v is not None and v < TENTATIVE}
    if weak:
        listed = ", ".join(f"{shown(name, 24)} {value:.2f}" for name, value in weak.items())
        text = f"alpha is below {TENTATIVE} for {listed}: read the rows where the coders differ"
        yield Finding("warn", "agreement", text, {"weak": weak})
