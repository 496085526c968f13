"""Sections of a report on predictions that divide the answers: by actor, by source."""

from collections.abc import Sequence

from stance.display import count
from stance.records import AGAINST, FAVOR, Stance
from stance.reports import charts
from stance.reports.axes import net_axis, share_axis
from stance.reports.charts import Estimate, Line, Parts
from stance.reports.findings import Findings
from stance.reports.frequent import Frequent
from stance.reports.heatmap import heat_map
from stance.reports.markup import SHORT, Html, escaped, isolated, joined, named, tag
from stance.reports.page import figure, numbers, paragraph, section
from stance.reports.shares import Shares, estimate
from stance.reports.tables import Cell, Column, Data, signed

TONES: tuple[charts.Tone, ...] = ("against", "neutral", "favor")

SIDES = (AGAINST, FAVOR)

NO_SHARES = "Every answer was withheld as uncertain, so there are no shares to show."

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
    shown = int(tally.actor_clusters.sum() + tally.uncertain[:-1].sum())
    if not listed:
        content = [paragraph("No row names an actor.")]
    elif not judged:
        content = [paragraph(NO_SHARES), numbers(data)]
    else:
        pair = tag("div", _actor_shares(judged, data), class_="pair")
        content = [pair, _actor_sides(judged, data)]
    note = left_out(found.survey.actors, len(tally.actors), tally.answers - shown, "actor")
    return section("actors", "Stance by actor", note, content)


Named = Sequence[tuple[str, Shares]]
"""Shares of actors or sources, with their names."""


def _actor_shares(judged: Named, data: Data) -> list[Html]:
    bars = [Parts(named(name), answer_count(shares.n), shares.shares) for name, shares in judged]
    return [
        figure(
            "How paragraphs speak of each actor",
            "Share of answers in percent, most frequent actors first.",
            charts.stacked("shares", "Stance shares by actor", _described(judged), bars, TONES),
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


def _actor_sides(judged: Named, data: Data) -> Html:
    """Return the shares for and against every actor with their intervals."""
    rows = [
        Line(named(name), answer_count(shares.n), tuple(
            Estimate(shares.shares[side], shares.intervals[side], TONES[side], form)
            for side, form in zip(SIDES, ("diamond", "dot"), strict=True)
        ))
        for name, shares in judged
    ]  # fmt: skip
    axis = share_axis(max(shares.intervals[side][1] for _, shares in judged for side in SIDES))
    title = "Shares for and against by actor"
    return figure(
        "For and against, with their uncertainty",
        "Share of answers in percent with 95 % intervals.",
        charts.whiskers("sides", title, _described(judged), rows, axis),
        data,
        charts.legend([("diamond", "against", "against"), ("dot", "favor", "in favor")]),
    )


def _described(judged: Named) -> str:
    return "; ".join(
        f"{named(name)}: {_percents(shares)} of {shares.n:,}" for name, shares in judged[:5]
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


def answer_count(n: int) -> str:
    """Return how many answers there are, in words."""
    return count(n, "answer")


def _percents(shares: Shares) -> str:
    words = ("against", "neutral", "in favor")
    return ", ".join(
        f"{100 * share:.0f} % {word}" for share, word in zip(shares.shares, words, strict=True)
    )


def net_chart(name: str, title: str, rows: Sequence[tuple[str, Shares]]) -> Html:
    """Return net stances on a scale from all against to all in favor."""
    lines = [
        Line(named(row, SHORT), net_words(shares), (Estimate(shares.net, shares.net_interval),))
        for row, shares in rows
    ]
    listed = "; ".join(f"{named(row)} {net_words(shares)}" for row, shares in rows[:5])
    axis = net_axis(bound for _, shares in rows for bound in shares.net_interval)
    return charts.whiskers(name, title, f"In points, with 95 % intervals. {listed}", lines, axis)


def net_words(shares: Shares) -> str:
    """Return a net stance with its interval, in points."""
    low, high = (signed(100 * bound) for bound in shares.net_interval)
    return f"{signed(100 * shares.net)} [{low}, {high}]"


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
    shown = int(tally.source_clusters.sum() + tally.source_uncertain[:-1].sum())
    if judged:
        pair = tag("div", _source_shares(judged, data), class_="pair")
        content = [pair, heat_map(found)]
    else:
        content = [paragraph(NO_SHARES), numbers(data)]
    return section(
        "sources",
        "By source",
        paragraph(joined(["Sources stand in column “", isolated(found.by), "”."]), "note"),
        left_out(found.survey.sources, len(tally.sources), tally.answers - shown, "source"),
        content,
    )


def _source_shares(judged: Named, data: Data) -> list[Html]:
    bars = [Parts(named(name), answer_count(shares.n), shares.shares) for name, shares in judged]
    title = "Stance shares by source"
    return [
        figure(
            "All actors together",
            "Share of answers in percent. Sources speak of different actors, so this is not how "
            "critical a source is.",
            charts.stacked("sources-shares", title, _described(judged), bars, TONES),
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
