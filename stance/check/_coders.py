"""How far the coders of a corpus agree, and whether conclusions can be drawn from that."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress

import numpy as np

from stance.arrays import Ints8
from stance.check._study import LABELS, Finding, Study
from stance.display import count, shown
from stance.evaluation.agreement import MISSING, AgreementReport, coded_twice, report_agreement
from stance.label_values import LabelReader, stance_spellings
from stance.records import Stance
from stance.tables import Record

# Alpha below which no conclusion can be drawn, and from which on it can (Krippendorff 2004,
# "Content Analysis", section 11.4.2).
TENTATIVE, RELIABLE = 0.667, 0.8

MOST_ACTORS = 8  # actors whose agreement is measured, those coded most often
FEWEST_CODED = 100  # rows coded twice below which alpha says little
FEWEST_IN_GROUP = 20  # rows coded twice below which an actor's or label's own alpha is not judged


def coder_names(coders: str | None) -> tuple[str, ...]:
    """Return the columns to compare; a single one is compared with ``stance``.

    >>> coder_names("second"), coder_names("coder_1, coder_2"), coder_names(None)
    (('stance', 'second'), ('coder_1', 'coder_2'), ())
    """
    names = tuple(dict.fromkeys(name.strip() for name in (coders or "").split(",") if name.strip()))
    return ("stance", *names) if len(names) == 1 and names != ("stance",) else names


def measure_coders(
    study: Study, names: tuple[str, ...], labels: Mapping[str, str] | None
) -> tuple[tuple[str, ...], AgreementReport | None]:
    """Return the coders, those of the columns named or of long form, and how far they agree."""
    if names:
        spellings = stance_spellings(labels)
        codes = np.stack([_codes(study, name, spellings) for name in names])
    elif study.annotations:
        names, codes = study.annotations.coders, study.annotations.codes.astype(np.int8)
    else:
        return (), None
    twice = coded_twice(codes)  # the other rows say nothing
    rows = compress(study.select("SELECT document, actor FROM rows ORDER BY row"), twice)
    documents, actors = array("q"), list[str]()
    for document, actor in rows:
        documents.append(document)
        actors.append(study.actors[actor])
    found = codes[:, twice].astype(np.int64), LABELS, np.array(documents, np.int64), actors
    return names, report_agreement(*found, largest=MOST_ACTORS)


def _codes(study: Study, name: str, words: Mapping[str, int]) -> Ints8:
    """Return the stance that a coder gave each row, or `MISSING`."""
    if name == "stance":
        found = study.select("SELECT stance FROM records ORDER BY row")
        return np.fromiter((stance for (stance,) in found), np.int8)
    readers = [LabelReader(str(path), Stance, words, name) for path in study.paths]
    codes = array("b")
    query = f"SELECT file, number, line, {study.columns[name]} FROM records ORDER BY row"
    for file, number, line, cell in study.select(query):
        record = Record(number, line, ())
        codes.append(readers[file].read(cell, record) if cell.strip() else MISSING)
    for reader in readers:
        reader.refuse_guess()
    return np.frombuffer(codes, np.int8)


def agreement(
    study: Study, report: AgreementReport | None, names: Sequence[str]
) -> Iterator[Finding]:
    """Judge how far the coders agree, which is measured within files."""
    if pairs := study.coded_apart:
        text = (
            f"{count(pairs, 'pair')} with coders in different files, who are not compared: "
            "put all codings into one table to measure their agreement"
        )
        yield Finding("warn", "agreement", text, {"pairs": pairs})
    if report is not None:
        yield from _agreed(report, names)


def _agreed(report: AgreementReport, names: Sequence[str]) -> Iterator[Finding]:
    overall, who = report.overall, " and ".join(shown(name, 20) for name in names)
    if "stance" in names:
        text = (
            "column 'stance' is taken for a coder; if it was adjudicated, name both first codings: "
            "--coders ONE,OTHER"
        )
        yield Finding("note", "agreement", text)
    if overall.alpha.value is None:
        what = "only one label was used" if overall.units else "no row was coded twice"
        yield Finding("warn", "agreement", f"alpha of {who} is undefined: {what}; code more rows")
        return
    if overall.units < FEWEST_CODED:
        text = f"only {count(overall.units, 'row')} coded twice: code at least {FEWEST_CODED}"
        yield Finding("warn", "agreement", text, {"units": overall.units})
    yield from _judge(overall.alpha.value, overall.alpha.interval, who)
    parts = [*report.per_label.items(), *report.per_group.items()]
    alphas = {n: part.alpha.value for n, part in parts if part.units >= FEWEST_IN_GROUP}
    weak = {name: a for name, a in alphas.items() if a is not None and a < TENTATIVE}
    if weak:
        listed = ", ".join(f"{shown(name, 24)} {alpha:.2f}" for name, alpha in weak.items())
        text = f"alpha is below {TENTATIVE} for {listed}: read the rows where the coders differ"
        figures = {"weak": {name: round(alpha, 6) for name, alpha in weak.items()}}
        yield Finding("warn", "agreement", text, figures)


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
