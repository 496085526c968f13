"""The page on a table of predictions: its charts and tables, and what they say in words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count as count_up
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from stance.display import count, shown
from stance.evaluation.intervals import Shares
from stance.files import write_together
from stance.findings import AuditRequest, Request
from stance.findings.periods import FEWEST_PER_POINT
from stance.findings.pooling import FEWEST_POOLED, smooth
from stance.findings.tally import CLUSTERS, CONFIDENCES, TRACED, Tally
from stance.records import SIDES, UNCERTAIN, Sentiment, Stance
from stance.reports import _charts as charts
from stance.reports import _page as page
from stance.reports._audited import audited_figures
from stance.reports._charts import Estimate, Line, Parts, Point
from stance.reports._examples import Quotation
from stance.reports._export import figure_files, folder_made
from stance.reports._map import Map, make_map
from stance.reports._page import Cell, Column, Data, Figure, text_column, with_interval
from stance.reports._predicted import (
    FEWEST_ANSWERS,
    Group,
    Groups,
    Maker,
    PredictionReport,
    Trace,
    gather,
)
from stance.reports._scales import Axis, net_axis, share_axis

MANY_UNCERTAIN, MANY_NARROW = 0.1, 0.25  # shares of answers withheld, and hardly sure, that matter
CARRIERS = 6  # aliases listed of an actor
SMOOTHED = 12  # points from which a smooth line says more than they do
OPEN = 5  # actors whose paragraphs are open to view
TONES: tuple[charts.Tone, ...] = ("against", "neutral", "favor")

WORDS = ("against (left)", "neutral (middle)", "in favor (right)")
SHARES_LEGEND = charts.legend(*(("bar", tone, w) for tone, w in zip(TONES, WORDS, strict=True)))
NET_LEGEND = charts.legend(("dot", "ink", "net stance"), ("line", "ink", "95 % interval"))
SIDES_LEGEND = charts.legend(("diamond", "against", "against"), ("dot", "favor", "in favor"))


def _group_data(noun: str, groups: Groups) -> Data:
    columns = [text_column(noun), page.ANSWERS, Column("withheld", "withheld", "count")]
    for label in Stance:
        columns += with_interval(f"{label}, %", str(label), f"{label}_low", f"{label}_high")
    rows = []
    for group in (*groups.judged, *groups.withheld):
        shares = group.shares
        cells: list[Cell] = [group.name, shares.n + group.uncertain, group.uncertain]
        for share, bounds in zip(shares.shares, shares.intervals, strict=True):
            cells += (share, *bounds)
        cells += (shares.net, *shares.net_interval)
        rows.append(cells if shares.n else [*cells[:3], *[None] * (len(cells) - 3)])
    return Data(f"stance-by-{noun}", (*columns, *page.NET), rows)


def _carrier_data(report: PredictionReport) -> Data | None:
    """Return the aliases that name each actor shown; None if none is known."""
    found = report.carriers.aliases if report.carriers else {}
    rows: list[list[Cell]] = []
    for group in report.actors.judged:
        counts = found.get(group.name, Counter())
        shares = [(name, 100 * n / counts.total()) for name, n in counts.most_common(CARRIERS)]
        listed = ", ".join(f"{shown(name, 40)} {share:.0f} %" for name, share in shares)
        rows += [[group.name, counts.total(), listed]] if counts else []
    columns = (
        text_column("actor"),
        Column("mentions", "mentions", "count"),
        text_column("aliases"),
    )
    return Data("aliases", columns, rows) if rows else None


def _described(groups: Sequence[Group]) -> str:
    form = "{}: {:.0f} % against, {:.0f} % neutral, {:.0f} % in favor of {:,}"
    shares = [(g.name, [100 * share for share in g.shares.shares], g.shares.n) for g in groups[:5]]
    return "; ".join(form.format(page.named(name), *parts, n) for name, parts, n in shares)


def _shares_figure(name: str, title: str, groups: Sequence[Group], data: Data) -> Figure:
    names = page.named_apart(group.name for group in groups)
    bars = [
        Parts(brief, f"{g.shares.n:,} given", g.shares.shares)
        for brief, g in zip(names, groups, strict=True)
    ]
    chart = charts.stacked(name, title, _described(groups), bars, TONES)
    return Figure(chart, data, SHARES_LEGEND)


def _net_figure(name: str, title: str, groups: Sequence[Group], data: Data) -> Figure:
    lines, words = [], []
    names = page.named_apart((group.name for group in groups), page.SHORT)
    for brief, group in zip(names, groups, strict=True):
        net = Estimate(group.shares.net, group.shares.net_interval)
        lines.append(Line(brief, page.points_of(group.shares), (net,)))
        words.append(f"{page.named(group.name)} {page.points_of(group.shares)}")
    axis = net_axis(end for shares in _firm(groups) for end in shares.net_interval)
    described = f"In points, with 95 % intervals. {'; '.join(words[:5])}"
    return Figure(charts.whiskers(name, title, lines, axis, described), data, NET_LEGEND)


def _firm(groups: Sequence[Group]) -> list[Shares]:
    """Return the shares that a scale must hold: without the widest intervals, of few answers."""
    every = [group.shares for group in groups]
    return [shares for shares in every if shares.n >= FEWEST_ANSWERS] or every


def _sides_figure(groups: Sequence[Group], data: Data) -> Figure:
    rows = []
    names = page.named_apart(group.name for group in groups)
    for brief, group in zip(names, groups, strict=True):
        shares, bounds = group.shares.shares, group.shares.intervals
        pair = (Estimate(shares[at], bounds[at], *mark) for at, mark in charts.SIDES.items())
        rows.append(Line(brief, f"{group.shares.n:,} given", tuple(pair)))
    axis = share_axis(max(s.intervals[side][1] for s in _firm(groups) for side in SIDES))
    title = "Shares for and against by actor"
    chart = charts.whiskers("sides", title, rows, axis, _described(groups))
    return Figure(chart, data, SIDES_LEGEND)


def _certainty_figure(tally: Tally) -> Figure:
    bounds = [f"{bound:.1f}" for bound in CONFIDENCES]
    ends = [bound.lstrip("0") for bound in bounds]
    names = [f"<{ends[0]}", *(f"{low}–{high}" for low, high in pairwise([*ends, "1"]))]
    shares = (tally.confidence / tally.answers).tolist()
    bars = list(zip(names, shares, strict=True))
    described = "; ".join(f"{name} {100 * share:.0f} %" for name, share in bars)
    low = Column("largest probability from", "from")
    columns = (low, page.ANSWERS, Column("share, %", "share", "share"))
    rows = [*zip(["0.333", *bounds], tally.confidence.tolist(), shares, strict=True)]
    title = "Answers by largest probability"
    chart = charts.upright("certainty-chart", title, described, bars)
    return Figure(chart, Data("certainty", columns, rows))


def _tone_figure(tone: Shares, tally: Tally) -> Figure:
    counts = tally.tone_clusters.sum(axis=0).tolist()
    rows: list[list[Cell]] = []
    words, key = [], []
    for at, (label, place) in enumerate(zip(Sentiment, ("left", "middle", "right"), strict=True)):
        share, (low, high) = tone.shares[at], tone.intervals[at]
        rows.append([str(label), counts[at], share, low, high])
        words.append(f"{100 * share:.0f} % [{100 * low:.0f}, {100 * high:.0f}] {label}")
        key.append(("bar", TONES[at], f"{label} ({place})"))
    rows.append([UNCERTAIN, tally.toneless, None, None, None])
    row = Parts("all rows", count(tone.n, "row"), tone.shares)
    chart = charts.stacked("tone", "Sentiment of paragraphs", ", ".join(words), [row], TONES)
    columns = (text_column("sentiment"), page.ROWS, *with_interval("share, %", "share"))
    return Figure(chart, Data("sentiment", columns, rows), charts.legend(*key))


def _trace_figures(traces: Sequence[Trace]) -> list[tuple[Trace, Figure]]:
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
    columns = (text_column(trace.unit), page.GIVEN, *page.NET)
    return Figure(chart, Data(f"over-time-{number}", columns, rows, trace.name))


def _telling(report: PredictionReport) -> list[tuple[str, list[tuple[str, list[Quotation]]]]]:
    """Return the paragraphs of each actor on both sides, most frequent actors first."""
    kept, actors = report.marked.kept, report.actors.shown[:TRACED]
    return [
        (group.name, [(TONES[side], [e.quotation() for e in kept[at, side]]) for side in SIDES])
        for at, group in enumerate(actors)
        if any(kept[at, side] for side in SIDES)
    ]


def draw_figures(report: PredictionReport) -> dict[str, Any]:
    """Return the figures of the page by name; what is empty is not shown."""
    tally = report.tally
    by_actor, by_source = _group_data("actor", report.actors), _group_data("source", report.sources)
    actors, sources = report.actors.judged, report.sources.judged
    shares, net = "Stance shares by", "Net stance by"
    shown = [group.name for group in actors]
    return {
        **(audited_figures(report.audited, shown) if report.audited else {}),
        "shares": actors and _shares_figure("shares", f"{shares} actor", actors, by_actor),
        "net": actors and _net_figure("net", f"{net} actor", actors, by_actor),
        "sides": actors and _sides_figure(actors, by_actor),
        "traces": report.traces and _trace_figures(report.traces),
        "source_shares": sources
        and _shares_figure("sources-shares", f"{shares} source", sources, by_source),
        "source_net": sources and _net_figure("sources-net", f"{net} source", sources, by_source),
        "map": report.by is not None and make_map(report),
        "certainty": tally.answers and _certainty_figure(tally),
        "tone": report.tone.n and _tone_figure(report.tone, tally),
    }


def _files(figures: Mapping[str, Any]) -> dict[str, Figure]:
    """Return the figures that files are made of, by name."""
    found = dict[str, Figure]()
    for name, each in figures.items():
        if isinstance(each, Map):
            found["map"] = each.figure()
        elif isinstance(each, list):
            found |= {made.data.name: made for _, made in each}
        elif each:
            found[name.replace("_", "-")] = each
    return found


def compose(
    report: PredictionReport,
    title: str | None = None,
    figures: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the page, under the user's title or the table's name."""
    return page.render("predictions", **_context(report, title, figures or draw_figures(report)))


