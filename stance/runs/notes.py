"""What to report after a run: answers withheld, and texts unlike those of training.

None of this is a test: an input without notes can still use words in another sense. Each note is
a reason to label a sample of the input before believing its answers.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from stance.display import count, shown
from stance.model.abstention import NEVER, thresholds
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.reading.text import MOST_READ
from stance.records import UNCERTAIN, Stance
from stance.runs.answers import Tally

LEAST_WORDS = 500  # needed to compare shares
UNLIKE = "unlike the training texts"  # begins a note on an input that the model may misjudge
MORE, TIMES = 0.05, 1.5  # unknown words matter from this much more, and so many times as many
LOOKED = 300  # first rows of an input in which names are looked for
OFTEN = 5  # of these rows, for a name to count as frequent


def lacking_note(book: ActorBook, texts: Sequence[str]) -> Iterator[str]:
    """Yield which names in `OFTEN` of the first texts the book lacks, the most frequent first."""
    times = Counter[str]()
    for _, places in book.unknown_names(texts[:LOOKED]):
        times.update({name for name, *_ in places})
    if names := [name for name, number in times.most_common() if number >= OFTEN]:
        yield (
            f"{count(len(names), 'name')} in {OFTEN} or more of the first {LOOKED:,} rows but not "
            f"in the actor book ({shown(', '.join(names[:3]))}): "
            "`stance actors INPUT --discover` lists them"
        )


def silence_notes(model: StanceModel, rate: float | None) -> Iterator[str]:
    """Yield which stances are never answered, at the rate of ``--abstain`` or at all."""
    skewed = "so shares of its answers do not describe the texts"
    for label in model.stance.silent:
        yield f"the model never answers {label}, {skewed}; no training row was {label}"
    for label, least in zip(Stance, thresholds(model.calibration, rate), strict=False):
        if label not in model.stance.silent and least == NEVER:
            yield f"--abstain {rate:g}: {label} is never answered, {skewed}; a higher rate may do"


def answer_notes(model: StanceModel, rate: float | None, tally: Tally) -> Iterator[str]:
    """Yield how many answers were withheld and why, and which texts were cut."""
    if rate is not None:
        total, corpora = tally.answers.total(), len(model.card["data"])
        uncertain = sum(n for (_, label), n in tally.answers.items() if label == UNCERTAIN)
        withheld = uncertain - tally.unknown
        mixed = f"the rate holds over {corpora} training corpora together, not in each kind of text"
        yield (
            f"--abstain {rate:g}: {withheld:,} of {count(total, 'answer')} withheld "
            f"({100 * withheld / max(total, 1):.1f} %){f'; {mixed}' if corpora > 1 else ''}"
        )
    yield from silence_notes(model, rate)
    if tally.cut:
        texts = count(tally.cut, "text")
        yield f"of {texts} only the first {MOST_READ:,} characters were read; split long texts"


def drift_notes(model: StanceModel, tally: Tally, rate: float | None = None) -> Iterator[str]:
    """Yield how many texts are in another language, and whether many words are unknown.

    ``rate`` is that of ``--abstain``, which promises nothing for another kind of text.
    """
    reference = model.reference
    if reference is None:
        return
    if tally.foreign:
        yield (
            f"{UNLIKE}: {tally.foreign:,} of {count(tally.rows, 'paragraph')} not in a language "
            f"this model knows (trained on {shown(model.recipe.language)}): marked uncertain"
        )
    if unseen := reference.unseen(name for name, _ in tally.answers):
        yield f"{UNLIKE}: {unseen}"
    share = tally.strange / max(tally.plain, 1)
    least = max(reference.unknown + MORE, reference.unknown * TIMES)
    if tally.plain >= LEAST_WORDS and share >= least:
        broken = "" if rate is None else f", and more than {rate:g} of the answers may be wrong"
        yield (
            f"{UNLIKE}: {100 * share:.0f} % of words are unknown to the model (training: "
            f"{100 * reference.unknown:.0f} %): its scores may not hold here{broken}; label a "
            "sample and run `stance evaluate`"
        )
