"""Findings from a table of answers: what it holds, and what can be said of it."""

from stance.findings.periods import Periods
from stance.findings.survey import Request, Survey, survey
from stance.findings.tally import Tally

__all__ = ["Periods", "Request", "Survey", "Tally", "survey"]
