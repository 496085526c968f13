"""Wrong answers, the most confident first, with the words that pushed them."""

from pathlib import Path

import numpy as np

from stance.corpus import Corpus
from stance.model.judging import StanceModel
from stance.model.reasons import strongest_words
from stance.records import Stance
from stance.tables import write_table

COLUMNS = ("text", "actor", "gold", "predicted", "probability", "because", "corpus", "row")

WORDS = 6
"""Words named in `because`."""


def write_mistakes(model: StanceModel, corpus: Corpus, path: Path, *, force: bool) -> str:
    """Write the wrong rows of a corpus to a table; return what to tell of it."""
    stance, because = np.zeros((len(corpus), len(Stance))), list[str]()
    for rows, judged in model.judge_many(corpus.texts, corpus.actors, corpus.spans, pushes=True):
        stance[rows] = judged.stance
        because += strongest_words(judged.pushes, judged.stance.argmax(axis=1), WORDS)
    predicted, top = stance.argmax(axis=1), stance.max(axis=1)
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
