"""A table in parts: parallel, resumable, byte-exact."""

from stance.batch.running import (
    Done,
    Job,
    predict_table,
)

__all__ = [
    "Done",
    "Job",
    "predict_table",
]
