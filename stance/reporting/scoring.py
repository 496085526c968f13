"""Sections of a report on an evaluation: scores, baselines, classes, errors, divisions."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from stance.display import count
from stance.reporting import charts
from stance.reporting.charts import Axis, Estimate, Line
from stance.reporting.markup import Html, escaped, isolated, joined, named, tag
from stance.reporting.page import figure, numbers, paragraph, section
from stance.reporting.shares import Interval
from stance.reporting.style import HEATS
from stance.reporting.tables import Column, Data, signed

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


# --- Classes and errors ----------------------------------------------------------------------


def classes(scores: Figures) -> Html:
    """Return precision, recall and F1 of each class, and which classes are taken for which."""
    return section(
        "classes",
        "Classes, and what is taken for what",
        tag("div", _class_scores(scores, "classes"), confusion(scores), class_="pair"),
    )


def _class_scores(scores: Figures, name: str) -> Html:
    kinds = (("precision", "diamond"), ("recall", "square"), ("f1", "dot"))
    titles = {"precision": "precision", "recall": "recall", "f1": "F1"}
    rows = [
        Line(
            label,
            count(row["support"], "row"),
            tuple(
                Estimate(row[kind], bounds(row.get(f"{kind}_interval")),
                         "ink" if kind == "f1" else "quietly", form)
                for kind, form in kinds
            ),
        )
        for label, row in scores["per_class"].items()
    ]  # fmt: skip
    data = Data(
        f"{name}-scores",
        (
            Column("class", "class"),
            Column("rows", "rows", "count"),
            *(Column(f"{titles[kind]}, %", kind, "share") for kind, _ in kinds),
        ),
        [
            [label, row["support"], *(row[kind] for kind, _ in kinds)]
            for label, row in scores["per_class"].items()
        ],
    )
    described = "; ".join(
        f"{label}: precision {percent(row['precision'])}, recall {percent(row['recall'])}, "
        f"F1 {percent(row['f1'])}"
        for label, row in scores["per_class"].items()
    )
    legend = charts.legend(
        [(form, "ink" if kind == "f1" else "quietly", titles[kind]) for kind, form in kinds]
    )
    chart = charts.whiskers(f"{name}-chart", "Scores by class", described, rows)
    note = (
        "In percent. Precision: of the answers with this label, how many are right. Recall: of the "
        "rows with this label, how many were found."
    )
    return figure("Scores by class", note, chart, data, legend)


def confusion(scores: Figures) -> Html:
    """Return gold against predicted labels, shaded by the share of each gold label's rows."""
    labels, matrix = list(map(str, scores["labels"])), scores["confusion"]
    head = [tag("th", isolated(label), scope="col") for label in labels]
    body = [
        tag(
            "tr",
            tag("th", isolated(label), scope="row"),
            [_confusion_cell(number, sum(row)) for number in row],
        )
        for label, row in zip(labels, matrix, strict=True)
    ]
    grid = tag(
        "table",
        tag("thead", tag("tr", tag("th", "labelled ↓ predicted →", scope="col"), head)),
        tag("tbody", body),
    )
    data = Data(
        "confusion",
        (Column("labelled", "labelled"), *(Column(label, label, "count") for label in labels)),
        [[label, *row] for label, row in zip(labels, matrix, strict=True)],
    )
    caption = tag(
        "figcaption",
        tag("h3", "Labelled and predicted"),
        tag("p", "Rows, and their share of those with the same label; the diagonal is right."),
    )
    shades = tag("div", grid, class_="scroll heat", tabindex=0)
    return tag("figure", caption, tag("div"), shades, numbers(data))


def _confusion_cell(number: int, total: int) -> Html:
    share = number / total if total else 0.0
    shade = f"heat{min(HEATS - 1, int(share * HEATS))}"
    return tag("td", f"{number:,}", tag("small", f"{100 * share:.0f} %"), class_=shade)


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
    return figure(title, note, chart, data)


def _group_bounds(part: Figures) -> Interval | None:
    return bounds(part.get("interval", part.get("macro_f1_interval")))


def _remark(part: Figures) -> str:
    return f"n {part['n']:,}{'' if part.get('trusted', True) else ', few'}"


# --- Sentiment, notes and leakage ---------------------------------------------------------------


def sentiment(scores: Figures) -> Html:
    """Return the scores of the sentiment of paragraphs, where it was labelled."""
    found = scores.get("sentiment")
    if not found:
        return escaped("")
    low, high = found["macro_f1_interval"]
    text = (
        f"Macro-F1 {ranged(found['macro_f1'], (low, high))} on {count(found['n'], 'paragraph')}, "
        f"accuracy {percent(found['accuracy'])}, expected calibration error "
        f"{percent(found['ece'])} %."
    )
    return section(
        "sentiment",
        "Sentiment of paragraphs",
        paragraph(text),
        _class_scores(found, "sentiment"),
    )


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
        return joined(["No row, nor one much like it, was in the model's training data."])
    return joined([
        f"{count(found['rows'], 'row')} ({percent(found['share'])} %) or much like them were in "
        f"the model's training data; without them macro-F1 is {percent(found['macro_f1_without'])}."
    ])  # fmt: skip
