"""Sections of a report on an evaluation: calibration, and what a model's training says."""

from collections.abc import Mapping, Sequence
from math import log10
from typing import Any

from stance.display import count
from stance.reports import charts
from stance.reports.axes import SHARES, Axis, score_axis, share_axis
from stance.reports.curves import Point, curve
from stance.reports.markup import Html, escaped, isolated, tag
from stance.reports.page import figure, paragraph, section
from stance.reports.scoring import Figures, bounds, estimate_line, percent, ranged
from stance.reports.tables import Column, Data
from stance.screens.model import forecast_text

HEIGHT = 260
"""Pixels of a curve that stands alone."""


def calibration(scores: Figures) -> Html:
    """Return how far the probabilities can be believed, and what is gained by heeding them."""
    figures = [*_reliability(scores), *_risk(scores)]
    text = (
        f"Expected calibration error {percent(scores['ece'])} %, "
        f"Brier score {scores['brier']:.3f} (from 0 to 2; less is better)"
    )
    if "log_loss" in scores:
        text += f", log loss {scores['log_loss']:.3f}"
    return section(
        "calibration",
        "Can its probabilities be believed?",
        paragraph(text + "."),
        tag("div", figures, class_="pair"),
    )


def _reliability(scores: Figures) -> list[Html]:
    found = scores.get("reliability")
    if not found:
        return []
    points = [Point(each["confidence"], each["accuracy"], bounds(each["interval"]))
              for each in found]  # fmt: skip
    data = Data(
        "reliability",
        (
            Column("probability", "bin"), Column("rows", "rows", "count"),
            Column("mean probability, %", "confidence", "share"),
            Column("right, %", "accuracy", "share"),
            Column("low", "low", "share"), Column("high", "high", "share"),
        ),
        [
            [f"{each['low']:.2f}–{each['high']:.2f}", each["n"], each["confidence"],
             each["accuracy"], *(bounds(each["interval"]) or (None, None))]
            for each in found
        ],
    )  # fmt: skip
    described = "; ".join(
        f"{percent(each['confidence'])} % sure, {percent(each['accuracy'])} % right"
        for each in found[:: max(1, len(found) // 5)]
    )
    least = min(1 / 3, *(each["confidence"] for each in found))
    x = Axis(least, 1, ((0.4, "40"), (0.6, "60"), (0.8, "80"), (1.0, "100 %")))
    chart = curve(
        "reliability-chart", "Probability and accuracy", described, points, x, SHARES,
        height=HEIGHT, connected=False, diagonal=True,
    )  # fmt: skip
    note = (
        "Across: the probability that the model gives its answers. Up: how many of these are "
        "right, in percent with 95 % intervals. On the dashed line it promises what it keeps; "
        "below it, more."
    )
    return [figure("Reliability", note, chart, data)]


def _risk(scores: Figures) -> list[Html]:
    found = scores.get("risk_coverage")
    if not found:
        return []
    ordered = sorted(found, key=lambda each: float(each["coverage"]))
    points = [Point(each["coverage"], each["error"]) for each in ordered]
    data = Data(
        "risk-coverage",
        (
            Column("answers given, %", "coverage", "share"),
            Column("rows", "rows", "count"),
            Column("wrong among them, %", "error", "share"),
            Column("least probability", "threshold", "number"),
        ),
        [
            [each["coverage"], each["n"], each["error"], each["threshold"]]
            for each in reversed(ordered)
        ],
    )
    y = share_axis(max(each["error"] for each in ordered))
    described = "; ".join(
        f"{percent(each['coverage'])} % answered, {percent(each['error'])} % wrong"
        for each in ordered[:: max(1, len(ordered) // 5)]
    )
    chart = curve(
        "risk-chart", "Error by share of answers given", described, points, SHARES, y, height=HEIGHT
    )
    area = f" Area under the curve {scores['aurc']:.3f}." if "aurc" in scores else ""
    note = (
        "Across: share of rows answered, the surest first. Up: how many of these answers are "
        f"wrong, in percent.{area}"
    )
    return [figure("What silence would gain", note, chart, data)]


def training(card: Mapping[str, Any]) -> Html:
    """Return what the model's card says of its training: spread over seeds, learning curve."""
    parts = [*_repeats(card.get("repeats")), *_learning(card.get("learning_curve"))]
    if not parts:
        return escaped("")
    note = "From the model's card: cross-validation by document on its training data."
    return section(
        "training", "What training says", paragraph(note, "note"),
        tag("div", parts, class_="pair"),
    )  # fmt: skip


def _repeats(found: Figures | None) -> list[Html]:
    if not found:
        return []
    interval = bounds(found.get("interval"))
    seeds = list(found["seeds"])
    rows = [
        estimate_line("all seeds", found["mean"], interval),
        *(
            estimate_line(f"seed {seed}", score, None)
            for seed, score in zip(seeds, found["macro_f1"], strict=True)
        ),
    ]
    data = Data(
        "repeats",
        (Column("seed", "seed"), Column("macro-F1, %", "macro_f1", "share")),
        [
            [str(seed), score] for seed, score in zip(seeds, found["macro_f1"], strict=True)
        ],
    )  # fmt: skip
    note = f"Macro-F1 in percent: mean {ranged(found['mean'], interval)}"
    if found["sd"] is not None:
        note += f", standard deviation over {count(len(seeds), 'seed')} {percent(found['sd'])}"
    described = "; ".join(f"{row.name} {row.note}" for row in rows)
    axis = score_axis([found["mean"], *found["macro_f1"], *(interval or ())])
    chart = charts.whiskers("repeats-chart", "Macro-F1 by seed", described, rows, axis)
    return [figure("With other folds", f"{note}.", chart, data)]


def _learning(found: Figures | None) -> list[Html]:
    points: Sequence[Figures] = (found or {}).get("points", [])
    if not found or not points:
        return []
    data = Data(
        "learning-curve",
        (
            Column("share of training data, %", "share", "share"),
            Column("rows", "rows", "count"), Column("documents", "documents", "count"),
            Column("macro-F1, %", "macro_f1", "share"),
            Column("low", "low", "share"), Column("high", "high", "share"),
        ),
        [
            [each["share"], each["rows"], each["documents"], each["macro_f1"], each.get("low"),
             each.get("high")]
            for each in points
        ],
    )  # fmt: skip
    placed = [
        Point(log10(each["rows"]), each["macro_f1"], _band(each))
        for each in sorted(points, key=lambda each: float(each["rows"]))
        if each["rows"] > 0
    ]
    first, last = placed[0].x, placed[-1].x
    ends = {first: f"{10**first:,.0f}", last: f"{10**last:,.0f} rows"}
    x = Axis(first, last, tuple(ends.items())) if last > first else Axis(first - 1, first + 1, ())
    described = "; ".join(
        f"{each['rows']:,.0f} rows {percent(each['macro_f1'])}" for each in points
    )
    chart = curve(
        "learning-chart", "Macro-F1 by size of the training data", described, placed, x,
        score_axis(y for p in placed for y in (p.y, *(p.band or ())) if y is not None),
        height=HEIGHT,
    )  # fmt: skip
    note = [
        "Macro-F1 in percent by rows of training data, on a scale where each step multiplies. ",
        isolated(_sentence(forecast_text(found))),
    ]
    return [figure("Would more labels help?", note, chart, data)]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _band(each: Figures) -> tuple[float, float] | None:
    return bounds((each["low"], each["high"])) if each.get("low") is not None else None
