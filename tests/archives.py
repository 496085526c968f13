"""Simulated archives: answers of a biased classifier, with the truth, as arrays and as tables."""

import numpy as np
from command import program, read_rows, write_rows

from stance.records import Stance

simulation = program("simulate")
LABELS = tuple(map(str, Stance))
OUTLETS = ("Guardian", "Mirror", "Telegraph")
COLUMNS = (
    *("document", "outlet", "date", "text", "row", "actor", "mentions", "stance"),
    *(f"stance_{label}" for label in LABELS),
)
LABELLED = ("stance", "holder", "sentiment", "false_match", "note", "coder")


def answer_rows(actors, seed=1, documents=60):
    """Return rows as predict writes them, and the truth by row; truths of each actor are given."""
    rng = np.random.default_rng(seed)
    rows, truth = [], {}
    for actor, shares in actors.items():
        found, stance = simulation.archive(rng, shares)
        for pair in np.flatnonzero(found.document < documents).tolist():
            number, document = len(rows) + 1, int(found.document[pair])
            parts = (found.chances[pair].astype(float) * 1e6).round()
            parts[1] += 1e6 - parts.sum()
            outlet, day = OUTLETS[document % 3], f"2024-{1 + document % 12:02}-10"
            head = (f"{actor} {document}", outlet, day, f"Paragraph {number} on {actor}.")
            label = LABELS[int(parts.argmax())]
            chances = [f"{part / 1e6:.6f}" for part in parts]
            cells = (*head, str(number), actor, "1", label, *chances)
            rows.append(dict(zip(COLUMNS, cells, strict=True)))
            truth[str(number)] = LABELS[int(stance[pair])]
    return rows, truth


def answer(row, actor, stance, chance=0.8, **cells):
    """Return a row as predict writes it, after some cells of its input."""
    rest = round((1 - chance) / 2, 6)
    chances = {f"stance_{label}": chance if label == stance else rest for label in LABELS}
    return {**cells, "row": row, "actor": actor, "mentions": 1, "stance": stance, **chances}


def read_drawn(path):
    """Read the rows of a sample, each with its chance and stratum from the file beside it."""
    design = read_rows(path.with_suffix(".design.csv"))
    return [{**row, **drawn} for row, drawn in zip(read_rows(path), design, strict=True)]


def label(path, truth, output=None, **cells):
    """Fill in the truth of a sample's rows."""
    rows = [{**row, "stance": truth[row["row"]], **cells} for row in read_rows(path)]
    return write_rows(output or path.with_name("labelled.csv"), rows)
