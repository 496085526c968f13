"""Tables of rows whose answer is wrong."""

from pathlib import Path

import numpy as np

from stance.corpus import Corpus
from stance.evaluation.answers import stance_answers
from stance.files import AtomicGroup
from stance.model.judging import StanceModel
from stance.model.reasons import strongest_words
from stance.records import ANSWERS, NO_ANSWER
from stance.tables import write_table

WORDS = 6  # words named in `because`


def write_mistakes(
    model: StanceModel, corpus: Corpus, path: Path, together: AtomicGroup, *, force: bool
) -> str:
    """Write the wrong rows of a corpus to a table, then those withheld; return a line about it."""
    stance, because, withheld = [], list[str](), []
    pairs = corpus.texts, corpus.actors, corpus.spans
    for _, judged in model.judge_many(*pairs, months=corpus.months, pushes=True):
        stance.append(judged.stance)
        withheld.append(judged.withheld)
        because += strongest_words(judged.pushes, judged.stance.argmax(axis=1), WORDS)
        del judged  # before the words of the next rows are read
    answers = stance_answers(corpus, np.concatenate(stance), ~np.concatenate(withheld))
    predicted, top = answers.predicted, answers.confidence
    wrong = np.flatnonzero(~answers.right)
    wrong = wrong[np.lexsort((-top[wrong], predicted[wrong] == NO_ANSWER))]
    names = ("gold", "predicted", "probability", "because")
    places = corpus.places()
    opened = write_table(path, ("text", "actor", *names, "corpus", "row"), force=force)
    with together.part(opened) as writer:
        for row in wrong.tolist():
            answer = ANSWERS[predicted[row]], f"{top[row]:.6f}", because[row]
            name, number = places[row]
            cells = corpus.texts[row], corpus.actors[row], ANSWERS[corpus.stance[row]], *answer
            writer.write((*cells, name, str(number)))
    silent = int((predicted == NO_ANSWER).sum())
    rest = f" and {silent:,} withheld" if silent else ""
    return f"wrote {len(wrong) - silent:,} wrong{rest} of {len(corpus):,} answers to {path}"
