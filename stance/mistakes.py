"""Wrong answers, the most confident first, with the words that pushed them."""

from pathlib import Path

import numpy as np

from stance.corpus import Corpus
from stance.explanation import explain
from stance.model import StanceModel
from stance.records import Stance
from stance.tables.output import write_table

COLUMNS = ("text", "actor", "gold", "predicted", "probability", "because")

WORDS = 6
"""Words named in `because`."""


def because(model: StanceModel, corpus: Corpus, row: int, label: int, words: int = WORDS) -> str:
    """Return the words of a row that pushed most toward a label, as ``condemned(+0.42) ...``."""
    reasons = explain(model, corpus.texts[row], corpus.actors[row], corpus.spans[row])[0].words
    pushes = [(r.push[label] - sum(r.push) / len(r.push), r.text) for r in reasons]
    strongest = sorted(pushes, key=lambda pair: -pair[0])[:words]
    return " ".join(f"{word}({push:+.2f})" for push, word in strongest if push > 0)


def write_mistakes(model: StanceModel, corpus: Corpus, path: Path, *, force: bool) -> str:
    """Write the wrong rows of a corpus to a table; return what to tell of it."""
    labels = list(map(str, Stance))
    judged = model.judge_pairs(corpus.texts, corpus.actors, corpus.spans)
    predicted = judged.stance.argmax(axis=1)
    top = judged.stance.max(axis=1)
    wrong = np.flatnonzero(predicted != corpus.stance)
    wrong = wrong[np.argsort(-top[wrong], kind="stable")]
    with write_table(path, COLUMNS, force=force) as writer:
        for row in wrong.tolist():
            text, actor, label = corpus.texts[row], corpus.actors[row], int(predicted[row])
            writer.write(
                (
                    text,
                    actor,
                    labels[int(corpus.stance[row])],
                    labels[label],
                    f"{top[row]:.6f}",
                    because(model, corpus, row, label),
                )
            )
    return f"wrote {len(wrong):,} wrong of {len(corpus):,} answers to {path}"
