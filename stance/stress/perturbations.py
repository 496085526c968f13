"""Changes of a paragraph, and what the answer should be after each."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stance.records import Stance
from stance.stress.scenes import Scene, other_fillers, with_article
from stance.stress.sentences import Sentences, replaced

SEED = 20
"""Where the random places of typing errors start."""

_OPPOSITE = {Stance.AGAINST: Stance.FAVOR, Stance.FAVOR: Stance.AGAINST}


@dataclass(frozen=True, slots=True)
class Trial:
    """A paragraph before and after a change, and the answer that is right after it.

    Attributes
    ----------
    before, after : str
    actor_before, actor_after : str
        Whom the answers are about.
    expected : Stance or None
        None where the answer after should be the one before, whether right or wrong.
    leaves : Stance or None
        Where set, the answer should no longer be this one; only counted where it was before.
    """

    before: str
    after: str
    actor_before: str
    actor_after: str
    expected: Stance | None = None
    leaves: Stance | None = None

    @property
    def whose(self) -> str:
        """Whom the answers are about, in words."""
        same = self.actor_before == self.actor_after
        return self.actor_before if same else f"{self.actor_before} -> {self.actor_after}"


Change = Callable[[Scene, Sentences], Trial | None]
"""Makes a trial of a scene, or None where the scene has not what the change needs."""


def _trial(
    scene: Scene, after: str, *, actor: str | None = None, expected: Stance | None = None
) -> Trial:
    name = scene.actor.name
    return Trial(scene.render(), after, name, actor or name, expected)


def as_written(scene: Scene, _words: Sentences) -> Trial:
    """Change nothing."""
    return _trial(scene, scene.render(), expected=scene.seed.stance)


# --- Who is named, and how ---


def swap_actor(scene: Scene, _words: Sentences) -> Trial | None:
    """Put another actor of the kind in the actor's place."""
    if scene.substitute is None:
        return None
    after = scene.change(actor=scene.fills["substitute"]).render()
    return _trial(scene, after, actor=scene.substitute.name)


def name_government(scene: Scene, _words: Sentences) -> Trial | None:
    """Speak of a state's government, by the adjective."""
    demonyms = scene.actor.aliases.get("demonym", ())
    if scene.actor.kind != "state" or not demonyms:
        return None
    return _trial(scene, scene.change(actor=f"the {demonyms[0]} government").render())


def name_capital(scene: Scene, words: Sentences) -> Trial | None:
    """Speak of a state's capital; not where the state is a place of neutral facts."""
    capitals = scene.actor.aliases.get("capital", ())
    if not capitals or not scene.seed.polar:
        return None
    return _trial(scene, scene.change(actor=with_article(capitals[0], words.articles)).render())


def write_points(scene: Scene, words: Sentences) -> Trial | None:
    """Write an abbreviation with points, which a sentence's end can hide behind."""
    names = scene.actor.aliases.get("name", ())
    pairs = [(alias.replace(".", ""), alias) for alias in names if alias.endswith(".")]
    for plain, pointed in pairs:
        if plain in names:
            before, after = (with_article(name, words.articles) for name in (plain, pointed))
            return _trial(scene.change(actor=before), scene.change(actor=after).render())
    return None


# --- What stands beside it ---


def add_neutral_before(scene: Scene, words: Sentences) -> Trial:
    """Put a neutral sentence in front."""
    return _trial(scene, f"{_of(words.neutral, scene)} {scene.render()}")


def add_neutral_behind(scene: Scene, words: Sentences) -> Trial:
    """Put a neutral sentence behind."""
    return _trial(scene, f"{scene.render()} {_of(words.neutral, scene)}")


def double(scene: Scene, _words: Sentences) -> Trial:
    """Say all of it twice."""
    return _trial(scene, f"{scene.render()} {scene.render()}")


def change_details(scene: Scene, words: Sentences) -> Trial | None:
    """Put other persons, places and numbers."""
    fills = other_fillers(scene, words)
    fills.pop("speaker")
    after = scene.change(**fills).render()
    return None if after == scene.render() else _trial(scene, after)


def change_speaker(scene: Scene, words: Sentences) -> Trial | None:
    """Let somebody else say it."""
    if "{speaker}" not in scene.text:
        return None
    return _trial(scene, scene.change(speaker=other_fillers(scene, words)["speaker"]).render())


