"""Scores of answers against gold labels, with intervals and beside baselines."""

from stance.evaluation.answers import Answers
from stance.evaluation.baselines import (
    Report,
    baselines,
    conflict_rows,
    conflict_score,
    leakage,
    majority_score,
    report,
)
from stance.evaluation.scores import CURVES, score

__all__ = [
    "CURVES",
    "Answers",
    "Report",
    "baselines",
    "conflict_rows",
    "conflict_score",
    "leakage",
    "majority_score",
    "report",
    "score",
]
