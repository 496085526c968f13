"""A table in parts: parallel, resumable, byte-exact."""

from stance.runs.job import Done, Input, Options, Output, predict_table
from stance.runs.workers import WorkerPool

__all__ = ["Done", "Input", "Options", "Output", "WorkerPool", "predict_table"]
