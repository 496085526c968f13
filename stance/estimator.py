"""A scikit-learn estimator; it trains as the command line does."""

import hashlib
import warnings
from collections.abc import Collection, Mapping, Set
from dataclasses import replace
from typing import Any, Self

import narwhals
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from stance.arrays import Floats
from stance.corpus import Source, corpus_of
from stance.corpus.rows import SORTED, LabelReader, Row, stance_spellings
from stance.display import shown
from stance.errors import StanceError
from stance.fitting import train
from stance.model import StanceModel
from stance.reading.actors import ActorBook
from stance.reading.text import list_strings, places_of
from stance.recipe import Recipe, read_recipe
from stance.records import ANSWERS, Stance
from stance.tables import Record, Records, Table
from stance.tables.columns import column, months_of, note_dates, optional_column


class StanceClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Stance of a paragraph toward an actor.

    Parameters
    ----------
    recipe : Recipe or None
        None means the default recipe; the parameters below replace its values.
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
    labels : mapping of label to str or None
        What labels of ``y`` mean, such as ``{1: "against", 5: "favor"}``. In ensembles and in
        ``cross_val_predict(method="predict_proba")``, scikit-learn numbers sorted labels:
        ``{0: "against", 1: "favor", 2: "neutral"}``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels of ``y``, sorted: also the order of ``predict_proba``. Labels come back in the
        spelling of ``y``, or as against, neutral and favor where a stance has several.
    training_ : stance.fitting.Training
        The model and its cross-validation.

    Examples
    --------
    >>> from stance import StanceClassifier
    >>> StanceClassifier(c=0.5).get_params()["c"]
    0.5
    """

    def __init__(
        self, recipe: Recipe | None = None, book: ActorBook | None = None, *,
        blocks: Mapping[str, float] | None = None, min_df: int | None = None,
        kind: str | None = None, c: float | None = None, neutral_offset: float | None = None,
        labels: Mapping[Any, str] | None = None,
    ) -> None:  # fmt: skip
        self.recipe, self.book, self.labels = recipe, book, labels
        self.blocks, self.min_df = blocks, min_df
        self.kind, self.c, self.neutral_offset = kind, c, neutral_offset

    def fit(self, X: Any, y: Collection[Any], groups: Collection[Any] | None = None) -> Self:
        """Learn from labelled pairs.

        Parameters
        ----------
        X : data frame, sequence or array
            Pairs (text, actor), or with spans (text, actor, spans). A frame of pandas, polars or
            pyarrow has the columns text and actor, in any case, and may have date (leaders count
            only while in office), document and spans (lists of (start, end), or as in a table).
        y : sequence
            Stances, in any spelling that a corpus may have: favor, AGAINST, 0, ...
        groups : sequence, optional
            Document of each pair; if omitted, that of the frame, and without one, equal and nearly
            equal texts are grouped.

        Raises
        ------
        DataError
            If against or favor is missing, or a class is labelled in one document only.
        """
        if not (pairs := _read(X))["text"]:
            raise ValueError("X has no pairs; give pairs (text, actor), and a stance for each in y")
        if groups is not None:
            pairs["document"] = list(map(repr, groups))
        check_consistent_length(pairs["text"], y, pairs["document"])
        pairs["stance"], spelled = _read_labels(y, self.labels or {})
        numbered = enumerate(zip(*pairs.values(), strict=True), 1)
        rows = [Row(number=n, **dict(zip(pairs, cells, strict=True))) for n, cells in numbered]
        written = "".join(repr((row.text, row.actor, ANSWERS[row.stance])) for row in rows)
        digest, recipe = hashlib.sha256(written.encode()).hexdigest(), self._recipe()
        corpus = corpus_of(rows, Source("estimator", digest, len(rows)))
        self.training_ = train(recipe, corpus, self.book or ActorBook.default(recipe.language))
        labels, order = np.unique(np.array(list(spelled.values())), return_index=True)
        self.classes_, self._order = labels, np.array(list(spelled))[order]
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Return calibrated probabilities of pairs as in `fit`, of shape (n_pairs, n_classes).

        Columns are in the order of ``classes_``; each row sums to 1.
        """
        model, pairs = self.to_model(), _read(X)
        asked = pairs["text"], pairs["actor"], pairs["spans"], months_of(pairs["date"])
        return model.probabilities(*asked)[:, self._order]

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each pair; it never abstains."""
        best = self.predict_proba(X).argmax(axis=1)  # checks that it is fitted
        return self.classes_[best]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False  # pairs of a text and an actor are no numbers
        tags.input_tags.string = True
        return tags

    def to_model(self) -> StanceModel:
        """Return the model that ``stance.save_model`` saves and the command line reads."""
        check_is_fitted(self)
        return self.training_.model

    def _recipe(self) -> Recipe:
        recipe = self.recipe or read_recipe()
        if not isinstance(recipe, Recipe):
            raise TypeError(f"recipe is a {type(recipe).__name__}; give read_recipe(PATH)")
        parts = {"features": ("blocks", "min_df"), "classifier": ("kind", "c", "neutral_offset")}
        for part, names in parts.items():
            given = {name: v for name in names if (v := getattr(self, name)) is not None}
            recipe = replace(recipe, **{part: replace(getattr(recipe, part), **given)})
        return recipe


def _read(given: Any) -> dict[str, list[Any]]:
    """Return the columns of a data frame, or of a sequence or array of pairs."""
    frame = narwhals.from_native(given, eager_only=True, pass_through=True)
    if isinstance(frame, narwhals.DataFrame):
        columns = _read_frame(frame)
    else:
        if not hasattr(given, "__iter__") or getattr(given, "shape", None) == ():
            raise TypeError(f"X is {given!r:.60}; give a data frame, or pairs (text, actor)")
        for place, pair in enumerate(given := list(given)):
            unordered = isinstance(pair, str | Mapping | Set)
            if unordered or not hasattr(pair, "__len__") or len(pair) < 2:
                raise TypeError(f"X[{place}] is {shown(repr(pair), 60)}; give (text, actor)")
        cells = [(*pair, None)[:3] for pair in given]
        columns = {n: [c[k] for c in cells] for k, n in enumerate(("text", "actor", "spans"))}
    for name in ("text", "actor"):
        strings = list_strings(f"X['{name}']", columns[name])
        columns[name] = list(map(str, strings))  # numpy's are strings of another kind
    columns["spans"] = [
        places_of(cell, text, f"X['spans'] in row {row}")
        for row, (cell, text) in enumerate(zip(columns["spans"], columns["text"], strict=True))
    ]
    unknown = [""] * len(columns["text"])
    return {"date": unknown, "document": unknown, **columns}


def _read_frame(frame: Any) -> dict[str, list[Any]]:
    names, head = frame.columns, Table("X", [*map(str, frame.columns)])
    hint = "; X needs the columns text and actor"
    places: dict[str, int | None] = {n: column(head, n, hint=hint) for n in ("text", "actor")}
    places |= {name: optional_column(head, name) for name in ("date", "document", "spans")}
    columns: dict[str, list[Any]] = {"spans": [None] * len(frame)}
    for name, place in places.items():
        if place is not None:
            series = frame[names[place]]
            cells = zip(series.to_list(), series.is_null().to_list(), strict=True)
            columns[name] = [None if missing else cell for cell, missing in cells]
    for name in {"date", "document"} & columns.keys():
        columns[name] = ["" if cell is None else str(cell) for cell in columns[name]]
    advice = "write 2024-03-09, or convert them, as by pandas.to_datetime(x, format='%d/%m/%Y')"
    dates, rows = Table("X", ["date"]), range(1, len(frame) + 1)
    note_dates(dates, 0, Records(rows, rows, [columns.get("date", [])]), advice=advice)
    for note in dates.notes:
        warnings.warn(note, stacklevel=4)
    return columns


def _read_labels(
    labels: Collection[Any], meanings: Mapping[Any, str]
) -> tuple[list[int], dict[int, Any]]:
    """Return the number of each stance, and how each number is spelled."""
    given = column_or_1d(labels, warn=True).tolist()
    if not isinstance(meanings, Mapping):
        raise TypeError(f"labels is {meanings!r:.60}; give a dict, such as {{1: 'against'}}")
    try:
        reader = LabelReader(Table("y"), Stance, stance_spellings(meanings), numbers=SORTED)
        cells = ["" if label is None else str(label) for label in given]
        numbers = [reader.read(cell, Record(n, n, ())) for n, cell in enumerate(cells)]
        reader.refuse_guess()
    except StanceError as error:
        raise ValueError(str(error)) from error
    spelled = dict(pairs := {*zip(numbers, given, strict=True)})
    if len(spelled) < len(pairs):  # a stance has several spellings
        spelled = {number: ANSWERS[number] for number in spelled}
    return numbers, spelled
