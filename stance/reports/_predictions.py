"""The page on a table of answers: its figures, counted or corrected by labels, and its words."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from stance.display import count, shown
from stance.files import AtomicGroup
from stance.findings import AuditRequest, Request
from stance.findings.correction import NET
from stance.records import SIDES, UNCERTAIN, Sentiment, Stance
from stance.reports import _charts as charts
from stance.reports import _page as page
from stance.reports._answers import TRACED, WIDE, AnswersReport, Finding, gather
from stance.reports._charts import Axis, Estimate, Line, Parts, net_axis, share_axis
from stance.reports._figures import (
    ROWS,
    Cell,
    Column,
    Data,
    Figure,
    points,
    text_column,
    with_interval,
)
from stance.reports._files import figure_files, folder_made
from stance.reports._paragraphs import Maker

MANY_UNCERTAIN, MANY_NARROW = 0.1, 0.25  # shares of answers withheld, and hardly sure, that matter
CARRIERS = 6  # aliases listed of an actor
OPEN = 5  # actors whose paragraphs are open to view
COMPARED = 4  # actors whose groups have a chart with intervals
CONFIDENCES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # between bins of the largest probability
TONES: tuple[charts.Tone, ...] = ("against", "neutral", "favor")
WORDS = ("against (left)", "neutral (middle)", "in favor (right)")
BARS = [("bar", tone, words) for tone, words in zip(TONES, WORDS, strict=True)]
RING = ("ring", "quietly", "counted by the classifier")
ANSWERS = Column("answers", "answers", "count")


def draw_figures(report: AnswersReport) -> dict[str, Any]:
    """Return the figures of the page by name: one, a list of them, or nothing."""
    actors, audited = report.actors, report.audited is not None
    data = _data("stance-by-actor", actors, audited=audited)
    judged = [each for each in actors if each.counts.n]
    known = [each for each in judged if each.net]
    groups = []
    for number, actor in enumerate(actors[:COMPARED], 1):
        own, name = _of(report.cells, actor), f"groups-{number}"
        if any(each.net for each in own):
            about = f"{page.named(actor.share.actor)} by {page.named(report.by or '')}"
            title = f"Net stance toward {about}"
            groups.append(_net_figure(name, title, own, _data(name, own, audited=audited)))
    return {
        "net": judged and _net_figure("net", "Net stance by actor", actors, data),
        "shares": known and _shares_figure(known, data),
        "sides": known and _sides_figure(known, data),
        "groups": groups,
        "map": any(each.net for each in report.cells) and _map_figure(report),
        "traces": _trace_figures(report),
        "certainty": _certainty_figure(report),
        "tone": report.paragraphs.tone.n and _tone_figure(report),
    }


def _of(findings: Sequence[Finding], actor: Finding) -> list[Finding]:
    """Return what is found of one actor, most answers first."""
    own = [each for each in findings if each.share.actor == actor.share.actor]
    return sorted(own, key=lambda each: (-each.share.n, each.share.group))


def _data(name: str, findings: Sequence[Finding], *, audited: bool, actor: str = "") -> Data:
    """Return all that is known of each: of a study with labels, counted and corrected."""
    keys = [key for key in ("actor", "group", "period") if not (actor and key == "actor")]
    keys = [key for key in keys if any(getattr(each.share, key) for each in findings)]
    columns = [*map(text_column, keys), ANSWERS, Column("withheld", "withheld", "count")]
    columns += [Column("labels", "labels", "count")] * audited
    quantities = [*enumerate(map(str, Stance)), (NET, "net")]
    for quantity, label in quantities:
        kind, unit = ("signed", "") if quantity == NET else ("share", ", %")
        columns += [Column(f"{label} counted{unit}", f"{label}_counted", kind)] * audited  # type: ignore[arg-type]
        title = f"{label} corrected{unit}" if audited else f"{label}{unit}"
        columns += with_interval(title, label, f"{label}_low", f"{label}_high", kind)  # type: ignore[arg-type]
    rows: list[list[Cell]] = []
    for each in findings:
        share = each.share
        cells: list[Cell] = [getattr(share, key) or "(all)" for key in keys]
        cells += [share.n, share.withheld, *([share.labels] if audited else [])]
        for quantity, _ in quantities:
            cells += [each.counted(quantity)] if audited else []
            known = each.value(quantity)
            cells += (known[0], *known[1]) if known else (None, None, None)
        rows.append([*cells, *([share.method] if audited else [])])
    columns += [text_column("method")] * audited
    return Data(name, columns, rows, actor)


def _estimate(
    each: Finding, quantity: int, tone: charts.Tone = "ink", form: str = "dot"
) -> Estimate:
    known = each.value(quantity)
    low, high = each.counts.net_interval
    firm = each.audited and each.counts.n and high - low <= WIDE
    beside = each.counted(quantity) if firm else None
    value, interval = known or (None, None)
    return Estimate(value, interval, tone, form, beside)


def _note(each: Finding) -> str:
    """Return a net stance in points, or that there is too little to tell."""
    if each.net:
        return points(*each.net)
    if each.audited:
        return f"{count(each.share.labels, 'label')}: too few"
    return f"{count(each.counts.n, 'answer')}: too few"


def _net_figure(name: str, title: str, findings: Sequence[Finding], data: Data) -> Figure:
    names = page.named_apart((e.share.group or e.share.actor for e in findings), page.SHORT)
    lines = [
        Line(brief, _note(each), (_estimate(each, NET),))
        for brief, each in zip(names, findings, strict=True)
    ]
    axis = net_axis(end for line in lines for each in line.estimates for end in each.ends)
    audited = any(each.audited for each in findings)
    key = [("dot", "ink", "corrected by labels" if audited else "net stance")]
    key += [("line", "ink", "95 % interval"), *([RING] if audited else [])]
    words = "; ".join(f"{line.name} {line.note}" for line in lines[:5])
    return Figure(name, title, charts.whiskers(lines, axis), data, f"In points: {words}", key)


def _shares_figure(findings: Sequence[Finding], data: Data) -> Figure:
    bars, words = [], []
    for brief, each in zip(
        page.named_apart(e.share.actor for e in findings), findings, strict=True
    ):
        corrected, noun = each.share.corrected, "label" if each.audited else "answer"
        shares = corrected.shares if each.audited and corrected else each.counts.shares
        number = each.share.labels if each.audited else each.counts.n
        bars.append(Parts(brief, count(number, noun), shares))
        parts = zip((100 * share for share in shares), WORDS, strict=True)
        words.append(f"{brief}: {', '.join(f'{share:.0f} % {word}' for share, word in parts)}")
    title = "Stance shares by actor"
    return Figure("shares", title, charts.stacked(bars, TONES), data, "; ".join(words[:5]), BARS)


def _sides_figure(findings: Sequence[Finding], data: Data) -> Figure:
    lines = []
    names = page.named_apart(each.share.actor for each in findings)
    for brief, each in zip(names, findings, strict=True):
        pair = tuple(_estimate(each, side, *mark) for side, mark in charts.SIDES.items())
        lines.append(Line(brief, count(each.share.n, "answer"), pair))
    axis = share_axis(max(end for line in lines for each in line.estimates for end in each.ends))
    key = [("diamond", "against", "against"), ("dot", "favor", "in favor")]
    key += [RING] if any(each.audited for each in findings) else []
    title = "Shares for and against by actor"
    return Figure("sides", title, charts.whiskers(lines, axis), data, "", key)


def map_cells(report: AnswersReport) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Return each actor with its cells by group: net stance, what it rests on, and a shade."""
    rows = []
    for actor in report.actors:
        own = {each.share.group: each for each in _of(report.cells, actor)}
        cells = []
        for group in report.groups:
            each = own.get(group)
            if each is None:
                cells.append(("", "", ""))
                continue
            net, beside = "–" if not each.net else points(each.net[0]), f"{each.counts.n:,}"
            if each.audited:
                counted = each.counted(NET)
                beside = "" if counted is None else f"({points(counted)})"
            shade = ("", "net5", "net1")[each.apart] if each.net else ""
            cells.append((net, beside, shade))
        if own:
            rows.append((actor.share.actor, cells))
    return rows


