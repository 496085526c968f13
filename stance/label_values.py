"""What the cells of labelled tables mean: stances, sentiments, holders, flags, soft labels."""

import re
from collections.abc import Iterator, Mapping, Sequence

from stance.display import shown
from stance.errors import DataError, UsageError
from stance.records import Sentiment, Stance
from stance.tables import Record

_SCALES: tuple[Mapping[str, int], ...] = ({"-1": 0, "0": 1, "1": 2}, {"2": 0, "4": 1, "6": 2})
"""Numeric codings; a column must keep to one of them."""

STANCES: Mapping[str, int] = {
    **dict.fromkeys(("against", "anti", "con", "oppose", "opposed", "negative", "neg"), 0),
    **dict.fromkeys(("neutral", "neu", "none", "neither"), 1),
    **dict.fromkeys(("favor", "favour", "pro", "support", "supportive", "positive", "pos"), 2),
}
"""Number of each spelling of a stance."""

SENTIMENTS: Mapping[str, int] = {
    **dict.fromkeys(("negative", "neg"), 0),
    **dict.fromkeys(("neutral", "neu", "none"), 1),
    **dict.fromkeys(("positive", "pos"), 2),
}

MISSING = -1  # number of a sentiment that a row does not have
SOFT = tuple(f"stance_{label}" for label in Stance)  # columns that may stand in place of `stance`
SUM_ERROR = 1e-3  # how far the soft labels of a row may be from a sum of 1
HOLDERS = ("author", "other")  # holders of a stance that are not named
LONGEST_HOLDER = 200

_BLANK = {"", "na", "n/a", "nan", "null", "-"}
_FLAGS = {"1": True, "true": True, "0": False, "false": False, "": False}


def parse_labels(option: str | None) -> dict[str, str]:
    """Read ``SPELLING=LABEL,...`` as the labels that spellings of a stance stand for.

    >>> parse_labels("0=against,1=favor")
    {'0': 'against', '1': 'favor'}
    """
    pairs = [part.rpartition("=") for part in (option or "").split(",") if part.strip()]
    for spelling, _, label in pairs:
        if not spelling.strip() or label.strip().lower() not in STANCES:
            raise UsageError(
                f"--labels: '{shown(f'{spelling}={label}' if spelling else label)}' must be "
                f"SPELLING=LABEL, the label one of {', '.join(Stance)}"
            )
    return {spelling.strip(): label.strip() for spelling, _, label in pairs}


def stance_spellings(
    labels: Mapping[str, str] | None, known: Mapping[str, int] = STANCES
) -> Mapping[str, int]:
    """Return the number of each spelling of a stance, with the user's own ones."""
    given = {word.lower(): STANCES[label.lower()] for word, label in (labels or {}).items()}
    return {**known, **given}


class LabelReader:
    """Maps spellings of stances or sentiments to numbers, and remembers which it met.

    `words` are the spellings beside the numeric scales; `name` is the column's, if it is not that
    of the kind.
    """

    def __init__(
        self,
        table: str,
        kind: type[Stance] | type[Sentiment],
        words: Mapping[str, int],
        name: str = "",
    ) -> None:
        self._table, self._words, self._labels = table, words, tuple(map(str, kind))
        self._kind, self._name = kind, name or kind.__name__.lower()
        self._scale = next((scale for scale in _SCALES if scale.keys() <= words.keys()), None)
        self._met: dict[str, int] = {}

    def read(self, cell: str, record: Record) -> int:
        """Return the number of the label in a cell; raise `DataError` if it means nothing."""
        if cell not in self._met:
            self._met[cell] = self._number(cell, record)
        return self._met[cell]

    def _number(self, cell: str, record: Record) -> int:
        word, digits = cell.strip().lower(), _digits(cell)
        for spelling in (word, digits):
            if spelling in self._words:
                return self._words[spelling]
        scale = next((scale for scale in _SCALES if digits in scale), None)
        if scale and self._scale in (None, scale):
            self._scale = scale
            return scale[digits]
        where = f"{self._table}:{record.line}" if record.line else self._table
        what = f"{where}: {self._name} '{shown(cell)}' in row {record.number}"
        if scale:
            kept = ", ".join(self._scale or {})
            raise DataError(f"{what} mixes two scales: earlier rows use {kept}; use one scale")
        advice = f"use {', '.join(self._labels)}"
        if word in _BLANK:
            advice = "fill it in, or remove the row"
        elif self._kind is Stance and re.fullmatch(r"[\w -]{1,30}", word):
            advice += f", or say what it means, such as --labels '{word}=neutral'"
        raise DataError(f"{what} is not a label; {advice}")

    def refuse_guess(self) -> None:
        """Raise if the numbers met are 0 and 1 alone, which may mean anything."""
        if self._scale and {*map(_digits, self._met)} - self._words.keys() == {"0", "1"}:
            how = f"write {', '.join(self._labels)}"
            if self._kind is Stance:
                how = "say what they mean, such as --labels 0=against,1=favor"
            raise DataError(f"{self._table}: {self._name} has only the numbers 0 and 1; {how}")

    def notes(self) -> Iterator[str]:
        """Yield the mapping, unless every label was spelled as it should be."""
        self.refuse_guess()
        odd = {cell: n for cell, n in self._met.items() if cell != self._labels[n]}
        if odd:
            pairs = [f"{shown(cell)} -> {self._labels[n]}" for cell, n in sorted(odd.items())]
            yield f"{self._table}: {self._name} labels read as {', '.join(pairs)}"


def _digits(cell: str) -> str:
    return re.sub(r"^\+|\.0+$", "", cell.strip().lower())


def read_holder(cell: str, where: str) -> str | None:
    """Return who takes a stance; None where nobody says."""
    name = cell.strip()
    if len(name) > LONGEST_HOLDER or not name.isprintable():
        raise DataError(f"{where}: holder '{shown(name)}' is not author, other or an actor's name")
    return (name.lower() if name.lower() in HOLDERS else name) or None


def read_flag(cell: str, where: str) -> bool:
    """Return whether a row is a false match."""
    flag = _FLAGS.get(cell and re.sub(r"\.0+$", "", cell.strip().lower()))
    if flag is None:
        raise DataError(f"{where}: false_match '{shown(cell)}' is not 1 or 0; leave it empty for 0")
    return flag


def read_soft(cells: Sequence[str], where: str) -> list[float] | None:
    """Return a row's soft labels, which sum to 1; None if it has none."""
    if not any(map(str.strip, cells)):
        return None
    try:
        shares = [float(cell) for cell in cells]
    except ValueError:
        shares = []
    total = sum(shares)
    if not shares or not min(shares) >= 0 or not abs(total - 1) <= SUM_ERROR:
        raise DataError(
            f"{where}: {', '.join(SOFT)} '{shown(' '.join(cells))}' are not probabilities that "
            "sum to 1; correct them, or leave all three empty"
        )
    return [share / total for share in shares]


def holder_kind(name: str | None) -> int:
    """Return the number of a holder among `Holder`; `MISSING` where nobody says.

    >>> holder_kind("author"), holder_kind("Russia"), holder_kind("other"), holder_kind(None)
    (0, 1, 2, -1)
    """
    return {"author": 0, "other": 2}.get(name, 1) if name else MISSING
