"""How a model is made, read from a TOML file and frozen."""

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import Stemmer

from stance.errors import RecipeError
from stance.settings import read_settings

BLOCK_NAMES = ("stem", "cross", "class", "relation", "mention", "char", "name", "word")

TARGET_BLIND = ("stem", "class", "char", "word")
"""Blocks that also work for a head that judges no actor."""


@dataclass(frozen=True, slots=True)
class Features:
    """Feature blocks and their weights.

    Attributes
    ----------
    blocks : mapping of str to float
        Weight by block name; a block that is not named is not used.
    min_df : int
        Documents in which a feature must occur to be kept.
    per_actor : bool
        Whether every feature has a copy per actor; for fixed topics with hundreds of labels each.
    """

    blocks: Mapping[str, float] = field(
        default_factory=lambda: {
            "stem": 1.0,
            "cross": 0.6,
            "class": 0.4,
            "relation": 0.4,
            "mention": 0.4,
        }
    )
    min_df: int = 2
    per_actor: bool = False


@dataclass(frozen=True, slots=True)
class Classifier:
    """The linear model.

    Attributes
    ----------
    kind : {"svc", "logistic"}
        LinearSVC, or LogisticRegression.
    c : float
        Inverse strength of regularisation.
    balanced : bool
        Whether classes weigh the same within each corpus.
    neutral_offset : float
        Constant added to the score of neutral.
    """

    kind: Literal["svc", "logistic"] = "svc"
    c: float = 0.2
    balanced: bool = True
    neutral_offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Validation:
    """Cross-validation, which also sets the temperature.

    Attributes
    ----------
    folds : int
    seed : int
        Seeds the folds, the solver and the bootstrap.
    draws : int
        Bootstrap draws of an interval.
    repeats : int
        Cross-validations of the stance head, each with other folds; the first sets the
        temperature, so the model does not depend on how many there are.
    learning_curve : bool
        Whether the stance head is also learned from parts of the documents, to tell what more
        labels would gain.
    """

    folds: int = 5
    seed: int = 20
    draws: int = 1000
    repeats: int = 3
    learning_curve: bool = True


