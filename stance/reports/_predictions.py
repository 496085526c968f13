"""The page on a table of answers: its figures, counted or corrected by labels, and its words."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance.corpus.rows import HOLDERS
from stance.display import count, shown
from stance.files import AtomicGroup, file_hash
from stance.findings import Request, Share, write_numbers
from stance.findings.correction import FEWEST_LABELS, NET
from stance.findings.shares import TOTAL, WIDE, beyond_chance
from stance.records import SIDES, Stance
from stance.reports import _charts as charts
from stance.reports import _page as page
from stance.reports._answers import TRACED, AnswersReport, Maker, gather
from stance.reports._charts import Axis, Estimate, MatrixCell, net_axis, whiskers
from stance.reports._figures import (
    Cell,
    Column,
    Data,
    Drawing,
    Figure,
    points,
    with_interval,
)
from stance.reports._files import NUMBERS, make_folder, write_figures

MANY_UNCERTAIN = 0.1  # share of answers withheld that matters
OPEN = 5  # actors whose paragraphs are open to view
COMPARED = 4  # actors whose groups have a chart with intervals
DATES = 4  # dates under a curve
SHADES = {-1: "net1", 0: "", 1: "net5"}  # of a matrix, by the side
TONES = {0: "against", 1: "neutral", 2: "favor"}
CITED = ["wilson1927", "korn1998", "bell2002", "tango1998"]
CITED_OF_LABELS = ["angelopoulos2023", "egami2023"]
RING = ("ring", "quietly", "counted by the classifier")
LINE = ("line", "ink", "95 % interval")
LINES = "lines: 95\u00a0% intervals by document"
MAP = (
    "each cell: net stance in points, below it {}; a dash: too few; a colour: beyond chance in {} "
)
MAP += "(Holm, 5\u00a0%)"


@dataclass(frozen=True, slots=True)
class _Drawing:
    """The figures of a page, all of one report."""

    report: AnswersReport

    def all(self) -> dict[str, Any]:
        """Return the figures by name: one, a list of them, or nothing."""
        report, actors = self.report, self.report.actors
        groups = []
        for number, actor in enumerate(actors[:COMPARED], 1):
            cells = [cell for cell in report.cells if cell.actor == actor.actor]
            cells.sort(key=lambda cell: (-cell.n, cell.group))
            if any(cell.net for cell in cells):
                title = f"Net stance toward {page.named(actor.actor)} by {self.by}"
                groups.append(self.dots(f"groups-{number}", title, cells))
        counted = any(share.counts.n for share in actors)
        return {
            "net": counted and self.dots("net", "Net stance by actor", actors),
            "groups": groups,
            "map": any(cell.net for cell in report.cells) and self.map(),
            "traces": self.traces(),
            "pairs": report.pairs and self.pairs(),
        }

    def caption(self, shares: Sequence[Share], marks: str = LINES) -> str:
        """Return what a figure in a paper must say: n, method and interval."""
        method = "counted by a classifier and not corrected for its errors"
        if self.report.labelled:
            labels = count(sum(share.labels for share in shares), "label")
            method = f"corrected by {labels} (prediction-powered inference)"
        n = count(sum(share.n for share in shares), "answer")
        return f"n = {n}, {method}; {marks}."

    def data(self, name: str, shares: Sequence[Share], group: str = "group") -> Data:
        """Return all that is known of each: of a study with labels, counted and corrected."""
        audited = self.report.labelled is not None
        named = ("actor", "group", "period")
        keys = [key for key in named if any(getattr(share, key) for share in shares)]
        counts = ("n", "withheld", *["labels"] * audited)
        columns = [Column(group if key == "group" else key) for key in keys]
        columns += [Column(noun, "count") for noun in ("answers", *counts[1:])]
        for label in (*map(str, Stance), "net"):
            kind: Any = "signed" if label == "net" else "share"
            title = f"{label} corrected" if audited else label
            unit = "" if label == "net" else ", %"
            columns += [Column(f"{label} counted{unit}", kind)] * audited
            columns += with_interval(f"{title}{unit}", kind)
        columns += [Column("method")] * audited
        rows: list[list[Cell]] = []
        for share in shares:
            cells: list[Cell] = [getattr(share, key) or "(all)" for key in keys]
            cells += [getattr(share, name) for name in counts]
            for quantity in range(NET + 1):
                value, ends = share.value(quantity) or (None, (None, None))
                cells += [*[share.counted(quantity)] * audited, value, *ends]
            rows.append([*cells, *[share.method] * audited])
        return Data(name, columns, rows)

    def dots(self, name: str, title: str, shares: Sequence[Share]) -> Figure:
        """Draw net stances under each other."""
        names = [page.named(share.group or share.actor, charts.NAME) for share in shares]
        named = zip(names, shares, strict=True)
        lines = [(name, note(share), estimate(share)) for name, share in named]
        audited = self.report.labelled
        key = [("dot", "ink", "corrected by labels" if audited else "net stance"), LINE]
        key += [RING] if audited else []
        axis = net_axis(end for _, _, mark in lines for end in mark.ends)
        chart, data = whiskers(lines, axis), self.data(name, shares)
        return Figure(title, chart, data, key, self.caption(shares))

    def map(self) -> Figure:
        """Draw the net stance of each actor in each group."""
        report = self.report
        nets = {share.actor: share.net for share in report.actors}
        middles = [net[0] if (net := nets[share.actor]) else math.nan for share in report.cells]
        shaded = zip(report.cells, beyond_chance(report.cells, middles), strict=True)
        cells = {(share.actor, share.group): matrix_cell(share, side) for share, side in shaded}
        actors = [actor for actor in nets if any(actor == cell.actor for cell in report.cells)]
        key = [("bar", SHADES[-1], "below the actor's net stance"), ("bar", SHADES[1], "above")]
        title, data = f"Net stance by actor and {self.by}", self.data("map", report.cells)
        chart, caption = matrix(actors, report.groups, cells), self.of_cells(report.cells)
        return Figure(title, chart, data, key, caption)

    def of_cells(self, shares: Sequence[Share]) -> str:
        """Return the caption of a matrix."""
        known = count(sum(share.net is not None for share in shares), "cell")
        beside = "the counted one" if self.report.labelled else "the answers"
        return self.caption(shares, MAP.format(beside, known))

    @property
    def by(self) -> str:
        """The name of the column of groups."""
        return page.named(str(self.report.population.request.by))

    def traces(self) -> list[Figure]:
        """Draw each actor's net stances over time, from the first known to the last, on one scale.

        A mistyped date, of which little is known, so leaves the others room.
        """
        drawn, figures, periods = [], list[Figure](), self.report.population.periods
        numbers = dict(zip(periods.names, periods.numbers, strict=True)) if periods else {}
        for actor in self.report.actors[:TRACED]:
            course = [share for share in self.report.course if share.actor == actor.actor]
            known = [place for place, share in enumerate(course) if share.net]
            if len(known) > 1:
                marks = [(numbers[share.period], estimate(share)) for share in course]
                drawn.append((course, slice(known[0], known[-1] + 1), marks))
        y = net_axis(
            end for _, part, marks in drawn for _, mark in marks[part] for end in mark.ends
        )
        for number, (course, part, marks) in enumerate(drawn, 1):
            step = -(-(len(course[part]) - 1) // (DATES - 1))
            ticks = [(numbers[share.period], share.period) for share in course[part][::step]]
            x = Axis(marks[part][0][0], marks[part][-1][0], tuple(ticks))
            key = [("dot", "favor", "corrected by labels"), RING] if self.report.labelled else []
            title = f"Net stance toward {page.named(course[0].actor)} over time"
            chart, data = charts.curve(marks[part], x, y), self.data(f"over-time-{number}", course)
            figures.append(Figure(title, chart, data, key, self.caption(course)))
        return figures

    def pairs(self) -> Figure:
        """Draw who judges whom: holders by the actors whom they judge."""
        shares, totals = self.report.pairs.shares if self.report.pairs else [], Counter[str]()
        for share in shares:
            totals.update({share.group: share.counts.n, share.actor: share.counts.n})
        ranked = sorted(totals, key=lambda name: (name not in HOLDERS, -totals[name], name))
        holders, targets = (
            [name for name in ranked if name in names]
            for names in ({s.group for s in shares}, {s.actor for s in shares})
        )
        shaded = zip(shares, beyond_chance(shares, [0] * len(shares)), strict=True)
        cells = {
            (share.group, share.actor): matrix_cell(share, side, f"pair-{number}")
            for number, (share, side) in enumerate(shaded, 1)
        }
        key = [("bar", SHADES[-1], "against prevails"), ("bar", SHADES[1], "in favor prevails")]
        data = self.data("pairs", shares, group="holder")
        chart = matrix(holders, targets, cells, "holder / target")
        return Figure("Who judges whom: net stance", chart, data, key, self.of_cells(shares))


def matrix(
    rows: Sequence[str],
    heads: Sequence[str],
    cells: Mapping[tuple[str, str], MatrixCell],
    corner: str = "",
) -> Drawing:
    """Return a matrix of the cells that are known."""
    empty = MatrixCell("", "")
    listed = [(page.named(row), [cells.get((row, h), empty) for h in heads]) for row in rows]
    return charts.heat([page.named(head, page.SHORT) for head in heads], listed, corner)


def estimate(share: Share) -> Estimate:
    """Return a net stance as a chart has it, of a study with labels the counted one beside it."""
    value, interval = share.net or (None, None)
    beside = share.value(NET, counted=True) if share.audited else None
    return Estimate(value, interval, beside and beside[0])


def note(share: Share) -> str:
    """Return a net stance in points, or that there is too little to tell."""
    if share.net:
        return points(*share.net)
    number = share.labels if share.audited else share.counts.n
    return f"too few ({number:,})"


def matrix_cell(share: Share, side: int, place: str = "") -> MatrixCell:
    """Return a net stance, shaded by its side, with the counted one or the answers below it."""
    counted = share.counted(NET)
    below = f"{share.counts.n:,}"
    if share.audited:
        below = "" if counted is None else f"({points(counted)})"
    return MatrixCell(points(share.net[0]) if share.net else "–", below, SHADES[side], place)


def write_predictions(
    request: Request,
    output: Path,
    makers: Iterable[Maker] = (),
    *,
    title: str | None = None,
    folder: Path | None = None,
    pdf: bool = False,
    force: bool = False,
    excel_safe: bool = False,
) -> list[str]:
    """Write the report on a table of answers; return what to say of it.

    Its figures also go to ``folder``, as files of their own, also as PDF if asked.
    """
    report = gather(request, makers)
    figures, notes, quoted = _Drawing(report).all(), [*report.notes], report.quoted
    data = page.render(
        "predictions",
        1,
        title=shown(title, 200) if title else f"Stance in {shown(request.source.name, 80)}",
        **{"report": report, "figures": figures, "maker": report.maker},
        telling=[  # paragraphs of each actor on either side
            (name, [(TONES[side], quoted.get((name, side), [])) for side in SIDES])
            for name in (share.actor for share in report.actors[:TRACED])
            if any((name, side) in quoted for side in SIDES)
        ],
        cited=CITED + CITED_OF_LABELS * (report.labelled is not None),
        **{"labels": list(map(str, Stance)), "sides": TONES},
        labels_sha256=request.audit and file_hash(request.audit),
        limits={"uncertain": MANY_UNCERTAIN, "open": OPEN, "wide": WIDE, "labels": FEWEST_LABELS},
    )
    with AtomicGroup() as group:
        if folder:
            make_folder(folder)
            every = (made if isinstance(made, list) else [made] for made in figures.values())
            drawn = [figure for listed in every for figure in listed if figure]
            notes += write_figures(folder, drawn, group, pdf=pdf, force=force)
            whole = [report.total] if report.total.actor == TOTAL else []  # else the only actor
            shares = (*whole, *report.actors, *report.cells, *report.course)
            rows = [row for share in shares for row in share.rows()]
            write_numbers(folder / NUMBERS, rows, group, force=force, excel_safe=excel_safe)
        group.write(output, data, force=force)
    if report.denied:
        notes.append(f"{report.denied} did not make these answers; name the model with --model")
    if report.total.documents == 1:
        notes.append(f"{request.name}: holds one document; show an article with stance read")
    counted = f"{count(report.population.rows, 'row')}, {count(report.total.n, 'answer')}"
    return [*notes, f"wrote {output}: {counted}"]
