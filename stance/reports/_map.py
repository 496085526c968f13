"""The map of net stances by actor and source, in which only what is beyond chance has a colour."""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from markupsafe import Markup

from stance.findings.pooling import Pooled
from stance.records import AGAINST, FAVOR, Stance
from stance.reports import _charts as charts
from stance.reports import _page as page
from stance.reports._page import Cell, Column, Data, Figure, text_column, with_interval
from stance.reports._predicted import PredictionReport

MAP_ACTORS, MAP_SOURCES = 20, 12  # rows and columns
SHADES = (0.1, 0.2)  # distances from an actor's mean between two colours
COLUMN, NAMES, HEAD, LINES = 58, 150, 44, 3  # pixels of a column, of names, of heads; lines in one


@dataclass(frozen=True, slots=True)
class MapCell:
    net: float | None  # pooled; None where answers are too few
    answers: int
    shade: str  # class of its colour, empty if it does not stand apart


@dataclass(frozen=True, slots=True)
class Map:
    sources: Sequence[str]
    rows: Sequence[tuple[str, float, Sequence[MapCell]]]  # actor, mean and cells
    key: Sequence[tuple[str, str]]  # classes of colours, and what they mean
    apart: int  # cells with a colour
    data: Data

    def figure(self) -> Figure:
        """Return the map as a chart, for a file of its own."""
        rows = []
        for actor, mean, cells in self.rows:
            drawn = [(page.points(mean), "", "")]
            for cell in cells:
                net = "–" if cell.net is None else page.points(cell.net)
                drawn.append(
                    (net, f"{cell.answers:,}", cell.shade) if cell.answers else ("", "", "")
                )
            rows.append((page.named(actor), drawn))
        heads = ["mean", *self.sources]
        chart, width = _heat("Net stance by actor and source", heads, rows)
        legend = charts.legend(*(("bar", shade, words) for shade, words in self.key))
        return Figure(chart, self.data, legend if self.apart else Markup(), width)


def make_map(report: PredictionReport) -> Map | None:
    """Return the map of actors and sources, most favorable actors first."""
    sources = [group.name for group in report.sources.shown]
    known = [
        (group.name, pooled, counts)
        for group, pooled, counts in zip(
            report.actors.shown,
            report.pooled,
            report.tally.crossed.sum(axis=2).tolist(),
            strict=True,
        )
        if pooled
    ]
    if not known:
        return None
    known.sort(key=lambda each: -each[1].mean)
    rows = [(name, pooled.mean, _cells(pooled, counts)) for name, pooled, counts in known]
    listed: list[list[Cell]] = []
    for name, pooled, counts in known:
        ends = zip(pooled.net, pooled.low, pooled.high, pooled.apart, strict=True)
        for source, each, (*found, apart) in zip(sources, counts, ends, strict=True):
            if total := sum(each):
                own = (each[FAVOR] - each[AGAINST]) / total
                pooled_cells = [None if np.isnan(end) else float(end) for end in found]
                listed.append([name, source, *each, own, *pooled_cells, "yes" if apart else "no"])
    labels = (Column(str(label), str(label), "count") for label in Stance)
    columns = (
        *(text_column("actor"), text_column("source"), *labels, page.NET[0]),
        *with_interval("net, pooled", "pooled", "pooled_low", "pooled_high", "signed"),
        text_column("apart"),
    )
    bounds = [100 * bound for bound in SHADES]
    key = [
        ("net0", f"{bounds[1]:.0f} points or more below the actor's mean"),
        ("net1", f"{bounds[0]:.0f} or more below"),
        ("net2", "below"), ("net4", "above"),
        ("net5", f"{bounds[0]:.0f} or more above"),
        ("net6", f"{bounds[1]:.0f} or more above"),
    ]  # fmt: skip
    apart = sum(bool(cell.shade) for *_, cells in rows[:MAP_ACTORS] for cell in cells[:MAP_SOURCES])
    shown_rows = [(name, mean, cells[:MAP_SOURCES]) for name, mean, cells in rows[:MAP_ACTORS]]
    return Map(
        page.named_apart(sources[:MAP_SOURCES]),
        shown_rows,
        key,
        apart,
        Data("actor-by-source", columns, listed),
    )


def _cells(pooled: Pooled, counts: Sequence[Sequence[int]]) -> list[MapCell]:
    """Return an actor's cells, with a colour where the source stands apart."""
    cells = []
    for net, apart, own in zip(pooled.net.tolist(), pooled.apart.tolist(), counts, strict=True):
        gap = net - pooled.mean
        size = bisect(SHADES, abs(gap))
        shade = f"net{4 + size if gap > 0 else 2 - size}" if apart else ""
        cells.append(MapCell(None if np.isnan(net) else net, sum(own), shade))
    return cells


def _heat(
    title: str, heads: Sequence[str], rows: Sequence[tuple[str, Sequence[tuple[str, str, str]]]]
) -> tuple[Markup, float]:
    """Return a map, whose cells are two lines of text and a shade or "", and its width."""
    width = NAMES + COLUMN * len(heads)

    def across(pixels: float) -> float:
        return 100 * pixels / width

    marks = []
    for number, head in enumerate(heads):
        wrapped = wrap(head, 10, break_long_words=False, max_lines=LINES, placeholder="…")
        lines = [page.cut(line, 10) for line in wrapped]
        for at, line in enumerate(lines):
            y = HEAD - 8 - charts.LINE * 0.85 * (len(lines) - 1 - at)
            marks.append(
                charts.label(across(NAMES + COLUMN * (number + 0.5)), y, line, "quiet middle")
            )
    for place, (name, cells) in enumerate(rows):
        top = HEAD + 36 * place
        marks.append(charts.label(0, top + 22, page.cut(name, 21), "strong"))
        for number, (upper, lower, shade) in enumerate(cells):
            left, middle = (across(NAMES + COLUMN * (number + part)) for part in (0, 0.5))
            ink = f" on-{shade}" if shade else ""
            if shade:
                kind, wide = f"segment {shade}", charts.css_percent(across(COLUMN - 2))
                box = charts.element(
                    "rect", x=charts.css_percent(left), y=top, class_=kind, width=wide, height=34.0
                )
                marks.append(box)
            marks.append(charts.label(middle, top + 15, upper, f"middle{ink}"))
            marks.append(
                charts.label(middle, top + 29, lower, f"middle{ink}" if shade else "quiet middle")
            )
    return charts.drawing("map", title, "", HEAD + 36 * len(rows), marks), width
