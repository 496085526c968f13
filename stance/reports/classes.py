"""Sections of a report on an evaluation: scores of each class, and which is taken for which."""

from stance.display import count
from stance.reports import charts
from stance.reports.charts import Estimate, Line
from stance.reports.markup import Html, escaped, isolated, tag
from stance.reports.page import figure, numbers, paragraph, section
from stance.reports.scoring import Figures, bounds, percent, ranged
from stance.reports.style import HEATS
from stance.reports.tables import Column, Data


def classes(scores: Figures) -> Html:
    """Return precision, recall and F1 of each class, and which classes are taken for which."""
    return section(
        "classes",
        "Classes, and what is taken for what",
        tag("div", _class_scores(scores, "classes"), confusion(scores), class_="pair"),
    )


KINDS = (("precision", "precision", "diamond"), ("recall", "recall", "square"), ("f1", "F1", "dot"))
"""Scores of a class: key, name, form of the mark."""


def _class_scores(scores: Figures, name: str) -> Html:
    every = scores["per_class"]
    known = scores.get("per_class_intervals") or {label: {} for label in every}
    ends = {(label, key): bounds(known[label].get(key)) for label in every for key, _, _ in KINDS}
    rows = [
        Line(label, count(row["support"], "row"), tuple(
            Estimate(row[key], ends[label, key], "ink" if key == "f1" else "quietly", form)
            for key, _, form in KINDS
        ))
        for label, row in every.items()
    ]  # fmt: skip
    data = Data(
        f"{name}-scores",
        (
            Column("class", "class"), Column("rows", "rows", "count"),
            *(column for key, title, _ in KINDS for column in (
                Column(f"{title}, %", key, "share"), Column("low", f"{key}_low", "share"),
                Column("high", f"{key}_high", "share"),
            )),
        ),
        [
            [label, row["support"], *(cell for key, _, _ in KINDS for cell in
                                      (row[key], *(ends[label, key] or (None, None))))]
            for label, row in every.items()
        ],
    )  # fmt: skip
    described = "; ".join(
        f"{label}: " + ", ".join(f"{title} {percent(row[key])}" for key, title, _ in KINDS)
        for label, row in every.items()
    )
    legend = charts.legend(
        [(form, "ink" if key == "f1" else "quietly", title) for key, title, form in KINDS]
    )
    chart = charts.whiskers(f"{name}-chart", "Scores by class", described, rows)
    note = (
        "In percent with 95 % intervals. Precision: of the answers with this label, how many are "
        "right. Recall: of the rows with this label, how many were found. F1: their harmonic mean."
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