def compose_checklist(
    report: PredictionReport, title: str | None, figures: Mapping[str, Any]
) -> bytes:
    """Return what authors should report, in Markdown, filled in as far as it is known."""
    context = _context(report, title, figures)
    context["cited"] += ["park2025", "bloodgood2009", "benjamini1995", "holm1979"]
    context["cited"] = list(dict.fromkeys(context["cited"]))
    return page.render_text("checklist.md.j2", **context)


def _context(
    report: PredictionReport, title: str | None, figures: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the templates show."""
    by_actor, by_source = _group_data("actor", report.actors), _group_data("source", report.sources)
    smoothed = any(len(trace.points) >= SMOOTHED for trace in report.traces)
    cited = ["wilson1927", "korn1998", "bell2002", "tango1998"]
    cited += ["angelopoulos2023", "egami2023"] * (report.audited is not None)
    agreement = report.audited is not None and report.audited.agreement is not None
    cited += ["krippendorff2011", "gwet2008"] * agreement
    cited += ["paule1982", "cochran1954", "holm1979"] * bool(figures["map"])
    cited += ["wahba1983"] * smoothed
    card = report.maker.model.card if report.maker else {}
    return {
        "title": shown(title, 200) if title else f"Stance in {shown(report.request.title, 80)}",
        "report": report,
        "figures": figures,
        "by_actor": by_actor,
        "by_source": by_source,
        "carried": _carrier_data(report),
        "telling": _telling(report),
        "labels": list(map(str, Stance)),
        "tones": list(map(str, Sentiment)),
        "cited": cited,
        "smoothed": smoothed,
        "versions": ", ".join(f"{name} {n}" for name, n in card.get("versions", {}).items()),
        "limits": {
            **{"few": FEWEST_ANSWERS, "uncertain": MANY_UNCERTAIN, "narrow": MANY_NARROW},
            **{"mapped": FEWEST_POOLED, "open": OPEN, "clusters": CLUSTERS},
            **{"point": FEWEST_PER_POINT, "smoothed": SMOOTHED},
        },
    }


def write_predictions(
    request: Request,
    output: Path,
    maker: Maker | None,
    *,
    audit: AuditRequest | None = None,
    title: str | None = None,
    folder: Path | None = None,
    pdf: bool = False,
    checklist: Path | None = None,
    force: bool = False,
    excel_safe: bool = False,
) -> list[str]:
    """Write the report on a table of predictions; return what to say of it.

    Its figures also go to ``folder``, as files of their own, also as PDF if asked, and what authors
    should report to ``checklist``.
    """
    report = gather(request, maker, audit)
    figures = draw_figures(report)
    said = [*report.survey.notes, *(report.audited.notes if report.audited else ())]
    files = list[tuple[Path, bytes]]()
    if folder:
        files, told = figure_files(folder, _files(figures), pdf=pdf, excel_safe=excel_safe)
        said += told
    if checklist:
        files.append((checklist, compose_checklist(report, title, figures)))
        said.append(f"wrote {checklist}")
    files.append((output, compose(report, title, figures)))
    with folder_made(folder):
        write_together(files, force=force)
    if report.denied:
        said.append(f"{report.denied} did not make these answers; name the model with --model")
    counted = f"{count(report.tally.rows, 'row')}, {count(report.tally.answers, 'answer')}"
    return [*said, f"wrote {output}: {counted}"]
