"""What a reader of a report on predictions must know before anything else."""

from collections.abc import Iterator

from stance.display import count
from stance.records import Stance
from stance.reports.divisions import actor_shares
from stance.reports.findings import Findings, Maker
from stance.reports.markup import Content, isolated, joined, named
from stance.reports.tally import Tally

FEW = 30
"""Answers below which an actor's shares are little more than anecdotes."""

MANY_UNCERTAIN, MANY_NARROW = 0.1, 0.25
"""Shares of answers withheld, and of those with a probability below one half, that matter."""


def cautions(found: Findings) -> list[Content]:
    """Return what to beware of, the worst first."""
    lines = [*_denied(found)]
    if not found.tally.answers:
        return [*lines, "No row names an actor, so there is nothing to report."]
    lines += [_bias(found.maker), *_few(found), *_unsure(found.tally)]
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


def _denied(found: Findings) -> Iterator[Content]:
    """Tell of a model that does not give the table's answers."""
    if found.denied:
        yield joined([
            "The model “", isolated(found.denied), "” does not give the probabilities of this "
            "table: another one, or another actor book, made the answers. Nothing here is "
            "said of the model.",
        ])  # fmt: skip


def _few(found: Findings) -> Iterator[Content]:
    """Name the actors of few answers."""
    few = [name for name, shares in actor_shares(found) if 0 < shares.n < FEW]
    if few:
        yield joined([
            f"{count(len(few), 'actor')} shown with fewer than {FEW} answers: ",
            joined([isolated(named(name)) for name in few[:8]], ", "),
            " and others" if len(few) > 8 else "",
            ". Read their intervals, not their shares.",
        ])  # fmt: skip


def _unsure(tally: Tally) -> Iterator[Content]:
    """Tell of answers that were withheld, and of those that are hardly sure."""
    withheld = int(tally.uncertain.sum()) / tally.answers
    if withheld == 1:
        yield "Every answer was withheld as uncertain, so there are no shares."
    elif withheld > MANY_UNCERTAIN:
        yield (
            f"{100 * withheld:.0f} % of the answers were withheld as uncertain; the shares "
            "describe only the others, which are the clearer ones."
        )
    narrow = int(tally.confidence[:2].sum()) / tally.answers
    if narrow > MANY_NARROW:
        yield (
            f"In {100 * narrow:.0f} % of the answers no stance has a probability of one half: the "
            "texts may differ from those that the model knows. Label a sample and run stance "
            "evaluate."
        )


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
