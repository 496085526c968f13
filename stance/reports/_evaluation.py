"""The page on an evaluation: its charts and tables."""

from collections.abc import Sequence
from math import ceil, log10
from pathlib import Path
from typing import Any

from markupsafe import Markup

from stance.corpus import Source
from stance.display import count, shown
from stance.files import AtomicGroup
from stance.records import UNCERTAIN
from stance.reports import _charts as charts
from stance.reports import _page as page
from stance.reports._charts import Estimate, Line, Point
from stance.reports._evaluated import (
    DIVISIONS,
    MOST_GROUPS,
    Division,
    EvaluationReport,
    Score,
    interval_of,
    score_of,
)
from stance.reports._examples import Mistake
from stance.reports._page import ROWS, Cell, Column, Data, Figure, text_column, with_interval
from stance.reports._scales import SHARES, Axis, score_axis, share_axis
from stance.screens import Figures, percent
from stance.screens.model import gain_text
from stance.storage import model_hash

HEIGHT = 260  # pixels of a curve that stands alone
HEATS = 5  # shades of a share, from none to all

KINDS: dict[str, tuple[str, str, charts.Tone]] = {  # name of a class's score, form, tone
    "precision": ("precision", "diamond", "quietly"),
    "recall": ("recall", "square", "quietly"),
    "f1": ("F1", "dot", "ink"),
}

MACRO_F1 = with_interval("macro-F1, %", "macro_f1", "macro_f1_low", "macro_f1_high")
ACCURACY = with_interval("accuracy, %", "accuracy", "accuracy_low", "accuracy_high")


def _whiskers(
    name: str, title: str, scores: Sequence[Score], data: Data, axis: Axis = SHARES
) -> Figure:
    return Figure(charts.whiskers(name, title, [each.line() for each in scores], axis), data)


def _rivals_figure(report: EvaluationReport) -> Figure:
    scores = [report.macro_f1, *(rival.score for rival in report.rivals.values())]
    does = ["", *(rival.what for rival in report.rivals.values())]
    rows = [[score.name, *score.cells(), what] for score, what in zip(scores, does, strict=True)]
    columns = (text_column("model"), *MACRO_F1, Column("what it does", "what"))
    data = Data("baselines", columns, rows)
    return _whiskers("rivals", "Macro-F1 beside baselines", scores, data)


def _gains_figure(gains: Sequence[Score]) -> Figure:
    """Draw the differences to the rivals, both scored on the same resamples."""
    lines = []
    for gain in gains:
        mark, words = Estimate(gain.value, gain.interval), page.points(gain.value, gain.interval, 1)
        lines.append(Line(f"more than {gain.name}", words, (mark,)))
    widest = max(abs(end) for gain in gains for end in (gain.value, *(gain.interval or ())))
    most = max(0.1, ceil(10 * widest) / 10)
    axis = Axis(-most, most, tuple((at, page.signed(100 * at)) for at in (-most, 0, most)), 0)
    columns = with_interval("difference, points", "difference", kind="signed")
    rows = [[gain.name, *gain.cells()] for gain in gains]
    data = Data("gains", (text_column("baseline"), *columns), rows)
    return Figure(charts.whiskers("gains", "Difference to baselines", lines, axis), data)


def _conflict_figure(found: Figures) -> Figure:
    blind = Score("target-blind words", found["target_blind_accuracy"], None)
    scores = [score_of("this model", found, "accuracy", "interval"), blind]
    rows = [[score.name, *score.cells()] for score in scores]
    data = Data("conflict", (text_column("model"), *ACCURACY), rows)
    return _whiskers("conflict-chart", "Accuracy where sides differ", scores, data)


def _classes_figure(scores: Figures, name: str) -> Figure:
    known = scores.get("per_class_intervals") or {}
    lines, words = [], []
    rows: list[list[Cell]] = []
    for label, part in scores["per_class"].items():
        marks = []
        rows.append([label, part["support"]])
        for key, (_, form, tone) in KINDS.items():
            ends = interval_of(known.get(label, {}).get(key))
            marks.append(Estimate(part[key], ends, tone, form))
            rows[-1] += (part[key], *(ends or (None, None)))
        lines.append(Line(label, count(part["support"], "row"), tuple(marks)))
        found = (f"{title} {percent(part[key])}" for key, (title, _, _) in KINDS.items())
        words.append(f"{label}: {', '.join(found)}")
    columns = [text_column("class"), ROWS]
    for key, (title, _, _) in KINDS.items():
        columns += with_interval(f"{title}, %", key, f"{key}_low", f"{key}_high")
    legend = charts.legend(*((form, tone, title) for title, form, tone in KINDS.values()))
    chart = charts.whiskers(f"{name}-chart", "Scores by class", lines, description="; ".join(words))
    return Figure(chart, Data(f"{name}-scores", columns, rows), legend)


