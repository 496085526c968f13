"""The section of a report on predictions that follows actors over time."""

from collections.abc import Sequence

from stance.display import count
from stance.reports.axes import Axis, net_axis
from stance.reports.curves import Point, curve
from stance.reports.divisions import answer_count, net_words, share_columns
from stance.reports.findings import TRACED, Findings
from stance.reports.markup import Html, escaped, isolated, joined, named, tag
from stance.reports.page import figure, paragraph, section
from stance.reports.periods import Periods
from stance.reports.shares import Shares, estimate
from stance.reports.tables import Column, Data


def over_time(found: Findings) -> Html:
    """Return the net stance of the first actors in each period, with bands."""
    tally, survey = found.tally, found.survey
    if found.over is None or tally.periods is None or not tally.period_clusters.any():
        return escaped("")
    independent = not found.clustered
    traced = [
        [estimate(clusters, independent=independent) for clusters in actor.astype("int64")]
        for actor in tally.period_clusters
    ]
    y = net_axis((b for every in traced for each in every if each.n for b in each.net_interval), 2)
    panels = [
        _panel(name, at, every, tally.periods, y)
        for at, (name, every) in enumerate(zip(tally.actors, traced, strict=False), 1)
    ]
    remarks = [f"One point per {tally.periods.unit}, read from column “", isolated(found.over)]
    remarks.append(
        "”: share in favor less share against, in points, with 95 % intervals as a band. "
    )
    if survey.undated:
        remarks += [
            f"{count(survey.undated, 'answer')} without a date that can be read (the first: “",
            isolated(survey.undated_example),
            "”; dates are read as 2024-03-09) are left out. ",
        ]
    if tally.outside:
        remarks.append(f"{count(tally.outside, 'answer')} dated outside the range are left out. ")
    if len(tally.actors) > TRACED:
        remarks.append(f"Shown are the {TRACED} actors with most answers.")
    return section(
        "time",
        "Over time",
        paragraph(joined(remarks), "note"),
        tag("div", panels, class_="many"),
    )


def _panel(name: str, number: int, every: Sequence[Shares], periods: Periods, y: Axis) -> Html:
    points = [
        Point(place, shares.net if shares.n else None, shares.net_interval)
        for place, shares in enumerate(every)
    ]
    last = periods.count - 1
    ends = {0: periods.name(0), last: periods.name(last)}
    x = Axis(-0.5, last + 0.5, tuple(ends.items()))
    if last:
        x = Axis(0, last, tuple(ends.items()))
    title = f"Net stance toward {named(name)} by {periods.unit}"
    seen = [f"{periods.name(i)} {net_words(s)}" for i, s in enumerate(every) if s.n]
    data = Data(
        f"over-time-{number}",
        (
            Column(periods.unit, periods.unit),
            Column("answers", "answers", "count"),
            *share_columns("")[12:],
        ),
        [
            [periods.name(i), shares.n, shares.net, *shares.net_interval]
            for i, shares in enumerate(every)
            if shares.n
        ],
    )
    chart = curve(
        f"time-{number}", title, "; ".join([*seen[:1], *seen[-1:]]) or "no answers", points, x, y
    )
    return figure(named(name), answer_count(sum(shares.n for shares in every)), chart, data)
