"""What one coder sees and says, what several agree on, and their labels as a table."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any
from unicodedata import category

from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.label_values import SOFT
from stance.labelling.store import QUESTIONS, Label, Labels, Store, problem
from stance.labelling.task import Pair, Task, mentions, named_actors
from stance.reading.actors import ActorBook
from stance.records import ADJUDICATED, Sentiment
from stance.tables import write_table

LONGEST_CODER = 60

Json = dict[str, Any]


def check_coder(name: str) -> str:
    """Return a coder's name as it is kept; raise if it is none."""
    name = name.strip()
    if not name or len(name) > LONGEST_CODER or not name.isprintable():
        raise UsageError(
            f"--coder: '{shown(name)}' is not a name of 1 to {LONGEST_CODER} characters"
        )
    return ADJUDICATED if name.lower() == ADJUDICATED else name


@dataclass(frozen=True, slots=True)
class Session:
    """A coder at work on a table; it never meets a model's answer. What lasts is in the store."""

    task: Task
    store: Store
    book: ActorBook
    coder: str
    asked: tuple[str, ...] = ()  # of `stance.labelling.store.QUESTIONS`

    @property
    def adjudicates(self) -> bool:
        """Whether only disputed pairs are shown, with what each coder said."""
        return self.coder == ADJUDICATED

    @property
    def holders(self) -> list[str]:
        """Names that a holder may have."""
        return sorted({*self.book.names, *(pair.actor for pair in self.task.pairs)})

    def next(self) -> Json:
        """Return the next pair to label; after all, those marked as unsure come again in turn."""
        labels = self.store.labels()
        mine, pairs = labels.get(self.coder, {}), self._pairs(labels)
        known = {pair.key: pair for pair in pairs}
        unsure = [known[key] for key in mine if key in known and mine[key].label.unsure]
        waiting = [*(pair for pair in pairs if pair.key not in mine), *unsure, None]
        return self._shown(waiting[0], labels, pairs)

    def back(self, before: str) -> Json:
        """Return the pair that the coder labelled before another, or the last one."""
        labels = self.store.labels()
        mine, pairs = labels.get(self.coder, {}), self._pairs(labels)
        known = {pair.key: pair for pair in pairs}
        past = sorted(set(mine) & set(known), key=lambda key: mine[key].first)
        place = past.index(before) if before in past else len(past)
        # At the very first there is nothing to go back to, so it is shown again.
        return self._shown(known.get(past[max(0, place - 1)] if past else before), labels, pairs)

    def save(self, key: str, fields: Mapping[str, Any]) -> None:
        """Keep a coder's label of a pair; raise `DataError` if the codebook forbids it."""
        label = _label(fields)
        if fault := problem(label, () if label.unsure else self.asked, self.holders):
            raise DataError(f"not saved: {fault}")
        self.store.save(self.coder, self._pair(key), label)

    def _pair(self, key: str) -> Pair:
        for pair in self.task.pairs:
            if pair.key == key:
                return pair
        raise DataError("not saved: this row is not in the table")

    def _pairs(self, labels: Labels) -> list[Pair]:
        pairs = self.task.shuffled(self.coder)
        done = labels.get(ADJUDICATED, {})
        if self.adjudicates:
            pairs = [pair for pair in pairs if pair.key in done or is_disputed(labels, pair)]
        return pairs

    def _shown(self, pair: Pair | None, labels: Labels, pairs: list[Pair]) -> Json:
        mine = labels.get(self.coder, {})
        done = [mine[one.key].label for one in pairs if one.key in mine]
        unsure = sum(label.unsure for label in done)
        progress = {"done": len(done), "total": len(pairs), "unsure": unsure}
        if pair is None:
            return {"pair": None, "progress": progress}
        saved, given = mine.get(pair.key), opinions(labels, pair) if self.adjudicates else {}
        same = (mine[p.key] for p in self.task.pairs if p.text == pair.text and p.key in mine)
        tones = [one.label.sentiment for one in same if "sentiment" in self.asked]
        return {
            "pair": pair.key,
            "progress": progress,
            "actor": pair.actor,
            "parts": _parts(pair.text, mentions(pair, self.book)),
            "named": named_actors(pair, self.book) if "holder" in self.asked else [],
            "label": asdict(saved.label) if saved else None,
            "tone": next(filter(None, tones), ""),  # given with another actor of the paragraph
            "opinions": [{"coder": name, **asdict(label)} for name, label in given.items()],
        }


def _label(fields: Mapping[str, Any]) -> Label:
    """Make a label of what a page sent; raise `DataError` if it is not of the right form."""
    kinds = {field: type(value) for field, value in asdict(Label()).items()}
    if wrong := [name for name in fields if not isinstance(fields[name], kinds.get(name, ()))]:
        raise DataError(f"not saved: {shown(wrong[0])} is not part of a label")
    # What tables refuse: controls, and halves of characters.
    refused = ("Cc", "Cs")
    note = "".join(c for c in fields.get("note", "") if c in "\n\t" or category(c) not in refused)
    return Label(**{**fields, "note": note.strip()})


