"""The report on a table of predictions: one record of all it says, and its page."""

from bisect import bisect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count as count_up
from itertools import pairwise
from pathlib import Path

from stance.arrays import Ints
from stance.display import count, shown
from stance.errors import DataError
from stance.evaluation.intervals import Shares, estimate_shares
from stance.files import write_whole
from stance.findings.survey import Frequent, Periods, Request, Survey, batches, file_hash, survey
from stance.findings.tally import CLUSTERS, CONFIDENCES, TRACED, Carriers, Tally
from stance.model.judging import StanceModel
from stance.records import AGAINST, FAVOR, UNCERTAIN, Sentiment, Stance
from stance.reports import _charts as charts
from stance.reports import _page as page
from stance.reports._charts import Axis, Estimate, Line, Parts, Point
from stance.reports._examples import SIDES, Examples, Marked, Quotation, mark
from stance.reports._page import Cell, Column, Data, Figure, text_column, with_interval

FEWEST_ANSWERS = 30  # answers below which an actor's shares are little more than anecdotes
MANY_UNCERTAIN, MANY_NARROW = 0.1, 0.25  # shares of answers withheld, and hardly sure, that matter
MAP_ACTORS, MAP_SOURCES, FEWEST_MAPPED = 20, 12, 10  # rows, columns, answers of a shaded cell
CARRIERS = 6  # aliases listed of an actor
OPEN = 5  # actors whose paragraphs are open to view
SHADES = (-0.5, -0.2, -0.05, 0.05, 0.2, 0.5)  # net stances between two shades of the map
TONES: tuple[charts.Tone, ...] = ("against", "neutral", "favor")


@dataclass(frozen=True, slots=True)
class Maker:
    """The model that is said to have made the answers, with the name and hash of its file."""

    model: StanceModel
    name: str
    sha256: str
    given: bool  # by the user; else it is only believed if it gives the table's answers


def read_maker(path: Path, model: StanceModel, *, given: bool) -> Maker:
    return Maker(model, path.name, file_hash(path), given)


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    shares: Shares
    uncertain: int


@dataclass(frozen=True, slots=True)
class Groups:
    shown: tuple[Group, ...]
    distinct: int
    at_least: bool  # there may be more than `distinct`

    @property
    def judged(self) -> tuple[Group, ...]:
        return tuple(group for group in self.shown if group.shares.n)

    @property
    def untrusted(self) -> list[str]:
        """Those whose documents are too few, or too unequal, for an interval to be trusted."""
        return [g.name for g in self.judged if not g.shares.trusted]

    @property
    def answers(self) -> int:
        return sum(group.shares.n + group.uncertain for group in self.shown)


@dataclass(frozen=True, slots=True)
class PredictionReport:
    """All that the page on a table of predictions says."""

    request: Request
    sha256: str  # of the table's file
    survey: Survey
    tally: Tally
    whole: Shares
    actors: Groups
    sources: Groups
    traces: Sequence[Sequence[Shares]]  # of the first actors, by period
    tone: Shares  # rows by sentiment
    marked: Marked
    maker: Maker | None  # None if no model is known, or the one given answers otherwise
    denied: str  # name of a model that answers otherwise
    carriers: Carriers | None  # None without such a model

    @property
    def by(self) -> str | None:
        return self._column(self.survey.places.by)

    @property
    def over(self) -> str | None:
        return self._column(self.survey.places.over)

    def _column(self, at: int | None) -> str | None:
        return None if at is None else self.survey.columns[at]

    @property
    def withheld(self) -> int:
        return int(self.tally.uncertain.sum())

    @property
    def few(self) -> list[str]:
        return [g.name for g in self.actors.judged if g.shares.n < FEWEST_ANSWERS]

    @property
    def narrow(self) -> float:
        """Share of answers in which no stance has a probability of one half."""
        return int(self.tally.confidence[:2].sum()) / self.tally.answers

    def prevailing(self, side: int) -> list[str]:
        """Return the actors toward whom more answers take a side than the other, beyond chance."""
        sign = 1 if side == FAVOR else -1
        judged = ((g.name, g.shares.net_interval) for g in self.actors.judged)
        return [name for name, ends in judged if min(sign * end for end in ends) > 0]

    @property
    def extremes(self) -> tuple[Group, Group] | None:
        """The actors spoken of worst and best, if their intervals do not meet."""
        judged = [g for g in self.actors.judged if g.shares.n >= FEWEST_ANSWERS]
        if not judged:
            return None
        low, high = (choose(judged, key=lambda g: g.shares.net) for choose in (min, max))
        apart = low.shares.net_interval[1] < high.shares.net_interval[0]
        return (low, high) if apart else None


