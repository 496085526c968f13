"""Findings from a table of answers: what it holds, and what can be said of it."""

from stance.findings.audit import AuditRequest
from stance.findings.regression import write_regression_table
from stance.findings.request import Request
from stance.findings.sampling import SampleRequest, write_sample
from stance.findings.shares import Share, Shares, Study, read_study, write_numbers

__all__ = ["AuditRequest", "Request", "SampleRequest", "Share", "Shares", "Study", "read_study"]
__all__ += ["write_numbers", "write_regression_table", "write_sample"]
