"""The page on a table of answers: its figures, counted or corrected by labels, and its words."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stance.corpus.rows import HOLDERS
from stance.display import count, shown
from stance.files import AtomicGroup, file_hash
from stance.findings import Request, Share, write_numbers
from stance.findings.correction import FEWEST_LABELS, NET
from stance.findings.shares import QUANTITIES, TOTAL, WIDE, beyond_chance
from stance.records import Stance
from stance.reports import charts, render
from stance.reports.answers import TRACED, AnswersReport, Models, gather
from stance.reports.charts import Axis, Estimate, MatrixCell
from stance.reports.figures import (
    NUMBERS,
    Cell,
    Column,
    Data,
    Figure,
    Kind,
    cut,
    make_folder,
    points,
    with_interval,
    write_figures,
)

MANY_UNCERTAIN = 0.1  # share of answers withheld that matters
OPEN = 5  # actors whose paragraphs are open to view
COMPARED = 4  # actors whose groups have a chart with intervals
DATES = 4  # dates under a curve
SHADES = {-1: "net1", 0: "", 1: "net5"}  # of a matrix, by the side
CITED = ["wilson1927", "korn1998", "bell2002", "tango1998"]
CITED_OF_LABELS = ["angelopoulos2023", "egami2023"]
RING = ("ring", "ring quietly", "counted by the classifier")
LINE = ("line", "whisker ink", "95 % interval")
LINES = "lines: 95\u00a0% intervals by document"
MAP = (
    "each cell: net stance in points, below it {}; a dash: too few; a colour: beyond chance in {} "
    "(Holm, 5\u00a0%)"
)


def write_predictions(
    request: Request,
    output: Path,
    models: Models | None = None,
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
    report = gather(request, models)
    figures, notes = _Drawing(report), [*report.notes]
    drawn = {
        "net": figures.net(),
        "groups": figures.groups(),
        "map": figures.map(),
        "traces": figures.traces(),
        "pairs": figures.pairs(),
    }
    data = render(
        "predictions",
        1,
        title=shown(title, 200) if title else f"Stance in {shown(request.source.name, 80)}",
        **{"report": report, "figures": drawn, "maker": report.maker},
        cited=CITED + CITED_OF_LABELS * (report.labelled is not None),
        counts=figures.data("net", report.actors),
        labels=list(map(str, Stance)),
        labels_sha256=request.audit and file_hash(request.audit),
        limits={"uncertain": MANY_UNCERTAIN, "open": OPEN, "wide": WIDE, "labels": FEWEST_LABELS},
    )
    with AtomicGroup() as group:
        if folder:
            make_folder(folder)
            every = [figure for listed in drawn.values() for figure in listed]
            notes += write_figures(folder, every, group, pdf=pdf, force=force)
            whole = [report.total] if report.total.actor == TOTAL else []  # else the only actor
            shares = (*whole, *report.actors, *report.cells, *report.course)
            rows = [row for share in shares for row in share.rows()]
            write_numbers(folder / NUMBERS, rows, group, force=force, excel_safe=excel_safe)
        group.write(output, data, force=force)
    if report.denied:
        how = "name the model with --model, and an actor book of yours with --actors"
        notes.append(f"{report.denied} did not make these answers; {how}")
    if report.total.documents == 1:
        notes.append(f"{request.name}: holds one document; show an article with stance read")
    counted = f"{count(report.population.rows, 'row')}, {count(report.total.n, 'answer')}"
    return [*notes, f"wrote {output}: {counted}"]


@dataclass(frozen=True, slots=True)
class _Drawing:
    """The figures of a page; what too few answers leave empty is not drawn."""

    report: AnswersReport

    @property
    def by(self) -> str:
        """The name of the column of groups."""
        return cut(str(self.report.population.request.by))

    def net(self) -> list[Figure]:
        """Draw the net stance toward each actor."""
        return self.dots("net", "Net stance by actor", self.report.actors)

    def groups(self) -> list[Figure]:
        """Draw the net stances of groups toward each of the first actors."""
        figures = list[Figure]()
        for number, actor in enumerate(self.report.actors[:COMPARED], 1):
            cells = [cell for cell in self.report.cells if cell.actor == actor.actor]
            cells.sort(key=lambda cell: (-cell.n, cell.group))
            title = f"Net stance toward {cut(actor.actor)} by {self.by}"
            if any(cell.net for cell in cells):
                figures += self.dots(f"groups-{number}", title, cells)
        return figures

    def dots(self, name: str, title: str, shares: Sequence[Share]) -> list[Figure]:
        """Draw net stances under each other, if there is one."""
        if not any(map(has_number, shares)):
            return []
        lines = [(share.group or share.actor, note(share), estimate(share)) for share in shares]
        audited = self.report.labelled is not None
        key = [("dot", "ink", "corrected by labels" if audited else "net stance"), LINE]
        axis = charts.net_axis(end for _, _, mark in lines for end in mark.ends)
        chart, data = charts.whiskers(lines, axis), self.data(name, shares)
        return [Figure(title, chart, data, key + [RING] * audited, self.caption(shares))]

    def map(self) -> list[Figure]:
        """Draw the net stance of each actor in each group."""
        nets = {share.actor: share.net for share in self.report.actors}
        cells = self.report.cells
        middles = [net[0] if (net := nets[share.actor]) else math.nan for share in cells]
        places = [(share.actor, share.group) for share in cells]
        known = {share.actor for share in cells if has_number(share)}
        if not any(share.net for share in cells):
            return []
        key = [
            ("box", "segment net1", "below the actor's net stance"),
            ("box", "segment net5", "above"),
        ]
        matrix = {
            place: matrix_cell(share, side)
            for place, share, side in zip(places, cells, beyond_chance(cells, middles), strict=True)
        }
        chart = charts.matrix(
            [actor for actor in nets if actor in known], self.report.groups, matrix
        )
        title, data = f"Net stance by actor and {self.by}", self.data("map", cells)
        return [Figure(title, chart, data, key, self.of_cells(cells))]

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
                drawn.append((course, course[known[0] : known[-1] + 1]))
        y = charts.net_axis(end for _, part in drawn for s in part for end in estimate(s).ends)
        for number, (course, part) in enumerate(drawn, 1):
            step = -(-(len(part) - 1) // (DATES - 1))
            ticks = [(numbers[share.period], share.period) for share in part[::step]]
            x = Axis(numbers[part[0].period], numbers[part[-1].period], ticks)
            key = [("dot", "favor", "corrected by labels"), RING] if self.report.labelled else []
            title = f"Net stance toward {cut(course[0].actor)} over time"
            chart = charts.curve([(numbers[s.period], estimate(s)) for s in part], x, y)
            data = self.data(f"over-time-{number}", course)
            figures.append(Figure(title, chart, data, key, self.caption(course)))
        return figures

    def pairs(self) -> list[Figure]:
        """Draw who judges whom: holders by the actors whom they judge."""
        shares, totals = self.report.pairs.shares if self.report.pairs else [], Counter[str]()
        if not any(map(has_number, shares)):
            return []
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
        key = [
            ("box", "segment net1", "against prevails"),
            ("box", "segment net5", "in favor prevails"),
        ]
        data = self.data("pairs", shares, group="holder")
        chart = charts.matrix(holders, targets, cells, "holder / target")
        return [Figure("Who judges whom: net stance", chart, data, key, self.of_cells(shares))]

    def caption(self, shares: Sequence[Share], marks: str = LINES) -> str:
        """Return what a figure in a paper must say: n, method and interval."""
        method = "counted by a classifier and not corrected for its errors"
        if self.report.labelled:
            labels = count(sum(share.labels for share in shares), "label")
            method = f"corrected by {labels} (prediction-powered inference)"
        n = count(sum(share.n for share in shares), "answer")
        return f"n = {n}, {method}; {marks}."

    def of_cells(self, shares: Sequence[Share]) -> str:
        """Return the caption of a matrix."""
        known = count(sum(share.net is not None for share in shares), "cell")
        beside = "the counted one" if self.report.labelled else "the answers"
        return self.caption(shares, MAP.format(beside, known))

    def data(self, name: str, shares: Sequence[Share], group: str = "group") -> Data:
        """Return all that is known of each: of a study with labels, counted and corrected."""
        audited = self.report.labelled is not None
        named = ("actor", "group", "period")
        keys = [key for key in named if any(getattr(share, key) for share in shares)]
        counts = ("n", "withheld", *["labels"] * audited)
        columns = [Column(group if key == "group" else key) for key in keys]
        columns += [Column(noun, "count") for noun in ("answers", *counts[1:])]
        for label in QUANTITIES:
            kind: Kind = "signed" if label == "net" else "share"
            unit = "" if label == "net" else ", %"
            columns += [Column(f"{label} counted{unit}", kind)] * audited
            columns += with_interval(f"{label}{' corrected' * audited}{unit}", kind)
        rows: list[list[Cell]] = []
        for share in shares:
            cells: list[Cell] = [getattr(share, key) or "(all)" for key in keys]
            cells += [getattr(share, name) for name in counts]
            for quantity in range(NET + 1):
                value, ends = share.value(quantity) or (None, (None, None))
                cells += [*[share.counted(quantity)] * audited, value, *ends]
            rows.append([*cells, *[share.method] * audited])
        return Data(name, columns + [Column("method")] * audited, rows)


def has_number(share: Share) -> bool:
    """Return whether a chart shows a net stance, corrected or counted."""
    return bool(share.net or share.value(NET, counted=True))


def estimate(share: Share) -> Estimate:
    """Return a net stance as a chart has it, of a study with labels the counted one beside it."""
    value, interval = share.net or (None, ())
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
