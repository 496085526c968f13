"""Evaluation reports of a model on a corpus, and of a training's cross-validation."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.corpus import MISSING, Corpus, sentiment_rows
from stance.display import count, shown
from stance.errors import DataError
from stance.evaluation import Answers, Report, conflict_rows, report
from stance.evaluation.baselines import lexicon_stances
from stance.evaluation.comparison import Comparison, Seen, compare
from stance.evaluation.scores import actor_rows, brief_score
from stance.model.judging import StanceModel
from stance.reading.keys import linked_groups
from stance.reading.spans import make_query
from stance.recipe import Recipe, Validation
from stance.records import Sentiment, Stance
from stance.tables import month_of


def evaluate(model: StanceModel, corpus: Corpus) -> Report:
    """Score a model on a labelled corpus, beside its baselines.

    Parameters
    ----------
    model : StanceModel
    corpus : Corpus

    Returns
    -------
    Report
        With rows whose text was in the training data counted as leaked.
    """
    answers = _stance_answers(corpus, *_judge_pairs(model, corpus))
    validation = model.recipe.validation
    found = report(
        answers,
        _stance_answers(corpus, model.judge_blind(corpus.texts), None),
        majority=_majority(model),
        text_key=_text_key(corpus),
        lexicon=_lexicon_answers(corpus, _by_lexicon(model, corpus)),
        leaked=corpus.marks.found_in(model.fingerprints),
        copied=corpus.marks.copied_from(model.fingerprints),
        sentiment=_judge_sentiment(model, corpus),
        sentiment_majority=_sentiment_majority(model),
        notes=_cautions(model.recipe, corpus),
        draws=validation.draws,
        seed=validation.seed,
    )
    return _with_breakdowns(found, corpus, answers, validation)


def compare_models(
    a: StanceModel, b: StanceModel, corpus: Corpus, names: tuple[str, str] = ("a", "b")
) -> Comparison:
    """Compare two models on a labelled corpus, row by row.

    Parameters
    ----------
    a, b : StanceModel
    corpus : Corpus
    names : (str, str)
        How to name the models to a reader.

    Raises
    ------
    DataError
        If the models answer with other labels.
    """
    _check_labels(a, b)
    answers = [_stance_answers(corpus, *_judge_pairs(model, corpus)) for model in (a, b)]
    tones = [_judge_sentiment(model, corpus) for model in (a, b)]
    found_a, found_b = (corpus.marks.found_in(model.fingerprints) for model in (a, b))
    validation = a.recipe.validation
    found = compare(
        answers[0],
        answers[1],
        conflict=conflict_rows(_text_key(corpus), corpus.stance),
        seen=Seen(found_a, found_b, [f"{name}:{row}" for name, row in corpus.places()]),
        sentiment=(tones[0], tones[1]) if tones[0] and tones[1] else None,
        draws=validation.draws,
        seed=validation.seed,
    )
    marked = [
        f"{mark}: {note}" for mark, own in (("A", a), ("B", b)) for note in _prior(own.recipe)
    ]
    notes = {"notes": [*marked, *_loose(corpus), *found.figures["notes"]]}
    return Comparison({"models": dict(zip("ab", names, strict=True)), **found.figures, **notes})


def _check_labels(a: StanceModel, b: StanceModel) -> None:
    for one, other in ((a.stance, b.stance), (a.sentiment, b.sentiment)):
        if one and other and one.labels != other.labels:
            raise DataError(
                f"one model answers {', '.join(one.labels)}, the other "
                f"{', '.join(other.labels)}; compare models of the same labels"
            )


def cross_validation(
    recipe: Recipe,
    corpus: Corpus,
    stance: Floats,
    control: Floats,
    tone: Floats | None,
    lexicon: Ints | None = None,
    named: Bools | None = None,
) -> Report:
    """Score the held-out answers of a training's cross-validation by document.

    Parameters
    ----------
    recipe : Recipe
    corpus : Corpus
    stance, control : ndarray of shape (n_rows, 3)
        Probabilities of the stance head and of the target-blind control head.
    tone : ndarray of shape (n_sentiment_rows, 3) or None
        Of the sentiment head, for `stance.corpus.sentiment_rows`.
    lexicon : ndarray of shape (n_rows,) or None
        Stances by the lexicon alone, see `stance.evaluation.baselines`.
    named : ndarray of bool of shape (n_rows,) or None
        Whether the text names the actor, without which `predict` says `uncertain`.
    """
    rows, validation = sentiment_rows(corpus), recipe.validation
    usual = list(Stance)[int(np.bincount(corpus.stance).argmax())]
    usual_tone = None
    if tone is not None:
        usual_tone = str(list(Sentiment)[int(np.bincount(corpus.sentiment[rows]).argmax())])
    answers = _stance_answers(corpus, stance, named)
    found = report(
        answers,
        _stance_answers(corpus, control, None),
        majority=str(usual),
        text_key=_text_key(corpus),
        lexicon=_lexicon_answers(corpus, lexicon),
        sentiment=None if tone is None else _sentiment_answers(corpus, rows, tone, None),
        sentiment_majority=usual_tone,
        notes=_cautions(recipe, corpus),
        draws=validation.draws,
        seed=validation.seed,
    )
    return _with_breakdowns(found, corpus, answers, validation)


def _cautions(recipe: Recipe, corpus: Corpus) -> list[str]:
    """Return what a reader of the scores must know of the model and of the corpus."""
    return [*_prior(recipe), *_loose(corpus), *_undated(corpus)]


def _prior(recipe: Recipe) -> list[str]:
    if "name" not in recipe.features.blocks and not recipe.features.per_actor:
        return []
    return [
        "the model knows which actor is judged: it has learned a prior about actors, the very "
        "thing that a study wants to measure"
    ]


def _loose(corpus: Corpus) -> list[str]:
    if not corpus.loose:
        return []
    return [
        f"{count(corpus.loose, 'row')} without document: each text counts as one; where some are "
        "of one article or speech, intervals are too narrow and cross-validation flatters, so add "
        "a column document"
    ]


def _undated(corpus: Corpus) -> list[str]:
    dates = [date for date in corpus.extra.get("date", ()) if date.strip() and not _year(date)]
    if not dates:
        return []
    return [
        f"{count(len(dates), 'row')} with a date that cannot be read, such as '{shown(dates[0])}', "
        "so in the scores of no year; write 2024-03-09"
    ]


def _with_breakdowns(
    found: Report, corpus: Corpus, answers: Answers, validation: Validation
) -> Report:
    """Add scores per corpus, source, genre and year, where the corpus has these columns.

    Rows whose cell is empty, or whose date cannot be read, are in no group.
    """
    groups = {"per_corpus": [corpus.sources[i].name for i in corpus.source]}
    for name in ("source", "genre"):
        if name in corpus.extra:
            groups[f"per_{name}"] = list(corpus.extra[name])
    if "date" in corpus.extra:
        groups["per_year"] = [_year(date) for date in corpus.extra["date"]]
    parts = {name: _scores_by(answers, group, validation) for name, group in groups.items()}
    if "per_year" in parts:
        parts["per_year"] = dict(sorted(parts["per_year"].items()))
    return replace(found, stance={**found.stance, **parts})


def _year(date: str) -> str:
    """Return the year of a date; empty where it cannot be read."""
    month = month_of(date)
    return "" if month is None else str(month // 12)


def _scores_by(
    answers: Answers, group: Sequence[str], validation: Validation
) -> dict[str, dict[str, Any]]:
    parts = actor_rows(replace(answers, actor=group))
    draws, seed = validation.draws, validation.seed
    return {name: brief_score(answers.take(rows), draws, seed) for name, rows in parts if name}


def _judge_pairs(model: StanceModel, corpus: Corpus) -> tuple[Floats, Bools]:
    """Return the stance of every row, and where `predict` would not say `uncertain`."""
    if not len(corpus):
        raise DataError("the corpus has no row")
    judged = [part for _, part in model.judge_many(corpus.texts, corpus.actors, corpus.spans)]
    answered = np.concatenate([~part.withheld for part in judged])
    return np.concatenate([part.stance for part in judged]), answered


def _judge_sentiment(model: StanceModel, corpus: Corpus) -> Answers | None:
    """Judge the paragraphs that have a sentiment label; None where none has, or no head is."""
    rows = sentiment_rows(corpus)
    if model.sentiment is None or not len(rows):
        return None
    judged = [part for _, part in model.judge_many([corpus.texts[row] for row in rows])]
    tones = np.concatenate([part.sentiment for part in judged if part.sentiment is not None])
    answered = np.concatenate([~part.tone_withheld for part in judged])
    return _sentiment_answers(corpus, rows, tones, answered)


def _stance_answers(corpus: Corpus, probabilities: Floats, known: Bools | None) -> Answers:
    return Answers(
        labels=tuple(Stance),
        gold=corpus.stance,
        probabilities=probabilities,
        document=corpus.document,
        answered=known,
        actor=corpus.actors,
    )


def _by_lexicon(model: StanceModel, corpus: Corpus) -> Ints | None:
    query = make_query(model.book, corpus.texts, corpus.actors, corpus.spans)
    return lexicon_stances(model.reader, query)


def _lexicon_answers(corpus: Corpus, stances: Ints | None) -> Answers | None:
    return None if stances is None else _stance_answers(corpus, np.eye(len(Stance))[stances], None)


def _sentiment_answers(
    corpus: Corpus, rows: Ints, probabilities: Floats, known: Bools | None
) -> Answers:
    gold = corpus.sentiment[rows]
    if (gold == MISSING).any():
        raise ValueError("a row without sentiment label")
    return Answers(tuple(Sentiment), gold, probabilities, corpus.document[rows], known)


def _majority(model: StanceModel) -> str:
    """Return the most frequent stance label of the training data."""
    totals = {str(label): 0 for label in Stance}
    for source in model.card["data"]:
        for label, number in source["classes"].items():
            totals[label] += number
    return max(totals, key=lambda label: totals[label])


def _sentiment_majority(model: StanceModel) -> str | None:
    """Return the most frequent sentiment of the training data; None where none is known."""
    classes = model.card["scores"].get("sentiment", {}).get("per_class", {})
    return max(classes, key=lambda label: classes[label]["support"], default=None)


def _text_key(corpus: Corpus) -> Ints:
    return linked_groups([corpus.marks.exact])
