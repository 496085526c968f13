"""Wrong answers, the most confident first, with the words that pushed them."""

from pathlib import Path

import numpy as np

from stance.corpus import Corpus
from stance.model.judging import StanceModel
from stance.model.reasons import strongest_words
from stance.records import NO_ANSWER, UNCERTAIN, Stance
from stance.tables import write_table

COLUMNS = ("text", "actor", "gold", "predicted", "probability", "because", "corpus", "row")

WORDS = 6  # words named in `because`


def write_mistakes(model: StanceModel, corpus: Corpus, path: Path, *, force: bool) -> str:
    """Write the wrong rows of a corpus to a table, then those withheld; return a line about it."""
    stance, because = np.zeros((len(corpus), len(Stance))), list[str]()
    withheld = np.zeros(len(corpus), np.bool_)
    for rows, judged in model.judge_many(corpus.texts, corpus.actors, corpus.spans, pushes=True):
        stance[rows], withheld[rows] = judged.stance, judged.withheld
        because += strongest_words(judged.pushes, judged.stance.argmax(axis=1), WORDS)
    predicted, top = np.where(withheld, NO_ANSWER, stance.argmax(axis=1)), stance.max(axis=1)
    wrong = np.flatnonzero(predicted != corpus.stance)
    wrong = wrong[np.lexsort((-top[wrong], withheld[wrong]))]
    labels = [*map(str, Stance), UNCERTAIN]  # the last is that of NO_ANSWER, -1
    places = corpus.places()
    with write_table(path, COLUMNS, force=force) as writer:
        for row in wrong.tolist():
            gold, found = labels[corpus.stance[row]], labels[predicted[row]]
            text, actor, share = corpus.texts[row], corpus.actors[row], f"{top[row]:.6f}"
            corpus_name, number = places[row]
            writer.write((text, actor, gold, found, share, because[row], corpus_name, str(number)))
    silent = int(withheld.sum())
    rest = f" and {silent:,} withheld" if silent else ""
    return f"wrote {len(wrong) - silent:,} wrong{rest} of {len(corpus):,} answers to {path}"
