"""Findings from a table of answers: what it holds, and what can be said of it."""

from stance.findings.pairs import find_pairs, read_evidence, write_pairs
from stance.findings.request import Request
from stance.findings.sampling import write_sample
from stance.findings.shares import Share, Study, read_study, write_numbers

__all__ = ["Request", "Share", "Study", "read_study"]
__all__ += [
    "find_pairs",
    "read_evidence",
    "write_numbers",
    "write_pairs",
    "write_sample",
]
