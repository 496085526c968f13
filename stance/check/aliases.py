"""Which aliases of actors the paragraphs of a table use, and how often."""

from collections import Counter, defaultdict
from typing import Any

import numpy as np

from stance.reading.actors import ActorBook
from stance.tables import (
    InputOptions,
    Inputs,
    column,
    find_dates,
    months_of,
    open_inputs,
    read_as,
)


def count_aliases(
    book: ActorBook, inputs: Inputs, reading: InputOptions
) -> tuple[dict[str, Any], list[str]]:
    """Count the aliases that the paragraphs of some inputs use.

    Where they have a column of dates, leaders count only while in office.

    Returns
    -------
    figures : dict
        ``rows``, ``rows_with_actor`` and ``actors``: the rows that name each, and how often by
        which alias; the most frequent first.
    notes : list of str
        On how the inputs were read.
    """
    aliases: Counter[tuple[str, str]] = Counter()
    rows_by_actor: Counter[str] = Counter()
    rows = named = 0
    with open_inputs(inputs, reading) as table:
        text = column(table.columns, reading.text_column, table.name, "--text-column")
        dates = find_dates(table, reading) if book.has_terms else None
        for block in table.blocks():
            months = months_of(block.columns[dates[0]], dates[1]) if dates else None
            for _, batch, mentions in book.scan(block.columns[text], months):
                span = batch.start[mentions.first], batch.end[mentions.last]
                places = mentions.para, mentions.actor, *span
                for para, actor, start, end in zip(*places, strict=True):
                    aliases[book.names[actor], batch.texts[para][start:end]] += 1
                pairs = np.unique(np.stack([mentions.para, mentions.actor]), axis=1)
                rows_by_actor.update(book.names[actor] for actor in pairs[1])
                rows += len(batch)
                named += len(np.unique(mentions.para))
        wanted = [reading.text_column, *([reading.date_column or "date"] if dates else [])]
        notes = [*inputs.notes, *table.notes, *read_as(table.columns, wanted, table.name)]
    by_actor = defaultdict[str, dict[str, int]](dict)
    for (actor, alias), number in aliases.most_common():
        by_actor[actor][alias] = number
    actors = {
        actor: {"rows": number, "aliases": by_actor[actor]}
        for actor, number in rows_by_actor.most_common()
    }
    return {"rows": rows, "rows_with_actor": named, "actors": actors}, notes
