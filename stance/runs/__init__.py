"""A table in parts: parallel, resumable, byte-exact."""

from stance.runs.job import Done, Input, Options, Output, predict_table

__all__ = ["Done", "Input", "Options", "Output", "predict_table"]