def gather(request: Request, maker: Maker | None) -> PredictionReport:
    """Read a prediction table twice: what it holds, then exact counts of what is shown."""
    found = survey(request)
    before = request.source.stat()
    tally = Tally(found)
    examples = Examples(tally.actors[:TRACED], found.places)
    carriers = Carriers(maker.model.book, found.places) if maker else None
    with request.open() as table:
        for batch in batches(table):
            if answered := tally.add(batch, table.name):
                examples.add(answered)
            if carriers:
                carriers.add(batch)
    sha256, after = file_hash(request.source), request.source.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise DataError(f"{table.name}: changed while it was read; wait until it is complete")
    marked = mark(examples, maker.model if maker else None)
    agrees = maker is not None and (maker.given if marked.reproduced is None else marked.reproduced)
    alone = found.places.document is None  # a row says one thing of an actor, but several of all
    actors = [estimate_shares(each, independent=alone) for each in tally.actor_clusters]
    sources = [estimate_shares(each) for each in tally.source_clusters]
    traces = [
        [estimate_shares(each, independent=alone) for each in actor.astype("int64")]
        for actor in tally.period_clusters
    ]
    return PredictionReport(
        request=request,
        sha256=sha256,
        survey=found,
        tally=tally,
        whole=estimate_shares(tally.all_clusters),
        actors=_groups(tally.actors, actors, tally.uncertain, found.actors),
        sources=_groups(tally.sources, sources, tally.source_uncertain, found.sources),
        traces=traces,
        tone=estimate_shares(tally.tone_clusters, independent=alone),
        marked=marked,
        maker=maker if agrees else None,
        denied=maker.name if maker and marked.reproduced is False else "",
        carriers=carriers if agrees else None,
    )


def _groups(
    names: Sequence[str], every: Sequence[Shares], uncertain: Ints, found: Frequent
) -> Groups:
    blank = (name or "(blank)" for name in names)
    shown = tuple(map(Group, blank, every, uncertain.tolist()))
    return Groups(shown, found.distinct, bool(found.lost))


# --- Its charts and tables -----------------------------------------------------------------------

NET = with_interval("net", "net", "net_low", "net_high", "signed")

WORDS = ("against (left)", "neutral (middle)", "in favor (right)")
SHARES_LEGEND = charts.legend(*(("bar", tone, w) for tone, w in zip(TONES, WORDS, strict=True)))
NET_LEGEND = charts.legend(("dot", "ink", "net stance"), ("line", "ink", "95 % interval"))
SIDES_LEGEND = charts.legend(("diamond", "against", "against"), ("dot", "favor", "in favor"))


def _group_data(noun: str, groups: Groups) -> Data:
    columns = [text_column(noun), page.ANSWERS, Column("uncertain", "uncertain", "count")]
    for label in Stance:
        columns += with_interval(f"{label}, %", str(label), f"{label}_low", f"{label}_high")
    rows = []
    for group in groups.shown:
        shares = group.shares
        cells: list[Cell] = [group.name, shares.n, group.uncertain]
        for share, bounds in zip(shares.shares, shares.intervals, strict=True):
            cells += (share, *bounds)
        cells += (shares.net, *shares.net_interval)
        rows.append(cells if shares.n else [*cells[:3], *[None] * (len(cells) - 3)])
    return Data(f"stance-by-{noun}", (*columns, *NET), rows)


