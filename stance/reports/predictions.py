"""The report on a table of predictions, as one page."""

from itertools import pairwise
from pathlib import Path

from stance.display import count, shown
from stance.files import write_whole
from stance.records import UNCERTAIN, Sentiment
from stance.reports import charts
from stance.reports.cautions import FEW, cautions
from stance.reports.charts import Parts
from stance.reports.columns import Request
from stance.reports.divisions import TONES, actor_shares, by_actor, by_source, net_words
from stance.reports.findings import Findings, Maker, gather
from stance.reports.frequent import Frequent
from stance.reports.markup import Html, escaped, isolated, joined, named, tag
from stance.reports.method import counted_rows, prediction_method, references
from stance.reports.page import facts, figure, page, paragraph, section, warnings
from stance.reports.shares import estimate
from stance.reports.tables import Column, Data, html_table
from stance.reports.tally import CONFIDENCES
from stance.reports.telling import telling
from stance.reports.trends import over_time


def write_predictions(
    request: Request,
    output: Path,
    maker: Maker | None,
    *,
    force: bool = False,
) -> list[str]:
    """Write the report on a table of predictions; return what to tell of it.

    Parameters
    ----------
    request : Request
    output : Path
    maker : Maker or None
        The model that made the answers.
    force : bool
        Replace an existing file.

    Raises
    ------
    DataError
        If the table is not one of predictions in long form.
    OutputError
        If the file exists, or cannot be written.
    """
    found = gather(request, maker)
    write_whole(output, compose(found), force=force)
    tally = found.tally
    told = list(found.survey.notes)
    if found.denied:
        told.append(f"{found.denied} did not make these answers; name the model with --model")
    said = f"{count(tally.rows, 'row')}, {count(tally.answers, 'answer')}"
    return [*told, f"wrote {output}: {said}"]


def compose(found: Findings) -> bytes:
    """Return the page."""
    return page(
        f"Stance in {shown(found.request.source.name, 80)}",
        [*_opening(found), warnings(cautions(found))],
        [
            by_actor(found),
            over_time(found),
            by_source(found),
            telling(found),
            _certainty(found),
            _tone(found),
            _method(found),
        ],
    )


def _opening(found: Findings) -> list[Html]:
    tally = found.tally
    whole = estimate(tally.all_clusters)
    against, neutral, favor = (f"{100 * share:.0f}\u00a0%" for share in whole.shares)
    lead = counted_rows(found)
    if tally.naming < tally.rows:
        lead += f", of which {tally.naming:,} name an actor"
    lead += f": {count(tally.answers, 'answer')} by a classifier"
    if whole.n:
        lead += f". Of those given, {against} are against, {neutral} neutral, {favor} in favor"
    withheld = int(tally.uncertain.sum())
    share = f"{100 * withheld / tally.answers:.1f} % of answers" if tally.answers else ""
    pairs = [
        ("rows judged", f"{tally.rows:,}", ""),
        ("rows naming an actor", f"{tally.naming:,}", _share(tally.naming, tally.rows)),
        ("answers", f"{tally.answers:,}", "a row and an actor it names"),
        ("withheld as uncertain", f"{withheld:,}", share),
        ("actors", _distinct(found.survey.actors), ""),
    ]
    if found.by:
        sources = found.survey.sources
        pairs.append(("sources", _distinct(sources), f"column {found.by}"))
    if tally.periods:
        first, last = tally.periods.name(0), tally.periods.name(tally.periods.count - 1)
        dash = "–" if tally.periods.unit == "year" else " – "
        years = first if first == last else f"{first}{dash}{last}"
        pairs.append(("period", years.replace("-", "\u2011"), f"column {found.over}"))
    return [paragraph(joined([lead, ". ", *_extremes(found)]), "lead"), facts(pairs)]


def _extremes(found: Findings) -> list[str]:
    """Return which actors are spoken of worst and best, if answers are enough to tell them apart.

    Of many actors some are first and last by chance, so their intervals must not meet.
    """
    judged = [(name, shares) for name, shares in actor_shares(found) if shares.n >= FEW]
    if not judged:
        return []
    low, high = (choose(judged, key=lambda each: each[1].net) for choose in (min, max))
    if low[1].net_interval[1] >= high[1].net_interval[0]:
        return []
    return [
        "Net stance, share in favor less share against, is lowest toward ", isolated(named(low[0])),
        f" ({net_words(low[1])} points) and highest toward ", isolated(named(high[0])),
        f" ({net_words(high[1])}), of actors with at least {FEW} answers.",
    ]  # fmt: skip


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} % of rows" if whole else ""


