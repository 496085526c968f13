"""A table in parts: parallel, resumable, byte-exact; its options are light, for the help."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Options:
    """How to answer, and what to write; like the input, part of a run's fingerprint."""

    abstain: float | None = None  # greatest share of wrong answers; see `stance.model.abstention`
    speakers: bool = False  # whether to say who speaks where the answer is neutral
    explain: int = 0  # words to name beside each answer
    deep: Literal["all", "unsure"] | None = None  # what the model's deep reader reads
    wide: bool = False  # one row per input row, and columns per actor
    prefix: str = ""  # of the names of new columns
    excel_safe: bool = False  # quote cells that a spreadsheet would run


DEFAULTS = Options()
