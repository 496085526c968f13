"""From labelled rows to a trained model with its scores and card."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Unpack

import numpy as np

from stance.corpus import Corpus, CorpusForm, bundled_corpus, read_corpus
from stance.display import brief, count
from stance.errors import DataError
from stance.evaluation import Report
from stance.fitting.learning import HeldOut, Vectors
from stance.fitting.training_run import TrainingRun
from stance.model import StanceModel
from stance.model.deep import DeepReader
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.text import count_cut, cut_note
from stance.reading.words import Reader
from stance.recipe import Recipe, read_recipe
from stance.records import Stance
from stance.storage import check_model_output, load_model, load_reader, save_model

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Training:
    """A trained model and what its cross-validation by document found."""

    model: StanceModel
    report: Report
    stance: HeldOut

    def __repr__(self) -> str:
        return brief("Training", report=self.report, model=self.model)


def train_files(
    corpora: Sequence[Path],
    output: Path,
    recipe: Path | None,
    actors: Path | None,
    vectors: Path | None = None,
    lexicon: Path | None = None,
    *,
    seed: int | None,
    deep: bool,
    jobs: int,
    force: bool,
    tell: Tell,
    **form: Unpack[CorpusForm],
) -> Training:
    """Train a model on corpus files and save it, with the help of a file of word vectors if given.

    If ``deep``, the stance head learns from what the deep reader makes of each paragraph, too.

    Without corpora, the bundled starter corpus is used; without a recipe, the bundled one; without
    actors or a lexicon, those of the recipe's language. ``seed`` replaces the recipe's, ``force``
    allows an existing file to be replaced, ``tell`` gets lines about what was read and what is
    being done, and the form is as in `read_corpus`.
    """
    chosen = read_recipe(recipe)
    if seed is not None:
        chosen = replace(chosen, validation=replace(chosen.validation, seed=seed))
    chosen = chosen.with_reader() if deep else chosen
    language = chosen.language
    book = ActorBook.read(actors) if actors else ActorBook.default(language)
    words = Lexicon.read(lexicon, language) if lexicon else Lexicon.default(language)
    known = Vectors.read(vectors) if vectors else None
    corpora = corpora or [bundled_corpus()]
    check_model_output(output, force=force)
    corpus = read_corpus(corpora, **form)
    for note in corpus.notes:
        tell(note)
    # In a thread, since long calls of numpy hear no signal.
    work = partial(train, lexicon=words, vectors=known, jobs=jobs, progress=tell)
    training = ThreadPoolExecutor(1).submit(work, chosen, corpus, book).result()
    save_model(training.model, output, force=force)
    return training


def train(
    recipe: Recipe,
    corpus: Corpus,
    book: ActorBook,
    *,
    lexicon: Lexicon | None = None,
    vectors: Vectors | None = None,
    encoder: DeepReader | None = None,
    jobs: int = 1,
    progress: Tell = lambda _: None,
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
    encoder : DeepReader, optional
        The bundled one if omitted, where the recipe has the block `deep`.
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
    if cut := count_cut(corpus.texts):
        progress(cut_note(cut))
    whole = corpus.take(np.argsort(~corpus.judged, kind="stable"))
    corpus = whole.take(np.flatnonzero(whole.judged)) if whole.judged.any() else whole
    _check(corpus, recipe)
    if recipe.deep:
        if recipe.language != "english":
            advice = f"the recipe's language is {recipe.language}: train without it"
            raise DataError(f"the deep reader reads only English; {advice}")
        if encoder is None and (seen := corpus.marks.found_in(load_model().fingerprints).sum()):
            rows = f"{count(int(seen), 'row')} of {len(corpus):,}"
            progress(f"the deep reader probably learned from {rows}: their scores are too high")
        encoder = (encoder or load_reader("all")).open()
    lexicon = lexicon or Lexicon.default(recipe.language)
    reader = Reader(book, lexicon, recipe.language, encoder and encoder.features)
    run = TrainingRun(reader, corpus, whole, recipe, vectors, jobs, progress)
    stance, control = run.learn("stance"), run.learn("control")
    tone, holder = run.learn_extra("sentiment"), run.learn_extra("holder")
    report = run.score(stance, control, tone, holder)
    model = StanceModel(
        book=book,
        lexicon=reader.lexicon,
        recipe=recipe,
        stance=stance.head,
        sentiment=tone.head if tone else None,
        control=control.head,
        fingerprints=corpus.marks.distinct(),
        card=run.card(stance, control, report)
        | ({"deep_reader": encoder.sha256} if encoder else {}),
        calibration=run.calibrate(stance),
        holder=holder.head if holder else None,
        encoder=encoder,
    )
    return Training(model, report, stance.held)


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
