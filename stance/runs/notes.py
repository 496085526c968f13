"""How far an input is from the paragraphs that a model was trained on, in lines with numbers.

Nothing here is a test: an input that passes in silence can still differ in what its words mean.
Each line is a reason to label a sample of the input before its answers are believed.
"""

from collections import Counter
from collections.abc import Iterator

from stance.display import count, shown
from stance.model.familiarity import FEWEST, LENGTHS, Reference
from stance.model.judging import StanceModel
from stance.runs.answers import Tally

LEAST_WORDS, LEAST_ROWS, LEAST_ANSWERS = 500, 30, 30
"""Plain words, rows and answers from which shares are compared."""

MORE, TIMES = 0.05, 1.5
"""Words count as drifted where this much more of them, and this many times as many, are unknown."""

UNUSUAL = 0.25
"""Share of paragraphs of unusual length, and of answers on rare actors, that is told."""

NAMED = 3
"""Rare actors that a line names."""


def notes(model: StanceModel, tally: Tally) -> tuple[str, ...]:
    """Return what to tell of the differences after a run; nothing where there is none."""
    reference = model.reference
    if reference is None:
        return ()
    found = [*_words(reference, tally), *_lengths(reference, tally), *_actors(model, tally)]
    if found:
        found.append(
            "the model's scores may not hold for this input; label a sample of it and run "
            "`stance evaluate`"
        )
    return tuple(f"drift: {line}" for line in (*_foreign(model, tally), *found))


def _foreign(model: StanceModel, tally: Tally) -> Iterator[str]:
    if tally.foreign:
        verb = "is" if tally.foreign == 1 else "are"
        yield (
            f"{count(tally.foreign, 'paragraph')} of {tally.rows:,} {verb} in a language that the "
            f"model was not trained on (trained: {shown(model.recipe.language)}), so uncertain"
        )


def _words(reference: Reference, tally: Tally) -> Iterator[str]:
    share = tally.strange / max(tally.plain, 1)
    least = max(reference.unknown + MORE, reference.unknown * TIMES)
    if tally.plain >= LEAST_WORDS and share >= least:
        yield (
            f"{_percent(share)} of words are unknown to the model "
            f"(training: {_percent(reference.unknown)})"
        )


def _lengths(reference: Reference, tally: Tally) -> Iterator[str]:
    if tally.rows < LEAST_ROWS:
        return
    for number, word, limit, share in (
        (tally.short, "fewer", reference.length[0], LENGTHS[0]),
        (tally.long, "more", reference.length[-1], 1 - LENGTHS[-1]),
    ):
        if number >= UNUSUAL * tally.rows:
            yield (
                f"{_percent(number / tally.rows)} of paragraphs have {word} than "
                f"{count(limit, 'word')} (training: {_percent(share)})"
            )


def _actors(model: StanceModel, tally: Tally) -> Iterator[str]:
    reference = model.reference
    total = sum(tally.answers.values())
    if reference is None or total < LEAST_ANSWERS:
        return
    rare: Counter[str] = Counter()
    for (actor, _), number in tally.answers.items():
        name = model.book.proper_name(actor)
        if name not in reference.actors:
            rare[name] += number
    share = sum(rare.values()) / total
    before = 1 - sum(reference.actors.values()) / max(reference.rows, 1)
    if share >= max(UNUSUAL, TIMES * before):
        first = sorted(rare.items(), key=lambda pair: (-pair[1], pair[0]))[:NAMED]
        named = ", ".join(f"{shown(name, 30)} {_percent(n / total)}" for name, n in first)
        yield (
            f"{_percent(share)} of answers are about actors with fewer than {FEWEST} training "
            f"rows (training: {_percent(before)}): {named}"
        )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
