"""Charts of net stances over time: points, and the smooth line through them."""

from collections.abc import Sequence
from itertools import count as count_up

import numpy as np

from stance.findings.pooling import smooth
from stance.reports import _charts as charts
from stance.reports import _page as page
from stance.reports._charts import Point
from stance.reports._page import Cell, Data, Figure, text_column
from stance.reports._predictions import Trace
from stance.reports._scales import Axis, net_axis

SMOOTHED = 12  # points from which a smooth line says more than they do


def trace_figures(traces: Sequence[Trace]) -> list[tuple[Trace, Figure]]:
    """Return each actor's net stances over time, all on one scale."""
    lines = [_smooth_line(trace) for trace in traces]
    ends = [
        end
        for trace, line in zip(traces, lines, strict=True)
        for end in _heights([] if line else _points(trace)) + _heights(line)
    ]
    nets = [s.net for trace in traces for _, s in trace.points]
    y = net_axis([*ends, *nets], 4)
    return [
        (trace, _trace_figure(number, trace, line, y))
        for number, trace, line in zip(count_up(1), traces, lines, strict=False)
    ]


def _points(trace: Trace) -> list[Point]:
    return [Point(span.day, s.net, s.net_interval) for span, s in trace.points]


def _smooth_line(trace: Trace) -> list[Point]:
    """Return the smooth line through an actor's points; empty if they are few."""
    if len(trace.points) < SMOOTHED:
        return []
    spans, shares = zip(*trace.points, strict=True)
    found = smooth(np.array([span.day for span in spans]), shares)
    bands = zip(found.low.tolist(), found.high.tolist(), strict=True)
    return list(map(Point, found.x.tolist(), found.y.tolist(), bands))


def _heights(points: Sequence[Point]) -> list[float]:
    return [end for point in points for end in point.band or ()]


def _trace_figure(number: int, trace: Trace, line: Sequence[Point], y: Axis) -> Figure:
    first, last = trace.points[0][0], trace.points[-1][0]
    x = Axis(first.day, last.day, ((first.day, first.first), (last.day, last.last)))
    if first is last:
        x = Axis(first.day - 1, first.day + 1, ((first.day, first.name),))
    words = [f"{span.name} {page.points_of(s)}" for span, s in trace.points]
    described = "; ".join([*words[:1], *words[1:][-1:]])
    title = f"Net stance toward {page.named(trace.name)} by {trace.unit}"
    chart = charts.curve(f"time-{number}", title, described, _points(trace), x, y, line=line)
    rows: list[list[Cell]] = [[span.name, s.n, s.net, *s.net_interval] for span, s in trace.points]
    columns = (text_column(trace.unit), page.ANSWERS, *page.NET)
    return Figure(chart, Data(f"over-time-{number}", columns, rows, trace.name))
