"""Scores of answers against gold labels, with intervals and beside baselines."""

from stance.evaluation.reports import (
    Answers,
    Report,
    baselines,
    conflict_rows,
    conflict_score,
    leakage,
    majority_score,
    report,
    score,
)

__all__ = [
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
