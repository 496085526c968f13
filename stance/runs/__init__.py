"""A table in parts: parallel, resumable, byte-exact."""

from stance.runs.job import Done, Job, predict_table

__all__ = [
    "Done",
    "Job",
    "predict_table",
]
