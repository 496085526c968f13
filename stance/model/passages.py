"""Answered paragraphs as HTML: mentions coloured by stance, and the reason for each answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from markupsafe import Markup

from stance.display import count
from stance.files import DATA
from stance.reading.text import Places
from stance.records import UNCERTAIN, Holder, Stance

NAMES = {"against": "against", "neutral": "neutral", "favor": "in favor", UNCERTAIN: "uncertain"}
HOLDERS = {str(Holder.AUTHOR): "the author", str(Holder.OTHER): "someone else"}
MINUS = "\u2212"

_RULES = """\
.para:has(> :first-child .m.a{0}:is(:hover, :focus, :target)) > .why.a{0} {{ display: block; }}
.para:has(> :first-child .m.a{0}:is(:hover, :focus, :target)) > :first-child .w.a{0} {{
  background: var(--warn); box-shadow: 0 2px var(--ink); }}
@media screen {{ .para:has(.m.a{0}:hover) > .why:not(.a{0}) {{ display: none !important; }} }}
:root:has(.only{0}:checked) article .para:not(.a{0}) {{ display: none; }}
"""


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
        name = NAMES[self.answer.stance]
        top = _share(max(self.answer.probabilities))
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


def numbered(passages: Iterable[Passage]) -> dict[str, int]:
    """Return the actors of some passages, numbered in order of first mention."""
    names = dict.fromkeys(name for passage in passages for name in passage.actors)
    return {name: number for number, name in enumerate(names)}


def passage_html(
    passage: Passage, numbers: Mapping[str, int], tag: str = "p", anchor: str = ""
) -> Markup:
    """Return a paragraph whose mentions can be pointed at, and the reasons that then appear.

    The numbers of the actors are those of the style sheet. With an anchor, such as ``p4``, the
    first mention of each actor has a name to jump to, such as ``p4a0``.
    """
    about = [passage.tone, *(f"a{numbers[name]}" for name in passage.actors)]
    body = Markup().join(_pieces(passage, numbers, anchor))
    named = (verdict for verdict in passage.verdicts if verdict.mentions)
    cards = Markup().join(_card(passage, verdict, numbers) for verdict in named)
    whole = Markup('<div class="{}"><{}><bdi>{}</bdi></{}>{}</div>')
    return whole.format(" ".join(["para", *filter(None, about)]), tag, body, tag, cards)


def _pieces(passage: Passage, numbers: Mapping[str, int], anchor: str) -> Iterator[Markup]:
    """Yield the text, its mentions and the words that pushed, in reading order."""
    pieces: dict[tuple[int, int], Markup] = {}
    words: dict[tuple[int, int], str] = {}
    for verdict in passage.verdicts:
        number = numbers[verdict.answer.actor]
        for place, (start, end) in enumerate(verdict.mentions):
            known = Markup(' id="{}a{}"').format(anchor, number) if anchor and not place else ""
            pieces[start, end] = Markup(
                '<span class="m {} a{}"{} tabindex="0" role="note" aria-label="{}">{}</span>'
            ).format(
                verdict.answer.stance,
                number,
                known,
                _spoken(passage, verdict),
                passage.text[start:end],
            )
        for start, end, _ in verdict.words:
            words[start, end] = words.get((start, end), "w") + f" a{number}"
    for (start, end), names in words.items():
        marked = Markup('<mark class="{}">{}</mark>').format(names, passage.text[start:end])
        pieces.setdefault((start, end), marked)
    done = 0
    for (start, end), piece in sorted(pieces.items()):
        if start >= done:
            yield Markup.escape(passage.text[done:start])
            yield piece
            done = end
    yield Markup.escape(passage.text[done:])


def _share(probability: float) -> str:
    return f"{100 * probability:.0f}\u00a0%"


def _facts(passage: Passage, verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Yield what is known of an answer: a title and the text."""
    answer = verdict.answer
    shares = zip(Stance, answer.probabilities, strict=True)
    yield "probabilities", ", ".join(f"{NAMES[label]} {_share(share)}" for label, share in shares)
    if answer.holder:
        whose = HOLDERS.get(answer.holder, answer.holder)
        yield "whose stance", f"{whose} ({_share(answer.holder_probability)})"
    if verdict.frames:
        yield "who judges whom", "; ".join(verdict.frames)
    if verdict.words:
        pushes = ((passage.text[start:end], f"{push:+.2f}") for start, end, push in verdict.words)
        listed = (f"{word}\u00a0{push.replace('-', MINUS)}" for word, push in pushes)
        yield f"words that push{' the linear model' * verdict.deep}", ", ".join(listed)
    if passage.tone:
        share = "" if passage.tone == UNCERTAIN else f" ({_share(passage.tone_probability)})"
        yield "paragraph", f"{passage.tone}{share}"


def _spoken(passage: Passage, verdict: Verdict) -> str:
    """Return what a screen reader says of a mention."""
    _, *facts = _facts(passage, verdict)
    lines = (f"{title}: {text}" for title, text in facts)
    return ". ".join([f"{verdict.answer.actor}: {verdict.summary}", *lines])


def _card(passage: Passage, verdict: Verdict, numbers: Mapping[str, int]) -> Markup:
    """Return the reason that appears where a mention is pointed at."""
    answer = verdict.answer
    facts = Markup().join(
        Markup("<dt>{}</dt><dd><bdi>{}</bdi></dd>").format(*fact)
        for fact in _facts(passage, verdict)
    )
    ends = [100 * sum(answer.probabilities[:place]) for place in range(4)]
    bars = Markup().join(
        Markup('<rect class="{}" x="{:.1f}" y="0" width="{:.1f}" height="5"></rect>').format(
            label, ends[place], ends[place + 1] - ends[place]
        )
        for place, label in enumerate(map(str, Stance))
    )
    return Markup(
        '<div class="why {} a{}"><strong><bdi>{}</bdi>: {}</strong>'
        '<svg viewBox="0 0 100 5" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
        "<dl>{}</dl></div>"
    ).format(answer.stance, numbers[answer.actor], answer.actor, verdict.summary, bars, facts)


# --- Style ---------------------------------------------------------------------------------------


@cache
def look() -> str:
    """Return the colours of every page, and the style of its passages."""
    return (DATA / "look.css").read_text("utf-8")


def rules(actors: int) -> str:
    """Return the style by which so many actors' mentions show reasons, and one can be chosen."""
    return "".join(map(_RULES.format, range(actors)))


def notebook_html(passages: Sequence[Passage], rest: int) -> str:
    """Return passages for a notebook, which says how many paragraphs more there are."""
    numbers = numbered(passages)
    nested = (look() + rules(len(numbers))).replace(":root", "&")
    style = Markup(f".stance-read {{\n{nested}}}")  # noqa: S704 (our own file and numbers)
    body = Markup("\n").join(passage_html(passage, numbers) for passage in passages)
    more = Markup("<p>… and {}</p>").format(count(rest, "more paragraph")) if rest else ""
    shell = Markup('<div class="stance-read"><style>{}</style>\n{}\n{}</div>')
    return str(shell.format(style, body, more))