def _confusion(scores: Figures) -> Data:
    labels, withheld = list(map(str, scores["labels"])), scores.get("withheld") or {}
    silent = [UNCERTAIN] * any(withheld.values())
    columns = (Column(label, label, "count") for label in (*labels, *silent))
    rows = [
        [label, *row, *(withheld[label] for _ in silent)]
        for label, row in zip(labels, scores["confusion"], strict=True)
    ]
    return Data("confusion", (text_column("labelled"), *columns), rows)


def _sampled(texts: Sequence[str]) -> str:
    return "; ".join(texts[:: max(1, len(texts) // 5)])


def _reliability_figure(found: Sequence[Figures]) -> Figure:
    rows, marks, words = [], [], []
    for each in found:
        name = f"{each['low']:.2f}–{each['high']:.2f}"
        right = score_of(name, each, "accuracy", "interval")
        rows.append([name, each["n"], each["confidence"], *right.cells()])
        marks.append(Point(each["confidence"], right.value, right.interval))
        words.append(f"{percent(each['confidence'])} % sure, {percent(right.value)} % right")
    ticks = ((0.4, "40"), (0.6, "60"), (0.8, "80"), (1.0, "100 %"))
    x = Axis(min(1 / 3, *(mark.x for mark in marks)), 1, ticks)
    name, title = "reliability-chart", "Probability and accuracy"
    form: Any = {"height": HEIGHT, "connected": False}
    chart = charts.curve(name, title, _sampled(words), marks, x, SHARES, **form)
    sure = Column("mean probability, %", "confidence", "share")
    columns = (Column("probability", "bin"), ROWS, sure, *with_interval("right, %", "accuracy"))
    return Figure(chart, Data("reliability", columns, rows))


def _risk_figure(found: Sequence[Figures]) -> Figure:
    ordered = sorted(found, key=lambda each: float(each["coverage"]))
    marks = [Point(each["coverage"], each["error"]) for each in ordered]
    words = [f"{percent(mark.x)} % answered, {percent(mark.y)} % wrong" for mark in marks]
    y = share_axis(max(each["error"] for each in ordered))
    title = "Error by share of answers given"
    chart = charts.curve("risk-chart", title, _sampled(words), marks, SHARES, y, height=HEIGHT)
    given = Column("answers given, %", "coverage", "share")
    wrong = Column("wrong among them, %", "error", "share")
    columns = (given, ROWS, wrong, Column("least probability", "threshold", "number"))
    rows = [[each[key] for key in ("coverage", "n", "error", "threshold")] for each in ordered]
    return Figure(chart, Data("risk-coverage", columns, rows[::-1]))


def _division_figure(division: Division) -> Figure:
    title, noun = DIVISIONS[division.key]
    calibrated = any("ece" in part for _, part in division.groups)
    columns = [Column(noun, "group"), ROWS, *MACRO_F1]
    columns += [Column("calibration error, %", "ece", "share")] * calibrated
    rows: list[list[Cell]] = [
        [score.name, part["n"], *score.cells(), *[part.get("ece")] * calibrated]
        for score, part in division.groups
    ]
    data = Data(division.key.replace("_", "-"), columns, rows)
    if not division.charted:
        return Figure(Markup(), data)
    scores = [score for score, _ in division.groups[:MOST_GROUPS]]
    return _whiskers(f"{division.key}-chart", f"Macro-F1 of {title}", scores, data)


def _stress_figure(tests: Sequence[Figures]) -> Figure:
    rates, rows = [], []
    for test in tests:
        hard = ", hard" if test.get("kind") == "hard" else ""
        note = f"{test['failures']:,} of {test['n']:,}{hard}"
        rate = Score(test["name"], test["rate"], interval_of(test["interval"]), note)
        rates.append(rate)
        kind, promise = test.get("kind", ""), test.get("promise", "")
        rows.append([rate.name, kind, promise, test["n"], test["failures"], *rate.cells()])
    texts = map(text_column, ("test", "kind", "promise"))
    counts = (Column(name, name, "count") for name in ("cases", "failures"))
    data = Data("stress", (*texts, *counts, *with_interval("rate, %", "rate")), rows)
    axis = share_axis(max(end for r in rates for end in (r.value, *(r.interval or ()))))
    return _whiskers("stress-chart", "Rates of failure", rates, data, axis)


def _repeats_figure(found: Figures) -> Figure:
    mean = score_of("all seeds", found, "mean", "interval")
    rows = [[str(s), score] for s, score in zip(found["seeds"], found["macro_f1"], strict=True)]
    scores = [mean, *(Score(f"seed {seed}", score, None) for seed, score in rows)]
    data = Data("repeats", (text_column("seed"), MACRO_F1[0]), rows)
    axis = score_axis([mean.value, *found["macro_f1"], *(mean.interval or ())])
    return _whiskers("repeats-chart", "Macro-F1 by seed", scores, data, axis)


def _learning_figure(found: Sequence[Figures]) -> Figure:
    marks = []
    for each in sorted(found, key=lambda each: float(each["rows"])):
        band = None if each.get("low") is None else (each["low"], each["high"])
        marks.append(Point(log10(max(1, each["rows"])), each["macro_f1"], band))
    first, last = marks[0].x, marks[-1].x
    ends = ((first, f"{10**first:,.0f}"), (last, f"{10**last:,.0f} rows"))
    x = Axis(first, last, ends) if last > first else Axis(first - 1, first + 1, ())
    y = score_axis(h for p in marks for h in (p.y, *(p.band or ())) if h is not None)
    words = "; ".join(f"{each['rows']:,.0f} rows {percent(each['macro_f1'])}" for each in found)
    title = "Macro-F1 by size of the training data"
    chart = charts.curve("learning-chart", title, words, marks, x, y, height=HEIGHT)
    part = Column("share of training data, %", "share", "share")
    documents = Column("documents", "documents", "count")
    columns = (part, ROWS, documents, *with_interval("macro-F1, %", "macro_f1"))
    keys = ("share", "rows", "documents", "macro_f1", "low", "high")
    rows = [[each.get(key) for key in keys] for each in found]
    return Figure(chart, Data("learning-curve", columns, rows))


def write_evaluation(
    path: Path,
    scores: Figures,
    card: Figures,
    sources: Sequence[Source],
    mistakes: Sequence[Mistake],
    together: AtomicGroup,
    *,
    model: Path | None = None,
    force: bool = False,
) -> None:
    file = (model.name, model_hash(model)) if model else None
    report = EvaluationReport(scores, card, sources, mistakes, file)
    together.write(path, compose(report), force=force)


def compose(report: EvaluationReport) -> bytes:
    scores, card = report.scores, report.card
    conflict = scores.get("conflict") or {"n": 0}
    tests = (scores.get("stress") or {}).get("tests", [])
    curve, repeats = card.get("learning_curve") or {}, card.get("repeats")
    reliability, risk = scores.get("reliability"), scores.get("risk_coverage")
    tone = scores.get("sentiment")
    gains = [rival.gain for rival in report.rivals.values() if rival.gain]
    figures: dict[str, Any] = {
        "rivals": _rivals_figure(report),
        "gains": gains and _gains_figure(gains),
        "conflict": conflict["n"] and _conflict_figure(conflict),
        "classes": _classes_figure(scores, "classes"),
        "reliability": reliability and _reliability_figure(reliability),
        "risk": risk and _risk_figure(risk),
        "divisions": [(each, _division_figure(each)) for each in report.divisions],
        "stress": tests and _stress_figure(tests),
        "tone": tone and _classes_figure(tone, "sentiment"),
        "repeats": repeats and _repeats_figure(repeats),
        "learning": curve.get("points") and _learning_figure(curve["points"]),
    }
    tested: list[list[Cell]] = [
        [source.name, source.rows, source.sha256] for source in report.sources
    ]
    trained = [[part["name"], part["rows"], part["sha256"]] for part in card.get("data", [])]
    columns = (text_column("corpus"), ROWS, text_column("sha256"))
    return page.render(
        "evaluation",
        title=f"Evaluation of {shown(report.model[0], 80) if report.model else 'a stance model'}",
        report=report,
        **{"scores": scores, "conflict": conflict, "tone": tone, "tests": tests},
        **{name: scores.get(name) for name in ("leakage", "uncertain")},
        repeats=repeats,
        versions=", ".join(f"{name} {n}" for name, n in card.get("versions", {}).items()),
        figures=figures,
        confusion=_confusion(scores),
        gain=gain_text(curve) if figures["learning"] else "",
        tested=Data("evaluated-on", columns, tested),
        trained=Data("trained-on", columns, trained),
        heats=HEATS,
        most_groups=MOST_GROUPS,
    )
