"""Sections of a report on predictions that divide the answers: by actor, over time, by source."""

from collections.abc import Sequence

from stance.display import count
from stance.records import Stance
from stance.reporting import charts
from stance.reporting.charts import NET, Axis, Estimate, Line, Parts
from stance.reporting.curves import Point, curve
from stance.reporting.findings import TRACED, Findings
from stance.reporting.frequent import Frequent
from stance.reporting.heatmap import heat_map
from stance.reporting.markup import SHORT, Html, escaped, isolated, joined, named, tag
from stance.reporting.page import figure, paragraph, section
from stance.reporting.periods import Periods
from stance.reporting.shares import AGAINST, FAVOR, Shares, estimate
from stance.reporting.tables import Cell, Column, Data, signed

TONES: tuple[charts.Tone, ...] = ("against", "neutral", "favor")

LEGEND = [
    ("bar", "against", "against (left)"),
    ("bar", "neutral", "neutral (middle)"),
    ("bar", "favor", "in favor (right)"),
]

NET_LEGEND = [("dot", "ink", "net stance"), ("line", "ink", "95 % interval")]


def share_columns(first: str) -> tuple[Column, ...]:
    """Return the columns of a table of shares, the first of which names the rows."""
    parts = [
        column
        for label in Stance
        for column in (
            Column(f"{label}, %", str(label), "share"),
            Column("low", f"{label}_low", "share"),
            Column("high", f"{label}_high", "share"),
        )
    ]
    net = (
        Column("net", "net", "signed"),
        Column("low", "net_low", "signed"),
        Column("high", "net_high", "signed"),
    )
    counts = (Column("answers", "answers", "count"), Column("uncertain", "uncertain", "count"))
    return (Column(first, first), *counts, *parts, *net)


def share_cells(shares: Shares, uncertain: int) -> list[Cell]:
    """Return the cells of `share_columns` but for the first."""
    if not shares.n:
        return [0, uncertain, *[None] * 12]
    parts: list[Cell] = [
        value
        for share, bounds in zip(shares.shares, shares.intervals, strict=True)
        for value in (share, *bounds)
    ]
    return [shares.n, uncertain, *parts, shares.net, *shares.net_interval]


def actor_shares(found: Findings) -> list[tuple[str, Shares]]:
    """Return the shares of each actor that is shown."""
    clusters = found.tally.actor_clusters
    independent = not found.clustered  # a row says one thing of an actor
    return [
        (name, estimate(clusters[at], independent=independent))
        for at, name in enumerate(found.tally.actors)
    ]


def by_actor(found: Findings) -> Html:
    """Return shares and net stance of every actor, with intervals."""
    tally, listed = found.tally, actor_shares(found)
    data = Data(
        "stance-by-actor",
        share_columns("actor"),
        [
            [name, *share_cells(shares, int(tally.uncertain[at]))]
            for at, (name, shares) in enumerate(listed)
        ],
    )
    judged = [(name, shares) for name, shares in listed if shares.n]
    bars = [Parts(named(name), _answers(shares.n), shares.shares) for name, shares in judged]
    sides = [
        Line(named(name), _answers(shares.n), tuple(
            Estimate(shares.shares[side], shares.intervals[side], tone, form)
            for side, tone, form in ((AGAINST, TONES[0], "diamond"), (FAVOR, TONES[2], "dot"))
        ))
        for name, shares in judged
    ]  # fmt: skip
    described = "; ".join(
        f"{named(name)}: {_percents(shares)} of {shares.n:,}" for name, shares in judged[:5]
    )
    figures = [
        figure(
            "How paragraphs speak of each actor",
            "Share of answers in percent, most frequent actors first.",
            charts.stacked("shares", "Stance shares by actor", described, bars, TONES),
            data,
            charts.legend(LEGEND),
        ),
        figure(
            "Net stance",
            "Share in favor less share against, in points, with 95 % intervals. "
            "Where the line crosses zero, neither side is shown to prevail.",
            net_chart("net", "Net stance by actor", judged),
            data,
            charts.legend(NET_LEGEND),
        ),
    ]
    both = figure(
        "For and against, with their uncertainty",
        "Share of answers in percent with 95 % intervals.",
        charts.whiskers("sides", "Shares for and against by actor", described, sides),
        data,
        charts.legend([("diamond", "against", "against"), ("dot", "favor", "in favor")]),
    )
    return section(
        "actors",
        "Stance by actor",
        left_out(
            found.survey.actors,
            len(tally.actors),
            tally.answers - int(tally.actor_clusters.sum() + tally.uncertain[:-1].sum()),
            "actor",
        ),
        tag("div", figures, class_="pair"),
        both,
    )


