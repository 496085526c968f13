"""Trains a model: three heads, their cross-validation and the card."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from stance.arrays import Bools, Ints
from stance.corpus import (
    Corpus,
    CorpusForm,
    bundled_corpus,
    holder_kinds,
    holder_rows,
    read_corpus,
    sentiment_rows,
)
from stance.display import brief, shown
from stance.errors import DataError
from stance.evaluation import Answers, Report, score
from stance.evaluation.answers import Figures
from stance.evaluation.assessment import cross_validation
from stance.evaluation.comparison import holder_score, lexicon_stances
from stance.evaluation.mistakes import write_suspects
from stance.fitting.advice import Prospects, advise, advise_stopping, learning_curve
from stance.fitting.card import has_neutral, make_card
from stance.fitting.counts import count_features, name_features, showing_rows
from stance.fitting.folds import is_large, split
from stance.fitting.heldout import Held, learn
from stance.fitting.learning import Lessons, Task, class_weights, temperature_of
from stance.fitting.pace import SCORINGS, Meter, Pace
from stance.fitting.repeats import Repeats, repeat
from stance.fitting.vectors import Vectors
from stance.interrupts import interruptible
from stance.model.abstention import Calibration, calibrate
from stance.model.familiarity import FEWEST, Reference, Vocabulary, measure
from stance.model.heads import Head
from stance.model.holders import name_held
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.spans import Query, make_query, names_actor
from stance.reading.words import Reader
from stance.recipe import CONTROL, HeadRecipe, Recipe, read_recipe
from stance.records import Holder, Sentiment, Stance
from stance.screens.evaluation import evaluation_lines
from stance.storage import save_model

Progress = Callable[[str], None]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Training:
    """A trained model and what its cross-validation by document found."""

    model: StanceModel
    report: Report
    stance: Held
    control: Held  #: the target-blind baseline
    sentiment: Held | None
    prospects: Prospects

    def __repr__(self) -> str:
        return brief("Training", report=self.report, model=self.model)

    def to_json(self) -> dict[str, Any]:
        """Return the report and the prospects as one object for JSON."""
        return {**self.report.to_json(), **self.prospects.to_json()}

    def summary_lines(self) -> list[str]:
        """Return a plain-text screen, each line under 80 columns."""
        return [*evaluation_lines(self.report.to_json()), "", *self.prospects.lines()]


def train_files(
    corpora: Sequence[Path],
    output: Path,
    recipe: Path | None,
    actors: Path | None,
    vectors: Path | None = None,
    suspects: Path | None = None,
    lexicon: Path | None = None,
    *,
    seed: int | None,
    jobs: int,
    force: bool,
    tell: Progress,
    meter: Meter = lambda *_: None,
    **form: Unpack[CorpusForm],
) -> Training:
    """Train a model on corpus files and save it, with the help of a file of word vectors if given.

    To ``suspects`` goes a table of rows whose label is likely wrong.

    Without corpora, the bundled starter corpus is used; without a recipe, the bundled one; without
    actors or a lexicon, those of the recipe's language. ``seed`` replaces the recipe's, ``force``
    allows an existing file to be replaced, ``tell`` gets lines about what was read and what is
    being done, ``meter`` how far that is, and the form is as in `read_corpus`.
    """
    chosen = read_recipe(recipe)
    if seed is not None:
        chosen = replace(chosen, validation=replace(chosen.validation, seed=seed))
    language = chosen.language
    book = ActorBook.read(actors) if actors else ActorBook.default(language)
    words = Lexicon.read(lexicon, language) if lexicon else None
    corpus = read_corpus(corpora, **form) if corpora else read_corpus([bundled_corpus()])
    for note in corpus.notes:
        tell(note)
    known = Vectors.read(vectors) if vectors else None
    trained: list[Training] = []
    # In a thread, since long calls of numpy hear no signal. Nothing is written before it ends.
    interruptible(
        lambda: trained.append(
            train(
                chosen, corpus, book, lexicon=words, vectors=known, jobs=jobs,
                progress=tell, meter=meter,
            )
        )
    )  # fmt: skip
    (training,) = trained
    save_model(training.model, output, force=force)
    if suspects:
        held = training.stance.probabilities
        tell(write_suspects(corpus, held, suspects, force=force))
    return training


def train(
    recipe: Recipe,
    corpus: Corpus,
    book: ActorBook,
    *,
    lexicon: Lexicon | None = None,
    vectors: Vectors | None = None,
    jobs: int = 1,
    progress: Progress = lambda _: None,
    meter: Meter = lambda *_: None,
) -> Training:
    """Train a model and cross-validate it by document.

    Parameters
    ----------
    recipe : Recipe
        As `read_recipe` returns it; it holds the seed.
    corpus : Corpus
        Labelled pairs, as `read_corpus` returns them.
    book : ActorBook
    lexicon : Lexicon, optional
        That of the recipe's language if omitted.
    vectors : Vectors, optional
        Word vectors that ``training/vectors.py`` wrote.
    jobs : int
        Number of processes; the result does not depend on it.
    progress : callable
        Called with a few words before each step.
    meter : callable
        Called with the step, the work done so far and all the work, in rows.

    Returns
    -------
    Training
        ``model`` is the trained model; ``to_json()`` gives the cross-validated scores.

    Raises
    ------
    DataError
        If the corpus is too small, or has no row of some class.
    """
    _check_names(corpus)
    corpus, lessons = _parted(corpus)
    _check(corpus, recipe)
    if not has_neutral(corpus):
        progress(f"no row is {Stance.NEUTRAL}: the model never answers it")
    pace = Pace(progress, meter)
    extra = sentiment_rows(corpus), holder_rows(corpus)
    pace.plan(len(corpus), [2 * len(corpus), *map(len, extra)], recipe.validation)
    pace.begin("reading the corpus")
    reader = Reader(book, lexicon or Lexicon.default(recipe.language), recipe.language)
    bench = _Bench(reader, corpus, recipe, _query(book, corpus), vectors, jobs, lessons, pace)
    pace.begin("learning stance")
    stance = bench.learn(_query(book, corpus, lessons) if lessons else bench.query, "stance")
    repeats = bench.repeat(stance)
    stance.task.counts.clear()  # only the stance head is learned again
    pace.begin("learning the baseline")
    control = bench.learn(bench.query, "control")  # from labels alone
    tone = _learn_extra(bench, "sentiment", extra[0])
    holder = _learn_extra(bench, "holder", extra[1])
    pace.begin("scoring the held-out answers")
    held = stance.held, control.held, tone.held if tone else None
    report = bench.score(*held)
    pace.add(SCORINGS * len(corpus))
    if holder:
        report = replace(report, holder=bench.score_holders(holder.held))
    prospects = _prospects(bench, stance, report, repeats)
    model = StanceModel(
        book=book,
        lexicon=reader.lexicon,
        recipe=recipe,
        stance=stance.head,
        sentiment=tone.head if tone else None,
        control=control.head,
        fingerprints=corpus.marks,
        card=make_card(
            recipe, corpus, lessons, report, bench.reference(stance, control), prospects
        ),
        calibration=bench.calibrate(stance.held),
        holder=holder.head if holder else None,
    )
    return Training(model, report, *held, prospects)


@dataclass(frozen=True, slots=True)
class _Learned:
    """A head, and the cross-validation that its temperature comes from."""

    task: Task
    fold: Ints
    held: Held
    head: Head


@dataclass(frozen=True)
class _Bench:
    """What every head is learned with."""

    reader: Reader
    corpus: Corpus
    recipe: Recipe
    query: Query  # every row of the corpus
    vectors: Vectors | None
    jobs: int
    lessons: Corpus | None  # rows with soft labels alone
    pace: Pace

    @cached_property
    def named(self) -> Bools:
        """Rows that a model answers: the text names the actor, or the model has copies for it."""
        named = names_actor(self.reader, self.query)
        if self.recipe.features.per_actor:
            rows = Counter(self.query.names)
            named |= np.array([rows[name] >= FEWEST for name in self.query.names])
        return named

    @cached_property
    def fold(self) -> Ints:
        """The fold of each row, by its stance."""
        return self._split(self.corpus.stance, self.corpus.document)

    def _split(self, y: Ints, group: Ints) -> Ints:
        return split(y, group, self.recipe.validation.folds, self.recipe.validation.seed)

    def learn(self, query: Query, name: str, rows: Ints | None = None) -> _Learned:
        """Cross-validate a head and fit it on all its rows, with names for its features."""
        rows = np.arange(len(self.corpus)) if rows is None else rows
        shared = None
        if name == "control" and is_large(len(rows)) and self.vectors is None:
            first, shared = query.distinct()
            query = query.take(first)
        task, seed = self._task(query, name, rows, shared), self.recipe.validation.seed
        fold = self._split(task.y, task.group) if name in _EXTRA else self.fold
        head, held = learn(task, fold, seed, self.jobs, self.pace.add)
        few = query.take(showing_rows(task.counts, head.blocks))
        terms = name_features(
            self.reader, few, head.blocks, head.own,
            targeted=task.targeted, tick=self._tick(few, rows),
        )  # fmt: skip
        named = tuple(replace(b, terms=terms[b.name]) for b in head.blocks)
        temperature = temperature_of(task, held.scores, np.arange(len(task.y)))
        head = replace(head, temperature=temperature, blocks=named)
        if name != "stance":
            task.counts.clear()
        return _Learned(task, fold, held, head)

    def repeat(self, stance: _Learned) -> Repeats:
        """Repeat the cross-validation of the stance head, and learn from parts of the documents."""
        validation = self.recipe.validation
        if validation.repeats > 1 or validation.learning_curve:
            self.pace.begin("repeating with other folds and fewer documents")
        return repeat(
            stance.task, stance.fold, stance.held, validation,
            jobs=self.jobs, answered=self.named, tick=self.pace.add,
        )  # fmt: skip

    def reference(self, stance: _Learned, control: _Learned) -> Reference:
        """Measure how well the learned heads know the training paragraphs."""
        return measure(
            self.reader,
            Vocabulary(stance.head, control.head),
            self.corpus.texts,
            map(self.reader.book.proper_name, self.corpus.actors),
            self.corpus.document,
            self.recipe.features.min_df,
            [self.corpus.sources[at].name for at in self.corpus.source.tolist()],
        )

    def score(self, stance: Held, control: Held, tone: Held | None) -> Report:
        """Score the held-out answers."""
        return cross_validation(
            self.recipe,
            self.corpus,
            stance.probabilities,
            control.probabilities,
            tone.probabilities if tone else None,
            lexicon_stances(self.reader, self.query),
            self.named,
        )

    def score_holders(self, held: Held) -> Figures:
        """Score the held-out answers to whose stance it is."""
        rows, kinds = holder_rows(self.corpus), held.probabilities.argmax(axis=1)
        found = name_held(self.reader, self.query.take(rows), kinds)
        return holder_score(self.corpus, self.reader.book, found)

    def calibrate(self, held: Held) -> Calibration:
        """Keep the held-out answers to typical rows whose text names the actor, for abstention."""
        corpus, kept = self.corpus, self.named & self.corpus.typical
        labels, documents = corpus.stance[kept], corpus.document[kept]
        return calibrate(held.probabilities[kept], labels, documents, self.recipe.validation.seed)

    def _tick(self, query: Query, rows: Ints) -> Callable[[float], None]:
        """Return a function that reports pairs read as work, where a few stand for all rows."""
        return lambda pairs: self.pace.add(pairs * len(rows) / len(query))

    def _task(self, query: Query, name: str, rows: Ints, shared: Ints | None) -> Task:
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
        return Task(
            counts=count_features(
                self.reader,
                query,
                own.features,
                targeted=targeted,
                kind=np.float32 if is_large(len(rows)) else np.float64,
                tick=self._tick(query, rows),
            ),
            recipe=own,
            labels=tuple(_EXTRA.get(name, Stance)),
            targeted=targeted,
            y=judged[rows],
            group=corpus.document[rows],
            weight=class_weights(
                judged[rows], corpus.source[rows], share, like.balanced, like.evenness
            ),
            vectors=self.vectors,
            soft=None if name in _EXTRA else corpus.soft,
            typical=None if name in _EXTRA else corpus.typical,
            lessons=lessons,
            shared=shared,
        )


_EXTRA: dict[str, type[Sentiment | Holder]] = {"sentiment": Sentiment, "holder": Holder}
"""Labels of the heads that a model may lack."""


def _learn_extra(bench: _Bench, name: str, rows: Ints) -> _Learned | None:
    """Learn a head from the rows that have its labels, if enough documents have each of them."""
    corpus, query = bench.corpus, bench.query.take(rows)
    numbers = corpus.sentiment if name == "sentiment" else holder_kinds(corpus)
    thin = [
        label
        for number, label in enumerate(_EXTRA[name])
        if len(np.unique(corpus.document[rows[numbers[rows] == number]])) < 2
    ]
    if thin:
        if len(rows):
            bench.pace.tell(
                f"{name} is not learned: {', '.join(thin)} is in fewer than two documents"
            )
        return None
    bench.pace.begin(f"learning {name}")
    return bench.learn(replace(query, spans=()) if name == "sentiment" else query, name, rows)


def _prospects(bench: _Bench, stance: _Learned, report: Report, repeats: Repeats) -> Prospects:
    """Judge by repeats and scores what more labels would gain, and look for gaps."""
    validation = bench.recipe.validation
    draws, seed = validation.draws, validation.seed
    bounds, curve, stopping = repeats.bounds(draws, seed), None, None
    if validation.learning_curve:
        curve = learning_curve(repeats, bounds, repeats.draw(draws, seed), len(bench.corpus))
        stopping = advise_stopping(repeats, curve)
    advice = advise(bench.corpus, bench.reader.book, _scores_by_book(bench, stance, report))
    return Prospects(repeats.figures(bounds), curve, advice, stopping)


def _scores_by_book(bench: _Bench, stance: _Learned, report: Report) -> Mapping[str, Any]:
    """Return the report's figures, with actors by their names in the book."""
    corpus, validation = bench.corpus, bench.recipe.validation
    names = tuple(map(bench.reader.book.proper_name, corpus.actors))
    if names == corpus.actors:
        return report.stance
    held = stance.held.probabilities
    answers = Answers(tuple(Stance), corpus.stance, held, corpus.document, bench.named, names)
    return score(answers, draws=validation.draws, seed=validation.seed)


