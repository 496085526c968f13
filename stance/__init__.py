"""Which stance each paragraph takes toward each actor it names, and its sentiment.

Every name is looked up on first use, so that ``import stance`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Actor": "reading.actor_tables", "ActorBook": "reading.actors", "Corpus": "corpus",
    "Recipe": "recipe", "StanceClassifier": "estimator", "StanceError": "errors",
    "StanceModel": "model", "evaluate": "evaluation", "explain": "model.explanation",
    "load_model": "storage", "load_reader": "storage", "read_corpus": "corpus",
    "read_recipe": "recipe", "save_model": "storage", "train": "fitting",
}  # fmt: skip

__all__ = list(_HOMES)

if TYPE_CHECKING:  # the same for whoever checks types
    from stance.corpus import Corpus as Corpus
    from stance.corpus import read_corpus as read_corpus
    from stance.errors import StanceError as StanceError
    from stance.estimator import StanceClassifier as StanceClassifier
    from stance.evaluation import evaluate as evaluate
    from stance.fitting import train as train
    from stance.model import StanceModel as StanceModel
    from stance.model.explanation import explain as explain
    from stance.reading.actor_tables import Actor as Actor
    from stance.reading.actors import ActorBook as ActorBook
    from stance.recipe import Recipe as Recipe
    from stance.recipe import read_recipe as read_recipe
    from stance.storage import load_model as load_model
    from stance.storage import load_reader as load_reader
    from stance.storage import save_model as save_model


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'stance' has no attribute '{name}'")
    public = getattr(import_module(f"stance.{_HOMES[name]}"), name)
    globals()[name] = public
    return public


def __dir__() -> list[str]:
    return sorted(__all__)
