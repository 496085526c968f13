"""Which stance each paragraph takes toward each actor it names, and its sentiment.

Every name is looked up on first use, so that ``import stance`` costs next to nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Actor": "reading.actors",
    "ActorBook": "reading.actors",
    "Corpus": "corpus",
    "Recipe": "recipe",
    "StanceClassifier": "estimator",
    "StanceError": "errors",
    "StanceModel": "model",
    "evaluate": "evaluation",
    "explain": "model.explanation",
    "load_model": "storage",
    "load_reader": "storage",
    "read_corpus": "corpus",
    "read_recipe": "recipe",
    "save_model": "storage",
    "train": "fitting",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'stance' has no attribute '{name}'")
    public = getattr(import_module(f"stance.{_HOMES[name]}"), name)
    globals()[name] = public
    return public


def __dir__() -> list[str]:
    return sorted(__all__)
