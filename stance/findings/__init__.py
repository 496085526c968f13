"""Findings from a table of answers: what it holds, and what can be said of it."""

from stance.findings.survey import Periods, Request, Survey, choose_periods, survey
from stance.findings.tally import Tally

__all__ = ["Periods", "Request", "Survey", "Tally", "choose_periods", "survey"]