def _parts(text: str, places: list[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Cut a text at the mentions of its actor."""
    parts, done = list[tuple[str, bool]](), 0
    for start, end in places:
        if start >= done:
            parts += [(text[done:start], False), (text[start:end], True)]
            done = end
    return [part for part in (*parts, (text[done:], False)) if part[0]]


# --- Several coders ---


def coders(labels: Labels) -> list[str]:
    """Return the names of those who labelled, in alphabetical order, without the adjudicator."""
    return sorted(coder for coder in labels if coder != ADJUDICATED)


def answered(labels: Labels) -> tuple[str, ...]:
    """Return the questions beside the stance that a coder has answered, as the adjudicator must."""
    every = [saved.label for coder in coders(labels) for saved in labels[coder].values()]
    return tuple(name for name in QUESTIONS if any(getattr(label, name) for label in every))


def opinions(labels: Labels, pair: Pair) -> dict[str, Label]:
    """Return each coder's label of a pair."""
    by_coder = {coder: labels[coder].get(pair.key) for coder in coders(labels)}
    return {coder: saved.label for coder, saved in by_coder.items() if saved}


def is_disputed(labels: Labels, pair: Pair) -> bool:
    """Return whether coders of a pair differ, or one of them is unsure."""
    given = opinions(labels, pair).values()
    agreed = all(one.agrees(other) for one, other in combinations(given, 2))
    return not agreed or any(label.unsure for label in given)


def final_label(labels: Labels, pair: Pair) -> Label | None:
    """Return the adjudicator's label of a pair, or else the one that its coders agree on."""
    settled = labels.get(ADJUDICATED, {}).get(pair.key)
    if settled is not None and not settled.label.unsure:
        return settled.label
    by_coder = opinions(labels, pair)
    if not by_coder or is_disputed(labels, pair):
        return None
    agreed = list(by_coder.values())
    notes = [f"{coder}: {label.note}" for coder, label in by_coder.items() if label.note]
    return Label(
        agreed[0].stance,
        next(filter(None, (label.holder for label in agreed)), ""),
        next(filter(None, (label.sentiment for label in agreed)), ""),
        agreed[0].false_match,
        "; ".join(notes),
    )


# --- Labels out ---

ADDED = ("stance", "holder", "sentiment", "false_match", "note", "coder")
"""Columns that labels fill."""

_ANSWERS = ("mentions", *SOFT, *(f"sentiment_{tone}" for tone in Sentiment), "because")
"""Columns that `predict` writes, which would pass for the coder's."""


def export_labels(
    task: Task, labels: Labels, path: Path, *, coder: str | None = None, force: bool = False
) -> list[str]:
    """Write the labels of all coders, one row each, or those of one; return what to say of it.

    The coder `ADJUDICATED` stands for one label per pair: the adjudicator's, or else the one that
    the coders agree on.
    """
    names = [coder] if coder else coders(labels)
    if unknown := [name for name in names if name not in labels and name != ADJUDICATED]:
        known = ", ".join(shown(name, 30) for name in labels) or "nobody yet"
        raise UsageError(f"--coder: '{shown(unknown[0])}' has not labelled; known: {known}")
    asked = [(pair, name, _label_by(labels, pair, name)) for pair in task.pairs for name in names]
    given = [(pair, name, label) for pair, name, label in asked if label]
    rows = [row for row in given if not row[2].unsure]
    if not rows:
        raise DataError(f"{task.path}: no label to export; label first, with --coder NAME alone")
    columns = [name for name in task.columns if name not in _ANSWERS]
    columns += [name for name in ADDED if name not in columns]
    with write_table(path, columns, force=force, inputs=[task.path]) as table:
        for pair, name, label in rows:
            false = "1" if label.false_match else "0"
            filled = (label.stance, label.holder, label.sentiment, false, label.note, name)
            cells = dict(zip((*task.columns, *ADDED), (*pair.cells, *filled), strict=True))
            table.write([cells[column] for column in columns])
    who = ", ".join(shown(name, 30) for name in names)
    notices = [f"{path}: {count(len(rows), 'label')} of {who} written"]
    if dropped := [name for name in task.columns if name in _ANSWERS]:
        notices.append(f"columns of a model's answers left out: {', '.join(dropped)}")
    unlabelled, unsure = (
        len(task.pairs) - len({row[0].key for row in given}),
        len(given) - len(rows),
    )
    if unlabelled or unsure:
        without = "a settled label (--coder adjudicated)" if ADJUDICATED in names else "a label"
        what = f"left out: {count(unlabelled, 'row')} without {without}, {unsure:,} unsure"
        notices.append(f"{what}; shares can be corrected only if every row has a label")
    return notices


def _label_by(labels: Labels, pair: Pair, coder: str) -> Label | None:
    saved = labels.get(coder, {}).get(pair.key)
    return final_label(labels, pair) if coder == ADJUDICATED else saved.label if saved else None
