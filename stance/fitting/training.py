"""Trains a model: its heads, their cross-validation and the card."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from stance.corpus import (
    Corpus,
    CorpusForm,
    bundled_corpus,
    holder_rows,
    read_corpus,
    sentiment_rows,
)
from stance.display import brief, count, shown
from stance.errors import DataError
from stance.evaluation import Answers, Report, score
from stance.evaluation.mistakes import write_suspects
from stance.fitting.advice import Prospects, advise, advise_stopping, learning_curve
from stance.fitting.bench import Bench, Learned, query_of
from stance.fitting.card import has_neutral, make_card
from stance.fitting.folds import is_large
from stance.fitting.heldout import Held, check_jobs
from stance.fitting.pace import SCORINGS, Meter, Pace
from stance.fitting.pieces import NO_PIECES, Pieces, name_of
from stance.fitting.repeats import Repeats
from stance.fitting.task import by_counts
from stance.fitting.vectors import Vectors
from stance.interrupts import interruptible
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.words import Reader
from stance.recipe import Recipe, read_recipe
from stance.records import Stance
from stance.runs.plan import COMMAND, Plan, files_plan, hash_of, versions_plan
from stance.runs.resume import Run
from stance.screens.evaluation import evaluation_lines
from stance.storage import check_model_output, save_model

Progress = Callable[[str], None]

LEARNED = 1_000_000
"""Characters of a text that are learned from: as many as a book has, in little memory."""

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
    validation: Mapping[str, int | None],
    jobs: int,
    force: bool,
    resume: bool,
    tell: Progress,
    meter: Meter = lambda *_: None,
    **form: Unpack[CorpusForm],
) -> Training:
    """Train a model on corpus files and save it, with the help of a file of word vectors if given.

    To ``suspects`` goes a table of rows whose label is likely wrong.

    Without corpora, the bundled starter corpus is used; without a recipe, the bundled one; without
    actors or a lexicon, those of the recipe's language. ``validation`` replaces values of the
    recipe's where it is not None, ``force`` allows an existing file to be replaced, ``resume`` goes
    on with what a stopped training of a large corpus had computed, ``tell`` gets lines about what
    was read and what is being done, ``meter`` how far that is, and the form is as in `read_corpus`.
    """
    read = read_recipe(recipe)
    given: dict[str, Any] = {name: own for name, own in validation.items() if own is not None}
    chosen = replace(read, validation=replace(read.validation, **given))
    language = chosen.language
    book = ActorBook.read(actors) if actors else ActorBook.default(language)
    words = Lexicon.read(lexicon, language) if lexicon else Lexicon.default(language)
    known = Vectors.read(vectors) if vectors else None
    corpora = corpora or [bundled_corpus()]
    with Run(output, resume=resume, force=force) as run:
        force = force or run.left.parts
        check_model_output(output, force=force)
        corpus = read_corpus(corpora, **form)
        for note in corpus.notes:
            tell(note)
        pieces = NO_PIECES
        if is_large(len(corpus)) or run.left.parts:
            run.begin(
                {
                    **files_plan([*zip(corpora, (s.sha256 for s in corpus.sources), strict=True)]),
                    "the recipe": hash_of(read.to_table()),
                    "the actor book": hash_of(book.to_tables()),
                    "the lexicon": hash_of(words.source),
                    "the vectors": name_of(known.stems, known.values) if known else None,
                    **_plan(given, form),
                }
            )
            pieces = Pieces(run.folder, run.store.key, output)
        # In a thread, since long calls of numpy hear no signal.
        training = interruptible(
            lambda: train(
                chosen, corpus, book, lexicon=words, vectors=known, jobs=jobs,
                progress=tell, meter=meter, pieces=pieces,
            )
        )  # fmt: skip
        if suspects:
            judged, _ = _parted(corpus)
            tell(write_suspects(judged, training.stance.probabilities, suspects, force=force))
        save_model(training.model, output, force=force)
    return training


def _plan(given: Mapping[str, Any], form: CorpusForm) -> Plan:
    """Return what a training depends on but for its files: versions and options."""
    columns, labels = form.get("columns") or {}, form.get("labels") or {}
    plain = {name: own for name, own in form.items() if name not in ("columns", "labels")}
    options: dict[str, Any] = plain | {f"{name}_column": own for name, own in columns.items()}
    options |= {"labels": ",".join(f"{own}={label}" for own, label in labels.items()) or None}
    options |= {"seed": given.get("seed"), "repeats": given.get("repeats")}
    options |= {"no_curve": given.get("learning_curve") is False}
    said = {f"--{name.replace('_', '-')}": own for name, own in options.items()}
    return {COMMAND: "stance train", **versions_plan("scipy", "scikit-learn"), **said}


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
    pieces: Pieces = NO_PIECES,
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
    pieces : Pieces
        Where to keep what is computed, so that a stopped training can go on with it.

    Returns
    -------
    Training
        ``model`` is the trained model; ``to_json()`` gives the cross-validated scores.

    Raises
    ------
    DataError
        If the corpus is too small, or has no row of some class.
    """
    check_jobs(jobs)
    _check_names(corpus)
    corpus, lessons = _parted(_shortened(corpus, progress))
    _check(corpus, recipe)
    if not has_neutral(corpus):
        progress(f"no row is {Stance.NEUTRAL}: the model never answers it")
    pace = Pace(progress, meter)
    extra = sentiment_rows(corpus), holder_rows(corpus)
    machines = by_counts(recipe.classifier, vectors, len(corpus))
    pace.plan(len(corpus), [2 * len(corpus), *map(len, extra)], recipe.validation, machines)
    pace.begin("reading the corpus")
    reader = Reader(book, lexicon or Lexicon.default(recipe.language), recipe.language)
    bench = Bench(
        reader, corpus, recipe, query_of(book, corpus), vectors, jobs, lessons, pace, pieces
    )
    pace.begin("learning stance")
    stance = bench.learn(query_of(book, corpus, lessons) if lessons else bench.query, "stance")
    repeats = bench.repeat(stance)
    stance.task.counts.clear()  # only the stance head is learned again
    pace.begin("learning the baseline")
    control = bench.learn(bench.query, "control")  # from labels alone
    tone = bench.learn_extra("sentiment", extra[0])
    holder = bench.learn_extra("holder", extra[1])
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


