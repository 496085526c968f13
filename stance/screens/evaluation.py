"""An evaluation's figures as a plain-text screen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stance.display import WIDTH, count, wrap
from stance.screens.lines import bounds, cell, percent

LISTED = 15
"""Actors, sources, genres or years listed; of more than these only what can be trusted."""

DIVISIONS = ("corpus", "source", "genre", "year")
"""What rows are divided by beside the actor, where the corpus tells."""

PLURALS = {"corpus": "corpora"}

FEW = "few"
"""Marks an interval that cannot be trusted."""

NAME, LABEL = 30, 11
"""Columns for an actor's and for a label's name."""

CORNER = r"gold \ predicted"

LEGEND = "  (in percent; [low, high] is the 95 % interval, whole documents resampled)"

SUREST = (0.5, 0.25)
"""Shares of answers, the most confident ones, whose errors are told."""

Figures = Mapping[str, Any]


def summary_lines(figures: Figures) -> list[str]:
    """Return the lines of the screen, each under 80 columns.

    Parameters
    ----------
    figures : mapping
        As `stance.evaluation.Report.to_json` returns it. Scores are shown in percent.
    """
    parts = [
        [_headline(figures), *_baselines(figures["baselines"]), LEGEND],
        _classes(figures),
        _confusion(figures),
        *_divisions(figures),
        _calibration(figures),
        _conflict(figures["conflict"]),
        _sentiment(figures.get("sentiment")),
        _leakage(figures.get("leakage")),
        _notes(figures["notes"], (figures.get("sentiment") or {}).get("notes", [])),
    ]
    lines: list[str] = []
    for part in filter(None, parts):
        lines += ["", *part] if lines else part
    return [line.rstrip() for line in lines]


def _headline(figures: Figures) -> str:
    return (
        f"macro-F1 {percent(figures['macro_f1'])}{bounds(figures['macro_f1_interval'])}  "
        f"accuracy {percent(figures['accuracy'])}  n {figures['n']:,}  "
        f"documents {figures['documents']:,}"
    )


def _baselines(baselines: Figures) -> list[str]:
    names = {"majority": "majority label", "target_blind": "target-blind", "lexicon": "lexicon"}
    known = {names[key]: baselines[key] for key in names if key in baselines}
    lines = [
        f"  {name:<20} macro-F1 "
        f"{percent(part['macro_f1']) + bounds(part.get('macro_f1_interval')):<20}"
        f"  accuracy {percent(part['accuracy'])}"
        for name, part in known.items()
    ]
    for name, part in known.items():
        if gain := part.get("difference"):
            lines.append(
                f"  {'model - ' + name:<20} macro-F1 "
                f"{percent(gain['macro_f1'], '+')}{bounds(gain['macro_f1_interval'])}"
            )
    return lines


def _classes(figures: Figures) -> list[str]:
    known = figures.get("per_class_intervals", {})
    lines = [f"{cell('class', LABEL)}  precision  recall  {'F1':<20}  support"]
    for label, row in figures["per_class"].items():
        f1 = percent(row["f1"]) + bounds(known.get(label, {}).get("f1"))
        lines.append(
            f"{cell(label, LABEL)}  {percent(row['precision']):>9}  {percent(row['recall']):>6}"
            f"  {f1:<20}  {row['support']:>7,}"
        )
    return lines


def _confusion(figures: Figures) -> list[str]:
    labels = figures["labels"]
    width = max(1, min(LABEL, (WIDTH - len(CORNER)) // len(labels) - 2))
    lines = [CORNER + "".join("  " + cell(label, width, right=True) for label in labels)]
    for label, row in zip(labels, figures["confusion"], strict=True):
        cells = "".join(f"  {number:>{width},}" for number in row)
        lines.append(cell(label, len(CORNER)) + cells)
    return lines


def _divisions(figures: Figures) -> Iterator[list[str]]:
    """Yield the scores by actor, corpus, source, genre and year, as far as there are any."""
    tables = [_groups("actor", figures.get("per_actor", {}))]
    for name in DIVISIONS:
        groups = figures.get(f"per_{name}", {})
        # The scores of a single group would repeat the first line.
        tables.append(_groups(name, groups) if len(groups) > 1 else [])
    yield from tables
    if any(line.endswith(FEW) for table in tables for line in table):
        yield [
            f"({FEW}: the documents, those with one of the labels, or the errors are too few to",
            "trust the interval)",
        ]


def _groups(title: str, groups: Figures) -> list[str]:
    """Return the scores of each group: the first actors, of others those that can be trusted."""
    if not groups:
        return []
    listed = list(groups.items())
    if title != "actor" and len(listed) > LISTED:
        listed = [pair for pair in listed if pair[1]["trusted"]]
    listed = listed[-LISTED:] if title == "year" else listed[:LISTED]
    many = PLURALS.get(title, f"{title}s")
    if not listed:
        return [f"{len(groups):,} {many}, none of documents enough to trust its score"]
    lines = [f"{cell(title, NAME)}  {'n':>9}  macro-F1  95 % interval"]
    for name, row in listed:
        given = row["interval"] if "interval" in row else row["macro_f1_interval"]
        interval = bounds(given).strip() or "too few documents"
        if given and not row["trusted"]:
            interval = f"{interval:<14}  {FEW}"
        lines.append(
            f"{cell(name, NAME)}  {row['n']:>9,}  {percent(row['macro_f1']):>8}  {interval}"
        )
    if more := len(groups) - len(listed):
        lines.append(f"and {more:,} more {title if more == 1 else many}")
    return lines


def _calibration(figures: Figures) -> list[str]:
    return [
        f"calibration  ECE {percent(figures['ece'])} %  Brier {figures['brier']:.3f}  "
        f"log loss {figures['log_loss']:.3f}  uncertain {percent(figures['uncertain'])} %",
        *_errors(figures["risk_coverage"]),
    ]


def _errors(curve: Sequence[Figures]) -> list[str]:
    nearest = [min(curve, key=lambda p: abs(p["coverage"] - share)) for share in SUREST]
    parts = [
        f"{percent(point['error'])} % of the surest {100 * point['coverage']:.0f} %"
        for point in nearest
        if point["coverage"] < 1
    ]
    first = f"errors  {percent(curve[0]['error'])} % of all"
    return [", ".join([first, *dict.fromkeys(parts)])]


def _conflict(conflict: Figures) -> list[str]:
    if not conflict["n"]:
        return ["conflict  no paragraph has actors of differing gold stance"]
    rows = count(conflict["n"], "row")
    return [
        f"conflict  {rows} whose paragraph has actors of differing gold stance",
        f"  accuracy {percent(conflict['accuracy'])}{bounds(conflict['interval'])}  "
        f"target-blind {percent(conflict['target_blind_accuracy'])}",
    ]


def _sentiment(sentiment: Figures | None) -> list[str]:
    if sentiment is None:
        return []
    lines = ["sentiment of paragraphs", "  " + _headline(sentiment)]
    lines += ["  " + line for line in _baselines(sentiment.get("baselines", {}))]
    return [*lines, *("  " + line for line in _classes(sentiment))]


def _leakage(leakage: Figures | None) -> list[str]:
    if leakage is None:
        return []
    if not leakage["rows"]:
        return wrap("leakage  no row, nor one much like it, was found in the model's training data")
    text = (
        f"leakage  {count(leakage['rows'], 'row')} ({percent(leakage['share'])} %) found in the "
        f"model's training data, {leakage['near']:,} of them much alike but not equal; macro-F1 "
        f"without: {percent(leakage['macro_f1_without'])}"
        f"{bounds(leakage['macro_f1_without_interval'])}"
    )
    return wrap(text)


def _notes(notes: Sequence[str], sentiment: Sequence[str]) -> list[str]:
    every = [*notes, *(f"sentiment: {note}" for note in sentiment)]
    return [line for note in every for line in wrap(f"note: {note}")]
