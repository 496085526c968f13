"""What a model's card tells of where the model comes from."""

import platform
from importlib.metadata import version
from typing import Any

import numpy as np

from stance.corpus import Corpus
from stance.evaluation import CURVES, Report
from stance.fitting.advice import Prospects
from stance.model.familiarity import Reference
from stance.recipe import Recipe
from stance.records import Stance

LIMITS = (
    "Scores are those of texts like the training corpus; on other sources, genres and years they "
    "are lower. Label a sample of your own texts and evaluate on it before you publish.",
    "One answer per paragraph and actor; irony, implied blame and stances that need knowledge of "
    "the events are often missed.",
    "An actor is noticed only where an alias of the actor book names it; pronouns are not "
    "resolved.",
)

FEWEST = 20
"""Rows of an actor, and of a source, whose score stands in a model's card."""


def make_card(
    corpus: Corpus, recipe: Recipe, report: Report, reference: Reference, prospects: Prospects
) -> dict[str, Any]:
    """Return what a model's card tells of data, versions, scores and limits."""
    counts = [
        np.bincount(corpus.stance[corpus.source == i], minlength=3)
        for i in range(len(corpus.sources))
    ]
    return {
        "versions": {
            "stance": version("stance"),
            "python": platform.python_version(),
            "numpy": version("numpy"),
            "scikit-learn": version("scikit-learn"),
        },
        "data": [
            {
                "name": source.name,
                "sha256": source.sha256,
                "rows": source.rows,
                "licence": recipe.licences.get(source.name, "not stated"),
                "classes": dict(zip(map(str, Stance), map(int, row), strict=True)),
            }
            for source, row in zip(corpus.sources, counts, strict=True)
        ],
        "seed": recipe.validation.seed,
        "limits": list(LIMITS),
        "scores": _scores(report),
        "reference": reference.to_table(),
        **prospects.card(),
    }


def _scores(found: Report) -> dict[str, Any]:
    """Return the figures that a card keeps: no curves, no actors or sources of a few rows."""
    figures = _without_curves(found.to_json())
    if "sentiment" in figures:
        figures["sentiment"] = _without_curves(figures["sentiment"])
    for key in {"per_actor", "per_source"} & figures.keys():
        figures[key] = {
            name: _without_curves(part)
            for name, part in figures[key].items()
            if part["n"] >= FEWEST
        }
    return figures


def _without_curves(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in figures.items() if name not in CURVES}