def _query(book: ActorBook, *corpora: Corpus) -> Query:
    """Return the rows of some corpora, one after the other."""
    texts, actors, spans = (
        [cell for corpus in corpora for cell in getattr(corpus, name)]
        for name in ("texts", "actors", "spans")
    )
    months = np.concatenate([corpus.months for corpus in corpora])
    return make_query(book, texts, actors, spans, months)


def _parted(corpus: Corpus) -> tuple[Corpus, Corpus | None]:
    """Return the rows to score, and those with soft labels alone if others have more."""
    if corpus.judged.all() or not corpus.judged.any():
        return corpus, None
    judged, more = (corpus.take(np.flatnonzero(own)) for own in (corpus.judged, ~corpus.judged))
    return judged, more


def _check_names(corpus: Corpus) -> None:
    """Raise if a model's card, which counts by these names, could not hold one."""
    columns = {"actor": corpus.actors, "source": corpus.extra.get("source", ())}
    columns["genre"] = corpus.extra.get("genre", ())
    for name, cells in columns.items():
        odd = (at for at, cell in enumerate(cells) if _CONTROL.search(cell.strip()))
        if (at := next(odd, None)) is not None:
            file, number = corpus.places()[at]
            why = f"{name} '{shown(cells[at], 40)}' has a control character; remove it"
            raise DataError(f"{file}: record {number:,}: {why}")


def _check(corpus: Corpus, recipe: Recipe) -> None:
    for number, label in enumerate(Stance):
        documents = len(np.unique(corpus.document[corpus.stance == number]))
        if not documents and label == Stance.NEUTRAL:
            continue  # a model of the other two never answers it
        if not documents:
            raise DataError(
                f"no {label} among the {len(corpus)} stance labels; a model needs rows of "
                f"{Stance.AGAINST} and {Stance.FAVOR}"
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
            f"{', '.join(source.name for source in corpus.sources)}; name these under [corpora]"
        )
