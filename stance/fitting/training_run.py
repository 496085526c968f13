"""A training run: what every head of a model is learned with, and the finished steps."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from platform import python_version
from typing import Any

import numpy as np

from stance import __version__
from stance.arrays import Bools, Ints
from stance.corpus import Corpus, holder_kinds, holder_rows
from stance.evaluation import CURVES, Report
from stance.evaluation.answers import Figures
from stance.evaluation.assessment import cross_validation
from stance.evaluation.comparison import holder_score, signs_of_polarity
from stance.features.pairs import Pairs
from stance.fitting.counts import count_features, name_features, showing_rows
from stance.fitting.crossvalidation import HeldOut, assign_folds, cross_validate, learning_curve
from stance.fitting.learning import Lessons, Task, class_weights, fit_head, temperature_of
from stance.fitting.vectors import Vectors
from stance.model.abstention import Calibration, calibrate
from stance.model.familiarity import FEWEST, KnownWords, measure
from stance.model.heads import Head
from stance.model.holders import name_held
from stance.reading.actors import ActorBook
from stance.reading.spans import Query, make_query
from stance.reading.words import Reader
from stance.recipe import CONTROL, HeadRecipe, Recipe
from stance.records import Holder, Sentiment, Stance
from stance.storage import STEMMER

LIMITS = (
    "Scores hold for texts like the training corpus; on other sources, genres and years they "
    "are lower. Label a sample of your own texts and evaluate on it before you publish.",
    "One answer per paragraph and actor; irony, implied blame and stances that need knowledge of "
    "the events are often missed.",
    "An actor is noticed only where an alias of the actor book names it; pronouns are not "
    "resolved.",
)

NO_NEUTRAL = (
    "No training row is neutral, so the model answers against or favor, never neutral: texts that "
    "take no stance get one all the same."
)

FEWEST_CARD_ROWS = 20
"""Rows of an actor or source below which its score is left out of a model's card."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A head, and the cross-validation that its temperature comes from."""

    task: Task
    fold: Ints
    held: HeldOut
    head: Head


class _Seen:
    """What needs no head, seen of every row while features are counted for the stance head."""

    def __init__(self, rows: int) -> None:
        self.named: Bools = np.zeros(rows, np.bool_)
        self.lexicon: Ints = np.zeros(rows, np.int64)  # stances by the polarity lexicon alone
        self._end = 0

    def add(self, pairs: Pairs) -> None:
        """Look at the next rows."""
        rows = slice(self._end, self._end + pairs.count)
        self.named[rows], self.lexicon[rows] = pairs.mentioned(), signs_of_polarity(pairs)
        self._end = rows.stop


