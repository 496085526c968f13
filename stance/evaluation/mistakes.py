"""Wrong answers, the most confident first, with the words that pushed them."""

from pathlib import Path

import numpy as np

from stance.arrays import Floats, Ints
from stance.corpus import Corpus
from stance.model.judging import StanceModel
from stance.model.reasons import strongest_words
from stance.records import Stance
from stance.tables import write_table

COLUMNS = ("text", "actor", "gold", "predicted", "probability", "because", "corpus", "row")

WORDS = 6
"""Words named in `because`."""

BATCH = 1000
"""Rows that are judged at a time."""


def write_mistakes(model: StanceModel, corpus: Corpus, path: Path, *, force: bool) -> str:
    """Write the wrong rows of a corpus to a table; return what to tell of it."""
    parts = [_judge(model, corpus, low) for low in range(0, len(corpus), BATCH)]
    predicted, top = (np.concatenate(part) for part in list(zip(*parts, strict=True))[:2])
    because = [cell for part in parts for cell in part[2]]
    wrong = np.flatnonzero(predicted != corpus.stance)
    wrong = wrong[np.argsort(-top[wrong], kind="stable")]
    labels, places = list(map(str, Stance)), corpus.places()
    with write_table(path, COLUMNS, force=force) as writer:
        for row in wrong.tolist():
            gold, found = labels[corpus.stance[row]], labels[predicted[row]]
            text, actor, share = corpus.texts[row], corpus.actors[row], f"{top[row]:.6f}"
            corpus_name, number = places[row]
            writer.write((text, actor, gold, found, share, because[row], corpus_name, str(number)))
    return f"wrote {len(wrong):,} wrong of {len(corpus):,} answers to {path}"


def _judge(model: StanceModel, corpus: Corpus, low: int) -> tuple[Ints, Floats, list[str]]:
    """Return answer, its probability and the words that pushed it, for a batch of rows."""
    rows = slice(low, low + BATCH)
    judged = model.judge_pairs(
        corpus.texts[rows], corpus.actors[rows], corpus.spans[rows], reasons=True
    )
    predicted = judged.stance.argmax(axis=1)
    cells = strongest_words(judged.tilts, predicted, WORDS)
    return predicted, judged.stance.max(axis=1), cells
