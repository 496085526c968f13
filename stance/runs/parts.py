"""Numbered parts of a table: cut, computed, and packed into bytes."""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from stance.errors import DataError
from stance.model.judging import StanceModel
from stance.runs.answers import OutputColumns, Tally, answer_rows
from stance.runs.notes import LOOKED, lacking_names
from stance.runs.rows import with_starts
from stance.tables import Format, Records

CHARACTERS = 8_000_000  # that fill a part, so that records as long as books come in small parts


class Batch(NamedTuple):
    """The records of a part, 1 or more."""

    number: int  # from 1
    records: Records


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What all parts of a run have in common, beside the model."""

    columns: OutputColumns
    form: Format  # of the output
    table: str  # name of the input, for messages


@dataclass(frozen=True, slots=True)
class Part:
    """The answers to a batch."""

    number: int
    tally: Tally
    rows: int  # of the output
    lines: bytes = field(repr=False)  # the rows without the input cells that they begin with
    times: list[int] | None = None  # rows of each record; None if the lines are whole rows

    def blocks(self, batch: Batch, config: RunConfig) -> Iterator[bytes]:
        """Yield the rows of the output, with the input cells of their batch."""
        if self.times is None:
            return iter([self.lines])
        cells = config.columns.input_cells(batch.records)
        return with_starts(self.lines, self.times, cells, config.form.delimiter)


def cut(blocks: Iterable[Records], size: int) -> Iterator[Batch | DataError]:
    """Cut blocks of records into numbered parts; an error that ends them comes last."""
    part: list[Records] = []
    number, room, characters = 1, size, 0
    ended: list[DataError] = []
    try:
        for block in blocks:
            while block:
                more, block = block[:room], block[room:]
                part.append(more)
                room -= len(more)
                characters += more.characters
                if not room or characters >= CHARACTERS:
                    yield Batch(number, Records.joined(part))
                    part, number, room, characters = [], number + 1, size, 0
    except DataError as error:
        ended.append(error)
    if part:
        yield Batch(number, Records.joined(part))
    yield from ended


def compute(model: StanceModel, config: RunConfig, batch: Batch) -> Part:
    """Judge the records of a part."""
    rows, tally = answer_rows(model, config.columns, batch.records, config.table)
    if batch.number == 1 and config.columns.actor is None:
        texts = batch.records.columns[config.columns.text][:LOOKED]
        tally.lacking = lacking_names(model.book, texts)
    return Part(batch.number, tally, len(rows), *rows.encode(config.form))


def pack(part: Part) -> bytes:
    """Return a part as a checksum, a line of JSON and its rows."""
    answers = [[*key, times] for key, times in part.tally.answers.items()]
    tally = asdict(part.tally) | {"answers": answers}
    facts = [part.number, tally, part.rows, part.times]
    data = b"%s\n%s" % (json.dumps(facts).encode(), part.lines)
    return b"%d\n%s" % (zlib.crc32(data), data)  # which shows what a power cut has damaged


def unpack(data: bytes) -> Part:
    """Return the part that was packed; raise `ValueError` if it is damaged."""
    checksum, _, data = data.partition(b"\n")
    if zlib.crc32(data) != int(checksum):
        raise ValueError("a damaged part")
    facts, _, lines = data.partition(b"\n")
    number, tally, rows, times = json.loads(facts)
    tally["answers"] = Counter({tuple(key): number for *key, number in tally["answers"]})
    return Part(number, Tally(**tally), rows, lines, times)
