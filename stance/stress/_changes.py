"""Changes to a paragraph, and what is promised of the answer after each: the soft tests."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from stance.records import Stance
from stance.stress._scenes import Scene, Sentences, replaced

SEED = 20  # seeds the places of typing errors

# What every paragraph needs of a model's actor book.
ANY_ACTOR = "an actor of kind state, organisation or other with an alias that is not an adjective"
_TWO = "two actors of kind state, organisation or other"
_OPPOSITE = {Stance.AGAINST: Stance.FAVOR, Stance.FAVOR: Stance.AGAINST}
_SLOT_OR_WORD = re.compile(r"\{\w+\}|\w+")
_SHORTEST = 5  # letters of a word that gets a typing error


@dataclass(frozen=True, slots=True)
class Trial:
    """A paragraph before and after a change, and the right answer after it."""

    before: str
    after: str
    actor_before: str
    actor_after: str
    expected: Stance | None = None  # None: the same answer as before, whether right or wrong
    leaves: Stance | None = None  # counted only if this was the answer; it should no longer be

    @property
    def whose(self) -> str:
        """The actors whom the answers are about."""
        return " -> ".join(dict.fromkeys((self.actor_before, self.actor_after)))


# Makes a trial of a scene, or None if the scene lacks what the change needs.
Change = Callable[[Scene, Sentences], Trial | None]


Run = TypeVar("Run", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Test(Generic[Run]):
    """A promise, and the function that tries it."""

    name: str
    promise: str
    needs: str  # of the model's actor book; without it nothing is tried
    run: Run


def adds_to(tests: list[Test[Run]], name: str, needs: str = ANY_ACTOR) -> Callable[[Run], Run]:
    """Add the decorated function, whose docstring is the promise, to some tests."""

    def add(run: Run) -> Run:
        tests.append(Test(name, run.__doc__ or "", needs, run))
        return run

    return add


SOFT_TESTS: list[Test[Change]] = []  # what a model may fail, in the order of the report


def _trial(
    scene: Scene, after: str, *, actor: str | None = None, expected: Stance | None = None
) -> Trial:
    name = scene.actor.name
    return Trial(scene.render(), after, name, actor or name, expected)


@adds_to(SOFT_TESTS, "as written")
def _as_written(scene: Scene, _words: Sentences) -> Trial:
    """A seed paragraph gets the label that it was written for."""
    return _trial(scene, scene.render(), expected=scene.seed.stance)


@adds_to(SOFT_TESTS, "actor swapped", "two actors of one kind")
def _swap_actor(scene: Scene, _words: Sentences) -> Trial | None:
    """Another actor of the same kind in the actor's place gets the actor's answer."""
    if scene.substitute is None:
        return None
    after = scene.change(actor=scene.fills["substitute"]).render()
    return _trial(scene, after, actor=scene.substitute.name)


@adds_to(SOFT_TESTS, "government for the name", "a state with a demonym")
def _name_government(scene: Scene, _words: Sentences) -> Trial | None:
    """The answer stays when "the Russian government" stands for "Russia"."""
    demonyms = scene.actor.aliases.get("demonym", ())
    if scene.actor.kind != "state" or not demonyms:
        return None
    return _trial(scene, scene.change(actor=f"the {demonyms[0]} government").render())


@adds_to(SOFT_TESTS, "capital for the name", "an actor with a capital")
def _name_capital(scene: Scene, words: Sentences) -> Trial | None:
    """The answer stays when "Moscow" stands for "Russia"."""
    capitals = scene.actor.aliases.get("capital", ())
    if not capitals or not scene.seed.polar:  # a state may be just a place in a neutral paragraph
        return None
    return _trial(scene, scene.change(actor=words.with_article(capitals[0])).render())


@adds_to(
    SOFT_TESTS, "abbreviation with points", "an actor with an abbreviation with and without points"
)
def _write_points(scene: Scene, words: Sentences) -> Trial | None:
    """The answer stays when "the U.S." stands for "the US"."""
    names = scene.actor.aliases.get("name", ())
    for pointed in names:
        plain = pointed.replace(".", "")
        if pointed.endswith(".") and plain in names:
            before, after = map(words.with_article, (plain, pointed))
            return _trial(scene.change(actor=before), scene.change(actor=after).render())
    return None


def _of(sentences: tuple[str, ...], scene: Scene) -> str:
    return sentences[scene.number % len(sentences)]


@adds_to(SOFT_TESTS, "neutral sentence in front")
def _add_neutral_before(scene: Scene, words: Sentences) -> Trial:
    """The answer stays when an unrelated neutral sentence opens the paragraph."""
    return _trial(scene, f"{_of(words.neutral, scene)} {scene.render()}")


@adds_to(SOFT_TESTS, "neutral sentence behind")
def _add_neutral_behind(scene: Scene, words: Sentences) -> Trial:
    """The answer stays when an unrelated neutral sentence ends the paragraph."""
    return _trial(scene, f"{scene.render()} {_of(words.neutral, scene)}")


@adds_to(SOFT_TESTS, "paragraph doubled")
def _double(scene: Scene, _words: Sentences) -> Trial:
    """The answer stays when everything is said twice."""
    return _trial(scene, f"{scene.render()} {scene.render()}")


@adds_to(SOFT_TESTS, "person, place, number changed")
def _change_details(scene: Scene, words: Sentences) -> Trial | None:
    """The answer stays when other persons, places and numbers are named."""
    fills = words.fillers(scene.number + 1)
    fills.pop("speaker")
    after = scene.change(**fills).render()
    return None if after == scene.render() else _trial(scene, after)


@adds_to(SOFT_TESTS, "quotation by someone else")
def _change_speaker(scene: Scene, words: Sentences) -> Trial | None:
    """The answer stays when another person without a side says the same."""
    if "{speaker}" not in scene.text:
        return None
    speaker = words.fillers(scene.number + 1)["speaker"]
    return _trial(scene, scene.change(speaker=speaker).render())


@adds_to(SOFT_TESTS, "quotation by another actor", _TWO)
def _give_to_other(scene: Scene, _words: Sentences) -> Trial | None:
    """The answer stays when a spokeswoman for another actor says the same."""
    if "{speaker}" not in scene.text or scene.other is None:
        return None
    return _trial(scene, scene.change(speaker=f"a spokeswoman for {scene.fills['other']}").render())


@adds_to(SOFT_TESTS, "opposite stance added: first actor", _TWO)
def _add_opposite(scene: Scene, words: Sentences) -> Trial | None:
    """The answer stays when another actor gets the opposite stance in an added sentence."""
    if scene.other is None or not scene.seed.polar or "{other}" in scene.text:
        return None
    sentences = words.praise if scene.seed.stance is Stance.AGAINST else words.blame
    return _trial(scene, scene.change(f"{scene.text} {_of(sentences, scene)}").render())


@adds_to(SOFT_TESTS, "opposite stance added: second actor", _TWO)
def _ask_for_added(scene: Scene, words: Sentences) -> Trial | None:
    """The actor of the added sentence gets the opposite answer."""
    trial = _add_opposite(scene, words)
    if trial is None or scene.other is None:
        return None
    opposite, name = _OPPOSITE[scene.seed.stance], scene.other.name
    return Trial(trial.after, trial.after, name, name, expected=opposite)


@adds_to(SOFT_TESTS, "deciding verb negated", "a model that finds the stance of a seed paragraph")
def _negate(scene: Scene, _words: Sentences) -> Trial | None:
    """A stance that was found goes when the deciding verb is negated."""
    if not scene.seed.polar:
        return None
    after = scene.change(replaced(scene.text, scene.seed.negate)).render()
    name = scene.actor.name
    return Trial(scene.render(), after, name, name, leaves=scene.seed.stance)


@adds_to(SOFT_TESTS, "plain verb negated")
def _negate_plain(scene: Scene, _words: Sentences) -> Trial | None:
    """A neutral paragraph keeps its answer when its plain verb is negated."""
    if scene.seed.polar:
        return None
    return _trial(scene, scene.change(replaced(scene.text, scene.seed.negate)).render())


@adds_to(SOFT_TESTS, "praise turned into blame")
def _turn_to_blame(scene: Scene, _words: Sentences) -> Trial | None:
    """Where praise becomes blame, the answer is against."""
    return _turned(scene, Stance.FAVOR)


@adds_to(SOFT_TESTS, "blame turned into praise")
def _turn_to_praise(scene: Scene, _words: Sentences) -> Trial | None:
    """Where blame becomes praise, the answer is favor."""
    return _turned(scene, Stance.AGAINST)


def _turned(scene: Scene, stance: Stance) -> Trial | None:
    if scene.seed.stance is not stance:
        return None
    after = scene.change(replaced(scene.text, scene.seed.turn)).render()
    return _trial(scene, after, expected=_OPPOSITE[stance])


@adds_to(SOFT_TESTS, "typing error")
def _mistype(scene: Scene, _words: Sentences) -> Trial:
    """The answer stays when a word is mistyped."""
    random = np.random.default_rng((SEED, scene.number))
    words = [w for w in _SLOT_OR_WORD.findall(scene.text) if w.islower() and len(w) >= _SHORTEST]
    plain = [word for word in words if word.isalpha()]  # neither a slot nor a number
    return _mistyped(scene, plain[random.integers(len(plain))])


@adds_to(SOFT_TESTS, "typing error in the deciding word")
def _mistype_deciding(scene: Scene, _words: Sentences) -> Trial | None:
    """The answer stays when the word that decides is mistyped."""
    return _mistyped(scene, scene.seed.deciding) if scene.seed.polar else None


def _mistyped(scene: Scene, word: str) -> Trial:
    wrong = re.sub(rf"(?<!{{)\b{word}\b", misspelt(word), scene.text, count=1)
    return _trial(scene, scene.change(wrong).render())


def misspelt(word: str) -> str:
    """Return the word with two letters in its middle swapped; first and last stay.

    >>> misspelt("condemned"), misspelt("greedy")
    ('conedmned', 'geredy')
    """
    middle = len(word) // 2 - 1
    places = sorted(range(1, len(word) - 2), key=lambda at: abs(at - middle))
    at = next((at for at in places if word[at] != word[at + 1]), 0)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


@adds_to(SOFT_TESTS, "all capitals")
def _to_upper(scene: Scene, _words: Sentences) -> Trial:
    """The answer stays when everything is written in capitals."""
    return _trial(scene, scene.render().upper())


@adds_to(SOFT_TESTS, "no capitals", "an actor with a name that counts in any spelling")
def _to_lower(scene: Scene, words: Sentences) -> Trial | None:
    """The answer stays when nothing has a capital."""
    free = [a for a in scene.actor.aliases.get("name", ()) if a not in scene.actor.case]
    if not free:
        return None
    scene = scene.change(actor=words.with_article(free[0]))
    return _trial(scene, scene.render().lower())
