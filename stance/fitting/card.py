"""What a model's card says about data, versions, scores and limits."""

from dataclasses import asdict
from importlib.metadata import version
from platform import python_version
from typing import Any

import numpy as np

from stance import __version__
from stance.corpus import Corpus
from stance.evaluation import CURVES, Report
from stance.model.familiarity import TrainingProfile
from stance.recipe import Recipe
from stance.records import NEUTRAL, Stance
from stance.storage import STEMMER

LIMITS = (
    "Scores hold for texts like the training corpus; on other sources, genres and years they "
    "are lower. Label a sample of your own texts and evaluate on it before you publish.",
    "One answer per paragraph and actor; irony, implied blame and stances that need knowledge of "
    "the events are often missed.",
    "An actor is noticed only where an alias of the actor book names it; pronouns are not "
    "resolved.",
)

NO_NEUTRAL = (
    "No training row is neutral, so the model answers against or favor, never neutral: texts that "
    "take no stance get one all the same."
)

FEWEST_CARD_ROWS = 20
"""Rows of an actor or source below which its score is left out of a model's card."""


def make_card(
    recipe: Recipe,
    corpus: Corpus,
    lessons: Corpus | None,
    report: Report,
    reference: TrainingProfile,
    curve: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return the card of a model of a corpus, and of lessons with soft labels alone."""
    versions = {name: version(name) for name in ("numpy", "scikit-learn", STEMMER)}
    numbers = np.zeros((len(corpus.sources), len(Stance)), np.int64)
    for part in filter(None, [corpus, lessons]):
        np.add.at(numbers, (part.source, part.stance), 1)
    return {
        "versions": {"stance": __version__, "python": python_version(), **versions},
        "data": [
            {
                "name": source.name,
                "sha256": source.sha256,
                "rows": source.rows,
                "licence": recipe.licences.get(source.name, "not stated"),
                "classes": dict(zip(map(str, Stance), row, strict=True)),
            }
            for source, row in zip(corpus.sources, numbers.tolist(), strict=True)
        ],
        "seed": recipe.validation.seed,
        "limits": [*LIMITS, *([] if has_neutral(corpus) else [NO_NEUTRAL])],
        "scores": _scores(report),
        "reference": asdict(reference),
        **({"learning_curve": curve} if curve else {}),
    }


def has_neutral(corpus: Corpus) -> bool:
    """Return whether any row is neutral, or may be by its soft labels."""
    soft = corpus.soft is not None and corpus.soft[:, NEUTRAL].any()
    return bool(soft or (corpus.stance == NEUTRAL).any())


def _scores(found: Report) -> dict[str, Any]:
    """Return the figures that a card keeps: no curves, no actors or sources of a few rows."""
    figures = _without_curves(found.to_json())
    if "sentiment" in figures:
        figures["sentiment"] = _without_curves(figures["sentiment"])
    for key in {"per_actor", "per_source"} & figures.keys():
        parts = figures[key].items()
        figures[key] = {k: _without_curves(p) for k, p in parts if p["n"] >= FEWEST_CARD_ROWS}
    return figures


def _without_curves(figures: dict[str, Any]) -> dict[str, Any]:
    left_out = CURVES if figures.get("uncertain") else (*CURVES, "answered", "withheld")
    return {name: part for name, part in figures.items() if name not in left_out}
