"""A training run: what every head of a model is learned with, and the finished steps."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from platform import python_version
from typing import Any

import numpy as np

from stance import __version__
from stance.arrays import Bools, Ints
from stance.corpus import Corpus, holder_kinds, holder_rows, sentiment_rows
from stance.evaluation import Report, model_notes, report
from stance.evaluation.answers import Answers, Figures, sentiment_answers, stance_answers
from stance.evaluation.scores import holder_score
from stance.fitting.counts import count_features, with_terms
from stance.fitting.learning import (
    HeldOut,
    Task,
    Vectors,
    assign_folds,
    class_weights,
    cross_validate,
    fit_head,
    temperature_of,
)
from stance.model.abstention import Calibration, calibrate
from stance.model.familiarity import FEWEST, KnownWords, measure
from stance.model.heads import Head
from stance.model.holders import name_held
from stance.reading.spans import Query, make_query
from stance.reading.words import Reader
from stance.recipe import Recipe
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

    head: Head
    held: HeldOut
    named: Bools  # rows whose text names the actor, or that are on a topic which is learned


@dataclass(frozen=True)
class TrainingRun:
    """What every head is learned with."""

    reader: Reader
    corpus: Corpus
    whole: Corpus  # the same rows, then those with soft labels alone
    recipe: Recipe
    vectors: Vectors | None
    jobs: int
    tell: Callable[[str], None]

    @cached_property
    def query(self) -> Query:
        """All rows, those of the corpus first."""
        pairs = self.whole.texts, self.whole.actors, self.whole.spans
        return make_query(self.reader.book, *pairs, self.whole.months)

    @cached_property
    def fold(self) -> Ints:
        """The fold of each row, by its stance."""
        return self._folds(self.corpus.stance, self.corpus.document)

    def _folds(self, y: Ints, group: Ints) -> Ints:
        validation = self.recipe.validation
        return assign_folds(y, group, validation.folds, validation.seed)

    def learn(self, name: str) -> Learned:
        """Cross-validate a head and fit it on all its rows, with names for its features."""
        self.tell(f"learning {'the baseline' if name == 'control' else name}")
        task, query, named = self._task(name)
        seed, jobs = self.recipe.validation.seed, self.jobs
        fold = self.fold if name in ("stance", "control") else self._folds(task.y, task.group)
        head = fit_head(task, np.arange(len(task.y)), seed)
        held = cross_validate(task, fold, seed, jobs)
        if name != "control":  # which nobody asks for reasons
            head = with_terms(head, self.reader, query, task.counts)
        temperature = temperature_of(task, held.scores, np.arange(len(task.y)))
        if name == "stance" and head.silent:
            self.tell(f"no row is {Stance.NEUTRAL}: the model never answers it")
        named = named[: len(task.y)]
        if task.topic is not None:
            names = self.query.names[: len(task.y)]
            rows = Counter(names)
            named |= np.array([rows[name] >= FEWEST for name in names])
        return Learned(replace(head, temperature=temperature), held, named)

    def learn_extra(self, name: str) -> Learned | None:
        """Learn a head from the rows with its labels, if enough documents have each of them."""
        labels, y, rows = self._lesson(name)
        documents = self.corpus.document[rows]
        thin = [
            label
            for number, label in enumerate(labels)
            if len(np.unique(documents[y == number])) < 2
        ]
        if thin and len(rows):
            self.tell(f"{name} is not learned: {', '.join(thin)} is in fewer than two documents")
        return None if thin else self.learn(name)

    def _lesson(self, name: str) -> tuple[Sequence[str], Ints, Ints]:
        """Return the labels of a head, the number of each row's label, and which rows these are."""
        corpus = self.corpus
        if name == "sentiment":
            rows = sentiment_rows(corpus)
            return [*Sentiment], corpus.sentiment[rows], rows
        if name == "holder":
            rows = holder_rows(corpus)
            return [*Holder], holder_kinds(corpus)[rows], rows
        return [*Stance], corpus.stance, np.arange(len(corpus))

    def _task(self, name: str) -> tuple[Task, Query, Bools]:
        """Return what a head is learned from, and which rows' texts name their actors."""
        head, (labels, y, rows) = self.recipe.head(name), self._lesson(name)
        corpus, whole, query = self.corpus, self.whole, self.query.take(rows)
        group, source, topic = corpus.document[rows], corpus.source[rows], None
        stances, targeted = name in ("stance", "control"), name in ("stance", "holder")
        soft, typical = (corpus.soft, corpus.typical) if stances else (None, None)
        share = np.array([self.recipe.corpora.get(part.name, 1.0) for part in corpus.sources])
        if name == "sentiment":
            query = replace(query, spans=query.spans[:0])
        elif name == "stance":
            query, soft, group = self.query, whole.soft, whole.document
        topics, parts = 1, source
        if head.features.per_actor:
            topic = np.unique(query.names, return_inverse=True)[1]
            topics = int(topic.max()) + 1
            parts = source * topics + topic[: len(rows)]
        weight = class_weights(y, parts, np.repeat(share, topics), head.classifier)
        if name == "stance":
            weight = np.append(weight, share[whole.source[len(y) :]])
        counts, named = count_features(self.reader, query, head.features, targeted=targeted)
        task = Task(
            counts=counts,
            recipe=head,
            labels=tuple(labels),
            targeted=targeted,
            y=y,
            group=group,
            weight=weight,
            vectors=self.vectors,
            soft=soft,
            typical=typical,
            topic=topic,
        )
        return task, query, named

    def card(self, stance: Learned, control: Learned, report: Report) -> dict[str, Any]:
        """Return the rest of the model's card."""
        corpus, recipe = self.corpus, self.recipe
        versions = {name: version(name) for name in ("numpy", "scikit-learn", STEMMER)}
        numbers = np.zeros((len(corpus.sources), len(Stance)), np.int64)
        np.add.at(numbers, (self.whole.source, self.whole.stance), 1)
        known = KnownWords(stance.head, control.head)
        names = self.query.names[: len(corpus)]
        texts = corpus.texts, names, corpus.document, recipe.features.min_df
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
            "scores": _card_scores(report),
            "reference": asdict(measure(self.reader, known, *texts)),
        }

    def score(
        self, stance: Learned, control: Learned, tone: Learned | None, holder: Learned | None
    ) -> Report:
        """Score the held-out answers; rows that do not name the actor count as withheld."""
        corpus = self.corpus
        answers = stance_answers(corpus, stance.held.probabilities, stance.named)
        rows = sentiment_rows(corpus)
        mood = sentiment_answers(corpus, rows, tone.held.probabilities) if tone else None
        return report(
            corpus,
            answers,
            stance_answers(corpus, control.held.probabilities),
            _most_frequent(answers),
            mood,
            _most_frequent(mood) if mood else None,
            holder=self._score_holders(holder.held) if holder else None,
            notes=model_notes(self.recipe),
        )

    def _score_holders(self, held: HeldOut) -> Figures:
        """Score the held-out answers to whose stance it is."""
        rows, kinds = holder_rows(self.corpus), held.probabilities.argmax(axis=1)
        names = name_held(self.reader, self.query.take(rows), kinds)
        return holder_score(self.corpus, self.reader.book, names)

    def calibrate(self, stance: Learned) -> Calibration:
        """Keep the held-out answers to typical rows whose text names the actor, for abstention."""
        corpus, kept = self.corpus, stance.named & self.corpus.typical
        probabilities, seed = stance.held.probabilities[kept], self.recipe.validation.seed
        return calibrate(probabilities, corpus.stance[kept], corpus.document[kept], seed)


def _most_frequent(answers: Answers) -> str:
    return str(answers.labels[int(np.bincount(answers.gold).argmax())])


def _card_scores(report: Report) -> dict[str, Any]:
    """Return the figures that a model's card keeps: none of actors or sources of a few rows."""
    scores = report.to_json()
    for key in {"per_actor", "per_source"} & scores.keys():
        parts = scores[key].items()
        scores[key] = {name: part for name, part in parts if part["n"] >= FEWEST_CARD_ROWS}
    return scores
