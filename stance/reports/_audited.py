"""An audit in a report: shares counted and corrected side by side, and how they came about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stance.display import count
from stance.evaluation.agreement import Agreement
from stance.files import file_hash
from stance.findings import AuditRequest, Request, Share, Study
from stance.findings.audit import read_audit
from stance.findings.correction import AUDIT_ONLY, NET, Corrected
from stance.findings.population import read_population
from stance.records import AGAINST, FAVOR, Stance
from stance.reports import _charts as charts
from stance.reports import _page as page
from stance.reports._charts import Estimate, Line
from stance.reports._page import Cell, Column, Data, Figure, text_column, with_interval
from stance.reports._scales import net_axis, share_axis

WIDE = 0.6  # width of an interval that says next to nothing, and that no scale must hold


@dataclass(frozen=True, slots=True)
class Audited:
    """What the audit of a table of answers says of each actor."""

    name: str
    sha256: str
    labels: int
    simple_random: bool
    inclusion: tuple[float, float]  # least and largest probability of a label
    strata: int
    agreement: Agreement | None
    shares: Mapping[str, Share]  # by actor
    notes: tuple[str, ...]

    @property
    def corrected(self) -> list[tuple[Share, Corrected]]:
        """Return the actors with enough labels, best spoken of first."""
        found = [(share, share.corrected) for share in self.shares.values() if share.corrected]
        return sorted(found, key=lambda each: -each[1].net)

    @property
    def few(self) -> list[str]:
        """Actors with too few labels to be corrected."""
        return [name for name, share in self.shares.items() if not share.corrected]

    @property
    def powered(self) -> int:
        """Actors whose labels and answers together say more than the labels alone."""
        return sum(found.method != AUDIT_ONLY for _, found in self.corrected)


def read_audited(request: Request, audit: AuditRequest) -> Audited:
    """Read a table's audit, and correct the shares of whole actors by it."""
    population = read_population(replace(request, by=None, over=None, period=None))
    sample = read_audit(audit, population)
    found = Study(population, sample).shares()
    inclusion = sample.audit.inclusion
    return Audited(
        name=audit.source.name,
        sha256=file_hash(audit.source),
        labels=found.labels,
        simple_random=audit.simple_random,
        inclusion=(float(inclusion.min()), float(inclusion.max())),
        strata=len(set(sample.audit.stratum.tolist())),
        agreement=sample.agreement,
        shares={share.actor: share for share in found.shares},
        notes=sample.notes,
    )


def audited_figures(found: Audited, actors: Sequence[str]) -> dict[str, Figure | None]:
    """Return the charts of those actors that are shown; None if none has labels enough."""
    shown = [pair for pair in found.corrected if pair[0].actor in actors]
    if not shown:
        return {"corrected_net": None, "corrected_sides": None}
    data = _data([share for share in found.shares.values() if share.actor in actors])
    return {
        "corrected_net": _net_figure(shown, data),
        "corrected_sides": _sides_figure(shown, data),
    }


def _net_figure(shown: Sequence[tuple[Share, Corrected]], data: Data) -> Figure:
    lines, words = [], []
    for share, corrected in shown:
        value, ends = corrected.net, corrected.interval(NET)
        own = share.counted
        counted = None if own is None else own[FAVOR] - own[AGAINST]
        lines.append(
            Line(
                page.named(share.actor, page.SHORT),
                page.points(value, ends),
                (Estimate(value, ends, beside=counted),),
            )
        )
        words.append(f"{page.named(share.actor)} {page.points(value, ends)}")
    firm = [each.interval(NET) for _, each in shown if _width(each.interval(NET)) < WIDE]
    nets = [estimate.beside or 0.0 for line in lines for estimate in line.estimates]
    axis = net_axis([*nets, *(each.net for _, each in shown), *(e for pair in firm for e in pair)])
    title = "Net stance by actor, counted and corrected"
    chart = charts.whiskers("corrected-net", title, lines, axis, "; ".join(words[:5]))
    key = (("dot", "ink", "corrected"), ("line", "ink", "95 % interval"))
    return Figure(chart, data, charts.legend(*key, ("ring", "quietly", "counted")))


def _sides_figure(shown: Sequence[tuple[Share, Corrected]], data: Data) -> Figure:
    lines, highest = [], [0.1]
    for share, corrected in shown:
        estimates = []
        for side, (tone, form) in charts.SIDES.items():
            ends = corrected.interval(side)
            beside = share.counted[side] if share.counted else None
            estimates.append(Estimate(corrected.shares[side], ends, tone, form, beside))
            highest += [corrected.shares[side], beside or 0.0]
            highest += [ends[1]] if _width(ends) < WIDE else []
        note = count(share.labels, "label")
        lines.append(Line(page.named(share.actor), note, tuple(estimates)))
    title = "Shares for and against by actor, counted and corrected"
    chart = charts.whiskers("corrected-sides", title, lines, share_axis(max(highest)))
    key = (("diamond", "against", "against, corrected"), ("dot", "favor", "in favor, corrected"))
    return Figure(chart, data, charts.legend(*key, ("ring", "quietly", "counted")))


def _width(ends: tuple[float, float]) -> float:
    return ends[1] - ends[0]


def _data(shares: Sequence[Share]) -> Data:
    """Return all that is known, as ``stance shares`` writes it but a row per actor."""
    columns = [text_column("actor"), page.ANSWERS, Column("labels", "labels", "count")]
    for label in (*map(str, Stance), "net"):
        kind: page.Kind = "signed" if label == "net" else "share"
        unit = "" if label == "net" else ", %"
        columns.append(Column(f"{label} counted{unit}", f"{label}_counted", kind))
        names = (f"{label}_corrected", f"{label}_low", f"{label}_high")
        columns += with_interval(f"corrected{unit}", *names, kind)
    rows: list[list[Cell]] = []
    for share in shares:
        rows.append([share.actor, share.n, share.labels])
        for *_, counted, corrected, low, high, _method in share.rows():
            rows[-1] += (counted, corrected, low, high)
        rows[-1].append(share.method)
    return Data("corrected-by-actor", (*columns, text_column("method")), rows)
