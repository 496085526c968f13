"""A scikit-learn estimator; it trains as the command line does."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from stance.arrays import Floats
from stance.corpus import MISSING, Corpus, Source
from stance.fitting import train
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.reading.keys import fingerprint, key_of, linked_groups
from stance.recipe import Recipe, read_recipe, recipe_from_table
from stance.records import Stance

Pair = Sequence[Any]  # (text, actor) or (text, actor, spans), spans as a sequence of (start, end)


class StanceClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Stance of a paragraph toward an actor.

    Parameters
    ----------
    recipe : Recipe or None
        None means the default recipe without repeats and learning curve; the parameters below
        replace its values.
    book : ActorBook or None
        None means the bundled book.
    blocks : mapping of str to float or None
        Weights of the feature blocks.
    min_df : int or None
        Documents in which a feature must occur.
    kind : {"svc", "logistic"} or None
        Linear model.
    c : float or None
        Inverse strength of regularisation.
    neutral_offset : float or None
        Constant added to the score of neutral.

    Attributes
    ----------
    classes_ : ndarray of shape (3,)
        against, neutral, favor: also the order of ``predict_proba``. If no label is neutral, its
        probability is 0.
    training_ : stance.fitting.Training
        The model and its cross-validation.

    Examples
    --------
    >>> from stance import StanceClassifier
    >>> StanceClassifier(c=0.5).get_params()["c"]
    0.5
    """

    def __init__(
        self,
        recipe: Recipe | None = None,
        book: ActorBook | None = None,
        *,
        blocks: Mapping[str, float] | None = None,
        min_df: int | None = None,
        kind: str | None = None,
        c: float | None = None,
        neutral_offset: float | None = None,
    ) -> None:
        self.recipe = recipe
        self.book = book
        self.blocks = blocks
        self.min_df = min_df
        self.kind = kind
        self.c = c
        self.neutral_offset = neutral_offset

    def fit(self, X: Sequence[Pair], y: Sequence[str], groups: Sequence[Any] | None = None) -> Self:
        """Learn from labelled pairs.

        Parameters
        ----------
        X : sequence of (text, actor) or (text, actor, spans)
        y : sequence of str
            against, neutral or favor.
        groups : sequence, optional
            Document of each pair; if omitted, equal and nearly equal texts are grouped.

        Raises
        ------
        DataError
            If against or favor is missing, or a class is labelled in one document only.
        """
        corpus = _corpus(X, y, groups)
        self.training_ = train(self._recipe(), corpus, self.book or ActorBook.default())
        self.classes_ = np.array([str(label) for label in Stance])
        return self

    def predict_proba(self, X: Sequence[Pair]) -> Floats:
        """Return calibrated probabilities of shape (n_pairs, 3), in the order of ``classes_``."""
        check_is_fitted(self)
        texts, actors, spans = _columns(X)
        return self.to_model().probabilities(texts, actors, spans)

    def predict(self, X: Sequence[Pair]) -> NDArray[np.str_]:
        """Return the most probable label of each pair; it never abstains."""
        chosen = self.predict_proba(X).argmax(axis=1)
        best: NDArray[np.str_] = self.classes_[chosen]
        return best

    def to_model(self) -> StanceModel:
        """Return the model that ``stance.save_model`` saves and the command line reads."""
        check_is_fitted(self)
        model: StanceModel = self.training_.model
        return model

    def _recipe(self) -> Recipe:
        table = (self.recipe or read_recipe().validated_once()).to_table()
        for part, name in (
            ("features", "blocks"),
            ("features", "min_df"),
            ("classifier", "kind"),
            ("classifier", "c"),
            ("classifier", "neutral_offset"),
        ):
            if (value := getattr(self, name)) is not None:
                table[part][name] = dict(value) if name == "blocks" else value
        return recipe_from_table(table, "StanceClassifier")


def _columns(
    pairs: Sequence[Pair],
) -> tuple[list[str], list[str], list[list[tuple[int, int]] | None]]:
    for place, pair in enumerate(pairs):
        if isinstance(pair, str) or len(pair) < 2 or not all(isinstance(p, str) for p in pair[:2]):
            raise TypeError(f"X[{place}] is {pair!r:.60}; give (text, actor), both strings")
    texts = [str(pair[0]) for pair in pairs]
    actors = [str(pair[1]) for pair in pairs]
    spans = [[tuple(s) for s in pair[2]] if len(pair) > 2 and pair[2] else None for pair in pairs]
    return texts, actors, spans


def _corpus(pairs: Sequence[Pair], y: Sequence[str], groups: Sequence[Any] | None) -> Corpus:
    texts, actors, spans = _columns(pairs)
    numbers = {str(label): number for number, label in enumerate(Stance)}
    if unknown := sorted({str(label) for label in y} - set(numbers)):
        raise ValueError(f"unknown labels {unknown}; use {', '.join(numbers)}")
    if len(y) != len(texts) or (groups is not None and len(groups) != len(texts)):
        raise ValueError(f"X has {len(texts)} pairs; y and groups must be as long")
    rows = zip(texts, actors, map(str, y), strict=True)
    digest = hashlib.sha256("".join(map(repr, rows)).encode()).hexdigest()
    marks = fingerprint(texts)
    if groups is None:
        document = linked_groups([marks.exact, *marks.bands.T])
    else:
        named = np.array([key_of(repr(group)) for group in groups], np.uint64)
        document = linked_groups([named, marks.exact])
    return Corpus(
        texts=tuple(texts),
        actors=tuple(actors),
        spans=tuple(spans),
        stance=np.array([numbers[str(label)] for label in y], np.int64),
        sentiment=np.full(len(texts), MISSING, np.int64),
        document=document,
        source=np.zeros(len(texts), np.int64),
        sources=(Source("estimator", digest, len(texts)),),
        marks=marks,
        holder=(None,) * len(texts),
        false_match=np.zeros(len(texts), np.bool_),
        soft=None,
        judged=np.ones(len(texts), np.bool_),
        extra={},
        notes=(),
        loose=len(texts) if groups is None else 0,
    )