def _carrier_data(report: PredictionReport) -> Data | None:
    """Return the aliases that name each actor shown; None if none is known."""
    found = report.carriers.aliases if report.carriers else {}
    rows: list[list[Cell]] = []
    for group in report.actors.shown:
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
    bars = [Parts(page.named(g.name), count(g.shares.n, "answer"), g.shares.shares) for g in groups]
    chart = charts.stacked(name, title, _described(groups), bars, TONES)
    return Figure(chart, data, SHARES_LEGEND)


def _net_figure(name: str, title: str, groups: Sequence[Group], data: Data) -> Figure:
    lines, words = [], []
    for group in groups:
        net = Estimate(group.shares.net, group.shares.net_interval)
        lines.append(Line(page.named(group.name, page.SHORT), _net_words(group.shares), (net,)))
        words.append(f"{page.named(group.name)} {_net_words(group.shares)}")
    axis = charts.net_axis(bound for group in groups for bound in group.shares.net_interval)
    described = f"In points, with 95 % intervals. {'; '.join(words[:5])}"
    return Figure(charts.whiskers(name, title, lines, axis, described), data, NET_LEGEND)


def _net_words(shares: Shares) -> str:
    return page.points(shares.net, shares.net_interval)


def _sides_figure(groups: Sequence[Group], data: Data) -> Figure:
    forms = {AGAINST: "diamond", FAVOR: "dot"}
    rows = []
    for group in groups:
        shares, bounds = group.shares.shares, group.shares.intervals
        pair = (Estimate(shares[at], bounds[at], TONES[at], form) for at, form in forms.items())
        rows.append(Line(page.named(group.name), count(group.shares.n, "answer"), tuple(pair)))
    axis = charts.share_axis(max(g.shares.intervals[side][1] for g in groups for side in forms))
    title = "Shares for and against by actor"
    chart = charts.whiskers("sides", title, rows, axis, _described(groups))
    return Figure(chart, data, SIDES_LEGEND)


def _trace_figures(report: PredictionReport, periods: Periods) -> list[tuple[str, int, Figure]]:
    """Return name and answers of each actor beside its net stances by period."""
    ends = (end for trace in report.traces for s in trace if s.n for end in s.net_interval)
    y = charts.net_axis(ends, 2)
    return [
        (group.name, sum(s.n for s in trace), _trace_figure(at, group.name, trace, periods, y))
        for at, group, trace in zip(count_up(1), report.actors.shown, report.traces, strict=False)
    ]


def _trace_figure(
    number: int, name: str, trace: Sequence[Shares], periods: Periods, y: Axis
) -> Figure:
    last = periods.count - 1
    ends = tuple({0: periods.name(0), last: periods.name(last)}.items())
    x = Axis(0, last, ends) if last else Axis(-0.5, 0.5, ends)
    seen = [(periods.name(at), shares) for at, shares in enumerate(trace) if shares.n]
    words = [f"{period} {_net_words(shares)}" for period, shares in seen]
    described = "; ".join([*words[:1], *words[-1:]]) or "no answers"
    title = f"Net stance toward {page.named(name)} by {periods.unit}"
    marks = [Point(at, s.net if s.n else None, s.net_interval) for at, s in enumerate(trace)]
    chart = charts.curve(f"time-{number}", title, described, marks, x, y)
    rows: list[list[Cell]] = [[period, s.n, s.net, *s.net_interval] for period, s in seen]
    columns = (text_column(periods.unit), page.ANSWERS, *NET)
    return Figure(chart, Data(f"over-time-{number}", columns, rows))


Shade = tuple[float, int, str]  # net stance, answers and the name of a cell's shade


@dataclass(frozen=True, slots=True)
class Map:
    sources: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Shade]]]
    key: Sequence[str]  # what the shades mean
    data: Data


