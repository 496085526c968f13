"""The answers to some input records: rows of the output as bytes, and their counts."""

import ctypes
import warnings
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, TypeGuard

import numpy as np

from stance.arrays import Bools, Cells, Floats, Ints
from stance.model import StanceModel
from stance.model.predictions import Predictions
from stance.reading.text import as_name, count_cut, odd_place, parse_spans, places_advice
from stance.records import ANSWERS, NEUTRAL, NEVER_ANSWERED, NO_ANSWER, TONES, Options, Stance
from stance.tables import Fault, Format, Records, months_of
from stance.tables.output import TAIL_END

# --- Rows as bytes ---

MILLION = 1_000_000

Column = Cells | Sequence[str]  # one per row: UTF-8 of limited length, or strings if long


def millionths(probabilities: Floats) -> Ints:
    """Round rows of probabilities to millionths that sum to one million, a column per class.

    The largest remainders are rounded up (Hamilton's method), of equal ones the first.

    >>> millionths(np.array([[1 / 3, 1 / 3, 1 / 3]])).tolist()
    [[333334], [333333], [333333]]
    """
    exact = np.ascontiguousarray(probabilities.T) * MILLION
    whole = np.floor(exact)
    rest = exact - whole
    rounded = whole.astype(np.int64)
    missing = MILLION - rounded.sum(axis=0)
    for place, share in enumerate(rest):
        ahead = (rest[:place] >= share).sum(axis=0) + (rest[place + 1 :] > share).sum(axis=0)
        rounded[place] += ahead < missing
    return rounded


def choose(parts: Ints, withheld: Bools, thresholds: Sequence[float] = ()) -> Ints:
    """Return the class of each row's largest printed probability, or `NO_ANSWER`."""
    best = parts.argmax(axis=0)
    if len(thresholds):
        withheld = withheld | (parts.max(axis=0) / MILLION < np.array(thresholds)[best])
    return np.where(withheld, NO_ANSWER, best)


def words(numbers: Ints, names: Sequence[str]) -> Cells:
    """Write numbers as names; `NO_ANSWER` is the last one."""
    return np.array([name.encode() for name in names]).take(numbers, mode="wrap")


def decimals(parts: Ints) -> Cells:
    """Write millionths as decimal fractions, such as 0.250000."""
    high, low = np.divmod(parts, 1000)
    return (_HIGH.take(high) | _LOW.take(low)).view("S8")


# Texts of eight bytes as numbers: `|` lays one over the other.
_HIGH = np.array([b"%d.%03d" % divmod(n, 1000) for n in range(1001)], "S8").view(np.int64)
_LOW = np.array([b"\0\0\0\0\0%03d" % n for n in range(1000)], "S8").view(np.int64)


def encode_tails(columns: Sequence[Column], form: Format) -> bytes:
    """Return what `Format.join` puts behind the input cells; a record may have several rows.

    Most tables have columns of equally wide cells, padded with NUL, which no cell has::

        input cells              counts  output cells
        a1  "NATO and Russia"  1 2       N A T O Ø Ø   1   f a v o r Ø Ø   0 . 1 0 0 0 0 0
                                         R u s s i a   1   a g a i n s t   0 . 7 0 0 0 0 0
        a2  Nothing.           2 1       Ø Ø Ø Ø Ø Ø   0   Ø Ø Ø Ø Ø Ø Ø   Ø Ø Ø Ø Ø Ø Ø Ø

    Without its NULs, this matrix of bytes is what follows the input cells, row after row.
    """
    plain = [column for column in columns if _is_plain(column, form.delimiter)]
    if form.kind == "csv" and not form.excel_safe and len(plain) == len(columns):
        return _joined_cells(plain, form.delimiter)
    cells, (*_, end) = [*map(_strings, columns)], form.signs
    lines = form.lines(cells, len(form.columns) - len(cells))
    return b"".join([line + end + TAIL_END for line in lines])


def _strings(column: Column) -> Sequence[str]:
    if not isinstance(column, np.ndarray):
        return column
    return b"\0".join(column.tolist()).decode().split("\0") if len(column) else []


def _is_plain(column: Column, delimiter: str) -> TypeGuard[Cells]:
    """Return whether a column can go into the matrix: its cells are short and need no quotes."""
    if not isinstance(column, np.ndarray) or not delimiter.isascii():
        return False
    data = column.tobytes()
    return not any(sign.encode() in data for sign in (delimiter, '"', "\n", "\r"))


