"""People label a table on a local page: what a label is, and what several coders agree on."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations

from stance.display import shown
from stance.errors import UsageError
from stance.label_values import HOLDERS, LONGEST_HOLDER
from stance.records import ADJUDICATED, Sentiment, Stance

QUESTIONS = ("holder", "sentiment")
"""What can be asked beside the stance."""

LONGEST_CODER, LONGEST_NOTE = 60, 2000


@dataclass(frozen=True, slots=True)
class Label:
    """One coder's decision on one pair; what was not asked is empty."""

    stance: str = ""  # empty only if unsure
    holder: str = ""  # author, other or an actor's name
    sentiment: str = ""
    false_match: bool = False  # what looks like the actor's name means something else
    note: str = ""
    unsure: bool = False  # the coder wants to see it again, or leaves it to the adjudicator

    def agrees(self, other: "Label") -> bool:
        """Return whether two decisions are equal in all that both were asked."""
        pairs = ((self.holder, other.holder), (self.sentiment, other.sentiment))
        differing = any(one and two and one != two for one, two in pairs)
        same = (self.stance, self.false_match) == (other.stance, other.false_match)
        return same and not differing and not (self.unsure or other.unsure)


Labels = dict[str, dict[str, Label]]
"""The labels that count, by coder and key of the pair, those given last at the end."""


def problem(label: Label, asked: Collection[str] = (), actors: Collection[str] = ()) -> str:
    """Return what the codebook forbids about a label, or nothing.

    ``asked`` are questions that need an answer. A holder must be among ``actors`` if there are any.
    """
    holder, taken = label.holder, label.stance in (Stance.AGAINST, Stance.FAVOR)
    named = not actors or holder in (*HOLDERS, *actors)
    if len(label.note) > LONGEST_NOTE:
        return f"the note has more than {LONGEST_NOTE:,} characters; shorten it"
    if label.unsure:
        answers = label != Label(note=label.note, unsure=True)
        return "an unsure label has no answer beside its note" if answers else ""
    if label.stance not in tuple(Stance):
        return f"stance '{shown(label.stance)}' is not one of {', '.join(Stance)}"
    if label.false_match and label.stance != Stance.NEUTRAL:
        return "a false match is neutral"
    if holder and not taken:
        return "only a stance against or in favor has a holder"
    if holder and (len(holder) > LONGEST_HOLDER or not holder.isprintable() or not named):
        return f"holder '{shown(holder)}' is not author, other or a known actor's name"
    if "holder" in asked and taken and not holder:
        return "say whose stance it is"
    if label.sentiment and label.sentiment not in tuple(Sentiment):
        return f"sentiment '{shown(label.sentiment)}' is not one of {', '.join(Sentiment)}"
    if "sentiment" in asked and not label.sentiment:
        return "say which tone the paragraph has"
    return ""


def parse_questions(option: str | None) -> tuple[str, ...]:
    """Read ``holder,sentiment`` as the questions that are asked beside the stance.

    >>> parse_questions("sentiment, holder")
    ('holder', 'sentiment')
    """
    words = {word.strip() for word in (option or "").split(",")} - {""}
    if odd := sorted(words - set(QUESTIONS)):
        raise UsageError(f"--ask: '{shown(odd[0])}' is not one of {', '.join(QUESTIONS)}")
    return tuple(word for word in QUESTIONS if word in words)


def check_coder(name: str) -> str:
    """Return a coder's name as it is kept; raise if it is none."""
    name = name.strip()
    if not name or len(name) > LONGEST_CODER or not name.isprintable():
        raise UsageError(
            f"--coder: '{shown(name)}' is not a name of 1 to {LONGEST_CODER} characters"
        )
    return ADJUDICATED if name.lower() == ADJUDICATED else name


# --- Several coders ---


def coders(labels: Labels) -> list[str]:
    """Return the names of those who labelled, in alphabetical order, without the adjudicator."""
    return sorted(coder for coder in labels if coder != ADJUDICATED)


def answered(labels: Labels) -> tuple[str, ...]:
    """Return the questions beside the stance that a coder has answered, as the adjudicator must."""
    every = [label for coder in coders(labels) for label in labels[coder].values()]
    return tuple(name for name in QUESTIONS if any(getattr(label, name) for label in every))


def opinions(labels: Labels, pair: str) -> dict[str, Label]:
    """Return each coder's label of a pair, named by its key."""
    return {coder: labels[coder][pair] for coder in coders(labels) if pair in labels[coder]}


def is_disputed(labels: Labels, pair: str) -> bool:
    """Return whether coders of a pair differ, or one of them is unsure."""
    given = opinions(labels, pair).values()
    agreed = all(one.agrees(other) for one, other in combinations(given, 2))
    return not agreed or any(label.unsure for label in given)


def final_label(labels: Labels, pair: str) -> Label | None:
    """Return the adjudicator's label of a pair, or else the one that its coders agree on."""
    settled = labels.get(ADJUDICATED, {}).get(pair)
    if settled is not None and not settled.unsure:
        return settled
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
