"""Several coders' labels of the same pairs: agreement, disputes and the final label."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from stance.arrays import Ints
from stance.errors import DataError
from stance.evaluation.agreement import (
    MISSING,
    Agreement,
    AgreementReport,
    coded_twice,
    measure_agreement,
    report_agreement,
)
from stance.evaluation.answers import Figures
from stance.label_values import holder_kind
from stance.labelling.labels import QUESTIONS, Label
from stance.labelling.store import Labels
from stance.labelling.task import Pair, Task
from stance.records import ADJUDICATED, Holder, Sentiment, Stance


def coders(labels: Labels) -> list[str]:
    """Return the names of those who labelled, in alphabetical order, without the adjudicator."""
    return sorted(coder for coder in labels if coder != ADJUDICATED)


def answered(labels: Labels) -> tuple[str, ...]:
    """Return the questions beside the stance that a coder has answered, as the adjudicator must."""
    said = [saved.label for coder in coders(labels) for saved in labels[coder].values()]
    return tuple(name for name in QUESTIONS if any(getattr(label, name) for label in said))


def opinions(labels: Labels, pair: Pair) -> dict[str, Label]:
    """Return each coder's label of a pair."""
    return {
        coder: labels[coder][pair.key].label
        for coder in coders(labels)
        if pair.key in labels[coder]
    }


def is_disputed(labels: Labels, pair: Pair) -> bool:
    """Return whether coders of a pair differ, or one of them is unsure."""
    said = opinions(labels, pair).values()
    agreed = all(one.agrees(other) for one, other in combinations(said, 2))
    return not agreed or any(label.unsure for label in said)


def final_label(labels: Labels, pair: Pair) -> Label | None:
    """Return the adjudicator's label of a pair, or else the one that its coders agree on."""
    settled = labels.get(ADJUDICATED, {}).get(pair.key)
    if settled is not None and not settled.label.unsure:
        return settled.label
    said = opinions(labels, pair)
    if not said or is_disputed(labels, pair):
        return None
    found = list(said.values())
    notes = [f"{coder}: {label.note}" for coder, label in said.items() if label.note]
    return Label(
        found[0].stance,
        next(filter(None, (label.holder for label in found)), ""),
        next(filter(None, (label.sentiment for label in found)), ""),
        found[0].false_match,
        "; ".join(notes),
    )


@dataclass(frozen=True, slots=True)
class CodersReport:
    """Agreement of coders: on the stance by label and actor, and on what else they were asked."""

    coders: tuple[str, ...]
    stance: AgreementReport
    others: Mapping[str, Agreement]  # by question; only those that two coders answered

    def to_json(self) -> Figures:
        """Return the figures as a JSON object, those on the stance at its top."""
        others = {name: each.to_json() for name, each in self.others.items()}
        return {"coders": list(self.coders), **self.stance.to_json(), "questions": others}


def measure_coders(task: Task, labels: Labels) -> CodersReport:
    """Measure the agreement of all coders; raise `DataError` if no pair has two labels."""
    names = coders(labels)
    said = [opinions(labels, pair) for pair in task.pairs]

    def codes(code: Callable[[Label], int]) -> Ints:
        rows = [
            [
                code(each[name]) if name in each and not each[name].unsure else MISSING
                for each in said
            ]
            for name in names
        ]
        return np.array(rows, np.int64).reshape(len(names), len(said))

    stance = codes(lambda label: _place(label.stance, tuple(Stance)))
    if not coded_twice(stance).any():
        who = f"only {names[0]} has labelled" if len(names) == 1 else "no row has two labels"
        raise DataError(f"{task.path}: {who}; agreement takes two coders of the same rows")
    units = [pair.place if pair.place[1] else pair.text for pair in task.pairs]
    number = {unit: at for at, unit in enumerate(dict.fromkeys(units))}
    document = np.array([number[unit] for unit in units], np.int64)
    actors = [pair.actor for pair in task.pairs]
    questions = {
        "false match": (codes(lambda label: int(label.false_match)), 2),
        "holder": (codes(lambda label: holder_kind(label.holder)), len(Holder)),
        "sentiment": (codes(lambda label: _place(label.sentiment, tuple(Sentiment))), 3),
    }
    others = {
        name: measure_agreement(coded, count, document)
        for name, (coded, count) in questions.items()
        if coded_twice(coded).any()
    }
    report = report_agreement(stance, tuple(Stance), document, actors)
    return CodersReport(tuple(names), report, others)


def _place(word: str, words: Sequence[str]) -> int:
    return words.index(word) if word in words else MISSING
