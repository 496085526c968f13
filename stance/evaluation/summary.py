"""An evaluation's figures as a plain-text screen."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import combining, east_asian_width

from stance.display import count, shown

WIDTH = 79
"""Columns of a line."""

ACTORS = 15
"""Actors listed; the rest is counted."""

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
        _actors(figures.get("per_actor", {})),
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


def _percent(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{100 * value:{sign}.1f}"


def _range(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f" [{_percent(interval[0])}, {_percent(interval[1])}]"


def _cell(text: str, width: int, *, right: bool = False) -> str:
    """Return the text cut or filled to columns of a terminal; wide characters take two."""
    text = shown(text, 4 * width)
    while len(text) and _columns(text) > width:
        text = text[:-2] + "…"
    space = " " * (width - _columns(text))
    return space + text if right else text + space


def _columns(text: str) -> int:
    return sum(0 if combining(c) else 1 + (east_asian_width(c) in "WF") for c in text)


def _wrap(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent + "  ", initial_indent=indent)


def _headline(figures: Figures) -> str:
    return (
        f"macro-F1 {_percent(figures['macro_f1'])}{_range(figures['macro_f1_interval'])}  "
        f"accuracy {_percent(figures['accuracy'])}  n {figures['n']:,}  "
        f"documents {figures['documents']:,}"
    )


def _baselines(baselines: Figures) -> list[str]:
    names = {"majority": "majority label", "target_blind": "target-blind", "lexicon": "lexicon"}
    known = {names[key]: baselines[key] for key in names if key in baselines}
    lines = [
        f"  {name:<20} macro-F1 "
        f"{_percent(part['macro_f1']) + _range(part.get('macro_f1_interval')):<20}"
        f"  accuracy {_percent(part['accuracy'])}"
        for name, part in known.items()
    ]
    for name, part in known.items():
        if gain := part.get("difference"):
            lines.append(
                f"  {'model - ' + name:<20} macro-F1 "
                f"{_percent(gain['macro_f1'], '+')}{_range(gain['macro_f1_interval'])}"
            )
    return lines


def _classes(figures: Figures) -> list[str]:
    lines = [f"{_cell('class', LABEL)}  precision  recall     F1  support"]
    for label, row in figures["per_class"].items():
        lines.append(
            f"{_cell(label, LABEL)}  {_percent(row['precision']):>9}  {_percent(row['recall']):>6}"
            f"  {_percent(row['f1']):>5}  {row['support']:>7,}"
        )
    return lines


def _confusion(figures: Figures) -> list[str]:
    labels = figures["labels"]
    width = max(1, min(LABEL, (WIDTH - len(CORNER)) // len(labels) - 2))
    lines = [CORNER + "".join("  " + _cell(label, width, right=True) for label in labels)]
    for label, row in zip(labels, figures["confusion"], strict=True):
        cells = "".join(f"  {number:>{width},}" for number in row)
        lines.append(_cell(label, len(CORNER)) + cells)
    return lines


def _actors(actors: Figures) -> list[str]:
    if not actors:
        return []
    lines = [f"{_cell('actor', NAME)}  {'n':>9}  macro-F1  95 % interval"]
    for name, row in list(actors.items())[:ACTORS]:
        interval = _range(row["interval"]).strip() or "too few documents"
        if row["interval"] and not row["trusted"]:
            interval = f"{interval:<14}  few"
        lines.append(
            f"{_cell(name, NAME)}  {row['n']:>9,}  {_percent(row['macro_f1']):>8}  {interval}"
        )
    if len(actors) > ACTORS:
        lines.append(f"and {count(len(actors) - ACTORS, 'more actor')}")
    if any(row["interval"] and not row["trusted"] for row in actors.values()):
        lines.append("  (few: too few documents, or with one of the labels, to trust the interval)")
    return lines


def _calibration(figures: Figures) -> list[str]:
    return [
        f"calibration  ECE {_percent(figures['ece'])} %  Brier {figures['brier']:.3f}  "
        f"log loss {figures['log_loss']:.3f}  uncertain {_percent(figures['uncertain'])} %",
        *_errors(figures["risk_coverage"]),
    ]


def _errors(curve: Sequence[Figures]) -> list[str]:
    nearest = [min(curve, key=lambda p: abs(p["coverage"] - share)) for share in SUREST]
    parts = [
        f"{_percent(point['error'])} % of the surest {100 * point['coverage']:.0f} %"
        for point in nearest
        if point["coverage"] < 1
    ]
    first = f"errors  {_percent(curve[0]['error'])} % of all"
    return [", ".join([first, *dict.fromkeys(parts)])]


def _conflict(conflict: Figures) -> list[str]:
    if not conflict["n"]:
        return ["conflict  no paragraph has actors of differing gold stance"]
    rows = count(conflict["n"], "row")
    return [
        f"conflict  {rows} whose paragraph has actors of differing gold stance",
        f"  accuracy {_percent(conflict['accuracy'])}{_range(conflict['interval'])}  "
        f"target-blind {_percent(conflict['target_blind_accuracy'])}",
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
        return ["leakage  no row was in the model's training data"]
    text = (
        f"leakage  {count(leakage['rows'], 'row')} ({_percent(leakage['share'])} %) in the model's "
        f"training data; macro-F1 without: {_percent(leakage['macro_f1_without'])}"
    )
    return _wrap(text)


def _notes(notes: Sequence[str], sentiment: Sequence[str]) -> list[str]:
    every = [*notes, *(f"sentiment: {note}" for note in sentiment)]
    return [line for note in every for line in _wrap(f"note: {note}")]
