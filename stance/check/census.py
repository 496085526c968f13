"""Which aliases of an actor book are found in a table, and how often."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stance.reading.actors import ActorBook
from stance.tables import column, open_input


@dataclass(frozen=True, slots=True)
class Census:
    """Counts of mentions.

    Attributes
    ----------
    rows, named : int
        Records, and those that name an actor.
    aliases : mapping of (str, str) to int
        Mentions by (actor, surface).
    rows_by_actor : mapping of str to int
        Records that name the actor.
    notes : tuple of str
    """

    rows: int
    named: int
    aliases: Counter[tuple[str, str]]
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


def census(
    book: ActorBook,
    source: Path | None,
    text_column: str,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> Census:
    """Count the aliases that are found in a table's paragraphs."""
    aliases: Counter[tuple[str, str]] = Counter()
    by_actor: Counter[str] = Counter()
    rows = named = 0
    with open_input(source, delimiter=delimiter, encoding=encoding) as table:
        at = column(table.columns, text_column, table.name, "--text-column")
        for _, batch, found in book.scan(record.cells[at] for record in table):
            starts, ends = batch.start[found.first], batch.end[found.last]
            for actor, start, end in zip(found.actor, starts, ends, strict=True):
                aliases[book.names[actor], batch.text[start:end]] += 1
            pairs = np.unique(np.stack([found.para, found.actor]), axis=1)
            by_actor.update(book.names[actor] for actor in pairs[1])
            rows += len(batch)
            named += len(np.unique(found.para))
        return Census(rows, named, aliases, by_actor, table.notes)
