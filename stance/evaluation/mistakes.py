"""Tables of rows whose answer is wrong, or whose label may be."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from stance.arrays import Floats, Ints
from stance.corpus import Corpus
from stance.display import count
from stance.evaluation.answers import stance_answers
from stance.files import AtomicGroup
from stance.model.judging import StanceModel
from stance.model.reasons import strongest_words
from stance.records import ANSWERS, NO_ANSWER, Stance
from stance.tables import write_table

WORDS = 6  # words named in `because`


def write_suspects(corpus: Corpus, held: Floats, path: Path, *, force: bool) -> str:
    """Write the rows whose label is likely wrong, most likely first; return a line about it.

    ``held`` holds held-out probabilities of shape (n_rows, n_labels). A row is listed if its answer
    contradicts its label and is at least as probable as it is on average where it is the label
    (Northcutt, Jiang and Chuang 2021, "Confident Learning").
    """
    gold, top = corpus.stance, held.max(axis=1)
    label_chance = held[np.arange(len(corpus)), gold]
    answer = held.argmax(axis=1)
    labels = len(Stance)
    usual = np.array([held[gold == n, n].mean() if (gold == n).any() else 1 for n in range(labels)])
    listed = np.flatnonzero((answer != gold) & (top >= usual[answer]))
    listed = listed[np.lexsort((listed, label_chance[listed] - top[listed]))]
    names = ("label", "answer", "probability", "label_probability")
    cells = (
        (ANSWERS[gold[row]], ANSWERS[answer[row]], f"{top[row]:.6f}", f"{label_chance[row]:.6f}")
        for row in listed
    )
    with AtomicGroup() as alone:
        _write_rows(path, names, corpus, listed, cells, alone, force)
    rows = f"{count(len(listed), 'row')} of {len(corpus):,}"
    return f"wrote {rows} whose label may be wrong to {path}"


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
    cells = (
        (ANSWERS[corpus.stance[row]], ANSWERS[predicted[row]], f"{top[row]:.6f}", because[row])
        for row in wrong
    )
    _write_rows(path, names, corpus, wrong, cells, together, force)
    silent = int((predicted == NO_ANSWER).sum())
    rest = f" and {silent:,} withheld" if silent else ""
    return f"wrote {len(wrong) - silent:,} wrong{rest} of {len(corpus):,} answers to {path}"


def _write_rows(
    path: Path,
    names: Sequence[str],
    corpus: Corpus,
    rows: Ints,
    cells: Iterable[Sequence[str]],
    together: AtomicGroup,
    force: bool,
) -> None:
    """Write some rows of a corpus: text and actor, further cells so named, and their places."""
    places = corpus.places()
    opened = write_table(path, ("text", "actor", *names, "corpus", "row"), force=force)
    with together.part(opened) as writer:
        for row, more in zip(rows.tolist(), cells, strict=True):
            name, number = places[row]
            writer.write((corpus.texts[row], corpus.actors[row], *more, name, str(number)))