def give_to_other(scene: Scene, _words: Sentences) -> Trial | None:
    """Let somebody of another actor say it."""
    if "{speaker}" not in scene.text or scene.other is None:
        return None
    return _trial(scene, scene.change(speaker=f"a spokeswoman for {scene.fills['other']}").render())


def add_opposite(scene: Scene, words: Sentences) -> Trial | None:
    """Add a sentence that takes the opposite stance toward another actor."""
    if scene.other is None or not scene.seed.polar or "{other}" in scene.text:
        return None
    sentences = words.praise if scene.seed.stance is Stance.AGAINST else words.blame
    return _trial(scene, scene.change(f"{scene.text} {_of(sentences, scene)}").render())


def ask_for_added(scene: Scene, words: Sentences) -> Trial | None:
    """Ask for the actor of the added sentence."""
    trial = add_opposite(scene, words)
    if trial is None or scene.other is None:
        return None
    opposite, name = _OPPOSITE[scene.seed.stance], scene.other.name
    return Trial(trial.after, trial.after, name, name, expected=opposite)


def _of(sentences: tuple[str, ...], scene: Scene) -> str:
    return sentences[scene.number % len(sentences)]


# --- What is said ---


def negate(scene: Scene, _words: Sentences) -> Trial | None:
    """Deny the deciding verb."""
    if not scene.seed.polar:
        return None
    after = scene.change(replaced(scene.text, scene.seed.negate)).render()
    name = scene.actor.name
    return Trial(scene.render(), after, name, name, leaves=scene.seed.stance)


def negate_plain(scene: Scene, _words: Sentences) -> Trial | None:
    """Deny the verb of a neutral paragraph."""
    if scene.seed.polar:
        return None
    return _trial(scene, scene.change(replaced(scene.text, scene.seed.negate)).render())


def turn_to_blame(scene: Scene, _words: Sentences) -> Trial | None:
    """Turn praise into blame."""
    return _turned(scene, Stance.FAVOR)


def turn_to_praise(scene: Scene, _words: Sentences) -> Trial | None:
    """Turn blame into praise."""
    return _turned(scene, Stance.AGAINST)


def _turned(scene: Scene, stance: Stance) -> Trial | None:
    if scene.seed.stance is not stance:
        return None
    after = scene.change(replaced(scene.text, scene.seed.turn)).render()
    return _trial(scene, after, expected=_OPPOSITE[stance])


# --- How it is spelled ---

_SLOT_OR_WORD = re.compile(r"\{\w+\}|\w+")
_SHORTEST = 5
"""Letters of a word that gets a typing error."""


def mistype(scene: Scene, _words: Sentences) -> Trial:
    """Swap two letters inside one word, not in a name."""
    random = np.random.default_rng((SEED, scene.number))
    words = [w for w in _SLOT_OR_WORD.findall(scene.text) if w.islower() and len(w) >= _SHORTEST]
    plain = [word for word in words if word.isalpha()]
    return _mistyped(scene, plain[random.integers(len(plain))])


def mistype_deciding(scene: Scene, _words: Sentences) -> Trial | None:
    """Swap two letters inside the word on which the stance hangs."""
    return _mistyped(scene, scene.seed.deciding) if scene.seed.polar else None


def _mistyped(scene: Scene, word: str) -> Trial:
    wrong = re.sub(rf"(?<!{{)\b{word}\b", misspelt(word), scene.text, count=1)
    return _trial(scene, scene.change(wrong).render())


def misspelt(word: str) -> str:
    """Return the word with two letters in its middle swapped; first and last stay.

    Examples
    --------
    >>> misspelt("condemned"), misspelt("greedy")
    ('conedmned', 'geredy')
    """
    middle = len(word) // 2 - 1
    places = sorted(range(1, len(word) - 2), key=lambda at: abs(at - middle))
    at = next((at for at in places if word[at] != word[at + 1]), 0)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def to_upper(scene: Scene, _words: Sentences) -> Trial:
    """Write all of it in capitals."""
    return _trial(scene, scene.render().upper())


def to_lower(scene: Scene, words: Sentences) -> Trial | None:
    """Write nothing with a capital, where the actor has a name that counts in any spelling."""
    free = [a for a in scene.actor.aliases.get("name", ()) if a not in scene.actor.case]
    if not free:
        return None
    scene = scene.change(actor=with_article(free[0], words.articles))
    return _trial(scene, scene.render().lower())
