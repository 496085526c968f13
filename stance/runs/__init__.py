"""A table in parts: parallel, resumable, byte-exact."""

from stance.runs.config import Done, Input, Options, Output
from stance.runs.job import predict_table
from stance.runs.workers import WorkerPool

__all__ = ["Done", "Input", "Options", "Output", "WorkerPool", "predict_table"]