@dataclass(frozen=True)
class TrainingRun:
    """What every head is learned with."""

    reader: Reader
    corpus: Corpus
    recipe: Recipe
    query: Query  # every row of the corpus
    vectors: Vectors | None
    jobs: int
    lessons: Corpus | None  # rows with soft labels alone
    tell: Callable[[str], None]

    @cached_property
    def seen(self) -> _Seen:
        """What was seen of the rows, those of the lessons last."""
        return _Seen(len(self.corpus) + len(self.lessons or ()))

    @cached_property
    def named(self) -> Bools:
        """Rows that a model answers: the text names the actor, or the model has copies for it."""
        named = self.seen.named[: len(self.corpus)]
        if self.recipe.features.per_actor:
            rows = Counter(self.query.names)
            named = named | np.array([rows[name] >= FEWEST for name in self.query.names])
        return named

    @cached_property
    def fold(self) -> Ints:
        """The fold of each row, by its stance."""
        validation = self.recipe.validation
        return assign_folds(
            self.corpus.stance, self.corpus.document, validation.folds, validation.seed
        )

    def learn(self, query: Query, name: str, rows: Ints | None = None) -> Learned:
        """Cross-validate a head and fit it on all its rows, with names for its features."""
        rows = np.arange(len(self.corpus)) if rows is None else rows
        task, seed = self._task(query, name, rows), self.recipe.validation.seed
        folds = self.recipe.validation.folds
        fold = assign_folds(task.y, task.group, folds, seed) if name in _EXTRA else self.fold
        head = fit_head(task, np.arange(len(task.y)), seed)
        held = cross_validate(task, fold, seed, self.jobs)
        few = query.take(showing_rows(task.counts, head.blocks))
        terms = name_features(self.reader, few, head.blocks, head.own, targeted=task.targeted)
        named = tuple(replace(b, terms=terms[b.name]) for b in head.blocks)
        temperature = temperature_of(task, held.scores, np.arange(len(task.y)))
        head = replace(head, temperature=temperature, blocks=named)
        if name != "stance":
            task.counts.clear()
        return Learned(task, fold, held, head)

    def learn_extra(self, name: str, rows: Ints) -> Learned | None:
        """Learn a head from the rows with its labels, if enough documents have each of them."""
        corpus, query = self.corpus, self.query.take(rows)
        numbers = corpus.sentiment if name == "sentiment" else holder_kinds(corpus)
        thin = [
            label
            for number, label in enumerate(_EXTRA[name])
            if len(np.unique(corpus.document[rows[numbers[rows] == number]])) < 2
        ]
        if thin:
            if len(rows):
                self.tell(
                    f"{name} is not learned: {', '.join(thin)} is in fewer than two documents"
                )
            return None
        self.tell(f"learning {name}")
        if name == "sentiment":
            query = replace(query, spans=query.spans[:0])
        return self.learn(query, name, rows)

    def curve(self, stance: Learned) -> dict[str, Any]:
        """Return the learning curve, as a part of the card; empty if the recipe goes without."""
        if not self.recipe.validation.learning_curve:
            return {}
        self.tell("learning from fewer documents")
        seed = self.recipe.validation.seed
        return {
            "learning_curve": learning_curve(
                stance.task, stance.fold, stance.held, self.named, seed, self.jobs
            )
        }

    def card(self, stance: Learned, control: Learned, report: Report) -> dict[str, Any]:
        """Return the rest of the model's card."""
        corpus, recipe = self.corpus, self.recipe
        versions = {name: version(name) for name in ("numpy", "scikit-learn", STEMMER)}
        numbers = np.zeros((len(corpus.sources), len(Stance)), np.int64)
        for part in filter(None, [corpus, self.lessons]):
            np.add.at(numbers, (part.source, part.stance), 1)
        known = KnownWords(stance.head, control.head)
        documents, least = corpus.document, recipe.features.min_df
        texts = corpus.texts, self.query.names, documents, least
        return {
            "versions": {"stance": __version__, "python": python_version(), **versions},
            "data": [
                {
                    "name": source.name,
                    "sha256": source.sha256,
                    "rows": source.rows,
                    "licence": recipe.licences.get(source.name, "not stated"),
                    "classes": dict(zip(map(str, Stance), row, strict=True)),
                }
                for source, row in zip(corpus.sources, numbers.tolist(), strict=True)
            ],
            "seed": recipe.validation.seed,
            "limits": [*LIMITS, *([NO_NEUTRAL] if stance.head.silent else [])],
            "scores": _scores(report),
            "reference": asdict(measure(self.reader, known, *texts)),
        }

    def score(
        self, stance: HeldOut, control: HeldOut, tone: HeldOut | None, holder: HeldOut | None
    ) -> Report:
        """Score the held-out answers."""
        lexicon = self.seen.lexicon[: len(self.corpus)]
        return cross_validation(
            self.recipe,
            self.corpus,
            stance.probabilities,
            control.probabilities,
            tone.probabilities if tone else None,
            lexicon if self.reader.lexicon.categories else None,
            self.named,
            self._score_holders(holder) if holder else None,
        )

    def _score_holders(self, held: HeldOut) -> Figures:
        """Score the held-out answers to whose stance it is."""
        rows, kinds = holder_rows(self.corpus), held.probabilities.argmax(axis=1)
        found = name_held(self.reader, self.query.take(rows), kinds)
        return holder_score(self.corpus, self.reader.book, found)

    def calibrate(self, held: HeldOut) -> Calibration:
        """Keep the held-out answers to typical rows whose text names the actor, for abstention."""
        corpus, kept = self.corpus, self.named & self.corpus.typical
        labels, documents = corpus.stance[kept], corpus.document[kept]
        return calibrate(held.probabilities[kept], labels, documents, self.recipe.validation.seed)

    def _task(self, query: Query, name: str, rows: Ints) -> Task:
        corpus, recipe, targeted = self.corpus, self.recipe, name in ("stance", "holder")
        own = HeadRecipe(recipe.features, recipe.classifier)
        like, judged = own.classifier, corpus.stance
        if name == "control":  # its rows weigh what those of the stance head do
            blind = replace(CONTROL.features, min_df=recipe.features.min_df)
            own = HeadRecipe(blind, CONTROL.classifier)
        elif name == "sentiment":
            own = HeadRecipe(recipe.sentiment_features, recipe.sentiment_classifier)
            like, judged = own.classifier, corpus.sentiment
        elif name == "holder":
            plain = replace(recipe.holder_classifier, neutral_offset=0.0)
            own = HeadRecipe(recipe.holder_features, plain)
            like, judged = plain, holder_kinds(corpus)
        share = np.array([recipe.corpora.get(source.name, 1.0) for source in corpus.sources])
        more, lessons = self.lessons, None

        if more is not None and more.soft is not None and name == "stance":
            lessons = Lessons(more.document, share[more.source], more.soft)
        source, topic = corpus.source[rows], None
        if own.features.per_actor == "separate":
            topic = np.unique(query.names, return_inverse=True)[1]
            source = source * (topic.max() + 1) + topic[: len(rows)]
            share = np.repeat(share, topic.max() + 1)
        return Task(
            counts=count_features(
                self.reader,
                query,
                own.features,
                targeted=targeted,
                see=self.seen.add if name == "stance" else lambda _: None,
            ),
            recipe=own,
            labels=tuple(_EXTRA.get(name, Stance)),
            targeted=targeted,
            y=judged[rows],
            group=corpus.document[rows],
            weight=class_weights(judged[rows], source, share, like.balanced, like.evenness),
            vectors=self.vectors,
            soft=None if name in _EXTRA else corpus.soft,
            typical=None if name in _EXTRA else corpus.typical,
            lessons=lessons,
            topic=topic,
        )


_EXTRA: dict[str, type[Sentiment | Holder]] = {"sentiment": Sentiment, "holder": Holder}
"""Labels of the heads that a model may lack."""


def query_of(book: ActorBook, *corpora: Corpus) -> Query:
    """Return the rows of some corpora, one after the other."""
    texts, actors, spans = (
        [cell for corpus in corpora for cell in getattr(corpus, name)]
        for name in ("texts", "actors", "spans")
    )
    months = np.concatenate([corpus.months for corpus in corpora])
    return make_query(book, texts, actors, spans, months)


def _scores(found: Report) -> dict[str, Any]:
    """Return the figures that a card keeps: no curves, no actors or sources of a few rows."""
    figures = _without_curves(found.to_json())
    if "sentiment" in figures:
        figures["sentiment"] = _without_curves(figures["sentiment"])
    for key in {"per_actor", "per_source"} & figures.keys():
        parts = figures[key].items()
        figures[key] = {name: part for name, part in parts if part["n"] >= FEWEST_CARD_ROWS}
    return figures


def _without_curves(figures: dict[str, Any]) -> dict[str, Any]:
    left_out = CURVES if figures.get("uncertain") else (*CURVES, "answered", "withheld")
    return {name: part for name, part in figures.items() if name not in left_out}