def _map(report: PredictionReport) -> Map | None:
    actors = [group.name for group in report.actors.shown]
    sources = [group.name for group in report.sources.shown]
    crossed = report.tally.crossed
    if not (crossed[:MAP_ACTORS, :MAP_SOURCES].sum(axis=2) >= FEWEST_MAPPED).any():
        return None
    rows: list[tuple[str, Sequence[Shade]]] = []
    listed: list[list[Cell]] = []
    for actor, counts in zip(actors, crossed.tolist(), strict=True):
        cells = [_shade(each) for each in counts]
        rows.append((actor, cells[:MAP_SOURCES]))
        for source, each, (net, total, _) in zip(sources, counts, cells, strict=True):
            if total:
                listed.append([actor, source, *each, net])
    ends = [page.points(bound) for bound in SHADES]
    key = (f"below {ends[0]}", *(f"{a} to {b}" for a, b in pairwise(ends)), f"above {ends[-1]}")
    labels = (Column(str(label), str(label), "count") for label in Stance)
    columns = (text_column("actor"), text_column("source"), *labels, NET[0])
    data = Data("actor-by-source", columns, listed)
    return Map(sources[:MAP_SOURCES], rows[:MAP_ACTORS], key, data)


def _shade(counts: Sequence[int]) -> Shade:
    total = sum(counts)
    net = (counts[FAVOR] - counts[AGAINST]) / max(1, total)
    return net, total, "few" if total < FEWEST_MAPPED else f"net{bisect(SHADES, net)}"


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


def _telling(report: PredictionReport) -> list[tuple[str, list[tuple[str, list[Quotation]]]]]:
    kept, actors = report.marked.kept, report.actors.shown[:TRACED]
    return [
        (group.name, [(TONES[side], [e.quotation() for e in kept[at, side]]) for side in SIDES])
        for at, group in enumerate(actors)
        if any(kept[at, side] for side in SIDES)
    ]


def write_predictions(
    request: Request, output: Path, maker: Maker | None, *, force: bool = False
) -> list[str]:
    """Write the report on a table of predictions; return what to say of it."""
    report = gather(request, maker)
    write_whole(output, compose(report), force=force)
    said = list(report.survey.notes)
    if report.denied:
        said.append(f"{report.denied} did not make these answers; name the model with --model")
    counted = f"{count(report.tally.rows, 'row')}, {count(report.tally.answers, 'answer')}"
    return [*said, f"wrote {output}: {counted}"]


def compose(report: PredictionReport) -> bytes:
    tally, periods = report.tally, report.tally.periods
    by_actor, by_source = _group_data("actor", report.actors), _group_data("source", report.sources)
    actors, sources = report.actors.judged, report.sources.judged
    traced = any(shares.n for trace in report.traces for shares in trace)
    shares, net = "Stance shares by", "Net stance by"
    figures = {
        "shares": actors and _shares_figure("shares", f"{shares} actor", actors, by_actor),
        "net": actors and _net_figure("net", f"{net} actor", actors, by_actor),
        "sides": actors and _sides_figure(actors, by_actor),
        "traces": periods and traced and _trace_figures(report, periods),
        "source_shares": sources
        and _shares_figure("sources-shares", f"{shares} source", sources, by_source),
        "source_net": sources and _net_figure("sources-net", f"{net} source", sources, by_source),
        "map": report.by is not None and _map(report),
        "certainty": tally.answers and _certainty_figure(tally),
        "tone": report.tone.n and _tone_figure(report.tone, tally),
    }
    return page.render(
        "predictions",
        title=f"Stance in {shown(report.request.source.name, 80)}",
        report=report,
        figures=figures,
        by_actor=by_actor,
        by_source=by_source,
        carried=_carrier_data(report),
        telling=_telling(report),
        labels=list(map(str, Stance)),
        tones=list(map(str, Sentiment)),
        limits={
            **{"few": FEWEST_ANSWERS, "uncertain": MANY_UNCERTAIN, "narrow": MANY_NARROW},
            **{"mapped": FEWEST_MAPPED, "open": OPEN, "clusters": CLUSTERS},
        },
    )
