"""Learns a model from a labelled corpus: three heads, their scores and the card."""

import dataclasses
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from stance.actors import ActorBook
from stance.batch.abstention import calibrate
from stance.corpus import Corpus, sentiment_rows
from stance.counts import count_features, name_features
from stance.errors import DataError
from stance.evaluation import CURVES, Report
from stance.evaluation.assessment import cross_validation
from stance.evaluation.polarity import lexicon_stances
from stance.features.layout import Reader
from stance.heads import Head
from stance.learning import (
    Held,
    Task,
    class_weights,
    cross_validate,
    fit_head,
    fit_temperature,
    split,
)
from stance.lexicon import Lexicon
from stance.model import StanceModel
from stance.queries import Query, make_query
from stance.recipe import CONTROL, HeadRecipe, Recipe
from stance.records import Sentiment, Stance
from stance.reference import Reference, Vocabulary, measure
from stance.tokens import Ints

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Training:
    """What `train` returns.

    Attributes
    ----------
    model : StanceModel
    report : Report
        Of the cross-validation by document.
    stance, control : Held
        Held-out answers of the stance head and of the target-blind baseline.
    sentiment : Held or None
    """

    model: StanceModel
    report: Report
    stance: Held
    control: Held
    sentiment: Held | None


def train(
    recipe: Recipe,
    corpus: Corpus,
    book: ActorBook,
    *,
    jobs: int = 1,
    progress: Progress = lambda _: None,
) -> Training:
    """Train a model and cross-validate it by document.

    Parameters
    ----------
    recipe : Recipe
    corpus : Corpus
    book : ActorBook
    jobs : int
        Processes for the folds; the result does not depend on it.
    progress : callable, optional
        Called with a few words before each step.

    Raises
    ------
    DataError
        If the corpus is too small, or has no row of some class.
    """
    _check(corpus, recipe)
    reader = Reader(book, Lexicon.default(recipe.language), recipe.language)
    query = make_query(book, corpus.texts, corpus.actors, corpus.spans)
    seed = recipe.validation.seed
    progress("reading the corpus")
    stance = _task(reader, query, corpus, np.arange(len(corpus)), recipe, "stance")
    blind = dataclasses.replace(CONTROL.features, min_df=recipe.features.min_df)
    control = dataclasses.replace(
        stance,
        counts=count_features(reader, query, blind, targeted=False),
        recipe=HeadRecipe(blind, CONTROL.classifier),
        targeted=False,
    )
    fold = split(stance.y, stance.group, _folds(stance.group, recipe), seed)
    progress("cross-validating stance")
    held, held_control = (cross_validate(task, fold, seed, jobs) for task in (stance, control))
    progress("fitting stance")
    heads = {
        "stance": _finish(reader, query, stance, held, seed),
        "control": _finish(reader, query, control, held_control, seed),
    }
    rows = sentiment_rows(corpus)
    tone = None
    thin = [
        label
        for number, label in enumerate(Sentiment)
        if len(np.unique(corpus.document[rows[corpus.sentiment[rows] == number]])) < 2
    ]
    if thin and len(rows):
        progress(f"no sentiment is learned: {', '.join(thin)} is in fewer than two documents")
    if not thin:
        progress("fitting sentiment")
        part = Query([query.texts[i] for i in rows], query.actor[rows])
        task = _task(reader, part, corpus, rows, recipe, "sentiment")
        folds = split(task.y, task.group, _folds(task.group, recipe), seed)
        tone = cross_validate(task, folds, seed, jobs)
        heads["sentiment"] = _finish(reader, part, task, tone, seed)
    progress("scoring the held-out answers")
    found = cross_validation(
        recipe.validation,
        corpus,
        held.probabilities,
        held_control.probabilities,
        tone.probabilities if tone else None,
        lexicon_stances(reader, query),
    )
    model = StanceModel(
        book=book,
        lexicon=reader.lexicon,
        recipe=recipe,
        stance=heads["stance"],
        sentiment=heads.get("sentiment"),
        control=heads["control"],
        fingerprints=corpus.marks,
        card=_card(corpus, recipe)
        | {
            "scores": _scores(found),
            "reference": _reference(reader, heads, corpus, recipe).to_table(),
        },
        calibration=calibrate(held.probabilities, stance.y, corpus.document, seed),
    )
    return Training(model, found, held, held_control, tone)


