"""Labels out: a corpus table, Label Studio's JSON or doccano's JSON Lines.

Both tools get one item per pair, with the table's own cells. In Label Studio's format (`data`),
each coder's label is an annotation, whose results bear the names of our columns: `stance`,
`sentiment` and `false_match` are choices; `holder`, `note` and `coder` are text areas. In doccano's
there is a line per label: `label` holds the stance, and `false_match` where it is one; our other
columns are metadata.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.files import write_whole
from stance.label_values import SOFT
from stance.labelling.coders import coders, final_label
from stance.labelling.labels import Label
from stance.labelling.store import Labels
from stance.labelling.task import Pair, Task
from stance.records import ADJUDICATED, Sentiment
from stance.tables import write_table

ADDED = ("stance", "holder", "sentiment", "false_match", "note", "coder")
"""Columns that labels fill."""

FORMATS = ("table", "labelstudio", "doccano")

_ANSWERS = ("mentions", *SOFT, *(f"sentiment_{tone}" for tone in Sentiment), "because")
"""Columns that `predict` writes, which would pass for the coder's."""

Row = tuple[Pair, str, Label]


@dataclass(frozen=True, slots=True)
class Export:
    """What was written."""

    path: Path
    form: str
    rows: int
    coders: tuple[str, ...]
    open: int  # pairs of the table without a label of those coders
    unsure: int  # labels left out
    dropped: tuple[str, ...]  # columns
    remark: str = ""  # on the table

    def lines(self) -> list[str]:
        """Return the outcome as lines for a person."""
        who = ", ".join(shown(name, 30) for name in self.coders)
        lines = [
            f"{self.path}: {count(self.rows, 'label')} of {who} written as {self.form}{self.remark}"
        ]
        if self.dropped:
            lines.append(f"columns left out, for they are a model's: {', '.join(self.dropped)}")
        if self.open or self.unsure:
            without = "settled label (--adjudicate)" if ADJUDICATED in self.coders else "label"
            what = f"left out: {count(self.open, 'row')} without {without}, {self.unsure:,} unsure"
            lines.append(f"{what}; shares can be corrected only if every row has a label")
        return lines


def choose_format(path: Path, form: str | None) -> str:
    """Return the format asked for, or the one that a file's name means.

    >>> choose_format(Path("labels.json"), None), choose_format(Path("labels.csv"), None)
    ('labelstudio', 'table')
    """
    if form is None:
        return "labelstudio" if path.suffix.lower() == ".json" else "table"
    if form not in FORMATS:
        raise UsageError(f"--format: '{shown(form)}' is not one of {', '.join(FORMATS)}")
    return form


def export_labels(
    task: Task,
    labels: Labels,
    path: Path,
    *,
    coder: str | None = None,
    form: str | None = None,
    force: bool = False,
) -> Export:
    """Write the labels of all coders, one row each, or those of one coder.

    The coder `ADJUDICATED` stands for one label per pair: the adjudicator's, or else the one that
    the coders agree on.
    """
    form = choose_format(path, form)
    names = [coder] if coder else coders(labels)
    if unknown := [name for name in names if name not in labels and name != ADJUDICATED]:
        known = ", ".join(shown(name, 30) for name in labels) or "nobody yet"
        raise UsageError(f"--coder: '{shown(unknown[0])}' has not labelled; known: {known}")
    found = list(_rows(task, labels, names))
    rows = [row for row in found if not row[2].unsure]
    if not rows:
        raise DataError(f"{task.path}: no label to export; label first, with --coder NAME")
    dropped = tuple(name for name in task.columns if name in _ANSWERS)
    kept = [at for at, name in enumerate(task.columns) if name not in (*_ANSWERS, *ADDED)]
    remark = ""
    if form == "table":
        remark = _write_table(task, rows, path, force)
    else:
        write = _label_studio if form == "labelstudio" else _doccano
        own = {
            pair.key: {task.columns[at]: pair.cells[at] for at in kept} | {"text": pair.text}
            for pair, _, _ in rows
        }
        write_whole(path, write(rows, own), force=force)
    seen = {pair.key for pair, _, _ in found}
    unlabelled, unsure = len(task.pairs) - len(seen), len(found) - len(rows)
    return Export(path, form, len(rows), tuple(names), unlabelled, unsure, dropped, remark)


def _rows(task: Task, labels: Labels, names: list[str]) -> Iterator[Row]:
    """Yield the labels in the order of the table."""
    for pair in task.pairs:
        for name in names:
            if name == ADJUDICATED:
                label = final_label(labels, pair)
            else:
                saved = labels[name].get(pair.key)
                label = saved.label if saved else None
            if label is not None:
                yield pair, name, label


def _filled(name: str, label: Label) -> dict[str, str]:
    """Return the cells of the columns `ADDED`."""
    false = "1" if label.false_match else "0"
    cells = (label.stance, label.holder, label.sentiment, false, label.note, name)
    return dict(zip(ADDED, cells, strict=True))


def _write_table(task: Task, rows: list[Row], path: Path, force: bool) -> str:
    columns = [name for name in task.columns if name not in _ANSWERS]
    columns += [name for name in ADDED if name not in columns]
    with write_table(path, columns, force=force, inputs=[task.path]) as table:
        for pair, name, label in rows:
            cells = dict(zip(task.columns, pair.cells, strict=True)) | _filled(name, label)
            table.write([cells[column] for column in columns])
    return table.remark()


def _label_studio(rows: list[Row], own: Mapping[str, dict[str, str]]) -> bytes:
    tasks: dict[str, dict[str, Any]] = {}
    for pair, name, label in rows:
        task = tasks.setdefault(pair.key, {"data": own[pair.key], "annotations": []})
        cells = _filled(name, label) | {"false_match": "1" if label.false_match else ""}
        results = [_result(column, cell) for column, cell in cells.items() if cell]
        task["annotations"].append({"result": results})
    return json.dumps(list(tasks.values()), indent=1).encode() + b"\n"


def _result(column: str, cell: str) -> dict[str, Any]:
    kind = "choices" if column in ("stance", "sentiment", "false_match") else "textarea"
    key = "choices" if kind == "choices" else "text"
    return {"from_name": column, "to_name": "text", "type": kind, "value": {key: [cell]}}


def _doccano(rows: list[Row], own: Mapping[str, dict[str, str]]) -> bytes:
    lines = []
    for pair, name, label in rows:
        said = [label.stance, *(["false_match"] if label.false_match else [])]
        cells = {
            column: cell for column, cell in _filled(name, label).items() if column != "stance"
        }
        if "label" in own[pair.key]:
            raise DataError("column 'label' is doccano's own; rename it in the table")
        lines.append(json.dumps(own[pair.key] | {"label": said} | cells).encode() + b"\n")
    return b"".join(lines)