def _distinct(names: Frequent) -> str:
    return f"over {names.distinct:,}" if names.lost else f"{names.distinct:,}"


def _certainty(found: Findings) -> Html:
    tally = found.tally
    if not tally.answers:
        return escaped("")
    bounds = [f"{bound:.1f}" for bound in CONFIDENCES]
    ends = [bound.lstrip("0") for bound in bounds]
    names = [f"<{ends[0]}", *(f"{low}–{high}" for low, high in pairwise([*ends, "1"]))]
    shares = (tally.confidence / tally.answers).tolist()
    data = Data(
        "certainty",
        (Column("largest probability from", "from"), Column("answers", "answers", "count"),
         Column("share, %", "share", "share")),
        [
            [name, number, share]
            for name, number, share in zip(
                ["0.333", *bounds], tally.confidence.tolist(), shares, strict=True
            )
        ],
    )  # fmt: skip
    described = "; ".join(f"{n} {100 * s:.0f} %" for n, s in zip(names, shares, strict=True))
    chart = charts.columns(
        "certainty-chart", "Answers by largest probability", described,
        list(zip(names, shares, strict=True)),
    )  # fmt: skip
    withheld = int(tally.uncertain.sum())
    note = (
        f"Share of answers in percent by the probability of the likeliest stance. "
        f"{withheld:,} of {tally.answers:,} answers ({100 * withheld / tally.answers:.1f} %) were "
        f"withheld as {UNCERTAIN}."
    )
    return section(
        "certainty",
        "How sure the classifier is",
        figure("Probability of the answer", note, chart, data),
    )


def _tone(found: Findings) -> Html:
    tally = found.tally
    whole = estimate(tally.tone_clusters, independent=not found.clustered)
    if not whole.n:
        return escaped("")
    counts = tally.tone_clusters.sum(axis=0).tolist()
    data = Data(
        "sentiment",
        (Column("sentiment", "sentiment"), Column("rows", "rows", "count"),
         Column("share, %", "share", "share"), Column("low", "low", "share"),
         Column("high", "high", "share")),
        [
            *([str(label), number, share, *bounds] for label, number, share, bounds in
              zip(Sentiment, counts, whole.shares, whole.intervals, strict=True)),
            [UNCERTAIN, tally.toneless, None, None, None],
        ],
    )  # fmt: skip
    labels = [("bar", tone, f"{label} ({place})") for tone, label, place in zip(
        TONES, Sentiment, ("left", "middle", "right"), strict=True)]  # fmt: skip
    described = ", ".join(
        f"{100 * share:.0f} % [{100 * low:.0f}, {100 * high:.0f}] {label}"
        for share, (low, high), label in zip(whole.shares, whole.intervals, Sentiment, strict=True)
    )
    row = Parts("all rows", count(whole.n, "row"), whole.shares)
    chart = charts.stacked("tone", "Sentiment of paragraphs", described, [row], TONES)
    note = (
        f"Share of rows: {described} (95 % intervals). Sentiment is the tone of a whole paragraph, "
        "not its stance: bad news about an actor is negative and may well be in its favor."
    )
    return section(
        "sentiment",
        "Sentiment of paragraphs",
        figure("Tone, whoever is named", note, chart, data, charts.legend(labels)),
    )


def _method(found: Findings) -> Html:
    maker, request = found.maker, found.request
    listed = [
        ("table", request.source.name),
        ("sha256 of the table", found.sha256),
        ("records in it", f"{found.survey.records:,}"),
        ("model", maker.name if maker else "not known"),
    ]
    if maker:
        listed.append(("sha256 of the model", maker.sha256))
        listed += [
            (f"sha256 of {part['name']}, on which it was trained", part["sha256"])
            for part in maker.card["data"]
        ]
        listed += [
            (f"{name} that trained it", str(number))
            for name, number in maker.card["versions"].items()
        ]
        reproduced = found.marked.reproduced
        checked = "of the paragraphs shown are reproduced" if reproduced else "could not be checked"
        listed.append(("probabilities", checked))
    data = Data("provenance", (Column("what", "what"), Column("value", "value")), listed)
    return section(
        "method",
        "Method, ready to paste",
        prediction_method(found),
        tag("h3", "References (BibTeX)"),
        references(found),
        tag("h3", "What went in"),
        html_table(data),
    )
