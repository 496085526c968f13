"""The page on a table of answers: its figures, counted or corrected by labels, and its words."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from stance.corpus.rows import HOLDERS
from stance.display import count, definite, points, ranged, shown
from stance.errors import load_extra
from stance.evaluation.intervals import FEWEST, TRUSTED
from stance.files import AtomicGroup, file_hash
from stance.findings import Request, Share, read_evidence, write_numbers
from stance.findings.correction import FEWEST_LABELS
from stance.findings.shares import QUANTITIES, TOTAL, WIDE, Rest, beyond_chance
from stance.records import NET, Stance
from stance.reports import charts, figures, render
from stance.reports.answers import TRACED, Models, Report
from stance.reports.charts import Estimate, MatrixCell
from stance.reports.figures import Drawing, Figure, Legend

DATES = 4  # dates under a curve
SHADES = {-1: "net1", 0: "", 1: "net5"}  # of a matrix, by the side
RING = ("ring", "ring quietly", "as counted")
LINE = ("line", "whisker ink", "95 % interval")
BELOW, ABOVE = ("box", f"segment {SHADES[-1]}"), ("box", f"segment {SHADES[1]}")
LINES = "lines: 95\u00a0% intervals by document"
CELLS = "each cell: net stance in points{below}; a dash: too few; a colour: beyond "
CELLS += "chance (Holm, 5\u00a0%, {known} compared)"


def write_predictions(
    request: Request, output: Path, models: Models | None = None, *,
    title: str | None = None, folder: Path | None = None, pdf: bool = False,
    force: bool = False, excel_safe: bool = False,
) -> list[str]:  # fmt: skip
    """Write the report, and its figures to ``folder``, also as PDF; return what to say of it."""
    if pdf:
        load_extra("reportlab", "--pdf", "pdf")
    report = Report(request, models)
    if folder:
        figures.make_folder(folder, figures.NUMBERS, force=force)
    drawn = draw(report)
    data = render(
        "predictions",
        1,
        title=shown(title, 200) if title else f"Stance in {shown(Path(request.name).name, 80)}",
        **{"report": report, "figures": drawn, "counts": numbers_of(report, report.actors)},
        **{"labels": list(map(str, Stance)), "traced": TRACED},
        labels_sha256=request.audit and file_hash(request.audit),
        limits={"wide": WIDE, "labels": FEWEST_LABELS, "documents": FEWEST, "trusted": TRUSTED},
    )
    notes = [*report.notes]
    with AtomicGroup() as group:
        if folder:
            every = [figure for listed in drawn.values() for figure in listed]
            notes += figures.write_figures(folder, every, group, pdf=pdf, force=force)
            tables = {figures.NUMBERS: [row for share in report.shares for row in share.rows()]}
            if report.every_pair and report.pairs:
                pairs = read_evidence(report.every_pair, report.book)
                tables["pairs.csv"] = pairs.to_json()["pairs"]
            for name, rows in tables.items():
                what, how = Path(name).stem, {"force": force, "excel_safe": excel_safe}
                write_numbers(folder / name, rows, what, group, **how)
        group.write(output, data, force=force)
    counted = f"{count(report.population.rows, 'row')}, {count(report.total.n, 'answer')}"
    counted += f", {report.total.withheld:,} withheld" * (report.total.withheld > 0)
    return [*notes, f"wrote {output}: {counted}"]


# --- Figures, each of which is left out where too few answers leave it empty ---


def draw(report: Report) -> dict[str, list[Figure]]:
    """Draw all figures, by the part of the page where they stand."""
    return {
        "net": draw_shares(report, "net", "Net stance by actor", report.actors),
        "groups": draw_groups(report),
        "map": draw_map(report),
        "traces": draw_traces(report),
        "pairs": draw_pairs(report),
    }


def draw_shares(report: Report, name: str, title: str, shares: Sequence[Share]) -> list[Figure]:
    """Draw net stances under each other."""
    lines = [(share.group or share.actor, note(share), estimate(share)) for share in shares]
    if not any(mark.ends for _, _, mark in lines):
        return []
    key = [("dot", "ink", "corrected by labels" if report.labelled else "net stance"), LINE]
    axis = charts.net_axis(end for _, _, mark in lines for end in mark.ends)
    key += [RING] * any(mark.beside is not None for _, _, mark in lines)
    return [figure(report, name, title, charts.whiskers(lines, axis), shares, key)]


def draw_groups(report: Report) -> list[Figure]:
    """Draw the net stances of groups toward all actors, or toward the only one."""
    actor = report.total.actor
    cells = [cell for cell in report.cells if cell.actor == actor]
    cells.sort(key=lambda cell: (-cell.n, cell.group))
    whom = "all actors" if actor == TOTAL else definite(actor)
    title = f"Net stance toward {whom} by {report.by}"
    return draw_shares(report, "groups", title, cells) if any(cell.net for cell in cells) else []


def draw_traces(report: Report) -> list[Figure]:
    """Draw net stances from the first known period to the last, so odd dates take no room."""
    courses, drawn, numbers = [], list[Figure](), report.population.periods
    for actor in report.actors[:TRACED]:
        course = [share for share in report.course if share.actor == actor.actor]
        known = [place for place, share in enumerate(course) if share.net]
        if len(known) > 1:
            courses.append((course, course[known[0] : known[-1] + 1]))
    y = charts.net_axis(end for _, part in courses for s in part for end in estimate(s).ends)
    key = [("dot", "favor", "corrected by labels")] if report.labelled else []
    key += [RING] * any(estimate(s).beside is not None for _, part in courses for s in part)
    for number, (course, part) in enumerate(courses, 1):
        step = -(-(len(part) - 1) // (DATES - 1))
        ticks = [(numbers[share.period], share.period) for share in part[::step]]
        x = charts.Axis(numbers[part[0].period], numbers[part[-1].period], ticks)
        chart = charts.curve([(numbers[s.period], estimate(s)) for s in part], x, y)
        title = f"Net stance toward {definite(course[0].actor)} over time"
        drawn.append(figure(report, f"over-time-{number}", title, chart, course, key))
    return drawn


def draw_map(report: Report) -> list[Figure]:
    """Draw the net stance of each actor in each group."""
    names = [share.actor for share in report.actors]
    cells = [share for share in report.cells if share.actor in names]
    if not any(share.net for share in cells):
        return []
    rests = [report.study.rest(share) for share in cells]
    matrix = {(share.actor, share.group): cell for share, cell in shaded(cells, rests)}
    numbered = {share.actor for share in cells if estimate(share).ends}
    actors = [name for name in names if name in numbered]
    chart = charts.matrix(actors, report.groups, matrix)
    key = [(*BELOW, "below the actor's other groups"), (*ABOVE, "above")]
    title = f"Net stance by actor and {report.by}"
    return [figure(report, "map", title, chart, cells, key)]


def draw_pairs(report: Report) -> list[Figure]:
    """Draw who judges whom: holders by the actors whom they judge."""
    shares, totals = report.pairs.shares if report.pairs else [], Counter[str]()
    if not any(estimate(share).ends for share in shares):
        return []
    for share in shares:
        totals.update({share.group: share.counts.n, share.actor: share.counts.n})
    ranked = sorted(totals, key=lambda name: (name not in HOLDERS, -totals[name], name))
    holders = [name for name in ranked if any(share.group == name for share in shares)]
    targets = [name for name in ranked if any(share.actor == name for share in shares)]
    numbered = enumerate(shaded(shares, [None] * len(shares)), 1)
    cells = {(s.group, s.actor): cell._replace(place=f"pair-{n}") for n, (s, cell) in numbered}
    chart = charts.matrix(holders, targets, cells, "holder / target")
    key = [(*BELOW, "mostly against"), (*ABOVE, "mostly in favor")]
    return [figure(report, "pairs", "Who judges whom: net stance", chart, shares, key)]


def figure(
    report: Report, name: str, title: str, chart: Drawing, shares: Sequence[Share], legend: Legend
) -> Figure:
    """Return a figure whose caption says what one in a paper must: n, method and interval."""
    method = "counted by a classifier and not corrected for its errors"
    below = ", below it the answers"
    if not report.population.probable:
        method = "counted from labels and not corrected for their errors"
    if report.labelled:
        labels = count(sum(share.labels for share in shares), "label")
        method = f"corrected by {labels} (prediction-powered inference)"
        if not any(share.corrected for share in shares):
            method = f"with {labels}, too few to correct"
        counted = any(share.counted(NET) is not None for share in shares)
        below = ", below it the counted one" if counted else ""
    known = count(sum(share.net is not None for share in shares), "cell")
    n = sum(share.n if report.labelled else share.n - share.withheld for share in shares)
    marks = CELLS.format(below=below, known=known) if name in ("map", "pairs") else LINES
    caption = f"n = {count(n, 'answer')}, {method}; {marks}."
    numbers = numbers_of(report, shares, "holder" if name == "pairs" else "group")
    return Figure(name, title, chart, numbers, legend, caption)


def numbers_of(report: Report, shares: Sequence[Share], group: str = "group") -> list[list[str]]:
    """Return a head, and all that is known of each share: with labels, counted and corrected."""
    audited = report.labelled is not None
    titles = {"actor": "actor", "group": group, "period": "period"}
    keys = [key for key in titles if any(getattr(share, key) for share in shares)]
    names = ["answers", "withheld"] if report.population.probable else ["pairs", "without a stance"]
    heads = [*(titles[key] for key in keys), *names, *["labels"] * audited]
    for label in QUANTITIES:
        unit = "" if label == "net" else ", %"
        heads += [f"{label} counted{unit}"] * audited
        heads.append(f"{label}{' corrected' * audited}{unit}")
    rows = [[*heads, *["method"] * audited]]
    for share in shares:
        cells = [getattr(share, key) or "(all)" for key in keys]
        cells += [f"{size:,}" for size in (share.n, share.withheld, *[share.labels] * audited)]
        for quantity in range(NET + 1):
            cells += [number(quantity, share.counted(quantity))] * audited
            cells.append(number(quantity, *(share.value(quantity) or [None])))
        rows.append([*cells, *[share.method] * audited])
    return rows


def number(quantity: int, value: float | None, interval: Sequence[float] = ()) -> str:
    """Return a share in percent or a net stance in points, with its interval; a dash if unknown."""
    if value is None:
        return "–"
    return points(value, interval, 1) if quantity == NET else ranged(value, interval or None)


def estimate(share: Share) -> Estimate:
    """Return a net stance as a chart has it, of a study with labels the counted one beside it."""
    value, interval = share.net or (None, ())
    beside = share.value(NET, counted=True) if share.audited else None
    return Estimate(value, interval, beside and beside[0])


def note(share: Share) -> str:
    """Return a net stance in points, or that there is too little to tell."""
    known = share.labels if share.audited else share.counts.n
    return points(*share.net) if share.net else f"too few ({known:,})"


def shaded(
    shares: Sequence[Share], rests: Sequence[Rest | None]
) -> Iterator[tuple[Share, MatrixCell]]:
    """Yield net stances with the counted ones or the answers below, shaded if beyond chance."""
    for share, side in zip(shares, beyond_chance(shares, rests), strict=True):
        counted, below = share.counted(NET), f"{share.counts.n:,}"
        if share.audited:
            below = "" if counted is None else f"({points(counted)})"
        yield share, MatrixCell(points(share.net[0]) if share.net else "–", below, SHADES[side])