def _map_figure(report: AnswersReport) -> Figure:
    data = _data("actor-by-group", report.cells, audited=report.audited is not None)
    heads = page.named_apart(report.groups, 16)
    rows = [(page.named(name), cells) for name, cells in map_cells(report)]
    key = [("bar", "net1", "below the other groups"), ("bar", "net5", "above")]
    title, wide = "Net stance by actor and group", charts.map_width(len(heads))
    return Figure("map", title, charts.heat(heads, rows), data, "", key, wide)


def _trace_figures(report: AnswersReport) -> list[Figure]:
    """Return each actor's net stances over time, all on one scale."""
    courses = []
    for actor in report.actors[:TRACED]:
        own = [each for each in report.course if each.share.actor == actor.share.actor]
        if sum(each.net is not None for each in own) > 1:
            courses.append(own)
    drawn = [[(each.day, _estimate(each, NET, "favor")) for each in own] for own in courses]
    y = net_axis([end for own in drawn for _, each in own for end in each.ends], 4)
    figures = []
    for number, (own, marks) in enumerate(zip(courses, drawn, strict=True), 1):
        first, last = own[0], own[-1]
        ticks = ((first.day, first.share.period), (last.day, last.share.period))
        x, name = Axis(first.day, last.day, ticks), first.share.actor
        words = "; ".join(f"{each.share.period} {_note(each)}" for each in (first, last))
        data = _data(f"over-time-{number}", own, audited=first.audited, actor=name)
        pieces = charts.curve(marks, x, y)
        key = [("dot", "favor", "corrected by labels"), RING] if first.audited else []
        title = f"Net stance toward {page.named(name)} over time"
        figures.append(Figure(f"time-{number}", title, pieces, data, words, key))
    return figures


