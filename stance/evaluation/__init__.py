"""Scores of answers against gold labels, with intervals and beside baselines."""

from stance.evaluation.answers import Answers
from stance.evaluation.assessment import Report, compare_models, evaluate, report
from stance.evaluation.comparison import (
    baselines,
    conflict_rows,
    conflict_score,
    leakage,
    majority_score,
)
from stance.evaluation.scores import score

__all__ = ["Answers", "Report"]
__all__ += ["baselines", "compare_models", "conflict_rows", "conflict_score"]
__all__ += ["evaluate", "leakage", "majority_score", "report", "score"]
