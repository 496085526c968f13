"""Which aliases of actors the paragraphs of a table use, and how often."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from stance.reading.actors import ActorBook
from stance.tables import Inputs, Reading, column, find_dates, open_inputs, read_as


@dataclass(frozen=True, slots=True)
class Census:
    """Counts of mentions in a table."""

    rows: int
    named: int  # rows that name an actor
    aliases: Counter[tuple[str, str]]  # mentions by actor and surface
    rows_by_actor: Counter[str]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON object."""
        found: dict[str, dict[str, int]] = {}
        for (actor, alias), number in self.aliases.most_common():
            found.setdefault(actor, {})[alias] = number
        actors = {
            actor: {"rows": number, "aliases": found[actor]}
            for actor, number in self.rows_by_actor.most_common()
        }
        return {"rows": self.rows, "rows_with_actor": self.named, "actors": actors}


def census(book: ActorBook, inputs: Inputs, reading: Reading) -> Census:
    """Count the aliases that the paragraphs of some inputs use.

    Where they have a column of dates, leaders count only while in office.
    """
    aliases: Counter[tuple[str, str]] = Counter()
    by_actor: Counter[str] = Counter()
    rows = named = 0
    with open_inputs(inputs, reading) as table:
        at = column(table.columns, reading.text_column, table.name, "--text-column")
        dates = find_dates(table, reading) if book.has_terms else None
        blocks = dates.blocks(table.blocks()) if dates else table.blocks()
        for block in blocks:
            months = dates.months(block) if dates else None
            for _, batch, found in book.scan(block.columns[at], months):
                starts, ends = batch.start[found.first], batch.end[found.last]
                for actor, start, end in zip(found.actor, starts, ends, strict=True):
                    aliases[book.names[actor], batch.text[start:end]] += 1
                pairs = np.unique(np.stack([found.para, found.actor]), axis=1)
                by_actor.update(book.names[actor] for actor in pairs[1])
                rows += len(batch)
                named += len(np.unique(found.para))
        wanted = [reading.text_column, *([reading.date_column or "date"] if dates else [])]
        notes = [*inputs.notes, *table.notes, *read_as(table.columns, wanted, table.name)]
        notes += dates.notes() if dates else ()
        return Census(rows, named, aliases, by_actor, tuple(notes))