def _bins(report: AnswersReport) -> list[int]:
    top = report.population.chances.max(axis=1).astype(np.float64).round(6)
    places = np.searchsorted(CONFIDENCES, top, side="right")
    found: list[int] = np.bincount(places, minlength=len(CONFIDENCES) + 1).tolist()
    return found


def _certainty_figure(report: AnswersReport) -> Figure:
    bounds = [f"{bound:.1f}" for bound in CONFIDENCES]
    ends = [bound.lstrip("0") for bound in bounds]
    names = [f"<{ends[0]}", *(f"{low}–{high}" for low, high in pairwise([*ends, "1"]))]
    counts = _bins(report)
    bars = [(name, n / report.answers) for name, n in zip(names, counts, strict=True)]
    words = "; ".join(f"{name} {100 * share:.0f} %" for name, share in bars)
    columns = (text_column("from"), ANSWERS, Column("share, %", "share", "share"))
    rows = list[list[Cell]]()
    for low, n, (_, share) in zip(["0.333", *bounds], counts, bars, strict=True):
        rows.append([low, n, share])
    title, data = "Answers by largest probability", Data("certainty", columns, rows)
    return Figure("certainty-chart", title, charts.upright(bars), data, words)


def _tone_figure(report: AnswersReport) -> Figure:
    tone, rows = report.paragraphs.tone, list[list[Cell]]()
    for label, share, ends in zip(Sentiment, tone.shares, tone.intervals, strict=True):
        rows.append([str(label), round(share * tone.n), share, *ends])
    rows.append([UNCERTAIN, report.paragraphs.toneless, None, None, None])
    columns = (text_column("sentiment"), ROWS, *with_interval("share, %", "share"))
    places = zip(TONES, Sentiment, ("left", "middle", "right"), strict=True)
    key = [("bar", each, f"{label} ({where})") for each, label, where in places]
    words = ", ".join(f"{100 * row[2]:.0f} % {row[0]}" for row in rows[:-1])  # type: ignore[operator]
    pieces = charts.stacked([Parts("all rows", count(tone.n, "row"), tone.shares)], TONES)
    return Figure(
        "tone", "Sentiment of paragraphs", pieces, Data("sentiment", columns, rows), words, key
    )


