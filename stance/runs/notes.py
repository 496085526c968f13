"""What to report after a run: answers withheld, and how the input differs from the training texts.

None of this is a test: an input without notes can still use words in another sense. Each note is
a reason to label a sample of the input before believing its answers.
"""

from collections.abc import Iterator

import numpy as np

from stance.display import count, shown
from stance.model.abstention import NEVER, class_evidence, lowest_threshold, supported_rate
from stance.model.familiarity import LENGTHS, Reference
from stance.model.judging import StanceModel
from stance.reading.text import MOST_READ
from stance.records import UNCERTAIN, Stance
from stance.runs.answers import Tally

LEAST_WORDS, LEAST_ROWS = 500, 30  # needed to compare shares
MORE, TIMES = 0.05, 1.5  # unknown words are drift from this much more, and so many times as many
LEAST_WORDING = 1500  # plain words needed to compare wording
UNLIKE = 0.035  # distance of wording; documents of one genre stay below it, others exceed it
UNUSUAL = 0.25  # share of paragraphs of unusual length to report


def abstention_notes(model: StanceModel, rate: float | None, tally: Tally) -> tuple[str, ...]:
    """Return the share of answers withheld, and from which confidence on they are given."""
    if rate is None:
        return ()
    total = tally.answers.total()
    uncertain = sum(n for (_, label), n in tally.answers.items() if label == UNCERTAIN)
    withheld = uncertain - tally.unknown - tally.others
    found = [lowest_threshold(part, rate) for part in class_evidence(model.calibration, rate)]
    given = [
        f"{n} from {least:.2f}" for n, least in zip(Stance, found, strict=True) if least < NEVER
    ]
    share = 100 * withheld / max(total, 1)
    return (
        f"--abstain {rate:g}: {withheld:,} of {count(total, 'answer')} withheld ({share:.1f} %); "
        f"given by confidence: {', '.join(given)}",
    )


def silence_notes(model: StanceModel, rate: float | None) -> tuple[str, ...]:
    """Return which stances are never answered, at the rate of ``--abstain`` or at all."""
    skewed = "so shares of the answers given do not describe the whole"
    lines = [
        f"the model never answers {label}, {skewed}; no training row was {label}"
        for label in model.stance.silent
    ]
    if rate is None:
        return tuple(lines)
    for label, part in zip(Stance, class_evidence(model.calibration, rate), strict=True):
        if label not in model.stance.silent and lowest_threshold(part, rate) == NEVER:
            lowest = supported_rate(part)
            why = f"the lowest rate for it is {lowest:g}" if lowest <= 1 else "it is too rare"
            lines.append(f"--abstain {rate:g}: {label} is never answered, {skewed}; {why}")
    return tuple(lines)


def voice_notes(voice: str, tally: Tally) -> tuple[str, ...]:
    """Return how many stances were withheld because they are not those of the voice asked for."""
    if not voice:
        return ()
    return (f"--voice {voice}: {count(tally.others, 'answer')} withheld as the stance of others",)


def cut_notes(tally: Tally) -> tuple[str, ...]:
    """Return of how many long texts only the beginning was read."""
    if not tally.cut:
        return ()
    texts = count(tally.cut, "text")
    return (f"of {texts} only the first {MOST_READ:,} characters were read; split long texts",)


def drift_notes(model: StanceModel, tally: Tally, rate: float | None = None) -> tuple[str, ...]:
    """Return how the input differs from the training texts; empty if it does not.

    ``rate`` is that of ``--abstain``, which promises nothing for another kind of text.
    """
    reference = model.reference
    if reference is None:
        return ()
    lines = list[str]()
    if tally.foreign:
        lines.append(
            f"{tally.foreign:,} of {count(tally.rows, 'paragraph')} not in a language this model "
            f"knows (trained on {shown(model.recipe.language)}): marked uncertain"
        )
    found = [*_words(reference, tally), *_wording(reference, tally), *_lengths(reference, tally)]
    if found:
        broken = "" if rate is None else f", and more than {rate:g} of the answers may be wrong"
        found.append(
            f"the model's scores may not hold for this input{broken}; label a sample of it and run "
            "`stance evaluate`"
        )
    return tuple(f"drift: {line}" for line in (*lines, *found))


def _words(reference: Reference, tally: Tally) -> Iterator[str]:
    share = tally.strange / max(tally.plain, 1)
    least = max(reference.unknown + MORE, reference.unknown * TIMES)
    if tally.plain >= LEAST_WORDS and share >= least:
        before = _percent(reference.unknown)
        yield f"{_percent(share)} of words are unknown to the model (training: {before})"


def _wording(reference: Reference, tally: Tally) -> Iterator[str]:
    """Compare how frequent the most frequent words are: total variation beyond that of chance."""
    if not reference.wording or tally.plain < LEAST_WORDING:
        return
    share = np.array([tally.wording[word,] for word in reference.frequent]) / tally.plain
    spread = np.sqrt(2 * share * (1 - share) / (np.pi * tally.plain))  # of a binomial share
    away = {name: share - np.array(own) for name, own in reference.wording.items()}
    distance = {name: float((abs(own) - spread).sum()) / 2 for name, own in away.items()}
    nearest = min(distance, key=distance.__getitem__)
    if distance[nearest] <= UNLIKE:
        return
    order = np.argsort(away[nearest], kind="stable").tolist()
    less, more = (
        ", ".join(shown(reference.frequent[at].split()[-1], 20) for at in places)
        for places in (order[:3], order[:-4:-1])
    )
    yield (
        f"the wording is unlike that of any training corpus, as in another genre: more of {more}, "
        f"less of {less} (stems; beside {shown(nearest, 40)})"
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


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
