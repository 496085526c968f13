"""The section of shares corrected for the errors of the classifier."""

from stance.records import Stance
from stance.reports.cautions import FEW
from stance.reports.correction import correct
from stance.reports.divisions import actor_shares
from stance.reports.findings import Findings, Maker
from stance.reports.markup import Html
from stance.reports.page import numbers, paragraph, section
from stance.reports.shares import Shares, estimate
from stance.reports.tables import Column, Data, html_table
from stance.reports.tally import Floats, Ints


def correction(found: Findings) -> Html:
    """Return the section, which says so where the model is not known."""
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
