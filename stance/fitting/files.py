"""From labelled files to a model file."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from stance.corpus import bundled_corpus, read_corpus
from stance.fitting.training import Training, train
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe
from stance.storage import save_model


def train_files(
    corpora: Sequence[Path],
    output: Path,
    recipe: Path | None = None,
    actors: Path | None = None,
    *,
    seed: int | None = None,
    jobs: int = 1,
    force: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> Training:
    """Train a model on corpus files and save it.

    Parameters
    ----------
    corpora : sequence of Path
        The bundled starter corpus where empty.
    output : Path
    recipe, actors : Path, optional
        The bundled ones where left out.
    seed : int, optional
        In place of the recipe's.
    jobs : int
        Processes; the model does not depend on it.
    force : bool
        Whether an existing file may be replaced.
    tell : callable
        Gets lines on what was read and what is being done.
    delimiter, encoding : str, optional
        Of the corpus files; detected, and UTF-8, where left out.

    Returns
    -------
    Training
        With the scores of the cross-validation by document, and what more labels would gain.
    """
    chosen = read_recipe(recipe)
    if seed is not None:
        validation = dataclasses.replace(chosen.validation, seed=seed)
        chosen = dataclasses.replace(chosen, validation=validation)
    book = ActorBook.read(actors) if actors else ActorBook.default()
    if corpora:
        corpus = read_corpus(corpora, delimiter=delimiter, encoding=encoding)
    else:
        corpus = read_corpus([bundled_corpus()])
    for note in corpus.notes:
        tell(note)
    training = train(chosen, corpus, book, jobs=jobs, progress=tell)
    save_model(training.model, output, force=force)
    return training
