"""Fixtures that several test modules share: one small model, trained once per session."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser
from command import load_once, succeeds, write_starter
from hypothesis import settings

import stance.cli  # noqa: F401 - so that messages name options, whatever test runs alone
from stance.corpus import Corpus, read_corpus
from stance.fitting import train
from stance.model import StanceModel
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.words import Reader
from stance.recipe import Recipe, Validation, read_recipe
from stance.storage import save_model

settings.register_profile("default", deadline=None)  # a busy machine is no failure
settings.register_profile("thorough", deadline=None, max_examples=3000)
settings.load_profile("default")

ROWS = 900
"""Rows of the starter corpus that the shared model learns from."""


def quick_recipe() -> Recipe:
    """The default recipe with few folds."""
    return dataclasses.replace(read_recipe(), validation=Validation(folds=2, draws=100))


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The first rows of the starter corpus."""
    path = tmp_path_factory.mktemp("corpus") / "starter_head.csv"
    return read_corpus([write_starter(path, ROWS)])


@pytest.fixture(scope="session")
def model(corpus: Corpus) -> StanceModel:
    """A model with a sentiment head, good enough for clear cases."""
    return train(quick_recipe(), corpus, ActorBook.default()).model


@pytest.fixture(scope="session")
def model_path(model: StanceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of `model`."""
    path = tmp_path_factory.mktemp("model") / "small.stance"
    save_model(model, path)
    return path


@pytest.fixture(scope="session")
def bundled() -> StanceModel:
    """The model that comes with the package."""
    return load_once()


@pytest.fixture(scope="session")
def reader() -> Reader:
    """What reads texts by the bundled book and lexicon."""
    return Reader(ActorBook.default(), Lexicon.default())


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Where a run writes its answers, in a folder of its own."""
    return tmp_path / "answers.csv"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for the pages of a module."""
    with contextlib.closing(Browser(tmp_path_factory.mktemp("browser"))) as found:
        found.attach()
        yield found


@pytest.fixture(scope="session")
def coded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Answers of the bundled model to a corpus with actors, documents, sources and dates."""
    path = tmp_path_factory.mktemp("coded") / "answers.csv"
    short = write_starter(path.with_name("short.csv"), 786)
    succeeds("predict", short, "-o", path, "--prefix", "p_")
    return path
