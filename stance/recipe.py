"""How a model is made, read from a TOML file and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import Stemmer

from stance import settings
from stance.errors import RecipeError
from stance.files import DATA
from stance.settings import Check, SchemaError, anything, entries, number, of, one_of, such, table

BLOCK_NAMES = (
    *("stem", "cross", "class", "relation", "mention", "char", "name", "word", "plain"),
    *("sentence", "ending", "frame", "long_frame", "deep"),
)

TARGET_BLIND = ("stem", "class", "char", "word")  # blocks for a head that judges no actor, too

_WEIGHT = number(float, 0, 100)
_BLOCKS = such(
    table(optional=dict.fromkeys(BLOCK_NAMES, _WEIGHT)), bool, "a table with at least one block"
)
_BLIND_BLOCKS = such(
    _BLOCKS, {*TARGET_BLIND}.issuperset, f"of blocks that see no actor: {', '.join(TARGET_BLIND)}"
)
_VECTORS = table(optional={"stem": _WEIGHT, "plain": _WEIGHT})  # blocks of words
_SEPARATE = such(anything, lambda v: v is False or v == "separate", 'false or "separate"')
_SHARED = such(anything, lambda v: v is False, "false, since only stances differ by topic")
_SNOWBALL = "a language of Snowball, such as english, german or russian"
_LANGUAGE = such(of(str), Stemmer.algorithms().__contains__, _SNOWBALL)
_PLAIN = such(of(str), str.isprintable, "text without control characters")
_WEIGHTS = entries(number(float, 0, 1e6))
_NEWS = {"stem": 1.0, "cross": 0.6, "class": 0.4, "relation": 0.4, "mention": 0.4}
_HELD = {"plain": 1.0, "class": 0.4, "mention": 0.4}


@dataclass(frozen=True, slots=True)
class Features:
    """Feature blocks and their weights.

    Attributes
    ----------
    blocks : mapping of str to float
        Weight of each block; a block that is not named is not used.
    min_df : int
        Least number of documents in which a feature must occur.
    per_actor : False or "separate"
        "separate" gives each actor features of its own, learned from its own rows alone: for fixed
        topics with hundreds of labels each.
    vectors : mapping of str to float
        Weights of the word vectors that ``training/vectors.py`` makes, by block. They are merged
        into the weights of the words.
    """

    blocks: Annotated[Mapping[str, float], _BLOCKS] = field(default_factory=lambda: {**_NEWS})
    min_df: Annotated[int, number(int, 1, 1_000_000)] = 2
    per_actor: Annotated[bool | str, _SEPARATE] = False
    vectors: Annotated[Mapping[str, float], _VECTORS] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Classifier:
    """The linear model of one head.

    Attributes
    ----------
    kind : {"svc", "logistic"}
        LinearSVC, or LogisticRegression.
    c : float
        Inverse strength of regularisation: the greater, the closer to the labels.
    balanced : bool
        Whether classes weigh the same within each corpus.
    evenness : float
        How far: at 1 they weigh the same, at 0.5 as the square root of their size.
    neutral_offset : float
        Added to the score of neutral.
    """

    kind: Literal["svc", "logistic"] = "svc"
    c: Annotated[float, number(float, 1e-6, 1e6)] = 0.2
    balanced: bool = True
    evenness: Annotated[float, number(float, 0, 1)] = 1.0
    neutral_offset: Annotated[float, number(float, -10, 10)] = 0.0


@dataclass(frozen=True, slots=True)
class Validation:
    """Cross-validation by document, which also sets the temperature.

    Attributes
    ----------
    folds : int
        Parts of the documents, each left out once.
    seed : int
        Seed of folds and solver.
    draws, repeats, learning_curve : int, int, bool
        No effect; kept for recipes and models of earlier versions.
    """

    folds: Annotated[int, number(int, 2, 50)] = 5
    seed: Annotated[int, number(int, 0, 2**31 - 1)] = 20
    draws: Annotated[int, number(int, 100, 100_000)] = 1000
    repeats: Annotated[int, number(int, 1, 50)] = 1
    learning_curve: bool = True


def _checked_record(kind: Any, **instead: Check) -> Check:
    """Return a check that makes a record of a table, by the hints of its fields or ``instead``."""
    hints = get_type_hints(kind, include_extras=True)
    fields = table(optional={name: _check_of(hint) for name, hint in hints.items()} | instead)
    return lambda value, where: kind(**fields(value, where))


def _check_of(kind: Any) -> Check:
    if get_origin(kind) is Annotated:
        return kind.__metadata__[0]
    if get_origin(kind) is Literal:
        return one_of(*get_args(kind))
    return _checked_record(kind) if is_dataclass(kind) else of(kind)


_BLIND = _checked_record(Features, blocks=_BLIND_BLOCKS, per_actor=_SHARED)
_HOLDER = _checked_record(Features, per_actor=_SHARED)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole recipe; the defaults are those of ``training/default.toml``.

    Attributes
    ----------
    name, purpose : str
        Shown on the model's card.
    language : str
        Snowball language of the texts. English and Russian have a book and a lexicon.
    features, classifier : Features, Classifier
        For the stance head.
    sentiment_features, sentiment_classifier : Features, Classifier
        For the sentiment head, which sees no actor.
    holder_features, holder_classifier : Features, Classifier
        For the holder head, which learns whose stance it is from stances that are not neutral.
    validation : Validation
        How the model is scored and calibrated.
    corpora : mapping of str to float
        Weight of each corpus by its file name without ending; 1 unless named here.
    licences : mapping of str to str
        Licence and origin of each corpus, shown on the model's card.
    """

    name: Annotated[str, _PLAIN] = "default"
    purpose: Annotated[str, _PLAIN] = (
        "Stance toward each actor of a paragraph, and the paragraph's sentiment."
    )
    language: Annotated[str, _LANGUAGE] = "english"
    features: Features = Features()
    classifier: Classifier = Classifier()
    sentiment_features: Annotated[Features, _BLIND] = Features({"stem": 1.0, "class": 0.6})
    sentiment_classifier: Classifier = Classifier()
    holder_features: Annotated[Features, _HOLDER] = Features(_HELD)
    holder_classifier: Classifier = Classifier(balanced=False)
    validation: Validation = Validation()
    corpora: Annotated[Mapping[str, float], _WEIGHTS] = field(default_factory=dict)
    licences: Annotated[Mapping[str, str], entries(of(str))] = field(default_factory=dict)

    @property
    def deep(self) -> bool:
        """Whether a head learns from what the deep reader makes of a paragraph."""
        return any("deep" in part.blocks for part in (self.features, self.holder_features))

    @property
    def knows_actors(self) -> bool:
        """Whether a model learns a prior about actors, which stands before what a text says."""
        return "name" in self.features.blocks or bool(self.features.per_actor)

    def head(self, name: str) -> tuple[Features, Classifier]:
        """Return features and classifier of stance, control, sentiment or holder."""
        kind = self.classifier
        if name == "control":  # blind to the actor; its rows weigh what those of stance do
            weighed = Classifier(balanced=kind.balanced, evenness=kind.evenness)
            return Features({"word": 1.0}, self.features.min_df), weighed
        if name == "sentiment":
            return self.sentiment_features, self.sentiment_classifier
        if name == "holder":
            return self.holder_features, replace(self.holder_classifier, neutral_offset=0.0)
        return self.features, kind

    def with_reader(self) -> "Recipe":
        """Return the recipe with the block `deep`, as `stance train --deep` has it."""
        blocks = {"deep": 1.8, **self.features.blocks}
        return replace(self, features=replace(self.features, blocks=blocks))


@cache
def cautions() -> dict[str, Any]:
    """Return what to beware of in models and their scores, by what it is about."""
    return dict(settings.read_settings(DATA / "help.toml", "help", RecipeError)["cautions"])


_RECIPE = _checked_record(Recipe)


def read_recipe(path: Path | str | None = None) -> Recipe:
    """Read a recipe from a TOML file; without one, return that of ``training/default.toml``.

    Raises a `RecipeError` if the file cannot be read, or has an unknown key, a wrong type or a
    value out of range.
    """
    if path is None:
        return Recipe()
    return recipe_from_table(settings.read_settings(Path(path), "recipe", RecipeError), str(path))


def recipe_from_table(table: Mapping[str, Any], name: str) -> Recipe:
    """Make a recipe from a parsed table; ``name`` stands in messages."""
    try:
        return _RECIPE(table, "")
    except SchemaError as error:
        raise RecipeError(f"{name}: {error}") from error
