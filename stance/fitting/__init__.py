"""From labelled rows to a trained model with its scores and card."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any, Unpack

import numpy as np
import Stemmer

from stance import __version__
from stance.corpus import Corpus, bundled_corpus, holder_rows, read_corpus
from stance.corpus.rows import AUDIT, CorpusForm
from stance.display import count
from stance.errors import DataError
from stance.evaluation import holder_score, model_notes, report, sentiment_answers, stance_answers
from stance.evaluation.scores import Figures
from stance.fitting.counts import Vectors
from stance.fitting.learning import Learned, TrainingRun
from stance.model import StanceModel
from stance.model.abstention import calibrate, measure
from stance.model.deep import DeepReader
from stance.model.heads import Head
from stance.model.holders import name_held
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.text import count_cut, cut_note
from stance.reading.words import Reader
from stance.recipe import Recipe, cautions, read_recipe, recipe_from_table
from stance.records import Stance
from stance.storage import check_model_output, load_model, load_reader, save_model

FEWEST_CARD_ROWS = 20  # of an actor or source, below which a card leaves its score out
HEADS = ("stance", "control", "sentiment", "holder")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Training:
    """A trained model and what its cross-validation by document found."""

    model: StanceModel
    report: Figures = field(repr=False)  #: as `evaluate` returns them
    stance: Learned = field(repr=False)  #: ``scores`` and ``probabilities`` of the held-out rows


def train_files(
    corpora: Sequence[Path], output: Path, recipe: Path | None, actors: Path | None,
    lexicon: Path | None, *,
    seed: int | None, deep: bool, jobs: int, force: bool, tell: Tell, **form: Unpack[CorpusForm],
) -> Training:  # fmt: skip
    """Train a model on corpus files and save it.

    What is not given is bundled. If ``deep``, the recipe gets the block `deep`; ``seed`` replaces
    the recipe's; ``tell`` gets lines about what was read and what is being done.
    """
    chosen = read_recipe(recipe)
    if seed is not None:
        chosen = replace(chosen, validation=replace(chosen.validation, seed=seed))
    chosen = chosen.with_reader() if deep else chosen
    book = ActorBook.read(actors) if actors else ActorBook.default(chosen.language)
    words = Lexicon.read(lexicon, chosen.language) if lexicon else None
    check_model_output(output, force=force)
    corpus = read_corpus(corpora or [bundled_corpus()], **form)
    for note in corpus.notes:
        tell(note)
    given = chosen, corpus, book  # in a thread, since long calls of numpy hear no signal
    work = ThreadPoolExecutor(1).submit(train, *given, lexicon=words, jobs=jobs, progress=tell)
    training = work.result()
    save_model(training.model, output, force=force)
    return training


def train(
    recipe: Recipe, corpus: Corpus, book: ActorBook, *, lexicon: Lexicon | None = None,
    vectors: Vectors | None = None, jobs: int = 1, progress: Tell = lambda _: None,
) -> Training:  # fmt: skip
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
        Word vectors, such as ``training/vectors.py`` makes.
    jobs : int
        Number of processes; the result does not depend on it.
    progress : callable
        Called with a few words before each step.

    Returns
    -------
    Training
        ``model`` is the trained model, ``report`` holds the cross-validated scores.

    Raises
    ------
    DataError
        If the corpus is too small, or has no row of some class.
    """
    for given, kind in ((recipe, Recipe), (corpus, Corpus), (book, ActorBook)):
        if not isinstance(given, kind):
            raise TypeError(f"{type(given).__name__} where {kind.__name__} belongs")
    recipe = recipe_from_table(asdict(recipe), "recipe")
    notes = [*filter(None, [cut_note(count_cut(corpus.texts))])]
    if drawn := sum(cell.strip() == AUDIT for cell in corpus.extra.get("purpose", ())):
        rows_of = f"{count(drawn, 'row')} of a sample that was drawn to correct shares"
        notes.append(f"{rows_of}: do not correct a model by what it learned from")
    whole = corpus.take(np.argsort(~corpus.judged, kind="stable"))
    corpus = whole.take(np.flatnonzero(whole.judged)) if whole.judged.any() else whole
    _check(corpus, recipe)
    encoder = _deep_reader(recipe, corpus, notes.append) if recipe.deep else None
    for note in notes:
        warnings.warn(note, stacklevel=2)
    lexicon = lexicon or Lexicon.default(recipe.language)
    reader = Reader(book, lexicon, recipe.language, encoder and encoder.features)
    run = TrainingRun(reader, corpus, whole, recipe, vectors, jobs, progress)
    learned = {name: head for name in HEADS if (head := run.learn(name))}
    heads: dict[str, Any] = {name: one.head for name, one in learned.items()}
    stance = learned["stance"]
    figures, typical = _score(run, learned), stance.named & corpus.typical
    figures["notes"] = [*notes, *figures["notes"]]
    kept = stance.probabilities[typical], corpus.stance[typical], corpus.document[typical]
    card = _card(run, heads, figures) | ({"deep_reader": encoder.sha256} if encoder else {})
    model = StanceModel(
        book=book, lexicon=lexicon, recipe=recipe, **heads,
        fingerprints=corpus.marks.distinct(), card=card | {"limits": [*card["limits"], *notes]},
        calibration=calibrate(*kept, recipe.validation.seed), encoder=encoder,
    )  # fmt: skip
    return Training(model, figures, stance)