def _carrier_data(report: AnswersReport) -> Data | None:
    """Return the aliases that name each actor shown; None if none is known."""
    rows: list[list[Cell]] = []
    for each in report.actors:
        counts = report.paragraphs.aliases.get(each.share.actor)
        if counts:
            top = counts.most_common(CARRIERS)
            parts = (f"{shown(name, 40)} {100 * n / counts.total():.0f} %" for name, n in top)
            rows.append([each.share.actor, counts.total(), ", ".join(parts)])
    number = Column("mentions", "mentions", "count")
    columns = (text_column("actor"), number, text_column("aliases"))
    return Data("aliases", columns, rows) if rows else None


def files_of(figures: dict[str, Any]) -> dict[str, Figure]:
    """Return the figures that files are made of, by name."""
    found = dict[str, Figure]()
    for name, each in figures.items():
        if isinstance(each, list):
            found |= {figure.data.name: figure for figure in each}
        elif each:
            found[name] = each
    return found


def context(report: AnswersReport, title: str | None, figures: dict[str, Any]) -> dict[str, Any]:
    """Return what the templates show."""
    kept, names = report.paragraphs.kept, [each.share.actor for each in report.actors[:TRACED]]
    telling = [
        (
            name,
            [(TONES[side], [e.quotation() for e in kept.get((name, side), [])]) for side in SIDES],
        )
        for name in names
        if any((name, side) in kept for side in SIDES)
    ]
    cited = ["wilson1927", "korn1998", "bell2002", "tango1998"]
    if report.audited:
        cited += ["angelopoulos2023", "egami2023", "holm1979"]
        cited += ["krippendorff2011", "gwet2008"] if report.audited.agreement else []
    elif figures["map"]:
        cited += ["paule1982", "cochran1954", "holm1979"]
    maker = report.paragraphs.maker
    card = maker.model.card if maker else {}
    return {
        "title": shown(title, 200) if title else f"Stance in {shown(report.request.title, 80)}",
        **{"report": report, "figures": figures, "telling": telling, "cited": cited},
        **{"carried": _carrier_data(report), "cells": map_cells(report), "maker": maker},
        "heads": page.named_apart(report.groups, 16),
        "labels": list(map(str, Stance)),
        "tones": list(map(str, Sentiment)),
        "narrow": sum(_bins(report)[:2]) / report.answers,
        "versions": ", ".join(f"{name} {n}" for name, n in card.get("versions", {}).items()),
        "limits": {"uncertain": MANY_UNCERTAIN, "narrow": MANY_NARROW, "open": OPEN, "wide": WIDE},
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
    """Write the report on a table of answers; return what to say of it.

    Its figures also go to ``folder``, as files of their own, also as PDF if asked, and what authors
    should report to ``checklist``.
    """
    report = gather(request, maker, audit)
    figures = draw_figures(report)
    known = context(report, title, figures)
    said, files = [*report.notes], list[tuple[Path, bytes]]()
    if folder:
        files, told = figure_files(folder, files_of(figures), pdf=pdf, excel_safe=excel_safe)
        said += told
    if checklist:
        files.append((checklist, page.render_text("checklist.md.j2", **known)))
        said.append(f"wrote {checklist}")
    files.append((output, page.render("predictions", **known)))
    with folder_made(folder), AtomicGroup() as group:
        for path, data in files:
            group.write(path, data, force=force)
    if denied := report.paragraphs.denied:
        said.append(f"{denied} did not make these answers; name the model with --model")
    counted = f"{count(report.paragraphs.rows, 'row')}, {count(report.answers, 'answer')}"
    return [*said, f"wrote {output}: {counted}"]
