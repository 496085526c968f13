"""Second codings in a corpus: read, compared, judged."""

from collections.abc import Iterator, Sequence

import numpy as np

from stance.arrays import Ints
from stance.check.findings import LABELS, Finding
from stance.check.study import Study
from stance.corpus import STANCES, LabelReader
from stance.display import count, shown
from stance.evaluation.agreement import MISSING, AgreementReport, report_agreement
from stance.records import Stance
from stance.tables import Record

TENTATIVE, RELIABLE = 0.667, 0.8
"""Alpha below which no conclusion can be drawn, and from which on it can (Krippendorff 2004,
"Content Analysis", section 11.4.2)."""

ACTORS = 8
"""Actors whose agreement is measured, those coded most often."""

FEW = 100
"""Rows coded twice below which alpha says little."""

GROUP = 20
"""Rows coded twice from which on an actor's alpha is judged."""


def coder_names(coders: str | None) -> tuple[str, ...]:
    """Return the columns to compare; a single one is compared with ``stance``.

    Examples
    --------
    >>> coder_names("second"), coder_names("coder_1, coder_2"), coder_names(None)
    (('stance', 'second'), ('coder_1', 'coder_2'), ())
    """
    names = tuple(dict.fromkeys(name.strip() for name in (coders or "").split(",") if name.strip()))
    return ("stance", *names) if len(names) == 1 and names != ("stance",) else names


def measure(study: Study, names: Sequence[str]) -> AgreementReport:
    """Measure the agreement of the codings in some columns of the corpus.

    Raises
    ------
    DataError
        If a code means nothing.
    """
    codes = np.stack(
        [study.corpus.stance if name == "stance" else _codes(study, name) for name in names]
    )
    actors = [study.actors[number] for number in study.actor]
    return report_agreement(codes, LABELS, study.corpus.document, actors, largest=ACTORS)


def _codes(study: Study, name: str) -> Ints:
    """Return the stance that a coder gave each row, `MISSING` where none."""
    readers = [LabelReader(str(path), name, STANCES, tuple(Stance)) for path in study.paths]
    codes = np.full(len(study.row), MISSING, np.int64)
    for row, cell in enumerate(study.columns[name]):
        if cell.strip():
            record = Record(int(study.row[row]), int(study.line[row]), ())
            codes[row] = readers[study.corpus.source[row]].read(cell, record)
    return codes


def agreement(report: AgreementReport, names: Sequence[str]) -> Iterator[Finding]:
    """Judge how far the coders agree."""
    overall, who = report.overall, " and ".join(shown(name, 20) for name in names)
    if "stance" in names:
        yield Finding(
            "note",
            "agreement",
            "column 'stance' is taken for a coder; if it was adjudicated, name both first codings: "
            "--coders ONE,OTHER",
        )
    if overall.alpha.value is None:
        what = "only one label was used" if overall.units else "no row was coded twice"
        yield Finding("warn", "agreement", f"alpha of {who} is undefined: {what}; code more rows")
        return
    if overall.units < FEW:
        yield Finding(
            "warn",
            "agreement",
            f"only {count(overall.units, 'row')} coded twice: code at least {FEW}",
            {"units": overall.units},
        )
    yield from _judge(overall.alpha.value, overall.alpha.interval, who)
    yield from _weak(report)


def _judge(alpha: float, interval: tuple[float, float] | None, who: str) -> Iterator[Finding]:
    figures = {"alpha": round(alpha, 6), "interval": interval and [round(v, 6) for v in interval]}
    said = f"Krippendorff's alpha of {who} is {alpha:.3f}"
    low = alpha if interval is None else interval[0]
    if alpha < TENTATIVE:
        advice = f"below {TENTATIVE} no conclusion holds: sharpen the codebook and recode"
        yield Finding("spoils", "agreement", f"{said}; {advice}", figures)
    elif alpha < RELIABLE:
        advice = f"below {RELIABLE} conclusions are tentative: sharpen the codebook"
        yield Finding("warn", "agreement", f"{said}; {advice}", figures)
    elif low < TENTATIVE:
        advice = f"but its interval reaches down to {low:.3f}: code more rows twice"
        yield Finding("warn", "agreement", f"{said}, {advice}", figures)


def _weak(report: AgreementReport) -> Iterator[Finding]:
    """Tell of labels and actors with low agreement of their own."""
    parts = [*report.per_label.items(), *report.per_group.items()]
    weak = [
        (name, part.alpha.value)
        for name, part in parts
        if part.units >= GROUP and part.alpha.value is not None and part.alpha.value < TENTATIVE
    ]
    if weak:
        listed = ", ".join(f"{shown(name, 24)} {alpha:.2f}" for name, alpha in weak)
        yield Finding(
            "warn",
            "agreement",
            f"alpha below {TENTATIVE} on {listed}: read where the coders differ",
            {"weak": {name: round(alpha, 6) for name, alpha in weak}},
        )
