"""What coders see and say of a table, what several agree on, and their labels as a table."""

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any
from unicodedata import category

from stance.corpus.rows import CODED, SOFT
from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.files import check_output
from stance.labelling.store import Label, Labels, Pair, Store, Task, mentions, problem
from stance.reading.actors import ActorBook
from stance.records import ADJUDICATED, Sentiment, as_coder
from stance.tables import write_table

QUESTIONS = ("holder", "sentiment")  # that can be asked beside the stance

Json = dict[str, Any]


def check_coder(name: str) -> str:
    """Return a coder's name as it is kept; raise if it is none."""
    if not (name := as_coder(name)) or not name.isprintable():
        raise UsageError(f"--coder: '{shown(name)}' is not a name")
    return name


# --- Several coders ---


def answered(labels: Labels) -> tuple[str, ...]:
    """Return the questions beside the stance that anybody has answered, as the adjudicator must."""
    every = [label for mine in labels.values() for label in mine.values()]
    return tuple(name for name in QUESTIONS if any(getattr(label, name) for label in every))


def _opinions(labels: Labels, pair: str) -> dict[str, Label]:
    """Return each coder's label of a pair, in alphabetical order, but the adjudicator's."""
    coders = sorted(labels.keys() - {ADJUDICATED})
    return {coder: labels[coder][pair] for coder in coders if pair in labels[coder]}


def is_disputed(labels: Labels, pair: str) -> bool:
    """Return whether coders of a pair differ in what both were asked, or one of them is unsure."""
    given = _opinions(labels, pair).values()
    answers: list[set[Any]] = [{(label.stance, label.false_match) for label in given}]
    answers += ({getattr(label, name) for label in given} - {""} for name in QUESTIONS)
    return any(label.unsure for label in given) or max(map(len, answers)) > 1


def final_label(labels: Labels, pair: str) -> Label | None:
    """Return the adjudicator's label of a pair, or else the one that its coders agree on."""
    if (settled := labels.get(ADJUDICATED, {}).get(pair)) and not settled.unsure:
        return settled
    if not (agreed := [*_opinions(labels, pair).values()]) or is_disputed(labels, pair):
        return None
    # All who were asked agree; the answers of the others are empty.
    given = {name: max(getattr(label, name) for label in agreed) for name in QUESTIONS}
    note = "; ".join(label.note for label in agreed if label.note)
    return replace(agreed[0], **given, note=note)


# --- One coder ---


@dataclass(frozen=True, slots=True)
class Session:
    """A coder at work on a table; it never meets a model's answer. What lasts is in the store."""

    task: Task
    store: Store
    book: ActorBook
    coder: str
    asked: tuple[str, ...] = ()  # of `QUESTIONS`
    command: str = ""  # that exports the labels

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
        labels, mine, pairs = self._state()
        known = {pair.key: pair for pair in pairs}
        unsure = [known[key] for key, label in mine.items() if key in known and label.unsure]
        waiting = [*(pair for pair in pairs if pair.key not in mine), *unsure, None]
        return self._shown(waiting[0], labels, pairs)

    def back(self, before: str) -> Json:
        """Return the labelled pair before another, or the last one; before the first, the first."""
        labels, mine, pairs = self._state()
        keys = [pair.key for pair in pairs]
        end = keys.index(before) if before in keys else len(keys)
        past = [pair for pair in pairs[:end] if pair.key in mine] or pairs[end : end + 1]
        return self._shown(past[-1] if past else None, labels, pairs)

    def save(self, key: str, fields: Mapping[str, Any]) -> Json:
        """Keep a label of a pair and return the next pair; raise if the codebook forbids it."""
        # What tables refuse: controls, and halves of characters.
        kept = [c for c in fields.get("note", "") if c in "\n\t" or category(c) not in ("Cc", "Cs")]
        label = Label(**{**fields, "note": "".join(kept).strip()})
        if [*map(type, astuple(label))] != [*map(type, astuple(Label()))]:
            raise TypeError("not a label")
        if fault := problem(label, self.holders):
            raise DataError(f"not saved: {fault}")
        pairs = {pair.key: pair for pair in self.task.pairs}
        self.store.save(self.coder, pairs[key], label)
        return self.next()

    def _state(self) -> tuple[Labels, dict[str, Label], list[Pair]]:
        """Return all labels, the coder's own, and the pairs to label in the coder's order."""
        labels, pairs = self.store.labels(), self.task.shuffled(self.coder)
        mine = labels.get(self.coder, {})
        if self.adjudicates:
            pairs = [pair for pair in pairs if pair.key in mine or is_disputed(labels, pair.key)]
        return labels, mine, pairs

    def _shown(self, pair: Pair | None, labels: Labels, pairs: list[Pair]) -> Json:
        mine = labels.get(self.coder, {})
        done = [mine[one.key] for one in pairs if one.key in mine]
        unsure = sum(label.unsure for label in done)
        progress = {"done": len(done), "total": len(pairs), "unsure": unsure}
        if pair is None:
            return {"pair": None, "progress": progress}
        given = _opinions(labels, pair.key) if self.adjudicates else {}
        same = [mine[p.key] for p in self.task.pairs if p.text == pair.text and p.key in mine]
        tones = [label.sentiment for label in same if "sentiment" in self.asked]
        named = self.book.find(pair.text) if "holder" in self.asked else ()
        return {
            "pair": pair.key,
            "progress": progress,
            "actor": pair.actor,
            "parts": _parts(pair.text, mentions(pair, self.book)),
            "named": list(dict.fromkeys(mention.actor for mention in named)),
            "label": asdict(mine[pair.key]) if pair.key in mine else None,
            "tone": next(filter(None, tones), ""),  # given with another actor of the paragraph
            "opinions": [{"coder": name, **asdict(label)} for name, label in given.items()],
        }


