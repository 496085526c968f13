"""What a model scores on a corpus beside its baselines, and where it is wrong."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stance.arrays import Bools
from stance.corpus import Corpus, holder_rows
from stance.display import brief, count
from stance.evaluation.answers import (
    Answers,
    Figures,
    judge_pairs,
    judge_sentiment,
    stance_answers,
)
from stance.evaluation.scores import (
    baselines,
    conflict_rows,
    conflict_score,
    group_scores,
    holder_score,
    leakage,
    score,
)
from stance.files import AtomicGroup
from stance.model.judging import StanceModel
from stance.model.reasons import strongest_words
from stance.reading.keys import linked_groups
from stance.recipe import Recipe
from stance.records import ANSWERS, NO_ANSWER, Stance
from stance.tables import write_table

WORDS = 6  # words named in `because`


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of an evaluation."""

    figures: Figures

    def __repr__(self) -> str:
        return brief(
            "Report", **{name: self.figures.get(name) for name in ("n", "accuracy", "macro_f1")}
        )

    def to_json(self) -> Figures:
        """Return what ``stance evaluate --json`` prints; optional parts only where there are any.

        Shares and scores are between 0 and 1, intervals of 95 % of whole documents.
        """
        return dict(self.figures)


def report(
    corpus: Corpus,
    answers: Answers,
    blind: Answers,
    majority: str,
    tone: Answers | None,
    tone_majority: str | None,
    *,
    holder: Figures | None = None,
    leaked: Bools | None = None,
    notes: Iterable[str] = (),
) -> Report:
    """Score answers to the stance, and to the tone, of a corpus's rows beside their baselines.

    ``blind`` are those of the target-blind control head to the same rows, majorities are the most
    frequent labels of the training data, and ``leaked`` says of which rows the text, or one much
    like it, was in it.
    """
    figures = score(answers)
    figures["notes"] = [*notes, *_loose(corpus), *figures["notes"]]
    conflict = conflict_rows(linked_groups([corpus.marks.exact]), answers.gold)
    figures["conflict"] = conflict_score(answers, blind, conflict)
    figures["baselines"] = baselines(answers, majority, blind)
    if tone is not None:
        figures["sentiment"] = score(tone)
        if tone_majority:
            figures["sentiment"]["baselines"] = baselines(tone, tone_majority)
    if leaked is not None:
        figures["leakage"] = leakage(answers, leaked)
    if holder is not None:
        figures["holder"] = holder
    files = [corpus.sources[number].name for number in corpus.source]
    figures["per_corpus"] = group_scores(answers, files)
    if "source" in corpus.extra:
        figures["per_source"] = group_scores(answers, corpus.extra["source"])
    return Report(figures)


def evaluate(model: StanceModel, corpus: Corpus) -> Report:
    """Score a model on a labelled corpus, beside its baselines.

    An answer that `predict` withholds is withheld here. Rows whose text was in the training data
    are counted as leaked.

    Parameters
    ----------
    model : StanceModel
    corpus : Corpus
        Labelled pairs, as `read_corpus` returns them.

    Returns
    -------
    Report
        Its ``to_json()`` is what ``stance evaluate --json`` prints: shares and scores between 0
        and 1, intervals of 95 % of whole documents.
    """
    trained_on = Counter[str]()
    for source in model.card["data"]:
        trained_on.update(source["classes"])
    tones = model.card["scores"].get("sentiment", {}).get("per_class", {})
    return report(
        corpus,
        judge_pairs(model, corpus),
        stance_answers(corpus, model.judge_blind(corpus.texts, corpus.months)),
        max(map(str, Stance), key=trained_on.__getitem__),
        judge_sentiment(model, corpus),
        max(tones, key=lambda tone: tones[tone]["support"], default=None),
        holder=_judge_holders(model, corpus),
        leaked=corpus.marks.found_in(model.fingerprints),
        notes=model_notes(model.recipe, model.stance.silent),
    )


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


def model_notes(recipe: Recipe, silent: Sequence[str] = ()) -> Iterator[str]:
    """Yield what to beware of in a model that never answers some labels."""
    for label in silent:
        yield f"the model never answers {label}: no training row was {label}"
    if "name" in recipe.features.blocks or recipe.features.per_actor:
        yield (
            "the model knows which actor is judged: it has learned a prior about actors, the very "
            "thing that a study wants to measure"
        )


def _loose(corpus: Corpus) -> list[str]:
    note = (
        f"{count(corpus.loose, 'row')} without document: each text counts as one; if some are "
        "from one article or speech, intervals are too narrow and cross-validation scores too "
        "high; add a column document"
    )
    return [note] if corpus.loose else []


def _judge_holders(model: StanceModel, corpus: Corpus) -> Figures | None:
    rows = holder_rows(corpus)
    if model.holder is None or not len(rows):
        return None
    kept = corpus.take(rows)
    holders = model.name_holders(kept.texts, kept.actors, kept.spans, kept.months)
    return holder_score(corpus, model.book, holders)
