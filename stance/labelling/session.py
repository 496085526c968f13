"""What one coder sees and says, pair after pair; it never meets a model's answer."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any
from unicodedata import category

from stance.display import shown
from stance.errors import DataError, UsageError
from stance.labelling.coders import is_disputed, opinions
from stance.labelling.labels import Label, problem
from stance.labelling.store import Labels, Saved, Store
from stance.labelling.task import Pair, Task, mentions, named_actors
from stance.reading.actors import ActorBook
from stance.records import ADJUDICATED

LONGEST_CODER = 60
RECENT = 50  # labels whose median time is a coder's speed
LONGEST_LOOK = 86_400.0  # seconds

Json = dict[str, Any]


def check_coder(name: str) -> str:
    """Return a coder's name as it is kept; raise if it is none."""
    name = name.strip()
    if not name or len(name) > LONGEST_CODER or not name.isprintable():
        raise UsageError(f"--coder: '{shown(name)}' is not a name of 1 to {LONGEST_CODER} letters")
    if name.lower() == ADJUDICATED:
        raise UsageError(f"--coder: '{name}' is kept for --adjudicate; choose another name")
    return name


@dataclass(frozen=True, slots=True)
class Session:
    """A coder at work on a table; everything that lasts is in the store."""

    task: Task
    store: Store
    book: ActorBook
    coder: str
    asked: tuple[str, ...] = ()  # of `stance.labelling.labels.QUESTIONS`
    seed: int = 0

    @property
    def adjudicates(self) -> bool:
        """Whether only disputed pairs are shown, with what each coder said."""
        return self.coder == ADJUDICATED

    @property
    def holders(self) -> list[str]:
        """Names that a holder may have."""
        return sorted({*self.book.names, *self.task.actors})

    def next(self, after: str = "", *, unsure: bool = False) -> Json:
        """Return the next pair to label, or among those marked as unsure the one after a pair."""
        labels = self.store.labels()
        mine, pairs = labels.get(self.coder, {}), self._pairs(labels)
        if unsure:
            keys = [pair.key for pair in pairs]
            rest = pairs[keys.index(after) + 1 :] if after in keys else pairs
            found = (pair for pair in rest if pair.key in mine and mine[pair.key].label.unsure)
        else:
            found = (pair for pair in pairs if pair.key not in mine)
        return self._shown(next(found, None), labels, pairs)

    def back(self, before: str) -> Json:
        """Return the pair that the coder labelled before another, or the last one."""
        labels = self.store.labels()
        pairs = self._pairs(labels)
        known = {pair.key: pair for pair in pairs}
        mine = labels.get(self.coder, {})
        past = sorted(set(mine) & set(known), key=lambda key: mine[key].first)
        at = past.index(before) if before in past else len(past)
        # At the very first there is nothing to go back to, so it is shown again.
        found = past[max(0, at - 1)] if past else before
        return self._shown(known.get(found), labels, pairs)

    def around(self, key: str) -> Json:
        """Return the neighbours of a pair's paragraph."""
        before, after = self.task.around(self._pair(key))
        return {"before": before, "after": after}

    def save(self, key: str, said: Mapping[str, Any], seconds: float) -> None:
        """Keep a coder's label of a pair; raise `DataError` if the codebook forbids it."""
        label = _label(said)
        asked = () if label.unsure else self.asked
        if found := problem(label, asked, self.holders):
            raise DataError(f"not saved: {found}")
        if not 0 <= seconds <= LONGEST_LOOK:  # a clock was set, or the page slept for days
            seconds = 0.0
        self.store.save(self.coder, self._pair(key), label, seconds)

    def _pair(self, key: str) -> Pair:
        for pair in self.task.pairs:
            if pair.key == key:
                return pair
        raise DataError("not saved: this row is not in the table")

    def _pairs(self, labels: Labels) -> list[Pair]:
        pairs = self.task.shuffled(self.coder, self.seed)
        if self.adjudicates:
            done = labels.get(ADJUDICATED, {})
            pairs = [pair for pair in pairs if pair.key in done or is_disputed(labels, pair)]
        return pairs

    def _shown(self, pair: Pair | None, labels: Labels, pairs: list[Pair]) -> Json:
        mine = labels.get(self.coder, {})
        found: Json = {"pair": None, "progress": _progress(mine, pairs)}
        if pair is None:
            return found
        saved = mine.get(pair.key)
        before, after = self.task.around(pair)
        return found | {
            "pair": pair.key,
            "actor": pair.actor,
            "parts": _parts(pair.text, mentions(pair, self.book)),
            "named": named_actors(pair, self.book) if "holder" in self.asked else [],
            "neighbours": len(before) + len(after),
            "label": asdict(saved.label) if saved else None,
            "tone": self._tone(pair, mine),
            "opinions": self._opinions(pair, labels) if self.adjudicates else [],
        }

    def _tone(self, pair: Pair, mine: Mapping[str, Saved]) -> str:
        """Return the tone that the coder gave the same paragraph before, with another actor."""
        same = (other for other in self.task.pairs if other.text == pair.text)
        tones = (mine[each.key].label.sentiment for each in same if each.key in mine)
        return next(filter(None, tones), "") if "sentiment" in self.asked else ""

    def _opinions(self, pair: Pair, labels: Labels) -> list[Json]:
        return [{"coder": name, **asdict(label)} for name, label in opinions(labels, pair).items()]


def _label(said: Mapping[str, Any]) -> Label:
    """Make a label of what a page sent; raise `DataError` if it is not of the right form."""
    kinds = {field: type(value) for field, value in asdict(Label()).items()}
    if wrong := [name for name in said if not isinstance(said[name], kinds.get(name, ()))]:
        raise DataError(f"not saved: {shown(wrong[0])} is not part of a label")
    note = "".join(char for char in said.get("note", "") if char in "\n\t" or not _is_control(char))
    return Label(**{**said, "note": note.strip()})


def _is_control(char: str) -> bool:
    """Return whether a character is one that tables refuse: a control or half a character."""
    return category(char) in ("Cc", "Cs")


def _parts(text: str, places: list[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Cut a text at the mentions of its actor."""
    parts, at = list[tuple[str, bool]](), 0
    for start, end in places:
        if start >= at:
            parts += [(text[at:start], False), (text[start:end], True)]
            at = end
    return [part for part in (*parts, (text[at:], False)) if part[0]]


def _progress(mine: Mapping[str, Saved], pairs: list[Pair]) -> Json:
    done = [mine[pair.key] for pair in pairs if pair.key in mine]
    recent = sorted(done, key=lambda saved: saved.first)[-RECENT:]
    times = [saved.seconds for saved in recent if saved.seconds]
    return {
        "done": len(done),
        "total": len(pairs),
        "unsure": sum(saved.label.unsure for saved in done),
        "seconds": round(median(times), 1) if times else None,
    }