@dataclass(frozen=True, slots=True)
class HeadRecipe:
    """Features and classifier of one head."""

    features: Features
    classifier: Classifier


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole recipe; the defaults are those of ``training/default.toml``.

    Attributes
    ----------
    name, purpose : str
    language : str
        Snowball language of the texts.
    features, classifier : Features, Classifier
        Of the stance head.
    sentiment_features, sentiment_classifier : Features, Classifier
        Of the sentiment head, which sees no actor.
    validation : Validation
    corpora : mapping of str to float
        Weight of each corpus by its file name without ending; 1 where it is not named.
    licences : mapping of str to str
        Licence and origin of each corpus, for the model's card.
    """

    name: str = "default"
    purpose: str = ""
    language: str = "english"
    features: Features = field(default_factory=Features)
    classifier: Classifier = field(default_factory=Classifier)
    sentiment_features: Features = field(
        default_factory=lambda: Features({"stem": 1.0, "class": 0.6})
    )
    sentiment_classifier: Classifier = field(default_factory=Classifier)
    validation: Validation = field(default_factory=Validation)
    corpora: Mapping[str, float] = field(default_factory=dict)
    licences: Mapping[str, str] = field(default_factory=dict)

    def to_table(self) -> dict[str, Any]:
        """Return the recipe in the form that `from_table` reads."""
        return dataclasses.asdict(self)

    def validated_once(self) -> "Recipe":
        """Return the recipe with one cross-validation and no learning curve.

        It makes the same model in less time, where nobody asks what more labels would gain.
        """
        once = dataclasses.replace(self.validation, repeats=1, learning_curve=False)
        return dataclasses.replace(self, validation=once)


CONTROL = HeadRecipe(Features({"word": 1.0}), Classifier())
"""The target-blind head that stands beside every model as its baseline."""


def read_recipe(path: Path | str | None = None) -> Recipe:
    """Read a recipe from a TOML file, or the bundled default one.

    Raises
    ------
    RecipeError
        If the file cannot be read, or has an unknown key, a wrong type or a value out of range.
    """
    if path is None:
        bundled = files("stance").joinpath("data/default.toml")
        if not bundled.is_file():  # an editable install reads the repository
            bundled = files("stance").joinpath("../training/default.toml")
        return recipe_from_table(tomllib.loads(bundled.read_text("utf-8")), "default.toml")
    table = read_settings(Path(path), "recipe", RecipeError)
    return recipe_from_table(table, str(path))


def recipe_from_table(table: Mapping[str, Any], name: str) -> Recipe:
    """Make a recipe from a parsed table; ``name`` stands in messages."""
    recipe: Recipe = _build(Recipe, table, name, "")
    _check(recipe, name)
    return recipe


def _build(kind: type[Any], table: Mapping[str, Any], source: str, path: str) -> Any:
    hints = get_type_hints(kind)
    values = {}
    for key, value in table.items():
        if key not in hints:
            near = difflib.get_close_matches(key, hints, 1)
            hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(hints)}."
            raise RecipeError(f"{source}: unknown key '{path}{key}'. {hint}")
        values[key] = _value(hints[key], value, source, path + key)
    return kind(**values)


def _value(hint: Any, value: Any, source: str, path: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise RecipeError(f"{source}: '{path}' must be a table, not {value!r}")
        return _build(hint, value, source, path + ".")
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise RecipeError(f"{source}: '{path}' is one of {get_args(hint)}, not {value!r}")
        return value
    if get_origin(hint) is Mapping:
        kind = get_args(hint)[1]
        if not isinstance(value, dict):
            words = "numbers" if kind is float else "strings"
            raise RecipeError(f"{source}: '{path}' must be a table of {words}, not {value!r}")
        return {key: _value(kind, number, source, f"{path}.{key}") for key, number in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not hint:
        kinds = {float: "a number", int: "a whole number", bool: "true or false", str: "a string"}
        raise RecipeError(f"{source}: '{path}' must be {kinds[hint]}, not {value!r}")
    return value


def _check(recipe: Recipe, source: str) -> None:
    for key in ("name", "purpose"):
        if not getattr(recipe, key).isprintable():
            raise RecipeError(f"{source}: '{key}' holds a control character; write plain text")
    if recipe.language not in Stemmer.algorithms():
        known = Stemmer.algorithms()
        near = difflib.get_close_matches(recipe.language, known, 1)
        hint = f"Did you mean '{near[0]}'?" if near else "Snowball has english, german, russian ..."
        raise RecipeError(f"{source}: unknown language '{recipe.language}'. {hint}")
    for path, features in (
        ("features", recipe.features),
        ("sentiment_features", recipe.sentiment_features),
    ):
        for block, weight in features.blocks.items():
            if block not in BLOCK_NAMES:
                near = difflib.get_close_matches(block, BLOCK_NAMES, 1)
                hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(BLOCK_NAMES)}."
                raise RecipeError(f"{source}: unknown block '{path}.blocks.{block}'. {hint}")
            if path != "features" and block not in TARGET_BLIND:
                raise RecipeError(
                    f"{source}: block '{block}' needs an actor, so it cannot stand in '{path}'; "
                    f"choose among {', '.join(TARGET_BLIND)}"
                )
            _in_range(source, f"{path}.blocks.{block}", weight, 0.0, 100.0)
        if not features.blocks:
            raise RecipeError(f"{source}: '{path}.blocks' is empty; name at least one block")
        _in_range(source, f"{path}.min_df", features.min_df, 1, 1_000_000)
    for path, classifier in (
        ("classifier", recipe.classifier),
        ("sentiment_classifier", recipe.sentiment_classifier),
    ):
        _in_range(source, f"{path}.c", classifier.c, 1e-6, 1e6)
        _in_range(source, f"{path}.neutral_offset", classifier.neutral_offset, -10.0, 10.0)
    _in_range(source, "validation.folds", recipe.validation.folds, 2, 50)
    _in_range(source, "validation.seed", recipe.validation.seed, 0, 2**31 - 1)
    _in_range(source, "validation.draws", recipe.validation.draws, 100, 100_000)
    _in_range(source, "validation.repeats", recipe.validation.repeats, 1, 50)
    for corpus, weight in recipe.corpora.items():
        _in_range(source, f"corpora.{corpus}", weight, 0.0, 1e6)


def _in_range(source: str, path: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise RecipeError(f"{source}: '{path}' must be between {low} and {high}, not {value}")