def _parts(text: str, places: list[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Cut a text at the mentions of its actor."""
    parts, done = list[tuple[str, bool]](), 0
    for start, end in places:
        if start >= done:
            parts += [(text[done:start], False), (text[start:end], True)]
            done = end
    return [part for part in (*parts, (text[done:], False)) if part[0]]


# --- Labels out ---

_ANSWERS = ("mentions", *SOFT, *(f"sentiment_{tone}" for tone in Sentiment), "because")
"""Columns that `predict` writes, which would pass for the coder's."""


def export_labels(
    task: Task, labels: Labels, path: Path, *, coder: str | None = None, force: bool = False
) -> list[str]:
    """Write the labels of all coders, one row each, or those of one; return what to say of it.

    `ADJUDICATED` stands for one label per pair: the adjudicator's, or else that of all coders.
    """
    if coder and coder not in (*labels, ADJUDICATED):
        known = ", ".join(shown(name, 30) for name in labels) or "nobody yet"
        raise UsageError(f"--coder: '{shown(coder)}' has not labelled; known: {known}")
    if coder == ADJUDICATED:
        settled = {pair.key: final_label(labels, pair.key) for pair in task.pairs}
        labels = {coder: {key: label for key, label in settled.items() if label}}
    names = [coder] if coder else sorted(labels.keys() - {ADJUDICATED})
    coded = ((pair, name) for pair in task.pairs for name in names if pair.key in labels[name])
    given = [(pair, name, labels[name][pair.key]) for pair, name in coded]
    if not (rows := [row for row in given if not row[2].unsure]):
        raise DataError(f"{task.path}: no label to export; label first, with --coder NAME alone")
    columns = list(dict.fromkeys(name for name in (*task.columns, *CODED) if name not in _ANSWERS))
    check_output(path, force=force, inputs=[task.path])
    with write_table(path, columns, force=force) as table:
        for pair, name, label in rows:
            false = "1" if label.false_match else "0"
            filled = (label.stance, label.holder, label.sentiment, false, label.note, name)
            cells = dict(zip((*task.columns, *CODED), (*pair.cells, *filled), strict=True))
            table.write([cells[column] for column in columns])
    who = ", ".join(shown(name, 30) for name in names)
    notices = [f"{path}: {count(len(rows), 'label')} of {who} written"]
    if dropped := [name for name in task.columns if name in _ANSWERS]:
        notices.append(f"columns of a model's answers left out: {', '.join(dropped)}")
    unlabelled, unsure = len(task.pairs) - len({r[0].key for r in given}), len(given) - len(rows)
    if unlabelled or unsure:
        without = "a settled label (--coder adjudicated)" if coder == ADJUDICATED else "a label"
        what = f"left out: {count(unlabelled, 'row')} without {without}, {unsure:,} unsure"
        lacking = len({row[0].key for row in rows}) < len(task.pairs)
        notices.append(what + "; shares can be corrected only if every row has a label" * lacking)
    return notices
