"""Scores of answers against gold labels, with intervals and beside baselines."""

from stance.evaluation.answers import Answers
from stance.evaluation.assessment import Report, evaluate, report
from stance.evaluation.scores import (
    baselines,
    conflict_rows,
    conflict_score,
    leakage,
    majority_score,
    score,
)

__all__ = ["Answers", "Report"]
__all__ += ["baselines", "conflict_rows", "conflict_score"]
__all__ += ["evaluate", "leakage", "majority_score", "report", "score"]
