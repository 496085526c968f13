"""Behavioural tests of a model: what it answers when a text changes.

The tests follow Ribeiro, Wu, Guestrin and Singh (2020), "Beyond Accuracy: Behavioral Testing of NLP
Models with CheckList".
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from stance.display import shown
from stance.errors import DataError
from stance.evaluation.answers import Figures, plain
from stance.evaluation.intervals import proportion_interval
from stance.model.judging import StanceModel
from stance.records import ANSWERS, UNCERTAIN

LANGUAGE = "english"  # of the sentences, and so of the models that can be tested
EXAMPLES = 3  # failures that are kept of a test
OPPOSITE = {"against": "favor", "favor": "against"}
TESTS = {
    "as written": "A paragraph gets the label that it was written for.",
    "actor swapped": "Another actor in the actor's place gets the actor's answer.",
    "neutral sentence in front": "The answer stays when a neutral sentence opens the paragraph.",
    "paragraph doubled": "The answer stays when everything is said twice.",
    "person, place, number changed": "The answer stays when a person, place or number changes.",
    "quotation by someone else": "The answer stays when another person says the same.",
    "opposite stance added: first actor": "The answer stays when another actor gets the opposite.",
    "opposite stance added: second actor": "The actor of the added sentence gets the opposite.",
    "who judges whom: the judged": "The actor that another praises or blames gets the stance.",
    "who judges whom: the judge": "The actor that praises or blames another is not judged.",
    "deciding verb negated": "The stance disappears when the deciding verb is negated.",
    "praise turned into blame": "Where praise becomes blame, the answer is against.",
    "blame turned into praise": "Where blame becomes praise, the answer is favor.",
    "typing error in the deciding word": "The answer stays when the deciding word is mistyped.",
    "all capitals": "The answer stays when everything is written in capitals.",
    "no capitals": "The answer stays when nothing has a capital.",
}
"""Tests and what each of them promises, in the order of the report."""

_SLOT = re.compile(r"\{(\w+)\}('s)?(\.?)")
_OPENING = re.compile(r'(^|[.!?]"? )"?$')
_WORD = re.compile(r"\{\w+\}|\w+")


class Case(NamedTuple):
    """A paragraph before and after a change, and whom each is asked about."""

    before: str
    actor: str
    after: str
    actor_after: str
    expected: str | None = None  # None: the same answer as before, whether right or wrong
    leaves: bool = False  # counts if the answer was the expected one; it should be another, then


@dataclass(frozen=True, slots=True)
class Scene:
    """A paragraph and what stands in its slots; ``stress.toml`` describes both."""

    number: int  # decides what stands in the slots
    seed: Mapping[str, Any]
    lists: Mapping[str, Sequence[str]]

    def fills(self, shift: int = 0) -> dict[str, str]:
        """Return what fills the slots; with a shift, other persons, places and numbers."""
        actors = self.lists["states"]
        if "kinds" not in self.seed and self.number % 3 == 0:
            actors = self.lists["organisations"]
        roles = ("actor", "other", "substitute")
        fills = {role: actors[(self.number + n) % len(actors)] for n, role in enumerate(roles)}
        for slot in ("person", "place", "number", "speaker"):
            values = self.lists[f"{slot}s"]
            fills[slot] = values[(self.number + shift) % len(values)]
        return fills

    def pick(self, name: str, step: int = 1) -> str:
        """Return the scene's sentence of a list; the next one after so many scenes."""
        return self.lists[name][self.number // step % len(self.lists[name])]

    @property
    def deciding(self) -> str:
        """The word on which the stance hangs: the longest of those that are negated first."""
        words = _WORD.findall(self.seed["negate"][0][0])
        return str(max((word for word in words if word[0] != "{"), key=len))

    def cases(self) -> Iterator[tuple[str, Case]]:
        """Yield the scene's cases, and the name of the test that each belongs to."""
        text, stance, fills = self.seed["text"], self.seed["stance"], self.fills()
        actor, other, substitute = (
            fills[role].removeprefix("the ") for role in ("actor", "other", "substitute")
        )
        before = render(text, fills)
        turned = partial(Case, before, actor)

        def same(after: str, expected: str | None = None) -> Case:
            return Case(before, actor, after, actor, expected)

        yield "as written", same(before, stance)
        swapped = render(text, fills | {"actor": fills["substitute"]})
        yield "actor swapped", turned(swapped, substitute)
        yield "neutral sentence in front", same(f"{self.pick('neutral')} {before}")
        yield "paragraph doubled", same(f"{before} {before}")
        moved = self.fills(1) | {"speaker": fills["speaker"]}
        yield "person, place, number changed", same(render(text, moved))
        if "{speaker}" in text:
            speaker = {"speaker": self.fills(1)["speaker"]}
            yield "quotation by someone else", same(render(text, fills | speaker))
        yield "all capitals", same(before.upper())
        yield "no capitals", same(before.lower())
        blaming = self.number % 2 == 0
        judging = render(self.pick("criticism" if blaming else "approval", 2), fills)
        verdict = "against" if blaming else "favor"
        yield "who judges whom: the judged", Case(judging, other, judging, other, verdict)
        yield "who judges whom: the judge", Case(judging, actor, judging, actor, "neutral")
        if stance == "neutral":
            return
        opposite = OPPOSITE[stance]
        if "{other}" not in text:
            added = self.pick("praise" if opposite == "favor" else "blame")
            both = render(f"{text} {added}", fills)
            yield "opposite stance added: first actor", same(both)
            yield "opposite stance added: second actor", Case(both, other, both, other, opposite)
        negated = render(replaced(text, self.seed["negate"]), fills)
        yield "deciding verb negated", turned(negated, actor, stance, leaves=True)
        kind = "praise turned into blame" if stance == "favor" else "blame turned into praise"
        yield kind, same(render(replaced(text, self.seed["turn"]), fills), opposite)
        word = self.deciding
        wrong = re.sub(rf"(?<!{{)\b{word}\b", misspelt(word), text, count=1)
        yield "typing error in the deciding word", same(render(wrong, fills))


def read_scenes() -> list[Scene]:
    """Read the bundled sentences."""
    text = files("stance").joinpath("data/english/stress.toml").read_text("utf-8")
    lists = tomllib.loads(text)
    return [Scene(number, seed, lists) for number, seed in enumerate(lists.pop("seed"))]


def replaced(text: str, replacements: Sequence[Sequence[str]]) -> str:
    """Return the text after the replacements."""
    for before, after in replacements:
        text = text.replace(before, after, 1)
    return text


def render(text: str, fills: Mapping[str, str]) -> str:
    """Fill the slots of a text.

    An article at the start of a sentence gets a capital, a name in -s only an apostrophe.

    >>> render("{actor}'s offer came late.", {"actor": "the United States"})
    "The United States' offer came late."
    """

    def fill(match: re.Match[str]) -> str:
        slot, possessive, stop = match.groups()
        value = fills[slot]
        bare = slot in ("actor", "other") and not value.startswith("the ")
        if not bare and _OPENING.search(text[: match.start()]):
            value = value[0].upper() + value[1:]
        if possessive:
            value += "'" if value.endswith("s") else "'s"
        return value + stop

    return _SLOT.sub(fill, text)


def misspelt(word: str) -> str:
    """Return the word with two letters in its middle swapped; first and last stay.

    >>> misspelt("condemned"), misspelt("greedy")
    ('conedmned', 'geredy')
    """
    middle = len(word) // 2 - 1
    places = sorted(range(1, len(word) - 2), key=lambda place: abs(place - middle))
    first = next((place for place in places if word[place] != word[place + 1]), 0)
    return word[:first] + word[first + 1] + word[first] + word[first + 2 :]


def run_suite(model: StanceModel) -> Figures:
    """Test how a model of English texts behaves when a text changes.

    Returns
    -------
    dict
        tests, each with name, promise, n, failures, rate, its Wilson interval and at most three
        examples; and seeds, the number of paragraphs.
    """
    if model.recipe.language != LANGUAGE:
        raise DataError(
            f"the stress suite is English and the model reads {shown(model.recipe.language)}; "
            "evaluate it on a corpus of its language"
        )
    scenes = read_scenes()
    cases: dict[str, list[Case]] = {name: [] for name in TESTS}
    for scene in scenes:
        for name, case in scene.cases():
            cases[name].append(case)
    asked = dict.fromkeys(
        pair for some in cases.values() for case in some for pair in (case[:2], case[2:4])
    )
    answers = dict(zip(asked, ask(model, list(asked)), strict=True))
    results = [_result(name, some, answers) for name, some in cases.items()]
    return plain({"tests": [result for result in results if result["n"]], "seeds": len(scenes)})


def ask(model: StanceModel, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return what `predict` would answer to each pair of a text and an actor."""
    texts, actors = zip(*pairs, strict=True)
    return [
        UNCERTAIN if withheld else ANSWERS[best]
        for _, judged in model.judge_many(texts, actors)
        for best, withheld in zip(judged.stance.argmax(axis=1), judged.withheld, strict=True)
    ]


def _result(
    name: str, cases: Sequence[Case], answers: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    tested, failed = 0, list[dict[str, str]]()
    for case in cases:
        before, after = answers[case.before, case.actor], answers[case.after, case.actor_after]
        expected = case.expected or before
        if case.leaves and before != expected:
            continue
        tested += 1
        if (after == expected) is case.leaves:
            failed.append(
                {
                    "actor": " -> ".join(dict.fromkeys((case.actor, case.actor_after))),
                    "before": case.before,
                    "after": case.after,
                    "answer_before": before,
                    "answer_after": after,
                    "expected": f"not {expected}" if case.leaves else expected,
                }
            )
    number = np.arange(tested)
    return {
        "name": name,
        "promise": TESTS[name],
        "n": tested,
        "failures": len(failed),
        "rate": len(failed) / max(tested, 1),
        "interval": proportion_interval(number < len(failed), number) or (0.0, 1.0),
        "examples": failed[:EXAMPLES],
    }
