"""The report on a table of predictions: what it says, and what it must be read with."""

from collections.abc import Sequence
from pathlib import Path

from stance.display import count, shown
from stance.records import UNCERTAIN, Sentiment, Stance
from stance.reporting import charts
from stance.reporting.charts import Parts
from stance.reporting.columns import Request
from stance.reporting.correction import correct
from stance.reporting.divisions import TONES, actor_shares, by_actor, by_source, named, over_time
from stance.reporting.examples import Example, where_found
from stance.reporting.findings import Findings, Maker, gather
from stance.reporting.markup import Content, Html, escaped, isolated, joined, tag
from stance.reporting.method import prediction_method, references
from stance.reporting.page import (
    facts,
    figure,
    numbers,
    page,
    paragraph,
    section,
    warnings,
)
from stance.reporting.shares import Shares, estimate
from stance.reporting.tables import Column, Data, html_table
from stance.reporting.tally import CONFIDENCES, Floats, Ints
from stance.saving import write_whole

FEW = 30
"""Answers below which an actor's shares are little more than anecdotes."""

MANY_UNCERTAIN, MANY_NARROW = 0.1, 0.25
"""Shares of answers withheld, and of those with a probability below one half, that matter."""

WINDOW = 700
"""Characters of a paragraph that are shown."""


def write_predictions(
    request: Request,
    output: Path,
    maker: Maker | None,
    *,
    corrected: bool = False,
    force: bool = False,
) -> list[str]:
    """Write the report on a table of predictions; return what to tell of it.

    Parameters
    ----------
    request : Request
    output : Path
    maker : Maker or None
        The model that made the answers.
    corrected : bool
        Show shares corrected for the model's errors, too.
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
    write_whole(output, compose(found, corrected=corrected), force=force)
    tally = found.tally
    told = list(found.survey.notes)
    if found.denied:
        told.append(f"{found.denied} did not make these answers; name the model with --model")
    said = f"{count(tally.rows, 'row')}, {count(tally.answers, 'answer')}"
    return [*told, f"wrote {output}: {said}"]


def compose(found: Findings, *, corrected: bool = False) -> bytes:
    """Return the page."""
    return page(
        f"Stance in {shown(found.request.source.name, 80)}",
        [*_opening(found), warnings(_warnings(found))],
        [
            by_actor(found),
            over_time(found),
            by_source(found),
            _telling(found),
            _certainty(found),
            _tone(found),
            *([_correction(found)] if corrected else []),
            _method(found, corrected=corrected),
        ],
    )


# --- What went in, and what to beware of -----------------------------------------------------


def _opening(found: Findings) -> list[Html]:
    tally = found.tally
    whole = estimate(tally.all_clusters)
    against, neutral, favor = (f"{100 * share:.0f} %" for share in whole.shares)
    lead = (
        f"{count(tally.rows, 'paragraph')}, of which {tally.naming:,} name an actor: "
        f"{count(tally.answers, 'answer')} by a classifier. "
    )
    if whole.n:
        lead += f"Of those given, {against} are against, {neutral} neutral, {favor} in favor."
    withheld = int(tally.uncertain.sum())
    share = f"{100 * withheld / tally.answers:.1f} % of answers" if tally.answers else ""
    pairs = [
        ("rows judged", f"{tally.rows:,}", ""),
        ("rows naming an actor", f"{tally.naming:,}", _share(tally.naming, tally.rows)),
        ("answers", f"{tally.answers:,}", "a row and an actor it names"),
        ("withheld as uncertain", f"{withheld:,}", share),
        ("actors", _distinct(found.survey.actors.counts, found.survey.actors.lost), ""),
    ]
    if found.by:
        sources = found.survey.sources
        pairs.append(("sources", _distinct(sources.counts, sources.lost), f"column {found.by}"))
    if tally.periods:
        first, last = tally.periods.name(0), tally.periods.name(tally.periods.count - 1)
        years = first if first == last else f"{first} – {last}"
        pairs.append(("period", years, f"column {found.over}"))
    return [paragraph(lead, "lead"), facts(pairs)]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} % of rows" if whole else ""


def _distinct(counts: dict[str, int], lost: int) -> str:
    return f"over {len(counts):,}" if lost else f"{len(counts):,}"


def _warnings(found: Findings) -> list[Content]:
    tally, lines = found.tally, list[Content]()
    if found.denied:
        lines.append(
            joined([
                "The model “", isolated(found.denied), "” does not give the probabilities of this "
                "table: another one, or another actor book, made the answers. Nothing here is "
                "said of the model.",
            ])
        )  # fmt: skip
    if not tally.answers:
        lines.append("No row names an actor, so there is nothing to report.")
        return lines
    lines.append(_bias(found.maker))
    few = [name for name, shares in actor_shares(found) if shares.n < FEW]
    if few:
        lines.append(
            joined([
                f"{count(len(few), 'actor')} shown with fewer than {FEW} answers: ",
                joined([isolated(named(name)) for name in few[:8]], ", "),
                " and others" if len(few) > 8 else "",
                ". Read their intervals, not their shares.",
            ])
        )  # fmt: skip
    withheld = int(tally.uncertain.sum()) / tally.answers
    if withheld > MANY_UNCERTAIN:
        lines.append(
            f"{100 * withheld:.0f} % of the answers were withheld as uncertain; the shares "
            "describe only the others, which are the clearer ones."
        )
    narrow = int(tally.confidence[:2].sum()) / tally.answers
    if narrow > MANY_NARROW:
        lines.append(
            f"In {100 * narrow:.0f} % of the answers no stance has a probability of one half: the "
            "texts may differ from those that the model knows. Label a sample and run stance "
            "evaluate."
        )
    if found.survey.undated and found.over:
        lines.append(
            f"{count(found.survey.undated, 'answer')} without a date that can be read "
            "are missing from the charts over time."
        )
    if found.maker and "name" in found.maker.model.recipe.features.blocks:
        lines.append(
            "The model uses the actors' names as a feature: it has learned a prior about them, "
            "the very thing that a comparison of actors wants to measure."
        )
    return lines


def _bias(maker: Maker | None) -> str:
    """Return that shares of a classifier's answers are not shares of stances."""
    text = (
        "These are shares of a classifier's answers, which its errors bias: a stance that it "
        "often misses is counted too low. The intervals do not cover this. "
    )
    if maker is None or "per_class" not in maker.card["scores"]:
        return text + "Label a few hundred of these paragraphs and run stance evaluate."
    recalls = maker.card["scores"]["per_class"]
    found = ", ".join(f"{100 * recalls[str(label)]['recall']:.0f} % of {label}" for label in Stance)
    return (
        text + f"In the model's cross-validation it found {found} paragraphs; on sources that it "
        "was not trained on it finds fewer. Label a few hundred of these paragraphs and run "
        "stance evaluate."
    )


