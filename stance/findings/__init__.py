"""Findings from a table of answers: what it holds, and what can be said of it."""

from stance.findings.audit import AuditRequest
from stance.findings.periods import Periods
from stance.findings.regression import write_regression_table
from stance.findings.sampling import SampleRequest, write_sample
from stance.findings.shares import Share, Shares, Study, read_study, write_figures
from stance.findings.survey import Request, Survey, survey
from stance.findings.tally import Tally

__all__ = ["AuditRequest", "Periods", "Request", "SampleRequest", "Share", "Shares", "Study"]
__all__ += ["Survey", "Tally", "read_study", "survey", "write_figures", "write_regression_table"]
__all__ += ["write_sample"]
