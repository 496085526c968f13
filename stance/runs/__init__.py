"""A table in parts: parallel, resumable, byte-exact."""

from stance.runs.config import Done, Input, Options, Output
from stance.runs.job import predict_table

__all__ = ["Done", "Input", "Options", "Output", "predict_table"]