# --- Paragraphs ------------------------------------------------------------------------------


def _telling(found: Findings) -> Html:
    kept, actors = found.marked.kept, found.tally.examples.actors
    blocks = []
    for at, actor in enumerate(actors):
        sides = [(side, kept[at, number]) for number, side in ((0, "against"), (2, "favor"))]
        if any(listed for _, listed in sides):
            columns = [_side(side, listed) for side, listed in sides]
            heading = tag("h3", isolated(named(actor)))
            blocks.append(joined([heading, tag("div", columns, class_="examples")]))
    if not blocks:
        return escaped("")
    marks = {
        True: "Marked are the words that pushed the answer most. ",
        None: "",
        False: "",
    }[found.marked.reproduced]
    if not marks and any(each.marks for listed in kept.values() for each in listed):
        marks = "Marked are the words that the table names as reasons. "
    note = (
        "The answers of which the classifier is most certain, each text once. "
        f"{marks}They are extremes, not typical paragraphs."
    )
    return section("telling", "Most telling paragraphs", paragraph(note, "note"), *blocks)


def _side(side: str, listed: Sequence[Example]) -> Html:
    title = tag("h4", "In favor" if side == "favor" else "Against", class_=side)
    quotes = [_quote(example, side) for example in listed]
    return tag("div", title, quotes or paragraph("No such answer.", "note"))


def _quote(example: Example, side: str) -> Html:
    start, end = _window(example)
    parts: list[str] = ["… " if start else ""]
    at = start
    for low, high in example.marks:
        if low >= at and high <= end:
            parts += [example.text[at:low], tag("mark", example.text[low:high], class_=side)]
            at = high
    parts += [example.text[at:end], " …" if end < len(example.text) else ""]
    source = f"{where_found(example)}; probability {example.probability:.2f}"
    return tag(
        "blockquote",
        tag("p", tag("bdi", joined(parts))),
        tag("p", isolated(source), class_="note"),
    )


