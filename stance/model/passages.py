"""Answered paragraphs as pages show them: each answer, its mentions and the reasons for it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from stance.display import count
from stance.reading.text import Places
from stance.records import UNCERTAIN, Holder, Stance

if TYPE_CHECKING:
    from jinja2 import Environment

NAMES = {"against": "against", "neutral": "neutral", "favor": "in favor", UNCERTAIN: "uncertain"}
HOLDERS = {str(Holder.AUTHOR): "the author", str(Holder.OTHER): "someone else"}
MINUS = "\u2212"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one pair of a paragraph and an actor."""

    paragraph: int  #: number of the paragraph, from 0
    actor: str
    mentions: int  #: how often the paragraph names the actor
    stance: str  #: against, neutral, favor or uncertain
    probabilities: tuple[float, ...]  #: against, neutral, favor
    holder: str  #: whose stance it is; empty if it is neutral or uncertain, or nobody can tell
    holder_probability: float  #: of its kind: author, actor or other


class Verdict(NamedTuple):
    """An answer, where the paragraph names its actor, and what pushed it."""

    answer: Answer
    mentions: Places
    words: tuple[tuple[int, int, float], ...] = ()  # start, end, push to favor (+) or against (-)
    frames: tuple[str, ...] = ()  # who judges whom, such as "accused: Germany -> China"
    deep: bool = False  # whether the words are the reasons of one of two models, the linear one

    @property
    def summary(self) -> str:
        """The answer in words, with its probability, such as ``in favor, 70 %``."""
        name, top = NAMES[self.answer.stance], _share(max(self.answer.probabilities))
        return name if self.answer.stance == UNCERTAIN else f"{name}, {top}"


class Passage(NamedTuple):
    """A paragraph as it was written, with the answers to it."""

    text: str
    verdicts: tuple[Verdict, ...] = ()
    tone: str = ""  # negative, neutral, positive or uncertain; empty if the model judges none
    tone_probability: float = 0.0

    @property
    def actors(self) -> list[str]:
        """The actors that are judged, in order."""
        return [verdict.answer.actor for verdict in self.verdicts]

    def facts(self, verdict: Verdict) -> Iterator[tuple[str, str]]:
        """Yield what is known of an answer: a title and the text."""
        answer = verdict.answer
        shares = zip(Stance, answer.probabilities, strict=True)
        listed = (f"{NAMES[label]} {_share(share)}" for label, share in shares)
        yield "probabilities", ", ".join(listed)
        if answer.holder:
            whose = HOLDERS.get(answer.holder, answer.holder)
            yield "whose stance", f"{whose} ({_share(answer.holder_probability)})"
        if verdict.frames:
            yield "who judges whom", "; ".join(verdict.frames)
        if verdict.words:
            pushes = ((self.text[start:end], f"{push:+.2f}") for start, end, push in verdict.words)
            listed = (f"{word}\u00a0{push.replace('-', MINUS)}" for word, push in pushes)
            yield f"words that push{' the linear model' * verdict.deep}", ", ".join(listed)
        if self.tone:
            share = "" if self.tone == UNCERTAIN else f" ({_share(self.tone_probability)})"
            yield "paragraph", f"{self.tone}{share}"

    def part(self, start: int, end: int) -> "Passage":
        """Return a part of the text, with the mentions and words that stand in it."""

        def inside(places: Iterable[Any]) -> tuple[Any, ...]:
            return tuple((a - start, b - start, *c) for a, b, *c in places if start <= a < b <= end)

        places = ((one, inside(one.mentions), inside(one.words)) for one in self.verdicts)
        verdicts = tuple(one._replace(mentions=m, words=w) for one, m, w in places)
        return self._replace(text=self.text[start:end], verdicts=verdicts)

    def pieces(self, numbers: Mapping[str, int]) -> Iterator[tuple[int, int, Verdict | None, str]]:
        """Yield start and end of each piece of the text, in order.

        Then come the answer to the actor that it names, and the classes of a word that pushed: they
        end in the numbers of the actors, 0 if there are none.
        """
        named = {place: verdict for verdict in self.verdicts for place in verdict.mentions}
        pushing = dict[tuple[int, int], str]()
        for verdict in self.verdicts:
            number = numbers.get(verdict.answer.actor, 0)
            for start, end, _ in verdict.words:
                pushing[start, end] = pushing.get((start, end), "w") + f" a{number}"
        done = 0
        for start, end in sorted({*named, *pushing}):
            if start >= done:
                yield done, start, None, ""
                yield start, end, named.get((start, end)), pushing.get((start, end), "")
                done = end
        yield done, len(self.text), None, ""


def _share(probability: float) -> str:
    return f"{100 * probability:.0f}\u00a0%"


@cache
def templates() -> "Environment":
    """Return the templates of pages, with the functions that those of paragraphs use."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("stance", "reports/templates")
    made = Environment(autoescape=True, loader=loader, undefined=StrictUndefined)
    made.lstrip_blocks = made.trim_blocks = True
    made.filters |= {"counted": count, "number": "{:,}".format, "short": "{:.6g}".format}
    made.filters["stance_name"] = NAMES.__getitem__
    return made


def notebook_html(passages: Sequence[Passage], more: int) -> str:
    """Return passages for a notebook, which says how many paragraphs more there are."""
    names = dict.fromkeys(name for passage in passages for name in passage.actors)
    numbers = {name: number for number, name in enumerate(names)}
    template = templates().get_template("notebook.html.j2")
    return template.render(passages=passages, more=more, numbers=numbers, actors=len(numbers))
