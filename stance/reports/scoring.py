"""Sections of a report on an evaluation: scores, baselines, classes, errors, divisions."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from stance.display import count
from stance.reports import charts
from stance.reports.axes import Axis
from stance.reports.charts import Estimate, Line
from stance.reports.markup import Html, escaped, named, tag
from stance.reports.page import figure, paragraph, section
from stance.reports.shares import Interval
from stance.reports.tables import Column, Data, signed

Figures = Mapping[str, Any]

MOST = 20
"""Groups in a chart; tables have all."""

RIVALS = {
    "target_blind": ("target-blind words", "the same training data, blind to the actor"),
    "lexicon": ("polarity lexicon", "counts good and bad words near the actor"),
    "majority": ("majority label", "always the most frequent label"),
}
"""What each baseline is."""

DIVISIONS = {
    "per_actor": "Actors",
    "per_source": "Sources",
    "per_genre": "Genres",
    "per_year": "Years",
    "per_corpus": "Corpora",
}
"""Breakdowns of an evaluation, each with its title."""


def bounds(value: Any) -> Interval | None:
    """Return an interval of the figures, None where they have none."""
    return None if value is None else (float(value[0]), float(value[1]))


def percent(value: float | None) -> str:
    """Return a score in percent."""
    return "–" if value is None else f"{100 * value:.1f}"


def ranged(value: float | None, interval: Interval | None) -> str:
    """Return a score in percent with its interval."""
    if interval is None:
        return percent(value)
    return f"{percent(value)} [{percent(interval[0])}, {percent(interval[1])}]"


def estimate_line(name: str, value: float, interval: Interval | None, note: str = "") -> Line:
    """Return a row of a chart of scores, with the figure in words."""
    words = ranged(value, interval) + (f", {note}" if note else "")
    return Line(named(name, charts.PHONE), words, (Estimate(value, interval),))


# --- Beside what it must beat ----------------------------------------------------------------


def baselines(scores: Figures) -> Html:
    """Return the score beside those of its rivals, and by how much it beats each."""
    rivals = scores["baselines"]
    listed: list[tuple[str, float, Interval | None, str]] = [
        ("this model", scores["macro_f1"], bounds(scores["macro_f1_interval"]), "")
    ]
    for key, (name, what) in RIVALS.items():
        if part := rivals.get(key):
            interval = bounds(part.get("macro_f1_interval"))
            listed.append((name, part["macro_f1"], interval, what))
    data = Data(
        "baselines",
        (Column("model", "model"), *scored(), Column("what it does", "what")),
        [
            [name, value, *(interval or (None, None)), what]
            for name, value, interval, what in listed
        ],
    )
    rows = [estimate_line(name, value, interval) for name, value, interval, _ in listed]
    chart = charts.whiskers("rivals", "Macro-F1 beside baselines", described(rows), rows)
    note = "Macro-F1 in percent, the mean over the classes, with 95 % intervals."
    what = ". ".join(f"{name.capitalize()}: {what}" for name, _, _, what in listed[1:])
    return section(
        "baselines",
        "Beside what it must beat",
        tag(
            "div",
            figure("The model and its baselines", f"{note} {what}.", chart, data),
            _gains(rivals),
            class_="pair",
        ),
    )


def scored(name: str = "macro-F1") -> tuple[Column, Column, Column]:
    """Return the columns of a score and its interval."""
    plain = name.replace("-", "_").lower()
    return (
        Column(f"{name}, %", plain, "share"),
        Column("low", f"{plain}_low", "share"),
        Column("high", f"{plain}_high", "share"),
    )


def described(rows: Sequence[Line]) -> str:
    """Return a chart of scores in words."""
    return "; ".join(f"{row.name} {row.note}" for row in rows[:8])


def _gains(rivals: Figures) -> Html:
    """Return the differences to the rivals, both scored on the same resamples."""
    found = [
        (RIVALS[key][0], part["difference"]["macro_f1"],
         bounds(part["difference"]["macro_f1_interval"]))
        for key, part in rivals.items()
        if key in RIVALS and part.get("difference")
    ]  # fmt: skip
    if not found:
        return escaped("")
    widest = max(abs(end) for _, value, interval in found for end in (value, *(interval or ())))
    most = max(0.1, ceil(10 * widest) / 10)
    axis = Axis(-most, most, tuple((at, signed(100 * at)) for at in (-most, 0, most)), 0)
    rows = [
        Line(
            f"more than {name}",
            signed(100 * value, 1)
            + (f" [{signed(100 * b[0], 1)}, {signed(100 * b[1], 1)}]" if b else ""),
            (Estimate(value, b),),
        )
        for name, value, b in found
    ]
    data = Data(
        "gains",
        (Column("baseline", "baseline"), Column("difference, points", "difference", "signed"),
         Column("low", "low", "signed"), Column("high", "high", "signed")),
        [[name, value, *(b or (None, None))] for name, value, b in found],
    )  # fmt: skip
    chart = charts.whiskers("gains", "Difference to baselines", described(rows), rows, axis)
    note = (
        "Difference of macro-F1 in points, with 95 % intervals of the difference, which say more "
        "than whether two intervals overlap."
    )
    return figure("What the model adds", note, chart, data)


# --- Divisions -------------------------------------------------------------------------------


def divisions(scores: Figures) -> Html:
    """Return scores by actor, source, genre, year and corpus, as far as there are any."""
    found = [
        _division(key, title, scores[key])
        for key, title in DIVISIONS.items()
        if len(scores.get(key, {})) > (key == "per_corpus")
    ]
    if not found:
        return escaped("")
    note = (
        "Macro-F1 in percent with 95 % intervals. It is the mean over the labels that occur, so a "
        "group that lacks a label is not comparable to others. Marked “few”: too few documents "
        "for an interval that can be trusted."
    )
    return section(
        "divisions",
        "Where it is better and worse",
        paragraph(note, "note"),
        tag("div", found, class_="flow"),
    )


def _division(key: str, title: str, groups: Mapping[str, Figures]) -> Html:
    rows = [
        estimate_line(name, part["macro_f1"], _group_bounds(part), _remark(part))
        for name, part in list(groups.items())[:MOST]
    ]
    calibrated = any("ece" in part for part in groups.values())
    data = Data(
        key.replace("_", "-"),
        (Column(title.lower()[:-1], "group"), Column("rows", "rows", "count"), *scored(),
         *((Column("calibration error, %", "ece", "share"),) if calibrated else ())),
        [
            [name, part["n"], part["macro_f1"], *(_group_bounds(part) or (None, None)),
             *((part.get("ece"),) if calibrated else ())]
            for name, part in groups.items()
        ],
    )  # fmt: skip
    rest = len(groups) - len(rows)
    note = f"The first {len(rows)} of {len(groups):,}; the numbers have all." if rest else ""
    chart = charts.whiskers(f"{key}-chart", f"Macro-F1 of {title}", described(rows), rows)
    if rest and not any(part.get("trusted", True) for part in groups.values()):
        chart = escaped("")
        note = f"None of {len(groups):,} has documents enough; the numbers have all."
    return figure(title, note, chart, data)


def _group_bounds(part: Figures) -> Interval | None:
    """Return the interval of a group; None where all resamples score the same."""
    found = bounds(part.get("interval", part.get("macro_f1_interval")))
    return None if found and found[0] == found[1] else found


def _remark(part: Figures) -> str:
    return f"n {part['n']:,}{'' if part.get('trusted', True) else ', few'}"


# --- Notes and leakage ---------------------------------------------------------------------------


def note_lines(scores: Figures) -> list[str]:
    """Return what the figures themselves say must be known."""
    tone = (scores.get("sentiment") or {}).get("notes", [])
    return [*map(str, scores.get("notes", [])), *(f"sentiment: {note}" for note in tone)]


def leakage(scores: Figures) -> Html:
    """Return which rows the model has seen in training, as a sentence."""
    found = scores.get("leakage")
    if found is None:
        return escaped("")
    if not found["rows"]:
        return escaped("No row, nor one much like it, was in the model's training data.")
    told = leaked_rows(scores)
    return escaped(f"{told[:1].upper()}{told[1:]}.")


def leaked_rows(scores: Figures) -> str:
    """Return how many rows were in the training data, and the score on the others."""
    found = scores["leakage"]
    if found["macro_f1_without"] is None:
        return "all of these rows, or rows much like them, were in the model's training data"
    score = ranged(found["macro_f1_without"], bounds(found.get("macro_f1_without_interval")))
    return (
        f"{count(found['rows'], 'row')} ({percent(found['share'])} %) stood in the model's "
        f"training data, {found['exact']:,} word for word and {found['near']:,} much alike; on all "
        f"others macro-F1 is {score}"
    )