def _joined_cells(columns: Sequence[Cells], delimiter: str) -> bytes:
    """Return the rows of some columns as `Format.join` takes them."""
    size = len(columns[0])
    signs = delimiter.encode(), b"\n" + TAIL_END
    between, end = (np.tile(np.frombuffer(sign, np.uint8), (size, 1)) for sign in signs)
    wide = (np.ascontiguousarray(c).view(np.uint8).reshape(size, c.itemsize) for c in columns)
    parts = [part for cells in wide for part in (cells, between)]
    matrix = np.concatenate([*parts[:-1], end], axis=1)
    return matrix[matrix > 0].tobytes()


# --- Parts ---


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What all parts of a run have in common beside the model: the columns of input and output."""

    columns: tuple[str, ...]  # of the input
    text: int  # place of the paragraph among them
    actor: int | None = None
    asked: str = ""  # actor of all records, where no column says it
    spans: int | None = None
    dates: tuple[int, str] | None = None  # their place, and their pattern
    options: Options = field(default_factory=Options)
    thresholds: tuple[float, ...] = ()  # least printed probability of each stance; () for none
    never: str = ""  # stances that are never answered at the rate of ``--abstain``
    rows_before: int = 0  # input rows of earlier runs, from which `row` counts on
    form: Format = field(default_factory=lambda: Format(()))  # of the output

    def added(self, actors: Sequence[str]) -> list[tuple[str, str]]:
        """Return names and types of the new columns; see `stance.tables.Format`."""
        parts = [("", "text"), *((f"_{label}", "number") for label in Stance)]
        tones = [("sentiment", "text"), *((f"sentiment_{tone}", "number") for tone in TONES[:-1])]
        because = ["because"] if self.options.explain else []
        if self.options.wide:
            parts += [(f"_{name}", "text") for name in ("holder", *because)]
            columns = [*((actor + part, kind) for actor in actors for part, kind in parts), *tones]
        else:
            columns = [("actor", "text")] if self.actor is None else []
            columns += [("mentions", "integer"), *(("stance" + part, kind) for part, kind in parts)]
            columns += [("holder", "text"), *tones, *((name, "text") for name in because)]
        never = [(NEVER_ANSWERED, "text")] if self.never else []
        columns = [("row", "integer"), *columns, *never]
        return [(self.options.prefix + name, kind) for name, kind in columns]

    def rows(self, records: Records, part: "Part") -> bytes:
        """Return the rows of the output, given some records and the answers to them."""
        numbers = [str(number + self.rows_before) for number in records.numbers]
        cells = [*records.columns[: len(self.columns)], numbers]
        return self.form.join(cells, part.counts, part.tails)

    def fault(self, cells: Sequence[str], line: int) -> Fault | None:
        """Return what is wrong with the spans of a record that starts in a line."""
        if self.spans is None or not (odd := odd_place(cells[self.spans], cells[self.text])):
            return None
        return Fault(line, self.columns[self.spans], odd, places_advice(cells[self.text]))


class Tally(NamedTuple):
    """Counts for the closing summary and the notes."""

    rows: int = 0  # of the input
    named: int = 0  # rows that name an actor
    unknown: int = 0  # pairs withheld whatever their probability
    foreign: int = 0  # rows not in a language of the training texts
    plain: int = 0  # plain words of the other rows
    strange: int = 0  # those of them that the model does not know
    cut: int = 0  # rows of which only the beginning was read
    answers: Counter[tuple[str, str]] = Counter()  # noqa: RUF012 - by actor and stance


@dataclass(frozen=True, slots=True)
class Part:
    """The answers to some records."""

    number: int  # of the first record
    tally: Tally
    counts: list[int]  # rows of each record
    tails: bytes = field(repr=False)  # what follows its cells in them


def compute(model: StanceModel, config: RunConfig, records: Records) -> Part:
    """Judge the records of a part, 1 or more."""
    mmap_threshold, trim_threshold = -3, -1  # see mallopt(3); keeping freed memory is 3 % faster
    with suppress(AttributeError, OSError, TypeError):  # of another C library than glibc
        for option, megabytes in ((mmap_threshold, 32), (trim_threshold, 64)):
            ctypes.CDLL(None).mallopt(option, megabytes << 20)
    counts, columns, tally = _answer(model, config, records)
    tails = encode_tails(columns, config.form)
    return Part(records.numbers[0], tally, counts.tolist(), tails)


def _answer(
    model: StanceModel, config: RunConfig, records: Records
) -> tuple[Ints, list[Column], Tally]:
    """Judge some records; return how many rows each has, the output cells, and counts."""
    judged = _judge(model, config, records)
    names: Sequence[str] = model.book.names
    actor, asked = judged.number, np.arange(len(judged.number))
    if config.actor is not None or config.asked:
        places = {name: place for place, name in enumerate(dict.fromkeys(judged.actor))}
        names, actor = [*places], np.array([places[name] for name in judged.actor], np.int64)
        asked = np.flatnonzero(actor != places.get("", -1))  # an empty cell asks for nothing
    parts, withheld = millionths(judged.stance), judged.withheld
    stance = choose(parts, withheld, config.thresholds)
    silent = (stance == NEUTRAL) & (not config.options.speakers) | (stance == NO_ANSWER)
    holder = np.where(silent, 0, judged.holder)
    given = Counter(zip(actor[asked].tolist(), stance[asked].tolist(), strict=True))
    answers = {(names[a], ANSWERS[s]): number for (a, s), number in given.items()}
    tally = _tally(judged, records.columns[config.text], asked, Counter(answers))
    cells = [words(stance, ANSWERS), *map(decimals, parts), words(holder, judged.holders)]
    because: list[Column] = []
    if judged.pushes:
        because = [judged.pushes.strongest(stance, config.options.explain)]
    tones = [np.full(len(records), b"")] * len(TONES)  # the tone, and a number for each
    if judged.sentiment is not None:
        chances = millionths(judged.sentiment)
        tones = [words(choose(chances, judged.tone_withheld), TONES), *map(decimals, chances)]
    never = [config.never.encode()] if config.never else []
    if config.options.wide:
        which = np.full((len(model.book.names), len(records)), -1)  # pair of an actor in a record
        which[judged.number, judged.para] = np.arange(len(judged.number))
        columns = [_pick(column, pairs) for pairs in which for column in (*cells, *because)]
        columns += [*tones, *(np.full(len(records), one) for one in never)]
        return np.ones(len(records), np.int64), columns, tally
    answered = np.bincount(judged.para[asked], minlength=len(records))
    counts = np.maximum(answered, 1)
    owner = np.repeat(np.arange(len(records)), counts)
    pairs = np.full(len(owner), -1)  # where a record has no pair
    pairs[(answered > 0).take(owner)] = asked
    mentions = np.append(judged.mentions, 0).take(pairs, mode="wrap")
    columns = [
        *([_pick(words(actor, names), pairs)] if config.actor is None else []),
        np.arange(mentions.max() + 1).astype(bytes).take(mentions),
        *(_pick(column, pairs) for column in cells),
        *(tone.take(owner) for tone in tones),
        *(_pick(column, pairs) for column in because),
        *(np.full(len(owner), one) for one in never),
    ]
    return counts, columns, tally


def _tally(
    judged: Predictions, texts: Sequence[str], asked: Ints, answers: Counter[tuple[str, str]]
) -> Tally:
    familiar = ~judged.foreign
    plain, known = judged.language.plain[familiar], judged.language.known[familiar]
    return Tally(
        rows=len(texts),
        foreign=int(judged.foreign.sum()),
        plain=int(plain.sum()),
        strange=int((plain - known).sum()),
        named=int(np.count_nonzero(np.bincount(judged.para[judged.mentions > 0]))),
        unknown=int(np.count_nonzero(judged.withheld[asked])),
        cut=count_cut(texts),
        answers=answers,
    )


def _judge(model: StanceModel, config: RunConfig, records: Records) -> Predictions:
    texts = records.columns[config.text]
    asked = {"pushes": config.options.explain > 0, "speakers": config.options.speakers}
    months = actors = spans = before = None
    if len(records.columns) > len(config.columns):
        before = records.columns[-1]
    if config.dates:
        months = months_of(records.columns[config.dates[0]], config.dates[1])
    if config.actor is not None:
        actors = [*map(as_name, records.columns[config.actor])]
    elif config.asked:
        actors = [config.asked] * len(records)
    if config.spans is not None:
        given = zip(records.columns[config.spans], texts, strict=True)
        spans = [parse_spans(cell, text, "") for cell, text in given]  # which have been checked
    with warnings.catch_warnings(action="ignore"):  # the notes on the whole run say it
        return model.judge(texts, actors, spans, months=months, before=before, **asked)


def _pick(column: Column, which: Ints) -> Column:
    """Return the cells of some pairs, and an empty one for the number -1."""
    if isinstance(column, np.ndarray):
        return np.append(column, b"").take(which, mode="wrap")
    return [column[number] if number >= 0 else "" for number in which.tolist()]
