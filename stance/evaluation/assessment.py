"""What a model scores on a corpus, alone or beside another, and in cross-validation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Floats, Ints
from stance.corpus import Corpus, holder_rows, sentiment_rows
from stance.display import brief, count, shown
from stance.errors import DataError
from stance.evaluation.answers import (
    Answers,
    Figures,
    judge_pairs,
    judge_sentiment,
    sentiment_answers,
    stance_answers,
)
from stance.evaluation.comparison import (
    baselines,
    compare,
    conflict_rows,
    conflict_score,
    holder_score,
    leakage,
    lexicon_stances,
)
from stance.evaluation.scores import group_scores, score
from stance.model.judging import StanceModel
from stance.reading.keys import linked_groups
from stance.reading.spans import make_query
from stance.recipe import Recipe
from stance.records import Stance
from stance.tables import read_date


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


PARTS = ("sentiment", "leakage", "holder")
"""Parts of a report that may be missing."""


def report(
    answers: Answers,
    blind: Answers,
    majority: str,
    text_key: NDArray[Any],
    *,
    lexicon: Answers | None = None,
    seen: tuple[Bools, Bools] | None = None,
    sentiment: Answers | None = None,
    sentiment_majority: str | None = None,
    notes: Sequence[str] = (),
    **more: Figures | None,
) -> Report:
    """Score a model's answers beside its baselines.

    ``blind`` are those of the target-blind control head to the same rows, ``text_key`` is equal for
    rows of the same paragraph, majorities are the most frequent labels of the training data, and
    ``seen`` says which rows were in it: their texts or nearly so, and their very texts.
    """
    figures = score(answers)
    figures["notes"] = [*notes, *figures["notes"]]
    figures["conflict"] = conflict_score(answers, blind, conflict_rows(text_key, answers.gold))
    rivals = {"target_blind": blind} | ({"lexicon": lexicon} if lexicon else {})
    figures["baselines"] = baselines(answers, majority, rivals)
    if sentiment is not None:
        figures["sentiment"] = score(sentiment)
        if sentiment_majority:
            figures["sentiment"]["baselines"] = baselines(sentiment, sentiment_majority, {})
    if seen is not None:
        figures["leakage"] = leakage(answers, *seen)
    return Report(figures | {name: part for name, part in more.items() if part is not None})


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
    query = make_query(model.book, corpus.texts, corpus.actors, corpus.spans, corpus.months)
    marks, prints = corpus.marks, model.fingerprints
    return _corpus_report(
        corpus,
        model.recipe,
        answers=judge_pairs(model, corpus),
        blind=stance_answers(corpus, model.judge_blind(corpus.texts, corpus.months)),
        majority=_majority(model),
        lexicon=_lexicon_answers(corpus, lexicon_stances(model.reader, query)),
        seen=(marks.found_in(prints), marks.copied_from(prints)),
        sentiment=judge_sentiment(model, corpus),
        sentiment_majority=_sentiment_majority(model),
        notes=_silent(model.stance.silent),
        holder=_judge_holders(model, corpus),
    )


def compare_models(
    a: StanceModel, b: StanceModel, corpus: Corpus, names: tuple[str, str] = ("a", "b")
) -> Figures:
    """Compare two models of the same labels on the rows that neither has learned from."""
    if a.stance.labels != b.stance.labels:
        raise DataError(
            f"one model answers {', '.join(a.stance.labels)}, the other "
            f"{', '.join(b.stance.labels)}; compare models of the same labels"
        )
    seen = [corpus.marks.found_in(model.fingerprints) for model in (a, b)]
    learned = {name: int(rows.sum()) for name, rows in zip("ab", seen, strict=True)}
    if (seen[0] | seen[1]).all():
        raise DataError(
            "every row is training data of one of the models; compare them on other texts"
        )
    unseen = corpus.take(np.flatnonzero(~(seen[0] | seen[1])))
    figures = compare(judge_pairs(a, unseen), judge_pairs(b, unseen))
    notes = [
        f"{mark}: {note}"
        for mark, model in (("A", a), ("B", b))
        for note in (*_silent(model.stance.silent), *_prior(model.recipe))
    ]
    notes += [*_loose(unseen), *figures["notes"]]
    return {
        "models": dict(zip("ab", names, strict=True)),
        **figures,
        "seen": learned,
        "notes": notes,
    }


def cross_validation(
    recipe: Recipe,
    corpus: Corpus,
    stance: Floats,
    control: Floats,
    tone: Floats | None,
    lexicon: Ints | None = None,
    named: Bools | None = None,
    holder: Figures | None = None,
) -> Report:
    """Score the held-out answers of a training's cross-validation by document.

    ``stance``, ``control`` (target-blind) and ``tone`` (of `sentiment_rows`) are probabilities;
    ``named`` says whether the text names the actor, without which `predict` says `uncertain`.
    """
    answers = stance_answers(corpus, stance, named)
    mood = None if tone is None else sentiment_answers(corpus, sentiment_rows(corpus), tone)
    return _corpus_report(
        corpus,
        recipe,
        answers=answers,
        blind=stance_answers(corpus, control),
        majority=_most_frequent(answers),
        lexicon=_lexicon_answers(corpus, lexicon),
        sentiment=mood,
        sentiment_majority=None if mood is None else _most_frequent(mood),
        holder=holder,
    )


def _most_frequent(answers: Answers) -> str:
    return str(answers.labels[int(np.bincount(answers.gold).argmax())])


def _corpus_report(
    corpus: Corpus, recipe: Recipe, *, answers: Answers, notes: Sequence[str] = (), **parts: Any
) -> Report:
    """Add what the corpus says: notes, and scores per corpus, source, genre and year if known."""
    groups: dict[str, Sequence[str]] = {"corpus": [corpus.sources[i].name for i in corpus.source]}
    groups |= {name: corpus.extra[name] for name in ("source", "genre") if name in corpus.extra}
    if "date" in corpus.extra:
        groups["year"] = [_year(date) for date in corpus.extra["date"]]
    for name, group in groups.items():
        scores = group_scores(replace(answers, actor=group))
        scores.pop("", None)  # rows that do not say
        parts[f"per_{name}"] = dict(sorted(scores.items())) if name == "year" else scores
    notes = [*notes, *_prior(recipe), *_loose(corpus), *_undated(corpus)]
    return report(answers, text_key=linked_groups([corpus.marks.exact]), notes=notes, **parts)


def _prior(recipe: Recipe) -> list[str]:
    note = (
        "the model knows which actor is judged: it has learned a prior about actors, the very "
        "thing that a study wants to measure"
    )
    return [note] if "name" in recipe.features.blocks or recipe.features.per_actor else []


def _silent(labels: Sequence[str]) -> list[str]:
    return [f"the model never answers {label}: no training row was {label}" for label in labels]


def _loose(corpus: Corpus) -> list[str]:
    note = (
        f"{count(corpus.loose, 'row')} without document: each text counts as one; if some are "
        "from one article or speech, intervals are too narrow and cross-validation scores too "
        "high; add a column document"
    )
    return [note] if corpus.loose else []


def _undated(corpus: Corpus) -> list[str]:
    dates = [date for date in corpus.extra.get("date", ()) if date.strip() and not _year(date)]
    return dates and [
        f"{count(len(dates), 'row')} with a date that cannot be read, such as '{shown(dates[0])}': "
        "left out of the scores by year; write 2024-03-09"
    ]


def _year(date: str) -> str:
    """Return the year of a date; empty where it cannot be read."""
    day = read_date(date)
    return "" if day is None else str(day.year)


def _judge_holders(model: StanceModel, corpus: Corpus) -> Figures | None:
    rows = holder_rows(corpus)
    if model.holder is None or not len(rows):
        return None
    kept = corpus.take(rows)
    holders = model.name_holders(kept.texts, kept.actors, kept.spans, kept.months)
    return holder_score(corpus, model.book, holders)


def _lexicon_answers(corpus: Corpus, stances: Ints | None) -> Answers | None:
    return None if stances is None else stance_answers(corpus, np.eye(len(Stance))[stances])


def _majority(model: StanceModel) -> str:
    """Return the most frequent stance label of the training data."""
    sources = [source["classes"] for source in model.card["data"]]
    return max(
        map(str, Stance), key=lambda label: sum(classes.get(label, 0) for classes in sources)
    )


def _sentiment_majority(model: StanceModel) -> str | None:
    """Return the most frequent sentiment of the training data; None where none is known."""
    classes = model.card["scores"].get("sentiment", {}).get("per_class", {})
    return max(classes, key=lambda label: classes[label]["support"], default=None)