def _check(corpus: Corpus, recipe: Recipe) -> None:
    """Refuse a corpus that nothing can be learned from, and weights of none of its files."""
    for number, label in enumerate(Stance):
        documents = len(np.unique(corpus.document[corpus.stance == number]))
        if not documents and label != Stance.NEUTRAL:  # a model of two classes never answers it
            what = f"no {label} among the {len(corpus)} stance labels"
            raise DataError(f"{what}; a model needs rows of {Stance.AGAINST} and {Stance.FAVOR}")
        if documents == 1:
            why = "cross-validation needs two, and counts documents that share a text as one"
            raise DataError(f"{label} is labelled in one document only; {why}")
    files = [source.name for source in corpus.sources]
    if recipe.corpora and not recipe.corpora.keys() & set(files):
        weighed, given = ", ".join(sorted(recipe.corpora)), ", ".join(files)
        what = f"the recipe weighs corpora {weighed}, but the corpora given are {given}"
        raise DataError(f"{what}; name these under [corpora]")


def _deep_reader(recipe: Recipe, corpus: Corpus, tell: Tell) -> DeepReader:
    """Return the deep reader, open; say if it has probably seen the corpus."""
    if recipe.language != "english":
        advice = f"the recipe's language is {recipe.language}: train without it"
        raise DataError(f"the deep reader reads only English; {advice}")
    if seen := corpus.marks.found_in(load_model().fingerprints).sum():
        rows = f"{count(int(seen), 'row')} of {len(corpus):,}"
        tell(f"the deep reader probably learned from {rows}: their scores are too high")
    return load_reader("all")


def _score(run: TrainingRun, learned: Mapping[str, Learned]) -> Figures:
    """Score the held-out answers; rows that do not name the actor count as withheld."""
    corpus, stance, tone, holders = run.corpus, learned["stance"], None, None
    if "sentiment" in learned:
        tone = sentiment_answers(corpus, learned["sentiment"].probabilities)
    if "holder" in learned:
        kinds = learned["holder"].probabilities.argmax(axis=1)
        names = name_held(run.reader, run.query.take(holder_rows(corpus)), kinds)
        holders = holder_score(corpus, run.reader.book, names)
    return report(
        corpus,
        stance_answers(corpus, stance.probabilities, stance.named),
        stance_answers(corpus, learned["control"].probabilities),
        tone,
        holder=holders,
        notes=model_notes(run.recipe, stance.head.silent),
    )


def _card(run: TrainingRun, heads: Mapping[str, Head], figures: Figures) -> dict[str, Any]:
    """Return the rest of a model's card; with no scores of actors or sources of a few rows."""
    corpus, recipe, scores = run.corpus, run.recipe, dict(figures)
    for key in {"per_actor", "per_source"} & scores.keys():
        parts = scores[key].items()
        scores[key] = {name: part for name, part in parts if part["n"] >= FEWEST_CARD_ROWS}
    versions = {name: version(name) for name in ("numpy", "scikit-learn")}
    versions["PyStemmer"] = Stemmer.version()
    numbers = np.zeros((len(corpus.sources), len(Stance)), np.int64)
    np.add.at(numbers, (run.whole.source, run.whole.stance), 1)
    read = run.reader, heads["stance"], corpus.texts, run.query.names[: len(corpus)]
    profile = measure(*read, corpus.document, recipe.features.min_df)
    never = [f"It never answers {label}." for label in heads["stance"].silent]
    return {
        "versions": {"stance": __version__, "python": python_version(), **versions},
        "data": [
            {
                **asdict(source),
                "licence": recipe.licences.get(source.name, "not stated"),
                "classes": dict(zip(map(str, Stance), row, strict=True)),
            }
            for source, row in zip(corpus.sources, numbers.tolist(), strict=True)
        ],
        "seed": recipe.validation.seed,
        "limits": [*cautions()["limits"], *never],
        "scores": scores,
        "reference": asdict(profile),
    }
