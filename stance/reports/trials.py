"""Sections of a report on an evaluation: what a model is put to beyond its corpus."""

from stance.display import count
from stance.reports import charts
from stance.reports.axes import share_axis
from stance.reports.markup import Html, escaped, isolated, joined, tag
from stance.reports.page import figure, paragraph, section
from stance.reports.scoring import Figures, bounds, described, estimate_line, scored
from stance.reports.tables import Column, Data


def conflict(scores: Figures) -> Html:
    """Return the accuracy where actors of one paragraph have differing labels."""
    found = scores.get("conflict") or {"n": 0}
    if not found["n"]:
        return section(
            "conflict",
            "Paragraphs that take sides",
            paragraph("No paragraph of these has actors with differing labels."),
        )
    listed = [
        ("this model", found["accuracy"], bounds(found["interval"])),
        ("target-blind words", found["target_blind_accuracy"], None),
    ]
    rows = [estimate_line(*each) for each in listed]
    data = Data(
        "conflict",
        (Column("model", "model"), *scored("accuracy")),
        [[name, value, *(interval or (None, None))] for name, value, interval in listed],
    )
    chart = charts.whiskers("conflict-chart", "Accuracy where sides differ", described(rows), rows)
    note = (
        f"Accuracy in percent on the {count(found['n'], 'row')} whose paragraph has actors with "
        "differing labels, where one answer for the whole paragraph must fail."
    )
    return section(
        "conflict", "Paragraphs that take sides", figure("Which side is whose", note, chart, data)
    )


def stress(scores: Figures) -> Html:
    """Return how often each stress test fails, with examples, where they were run."""
    tests = (scores.get("stress") or {}).get("tests", [])
    if not tests:
        return escaped("")
    rows = [
        estimate_line(test["name"], test["rate"], bounds(test.get("interval")),
                      f"{test['failures']:,} of {test['n']:,}{_hard(test)}")
        for test in tests
    ]  # fmt: skip
    data = Data(
        "stress",
        (Column("test", "test"), Column("kind", "kind"), Column("promise", "promise"),
         Column("cases", "cases", "count"), Column("failures", "failures", "count"),
         Column("rate, %", "rate", "share"), Column("low", "low", "share"),
         Column("high", "high", "share")),
        [
            [test["name"], test.get("kind", ""), test.get("promise", ""), test["n"],
             test["failures"], test["rate"], *(bounds(test.get("interval")) or (None, None))]
            for test in tests
        ],
    )  # fmt: skip
    highest = max(
        end for row in rows for e in row.estimates for end in (e.value, *(e.interval or ()))
    )
    chart = charts.whiskers(
        "stress-chart", "Rates of failure", described(rows), rows, share_axis(highest)
    )
    note = (
        "Share of cases that fail, in percent with 95 % intervals; less is better. What is called "
        "hard must never fail."
    )
    return section(
        "stress",
        "Under stress",
        figure("How often a small change misleads it", note, chart, data),
        tag(
            "details",
            tag("summary", "What each test demands, and where it failed"),
            [_demand(test) for test in tests],
        ),
    )


def _hard(test: Figures) -> str:
    return ", hard" if test.get("kind") == "hard" else ""


def _demand(test: Figures) -> Html:
    """Return what a test demands, and its first failure."""
    parts = [
        tag("h3", f"{test['name']} ({test.get('kind', 'soft')})"),
        paragraph(str(test.get("promise", ""))),
    ]
    for found in list(test.get("examples") or [])[:1]:
        words = {key: str(found.get(key, "")) for key in ("before", "after")}
        lines = [tag("p", isolated(text)) for text in dict.fromkeys(words.values()) if text]
        said = (
            f"{found.get('actor', '')}: answered {found.get('answer_after', '')} "
            f"(before: {found.get('answer_before', '')}), expected {found.get('expected', '')}"
        )
        parts.append(tag("blockquote", lines, tag("p", isolated(said), class_="note")))
    return joined(parts)
