"""An explanation on the terminal: words coloured by how far they push, and the sums."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from stance.display import shown
from stance.model.explanation import Explanation, Reason
from stance.model.reasons import AGAINST, FAVOR
from stance.records import UNCERTAIN

STRONGEST = 8
"""Words and features that are listed."""

FOREIGN = "In a language that the model was not trained on: do not rely on what follows."
"""Said of a paragraph before its reasons."""

UNNAMED = "Not named in the paragraph: check the spelling, or add aliases (--actors)."
"""Said of an actor that no mention was found of."""

PALE, STRONG = 0.04, 0.12
"""Pushes from which a word is coloured, and coloured strongly."""

NAMED = 42
"""Columns for a word and its strongest term."""


def tilt(reason: Reason) -> float:
    """Return how far a reason pushes toward favor (positive) or against (negative)."""
    return reason.push[FAVOR] - reason.push[AGAINST]


def print_explanation(explanation: Explanation) -> None:
    """Print one answer with its reasons."""
    console = Console(highlight=False, markup=False, emoji=False)
    best = max(range(len(explanation.labels)), key=lambda i: explanation.probabilities[i])
    label = str(explanation.labels[best])
    if not explanation.sure:
        label = UNCERTAIN
    shares = "  ".join(
        f"{name} {share:.3f}"
        for name, share in zip(explanation.labels, explanation.probabilities, strict=True)
    )
    name = shown(explanation.actor) or "sentiment"
    console.print(Text(f"{name}: {label}", style="bold"), Text(f"   {shares}"))
    if explanation.foreign:
        console.print(Text(FOREIGN, style="italic"))
    if explanation.actor and not explanation.mentions:
        console.print(Text(UNNAMED, style="italic"))
    console.print(Text.assemble(*_pieces(explanation)))
    console.print()
    for line in _table(explanation):
        console.print(Text(line))
    console.print()


def _pieces(explanation: Explanation) -> Iterator[Text]:
    """Yield the paragraph, red where a word pushes against, green where it favors."""
    text, at = explanation.text, 0
    for word in explanation.words:
        yield Text(_visible(text[at : word.start]))
        yield Text(_visible(text[word.start : word.end]), style=_style(tilt(word)))
        at = word.end
    yield Text(_visible(text[at:]))


def _visible(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


def _style(push: float) -> str:
    if abs(push) < PALE:
        return ""
    strong = "bold underline " if abs(push) >= STRONG else ""
    return strong + ("green" if push > 0 else "red")


def _named(reason: Reason, width: int = NAMED) -> str:
    """Return a reason's word and its strongest term, in so many columns."""
    word = shown(reason.text, 18 if reason.terms else width - 1)
    if reason.terms and (room := width - 5 - len(word)) > 2:
        word += f"  ({shown(reason.terms[0], room)})"
    return word[:width]


def _table(explanation: Explanation) -> Iterator[str]:
    labels = explanation.labels
    yield f"{'pushes the score of':<{NAMED + 2}}" + "".join(f"{name:>11}" for name in labels)
    reasons = sorted(explanation.words, key=lambda word: -max(map(abs, word.push)))
    listed = [*reasons[:STRONGEST], *explanation.features[:3]]
    for reason in listed:
        yield f"  {_named(reason):<{NAMED}}" + "".join(f"{push:>+11.3f}" for push in reason.push)
    rest = [
        sum(r.push[i] for r in (*explanation.words, *explanation.features))
        - sum(r.push[i] for r in listed)
        for i in range(len(labels))
    ]
    for name, values in (
        ("all other words and features", rest),
        ("constant", explanation.intercept),
    ):
        yield f"  {name:<{NAMED}}" + "".join(f"{value:>+11.3f}" for value in values)
    yield f"  {'score':<{NAMED}}" + "".join(f"{value:>+11.3f}" for value in explanation.scores)