def _prospects(bench: Bench, stance: Learned, report: Report, repeats: Repeats) -> Prospects:
    """Judge by repeats and scores what more labels would gain, and look for gaps."""
    validation = bench.recipe.validation
    draws, seed = validation.draws, validation.seed
    bounds, curve, stopping = repeats.bounds(draws, seed), None, None
    if validation.learning_curve:
        curve = learning_curve(repeats, bounds, repeats.draw(draws, seed), len(bench.corpus))
        stopping = advise_stopping(repeats, curve)
    advice = advise(bench.corpus, bench.reader.book, _scores_by_book(bench, stance, report))
    return Prospects(repeats.figures(bounds), curve, advice, stopping)


def _scores_by_book(bench: Bench, stance: Learned, report: Report) -> Mapping[str, Any]:
    """Return the report's figures, with actors by their names in the book."""
    corpus, validation = bench.corpus, bench.recipe.validation
    names = bench.query.names
    if names == corpus.actors:
        return report.stance
    held = stance.held.probabilities
    answers = Answers(tuple(Stance), corpus.stance, held, corpus.document, bench.named, names)
    return score(answers, draws=validation.draws, seed=validation.seed)


def _shortened(corpus: Corpus, progress: Progress) -> Corpus:
    """Return the corpus with texts of at most `LEARNED` characters."""
    if not (long := sum(len(text) > LEARNED for text in corpus.texts)):
        return corpus
    progress(f"of {count(long, 'text')} only the first {LEARNED:,} characters are read")
    return replace(corpus, texts=tuple(text[:LEARNED] for text in corpus.texts))


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