def left_out(names: Frequent, shown: int, answers: int, noun: str) -> Html:
    """Return what a chart does not show, as a paragraph; nothing where it shows all.

    Parameters
    ----------
    names : Frequent
    shown : int
        Names that it shows.
    answers : int
        Answers of all others.
    noun : str
    """
    if not answers:
        return escaped("")
    others = names.distinct - shown
    return paragraph(
        f"The {count(shown, noun)} with most answers. Left out here, and counted in the totals: "
        f"{'at least ' if names.lost else ''}{count(others, f'other {noun}')} with "
        f"{count(answers, 'answer')}.",
        "note",
    )


def _answers(n: int) -> str:
    return count(n, "answer")


def _percents(shares: Shares) -> str:
    words = ("against", "neutral", "in favor")
    return ", ".join(
        f"{100 * share:.0f} % {word}" for share, word in zip(shares.shares, words, strict=True)
    )


def net_chart(name: str, title: str, rows: Sequence[tuple[str, Shares]]) -> Html:
    """Return net stances on a scale from all against to all in favor."""
    lines = [
        Line(named(row, SHORT), _net(shares), (Estimate(shares.net, shares.net_interval),))
        for row, shares in rows
    ]
    listed = "; ".join(f"{named(row)} {_net(shares)}" for row, shares in rows[:5])
    return charts.whiskers(name, title, f"In points, with 95 % intervals. {listed}", lines, NET)


def _net(shares: Shares) -> str:
    low, high = (signed(100 * bound) for bound in shares.net_interval)
    return f"{signed(100 * shares.net)} [{low}, {high}]"


def over_time(found: Findings) -> Html:
    """Return the net stance of the first actors in each period, with bands."""
    tally, survey = found.tally, found.survey
    if found.over is None or tally.periods is None:
        return escaped("")
    panels = [_panel(found, at, tally.periods) for at in range(len(tally.period_clusters))]
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


def _panel(found: Findings, at: int, periods: Periods) -> Html:
    name, independent = found.tally.actors[at], not found.clustered
    every = [
        estimate(clusters, independent=independent)
        for clusters in found.tally.period_clusters[at].astype("int64")
    ]
    points = [
        Point(place, shares.net if shares.n else None, shares.net_interval)
        for place, shares in enumerate(every)
    ]
    last = periods.count - 1
    ends = {0: periods.name(0), last: periods.name(last)}
    x = Axis(-0.5, last + 0.5, tuple(ends.items()))
    if last:
        x = Axis(0, last, tuple(ends.items()))
    y = Axis(-1, 1, ((-1, "−100"), (0, "0"), (1, "+100")), 0)
    title = f"Net stance toward {named(name)} by {periods.unit}"
    seen = [f"{periods.name(i)} {_net(s)}" for i, s in enumerate(every) if s.n]
    data = Data(
        f"over-time-{at + 1}",
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
        f"time-{at + 1}", title, "; ".join([*seen[:1], *seen[-1:]]) or "no answers", points, x, y
    )
    return figure(named(name), _answers(sum(shares.n for shares in every)), chart, data)


def by_source(found: Findings) -> Html:
    """Return shares of every source, and net stances of actors in sources."""
    tally = found.tally
    if found.by is None or not tally.sources:
        return escaped("")
    listed = [
        (name or "(blank)", estimate(tally.source_clusters[at]))
        for at, name in enumerate(tally.sources)
    ]
    data = Data(
        "stance-by-source",
        share_columns("source"),
        [
            [name, *share_cells(shares, int(tally.source_uncertain[at]))]
            for at, (name, shares) in enumerate(listed)
        ],
    )
    judged = [(name, shares) for name, shares in listed if shares.n]
    bars = [Parts(named(name), _answers(shares.n), shares.shares) for name, shares in judged]
    described = "; ".join(f"{named(name)}: {_percents(shares)}" for name, shares in judged[:5])
    figures = [
        figure(
            "All actors together",
            "Share of answers in percent. Sources speak of different actors, so this is not how "
            "critical a source is.",
            charts.stacked("sources-shares", "Stance shares by source", described, bars, TONES),
            data,
            charts.legend(LEGEND),
        ),
        figure(
            "Net stance, all actors together",
            "Share in favor less share against, in points, with 95 % intervals.",
            net_chart("sources-net", "Net stance by source", judged),
            data,
            charts.legend(NET_LEGEND),
        ),
    ]
    return section(
        "sources",
        "By source",
        paragraph(joined(["Sources stand in column “", isolated(found.by), "”."]), "note"),
        left_out(
            found.survey.sources,
            len(tally.sources),
            tally.answers - int(tally.source_clusters.sum() + tally.source_uncertain[:-1].sum()),
            "source",
        ),
        tag("div", figures, class_="pair"),
        heat_map(found),
    )
