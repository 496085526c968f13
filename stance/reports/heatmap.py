"""The map of actors and sources: who speaks how of whom."""

from bisect import bisect
from collections.abc import Sequence
from itertools import pairwise

from stance.display import count
from stance.records import AGAINST, FAVOR, Stance
from stance.reports.findings import Findings
from stance.reports.markup import Html, isolated, joined, named, tag
from stance.reports.page import numbers, paragraph
from stance.reports.tables import Column, Data, signed

HEAT_ACTORS, HEAT_SOURCES = 20, 12
"""Rows and columns of the heat map."""

FEW = 10
"""Answers below which a cell of the heat map has no shade."""

BOUNDS = (-0.5, -0.2, -0.05, 0.05, 0.2, 0.5)
"""Net stances between two shades; there is one more shade than these."""


def heat_map(found: Findings) -> Html:
    """Return net stances of actors by source as a table with shades; the same numbers as data."""
    tally = found.tally
    counts = tally.crossed[:HEAT_ACTORS, :HEAT_SOURCES]
    if not (counts.sum(axis=2) >= FEW).any():
        return paragraph(f"No actor has {FEW} answers in one source, so there is no map of both.")
    head = [tag("th", isolated(named(name or "(blank)")), scope="col")
            for name in tally.sources[:HEAT_SOURCES]]  # fmt: skip
    body = [
        tag(
            "tr",
            tag("th", isolated(named(actor)), scope="row"),
            [_heat_cell(cell.tolist()) for cell in row],
        )
        for actor, row in zip(tally.actors, counts, strict=False)
    ]
    data = Data(
        "actor-by-source",
        (
            Column("actor", "actor"),
            Column("source", "source"),
            *(Column(str(label), str(label), "count") for label in Stance),
            Column("net", "net", "signed"),
        ),
        [
            [actor, source or "(blank)", *map(int, cell), _net(cell.tolist())]
            for actor, row in zip(tally.actors, tally.crossed, strict=True)
            for source, cell in zip(tally.sources, row, strict=True)
            if cell.sum()
        ],
    )
    note = (
        f"Net stance in points, and number of answers below. Cells of fewer than {FEW} answers "
        "have no shade: their sign may well be chance."
    )
    if tally.crossed.shape[0] > HEAT_ACTORS or tally.crossed.shape[1] > HEAT_SOURCES:
        rows, columns = counts.shape[:2]
        note += f" Shown are {count(rows, 'actor')} and {count(columns, 'source')}; the numbers "
        note += "have more."
    caption = tag("figcaption", tag("h3", "Who speaks how of whom"), tag("p", note))
    corner = tag("td", "")
    grid = tag("table", tag("thead", tag("tr", corner, head)), tag("tbody", joined(body, "\n")))
    shades = tag("div", grid, class_="scroll heat", tabindex=0)
    return tag("figure", caption, _key(), shades, numbers(data), class_="wide")


def _key() -> Html:
    """Return what the shades mean."""
    ends = [signed(100 * bound) for bound in BOUNDS]
    words = [f"below {ends[0]}", *(f"{a} to {b}" for a, b in pairwise(ends)), f"above {ends[-1]}"]
    shades = [tag("li", text, class_=f"net{at}") for at, text in enumerate(words)]
    return tag("ul", shades, class_="key")


def _heat_cell(counts: Sequence[int]) -> Html:
    total = sum(counts)
    if not total:
        return tag("td", "")
    net = _net(counts)
    shade = "few" if total < FEW else f"net{bisect(BOUNDS, net)}"
    return tag("td", signed(100 * net), tag("small", f"{total:,}"), class_=shade)


def _net(counts: Sequence[int]) -> float:
    return (counts[FAVOR] - counts[AGAINST]) / sum(counts)
