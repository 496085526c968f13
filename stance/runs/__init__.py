"""A table in parts: parallel, resumable, byte-exact."""

from stance.runs.job import Done, Input, Options, Output, predict_table
from stance.runs.workers import LocalCrew

__all__ = ["Done", "Input", "LocalCrew", "Options", "Output", "predict_table"]