def _task(
    reader: Reader, query: Query, corpus: Corpus, rows: Ints, recipe: Recipe, name: str
) -> Task:
    targeted = name == "stance"
    own = (
        HeadRecipe(recipe.features, recipe.classifier)
        if targeted
        else HeadRecipe(recipe.sentiment_features, recipe.sentiment_classifier)
    )
    y = (corpus.stance if targeted else corpus.sentiment)[rows]
    share = np.array([recipe.corpora.get(source.name, 1.0) for source in corpus.sources])
    return Task(
        counts=count_features(reader, query, own.features, targeted=targeted),
        recipe=own,
        labels=tuple(Stance) if targeted else tuple(Sentiment),
        targeted=targeted,
        y=y,
        group=corpus.document[rows],
        weight=class_weights(y, corpus.source[rows], share, own.classifier.balanced),
    )


def _finish(reader: Reader, query: Query, task: Task, held: Held, seed: int) -> Head:
    """Fit on every row; the temperature comes from the held-out scores, then terms are named."""
    head = fit_head(task, np.arange(len(task.y)), seed)
    terms = name_features(reader, query, head.blocks, head.own, targeted=task.targeted)
    return dataclasses.replace(
        head,
        temperature=fit_temperature(held.scores, task.y),
        blocks=tuple(dataclasses.replace(b, terms=terms[b.name]) for b in head.blocks),
    )


def _folds(group: Ints, recipe: Recipe) -> int:
    return min(recipe.validation.folds, len(np.unique(group)))


def _check(corpus: Corpus, recipe: Recipe) -> None:
    for number, label in enumerate(Stance):
        documents = len(np.unique(corpus.document[corpus.stance == number]))
        if not documents:
            raise DataError(
                f"no {label} among the {len(corpus)} stance labels; a model needs rows of "
                f"{', '.join(Stance)}"
            )
        if documents < 2:
            raise DataError(
                f"{label} is labelled in one document only; cross-validation by document needs "
                "two or more of each class"
            )
    unknown = set(recipe.corpora) - {source.name for source in corpus.sources}
    if unknown == set(recipe.corpora) and unknown:
        raise DataError(
            f"the recipe weighs corpora {', '.join(sorted(unknown))}, but the corpora given are "
            f"{', '.join(source.name for source in corpus.sources)}"
        )


def _reference(
    reader: Reader, heads: Mapping[str, Head], corpus: Corpus, recipe: Recipe
) -> Reference:
    vocabulary = Vocabulary(heads["stance"], heads["control"])
    actors = map(reader.book.proper_name, corpus.actors)
    return measure(
        reader, vocabulary, corpus.texts, actors, corpus.document, recipe.features.min_df
    )


_LIMITS = (
    "Scores are those of texts like the training corpus; on other sources, genres and years they "
    "are lower. Label a sample of your own texts and evaluate on it before you publish.",
    "One answer per paragraph and actor; irony, implied blame and stances that need knowledge of "
    "the events are often missed.",
    "An actor is noticed only where an alias of the actor book names it; pronouns are not "
    "resolved.",
)


FEWEST = 20
"""Rows of an actor whose score stands in a model's card."""


def _scores(found: Report) -> dict[str, Any]:
    """Return the figures that a card keeps: no curves, no actors of a few rows."""
    figures = _without_curves(found.to_json())
    if "sentiment" in figures:
        figures["sentiment"] = _without_curves(figures["sentiment"])
    actors = {name: part for name, part in figures["per_actor"].items() if part["n"] >= FEWEST}
    return figures | {"per_actor": actors}


def _without_curves(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in figures.items() if name not in CURVES}


def _card(corpus: Corpus, recipe: Recipe) -> dict[str, Any]:
    """Return what the manifest tells of data, versions and limits."""
    counts = [
        np.bincount(corpus.stance[corpus.source == i], minlength=3)
        for i in range(len(corpus.sources))
    ]
    return {
        "versions": {
            "stance": version("stance"),
            "python": platform.python_version(),
            "numpy": version("numpy"),
            "scikit-learn": version("scikit-learn"),
        },
        "data": [
            {
                "name": source.name,
                "sha256": source.sha256,
                "rows": source.rows,
                "licence": recipe.licences.get(source.name, "not stated"),
                "classes": dict(zip(map(str, Stance), map(int, row), strict=True)),
            }
            for source, row in zip(corpus.sources, counts, strict=True)
        ],
        "seed": recipe.validation.seed,
        "limits": list(_LIMITS),
    }