def _window(example: Example) -> tuple[int, int]:
    """Return which part of a text to show: the one with most marks."""
    size = len(example.text)
    if size <= WINDOW:
        return 0, size
    starts = [0, *(max(0, low - WINDOW // 4) for low, _ in example.marks)]
    best = max(
        starts,
        key=lambda start: sum(
            low >= start and high <= start + WINDOW for low, high in example.marks
        ),
    )
    best = min(best, size - WINDOW)
    space = example.text.rfind(" ", 0, best + 1)
    start = space + 1 if best and best - space < 40 else best
    space = example.text.find(" ", start + WINDOW)
    return start, space if 0 <= space - start - WINDOW < 40 else min(size, start + WINDOW)


# --- Certainty and sentiment -----------------------------------------------------------------


def _certainty(found: Findings) -> Html:
    tally = found.tally
    if not tally.answers:
        return escaped("")
    bounds = [f"{bound:.1f}" for bound in CONFIDENCES]
    names = [f"<{bounds[0]}", *(f"{bound}–" for bound in bounds)]
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
    tones = found.tally.tones
    total = int(tones[:3].sum())
    if not total:
        return escaped("")
    shares = (tones[:3] / total).tolist()
    data = Data(
        "sentiment",
        (Column("sentiment", "sentiment"), Column("rows", "rows", "count")),
        [[str(label), int(tones[i])] for i, label in enumerate((*Sentiment, UNCERTAIN))],
    )
    labels = [("bar", tone, f"{label} ({place})") for tone, label, place in zip(
        TONES, Sentiment, ("left", "middle", "right"), strict=True)]  # fmt: skip
    described = ", ".join(f"{100 * s:.0f} % {x}" for s, x in zip(shares, Sentiment, strict=True))
    row = Parts("all rows", count(total, "row"), (shares[0], shares[1], shares[2]))
    chart = charts.stacked("tone", "Sentiment of paragraphs", described, [row], TONES)
    note = (
        "Share of rows in percent. Sentiment is the tone of a whole paragraph, not its stance: bad "
        "news about an actor is negative and may well be in its favor."
    )
    return section(
        "sentiment",
        "Sentiment of paragraphs",
        figure("Tone, whoever is named", note, [charts.legend(labels), chart], data),
    )


# --- Errors of the classifier ----------------------------------------------------------------


def _correction(found: Findings) -> Html:
    maker = found.maker
    if maker is None or "confusion" not in maker.card["scores"]:
        text = "Shares cannot be corrected: the model that made the answers is not known."
        return section("corrected", "Corrected shares", paragraph(text))
    tally = found.tally
    whole = estimate(tally.all_clusters)
    likeliest, expected = tally.likeliest.sum(axis=0), tally.expected.sum(axis=0)
    rows = [_corrected_row("all actors", likeliest, expected, whole, maker)] + [
        _corrected_row(name, tally.likeliest[at], tally.expected[at], shares, maker)
        for at, (name, shares) in enumerate(actor_shares(found))
        if shares.n >= FEW
    ]
    columns = [Column("actor", "actor"), Column("answers", "answers", "count")]
    for label in Stance:
        columns += [
            Column(f"{label} counted, %", f"{label}_counted", "share"),
            Column("mean probability, %", f"{label}_mean_probability", "share"),
            Column("corrected, %", f"{label}_corrected", "share"),
            Column("low", f"{label}_low", "share"),
            Column("high", f"{label}_high", "share"),
        ]
    data = Data(
        "corrected-shares",
        tuple(columns),
        rows,
    )
    text = (
        "If the classifier errs here as often as in the cross-validation on its training data, "
        "given the true stance, these would be the shares in the texts (Rogan and Gladen 1978). "
        "That is a strong assumption: on other sources, genres and years it errs more, and then "
        "the corrected shares are wrong, too. The mean probability is right if the probabilities "
        "are calibrated on these texts. Where the columns disagree, only labels of your own tell. "
        f"Actors with fewer than {FEW} answers are left out; withheld answers count by their "
        "likeliest stance."
    )
    return section(
        "corrected",
        "Corrected shares",
        paragraph(text),
        html_table(data),
        numbers(data, "The same table to save"),
    )


def _corrected_row(
    name: str, likeliest: Ints, expected: Floats, shares: Shares, maker: Maker
) -> list[str | float | None]:
    total = int(likeliest.sum())
    found = correct(likeliest.astype(float), total / shares.deff, maker.card["scores"])
    cells: list[str | float | None] = [name, total]
    for at in range(len(Stance)):
        cells += [float(likeliest[at] / total), float(expected[at] / total)]
        cells += [None] * 3 if found is None else [found.shares[at], *found.intervals[at]]
    return cells


# --- Method ----------------------------------------------------------------------------------


def _method(found: Findings, *, corrected: bool) -> Html:
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
        prediction_method(found, corrected=corrected),
        tag("h3", "References (BibTeX)"),
        references(found, corrected=corrected),
        tag("h3", "What went in"),
        html_table(data),
    )
