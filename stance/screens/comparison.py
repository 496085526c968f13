"""A comparison's figures as a plain-text screen."""

from collections.abc import Mapping
from typing import Any

from stance.display import WIDTH, count, shown, wrap
from stance.screens.lines import bounds, cell, percent

NAMED = 5
"""Rows in the training data that are named; the rest is counted."""

ACTORS = 15
"""Actors listed; the rest is counted."""

NAME = 18
"""Columns for an actor's name."""

LEGEND = (
    "In percent; [low, high] is the 95 % interval, whole documents resampled, the same ones for "
    "both. p: exact test on accuracy that gives whole documents to A or B by chance (p Holm: "
    "adjusted for the number of actors). McNemar's p takes rows for independent, which those of "
    "one document are not."
)

Figures = Mapping[str, Any]


def summary_lines(figures: Figures) -> list[str]:
    """Return the lines of the screen, each under 80 columns.

    Parameters
    ----------
    figures : mapping
        As `stance.evaluation.comparison.compare` makes them.
    """
    parts = [
        _models(figures),
        _part("stance", figures),
        _actors(figures["per_actor"], figures["left_out"]),
        _part("conflict rows (actors of differing gold stance)", figures["conflict"]),
        _part("sentiment of paragraphs", figures.get("sentiment")),
        _leakage(figures["leakage"]),
        wrap(LEGEND),
        [line for note in figures["notes"] for line in wrap(f"note: {note}")],
    ]
    lines: list[str] = []
    for part in filter(None, parts):
        lines += ["", *part] if lines else part
    return [line.rstrip() for line in lines]


def _models(figures: Figures) -> list[str]:
    names = figures.get("models", {})
    return [f"{mark.upper()}  {shown(name, WIDTH - 5)}" for mark, name in names.items()]


def _part(title: str, part: Figures | None) -> list[str]:
    if part is None:
        return []
    lines = [f"{title}: {count(part['n'], 'row')} of {count(part['documents'], 'document')}"]
    lines.append(f"  {'':<7}  {'macro-F1':<20}  {'accuracy':<20}   ECE  Brier")
    for mark in ("a", "b"):
        own = part[mark]
        scores = (
            percent(own[key]) + bounds(own[f"{key}_interval"]) for key in ("macro_f1", "accuracy")
        )
        cells = "  ".join(f"{score:<20}" for score in scores)
        lines.append(f"  {mark.upper():<7}  {cells}  {percent(own['ece']):>4}  {own['brier']:.3f}")
    gains = (
        percent(part[key], "+") + bounds(part[f"{key}_interval"])
        for key in ("difference", "accuracy_difference")
    )
    lines.append("  A - B    " + "  ".join(f"{gain:<20}" for gain in gains))
    test = part["mcnemar"]
    lines.append(
        f"  right only by A {test['a_only']:,}, only by B {test['b_only']:,}: "
        f"p {_p(test['p'])}  (McNemar on rows: {_p(test['p_rows'])})"
    )
    return lines


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _actors(actors: Figures, left_out: int) -> list[str]:
    rest = [f"{count(left_out, 'actor')} of too few rows left out"] if left_out else []
    if not actors:
        return rest
    head = f"{cell('actor', NAME)}  {'n':>5}  {'A':>5}  {'B':>5}  "
    lines = [f"{head}{'A - B in macro-F1':<23} {'p':>6}  p Holm"]
    for name, part in list(actors.items())[:ACTORS]:
        gain = percent(part["difference"], "+") + bounds(part["difference_interval"])
        scores = "  ".join(f"{percent(part[mark]['macro_f1']):>5}" for mark in ("a", "b"))
        lines.append(
            f"{cell(name, NAME)}  {part['n']:>5,}  {scores}  "
            f"{gain + ('' if part['trusted'] else '*'):<23} {_p(part['p']):>6}  "
            f"{_p(part['p_holm']):>6}"
        )
    if len(actors) > ACTORS:
        lines.append(f"and {count(len(actors) - ACTORS, 'more actor')}")
    if not all(part["trusted"] for part in actors.values()):
        lines.append("(* too few documents, or with one of the labels, to trust the interval)")
    return lines + rest


def _leakage(leakage: Figures) -> list[str]:
    if not leakage["either"]:
        return ["leakage  no row, nor one much like it, was found in either's training data"]
    named = ", ".join(leakage["rows"][:NAMED])
    more = leakage["either"] - NAMED
    lines = wrap(
        f"leakage  {count(leakage['a'], 'row')} found in the training data of A, "
        f"{leakage['b']:,} in that of B: {named}{f' and {more:,} more' if more > 0 else ''}"
    )
    return lines + _part("without them", leakage["without"])
