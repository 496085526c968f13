"""Curves with their bands, and points with their intervals, as inline SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stance.reports.axes import Axis, anchor
from stance.reports.charts import FOOT, Tone, drawing, label, percent, segment
from stance.reports.markup import Html, tag


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a curve, with the bounds of its band; None where nothing is known."""

    x: float
    y: float | None
    band: tuple[float, float] | None = None


Scale = Callable[[float], float]

LEFT, RIGHT = 13.0, 97.0
"""Percents between which a curve runs; tick labels stand to its left."""


def curve(
    name: str,
    title: str,
    description: str,
    points: Sequence[Point],
    x: Axis,
    y: Axis,
    *,
    height: float = 150,
    tone: Tone = "favor",
    connected: bool = True,
    diagonal: bool = False,
) -> Html:
    """Return a curve with its band, broken where a point is missing.

    Parameters
    ----------
    connected : bool
        Whether the points are joined by a line and their intervals by a band, or each has its
        own whisker.
    diagonal : bool
        Whether to draw the line on which y equals x.
    """
    top, bottom = 8.0, height - FOOT

    def across(value: float) -> float:
        return x.place(value, LEFT, RIGHT)

    def down(value: float) -> float:
        return y.place(value, bottom, top)

    marks = [
        *(
            segment(LEFT, down(at), 100, down(at), "axis" if at == y.zero else "grid")
            for at, _ in y.ticks
        ),
        *(label(LEFT - 1.5, down(at) + 4, text, "quiet end") for at, text in y.ticks),
        *(label(across(at), height - 5, text, f"quiet {anchor(x, at)}") for at, text in x.ticks),
    ]
    if diagonal:
        ends = (across(x.low), down(x.low), across(x.high), down(x.high))
        marks.append(segment(*ends, "axis dashed"))
    runs = _runs(points)
    if connected:
        marks.append(_lines(runs, across, down, height, tone))
    lengths = {point.x: len(run) for run in runs for point in run}
    for point in (each for run in runs for each in run):
        at = percent(across(point.x))
        if point.band and not (connected and lengths[point.x] > 1):
            low, high = map(down, point.band)
            marks.append(segment(across(point.x), low, across(point.x), high, f"whisker {tone}"))
        radius = 4 if not connected or len(points) <= 24 else 2
        marks.append(tag("circle", cx=at, cy=round(down(point.y or 0.0), 2), r=radius, class_=tone))
    return drawing(name, title, description, height, *marks)


def _runs(points: Sequence[Point]) -> list[list[Point]]:
    """Return stretches of points without a gap."""
    runs: list[list[Point]] = [[]]
    for point in points:
        if point.y is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]


def _lines(
    runs: Sequence[Sequence[Point]], across: Scale, down: Scale, height: float, tone: Tone
) -> Html:
    marks = []
    for run in runs:
        path = " ".join(f"{across(p.x):.2f},{down(p.y or 0.0):.2f}" for p in run)
        bounds = [(p.x, *p.band) for p in run if p.band]
        if len(bounds) > 1:
            upper = [f"{across(x):.2f},{down(high):.2f}" for x, _, high in bounds]
            lower = [f"{across(x):.2f},{down(low):.2f}" for x, low, _ in reversed(bounds)]
            marks.append(tag("polygon", points=" ".join(upper + lower), class_=f"band {tone}"))
        marks.append(tag("polyline", points=path, class_=f"line {tone}"))
    # Stretched to the width: x runs from 0 to 100, y in pixels.
    return tag(
        "svg",
        marks,
        width="100%",
        height=height,
        viewBox=f"0 0 100 {height:g}",
        preserveAspectRatio="none",
    )
