"""Changes to a paragraph, what is promised of the answer after each, and what came of it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from stance.display import shown
from stance.errors import DataError
from stance.evaluation.answers import DECIMALS
from stance.evaluation.intervals import proportion_interval
from stance.model.judging import StanceModel
from stance.records import UNCERTAIN, Stance
from stance.stress.scenes import Scene, Sentences, cast, read_sentences, render, replaced

LANGUAGE = "english"  # of the sentences, and so of the models that the suite can test
EXAMPLES = 3  # failures that are kept of a test
SEED = 20  # seeds the places of typing errors
NOT_NAMED = "not named"  # answer for an actor that the model does not find in a text
TWO = "two actors of kind state, organisation or other"
ANY_ACTOR = "an actor of kind state, organisation or other with an alias that is not an adjective"
OPPOSITE = {Stance.AGAINST: Stance.FAVOR, Stance.FAVOR: Stance.AGAINST}
SHORTEST = 5  # letters of a word that gets a typing error
_SLOT_OR_WORD = re.compile(r"\{\w+\}|\w+")


class Trial(NamedTuple):
    """A paragraph before and after a change, and the right answer after it."""

    before: str
    after: str
    actor_before: str
    actor_after: str
    expected: Stance | None = None  # None: the same answer as before, whether right or wrong
    leaves: Stance | None = None  # counted only if this was the answer; it should no longer be


Change = Callable[[Scene, Sentences], Trial | None]  # None if the scene lacks what it needs


class Test(NamedTuple):
    """A change by name, what is promised of the answer, and what it needs of the actor book."""

    name: str
    promise: str
    needs: str
    run: Change


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one test: seed paragraphs that were tried, and at most three failures."""

    name: str
    promise: str
    n: int
    failures: int
    rate: float
    interval: tuple[float, float]  # Wilson's, which has a width even if nothing failed
    examples: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class StressReport:
    """What came of every test."""

    tests: tuple[Result, ...]
    skipped: Mapping[str, str]  # tests that the model's actor book does not allow, and why
    seeds: int  # seed paragraphs that the book has actors for

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        skipped = [{"name": name, "reason": why} for name, why in self.skipped.items()]
        return {**asdict(self), "skipped": skipped}


def run_suite(model: StanceModel) -> StressReport:
    """Test how a model, of English texts, behaves when a text changes; else raise `DataError`."""
    if model.recipe.language != LANGUAGE:
        raise DataError(
            f"the stress suite is English and the model reads {shown(model.recipe.language)}; "
            "evaluate it on a corpus of its language"
        )
    words = read_sentences()
    scenes = cast(model.book, words)
    trials = {
        test: [trial for scene in scenes if (trial := test.run(scene, words))] for test in TESTS
    }
    texts = list(dict.fromkeys(t for some in trials.values() for trial in some for t in trial[:2]))
    answers = dict(zip(texts, ask(model, texts), strict=True))
    results = {test: _result(test, some, answers) for test, some in trials.items()}
    return StressReport(
        tests=tuple(result for result in results.values() if result),
        skipped={t.name: f"skipped, it needs {t.needs}" for t, own in results.items() if not own},
        seeds=len(scenes),
    )


def ask(model: StanceModel, texts: Sequence[str]) -> list[dict[str, str]]:
    """Return what `predict` would answer to each text, by actor."""
    labels, answers = list(map(str, Stance)), [dict[str, str]() for _ in texts]
    for rows, judged in model.judge_many(texts):
        best = judged.stance.argmax(axis=1).tolist()
        withheld = judged.withheld.tolist()
        for row, (para, actor) in enumerate(zip(judged.para.tolist(), judged.actor, strict=True)):
            answers[rows.start + para][actor] = UNCERTAIN if withheld[row] else labels[best[row]]
    return answers


def _result(
    test: Test, trials: Sequence[Trial], answers: Mapping[str, Mapping[str, str]]
) -> Result | None:
    tested, failed = 0, list[dict[str, str]]()
    for trial in trials:
        before = answers[trial.before].get(trial.actor_before, NOT_NAMED)
        after = answers[trial.after].get(trial.actor_after, NOT_NAMED)
        if trial.leaves and before != trial.leaves:
            continue
        tested += 1
        expected = f"not {trial.leaves}" if trial.leaves else str(trial.expected or before)
        if (after == trial.leaves) if trial.leaves else (after != expected):
            actor = " -> ".join(dict.fromkeys((trial.actor_before, trial.actor_after)))
            told = {"actor": actor, "before": trial.before, "after": trial.after}
            said = {"answer_before": before, "answer_after": after, "expected": expected}
            failed.append(told | said)
    if not tested:
        return None
    seeds = np.arange(tested)
    low, high = proportion_interval(seeds < len(failed), seeds) or (0.0, 1.0)
    interval = round(low, DECIMALS), round(high, DECIMALS)
    rate = round(len(failed) / tested, DECIMALS)
    examples = tuple(failed[:EXAMPLES])
    return Result(test.name, test.promise, tested, len(failed), rate, interval, examples)


# --- The tests, in the order of the report ---

TESTS: list[Test] = []


def promised(name: str, needs: str = ANY_ACTOR) -> Callable[[Change], Change]:
    """Add the decorated function, whose docstring is the promise, to the tests."""

    def add(run: Change) -> Change:
        TESTS.append(Test(name, run.__doc__ or "", needs, run))
        return run

    return add


def _trial(
    scene: Scene, after: str, *, actor: str | None = None, expected: Stance | None = None
) -> Trial:
    name = scene.actor.name
    return Trial(scene.render(), after, name, actor or name, expected)


@promised("as written")
def _as_written(scene: Scene, _words: Sentences) -> Trial:
    """A seed paragraph gets the label that it was written for."""
    return _trial(scene, scene.render(), expected=scene.seed.stance)


@promised("actor swapped", "two actors of one kind")
def _swap_actor(scene: Scene, _words: Sentences) -> Trial | None:
    """Another actor of the same kind in the actor's place gets the actor's answer."""
    if scene.substitute is None:
        return None
    after = scene.change(actor=scene.fills["substitute"]).render()
    return _trial(scene, after, actor=scene.substitute.name)


@promised("government for the name", "a state with a demonym")
def _name_government(scene: Scene, _words: Sentences) -> Trial | None:
    """The answer stays when "the Russian government" stands for "Russia"."""
    demonyms = scene.actor.aliases.get("demonym", ())
    if scene.actor.kind != "state" or not demonyms:
        return None
    return _trial(scene, scene.change(actor=f"the {demonyms[0]} government").render())


@promised("capital for the name", "an actor with a capital")
def _name_capital(scene: Scene, words: Sentences) -> Trial | None:
    """The answer stays when "Moscow" stands for "Russia"."""
    capitals = scene.actor.aliases.get("capital", ())
    if not capitals or not scene.seed.polar:  # a state may be just a place in a neutral paragraph
        return None
    return _trial(scene, scene.change(actor=words.with_article(capitals[0])).render())


@promised("abbreviation with points", "an actor with an abbreviation with and without points")
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


@promised("neutral sentence in front")
def _add_neutral_before(scene: Scene, words: Sentences) -> Trial:
    """The answer stays when an unrelated neutral sentence opens the paragraph."""
    return _trial(scene, f"{_of(words.neutral, scene)} {scene.render()}")


@promised("neutral sentence behind")
def _add_neutral_behind(scene: Scene, words: Sentences) -> Trial:
    """The answer stays when an unrelated neutral sentence ends the paragraph."""
    return _trial(scene, f"{scene.render()} {_of(words.neutral, scene)}")


@promised("paragraph doubled")
def _double(scene: Scene, _words: Sentences) -> Trial:
    """The answer stays when everything is said twice."""
    return _trial(scene, f"{scene.render()} {scene.render()}")


@promised("person, place, number changed")
def _change_details(scene: Scene, words: Sentences) -> Trial | None:
    """The answer stays when other persons, places and numbers are named."""
    fills = words.fillers(scene.number + 1)
    fills.pop("speaker")
    after = scene.change(**fills).render()
    return None if after == scene.render() else _trial(scene, after)


@promised("quotation by someone else")
def _change_speaker(scene: Scene, words: Sentences) -> Trial | None:
    """The answer stays when another person without a side says the same."""
    if "{speaker}" not in scene.text:
        return None
    speaker = words.fillers(scene.number + 1)["speaker"]
    return _trial(scene, scene.change(speaker=speaker).render())


@promised("quotation by another actor", TWO)
def _give_to_other(scene: Scene, _words: Sentences) -> Trial | None:
    """The answer stays when a spokeswoman for another actor says the same."""
    if "{speaker}" not in scene.text or scene.other is None:
        return None
    return _trial(scene, scene.change(speaker=f"a spokeswoman for {scene.fills['other']}").render())


@promised("opposite stance added: first actor", TWO)
def _add_opposite(scene: Scene, words: Sentences) -> Trial | None:
    """The answer stays when another actor gets the opposite stance in an added sentence."""
    if scene.other is None or not scene.seed.polar or "{other}" in scene.text:
        return None
    sentences = words.praise if scene.seed.stance is Stance.AGAINST else words.blame
    return _trial(scene, scene.change(f"{scene.text} {_of(sentences, scene)}").render())


@promised("opposite stance added: second actor", TWO)
def _ask_for_added(scene: Scene, words: Sentences) -> Trial | None:
    """The actor of the added sentence gets the opposite answer."""
    trial = _add_opposite(scene, words)
    if trial is None or scene.other is None:
        return None
    opposite, name = OPPOSITE[scene.seed.stance], scene.other.name
    return Trial(trial.after, trial.after, name, name, expected=opposite)


@promised("who judges whom: the judged", TWO)
def _ask_for_judged(scene: Scene, words: Sentences) -> Trial | None:
    """The actor that another praises or blames is the one with the stance."""
    if scene.other is None:
        return None
    blamed = scene.number % 2 == 0
    text = _judging(scene, words, blamed)
    name = scene.other.name
    return Trial(text, text, name, name, Stance.AGAINST if blamed else Stance.FAVOR)


@promised("who judges whom: the judge", TWO)
def _ask_for_judge(scene: Scene, words: Sentences) -> Trial | None:
    """The actor that praises or blames another is not judged."""
    if scene.other is None:
        return None
    text, name = _judging(scene, words, scene.number % 2 == 0), scene.actor.name
    return Trial(text, text, name, name, Stance.NEUTRAL)


def _judging(scene: Scene, words: Sentences, blaming: bool) -> str:
    """Return a sentence in which the actor judges the other, of one construction after another."""
    sentences = words.criticism if blaming else words.approval
    return render(sentences[scene.number // 2 % len(sentences)], scene.fills)


@promised("deciding verb negated", "a model that finds the stance of a seed paragraph")
def _negate(scene: Scene, _words: Sentences) -> Trial | None:
    """A stance that was found goes when the deciding verb is negated."""
    if not scene.seed.polar:
        return None
    after = scene.change(replaced(scene.text, scene.seed.negate)).render()
    name = scene.actor.name
    return Trial(scene.render(), after, name, name, leaves=scene.seed.stance)


@promised("plain verb negated")
def _negate_plain(scene: Scene, _words: Sentences) -> Trial | None:
    """A neutral paragraph keeps its answer when its plain verb is negated."""
    if scene.seed.polar:
        return None
    return _trial(scene, scene.change(replaced(scene.text, scene.seed.negate)).render())


@promised("praise turned into blame")
def _turn_to_blame(scene: Scene, _words: Sentences) -> Trial | None:
    """Where praise becomes blame, the answer is against."""
    return _turned(scene, Stance.FAVOR)


@promised("blame turned into praise")
def _turn_to_praise(scene: Scene, _words: Sentences) -> Trial | None:
    """Where blame becomes praise, the answer is favor."""
    return _turned(scene, Stance.AGAINST)


def _turned(scene: Scene, stance: Stance) -> Trial | None:
    if scene.seed.stance is not stance:
        return None
    after = scene.change(replaced(scene.text, scene.seed.turn)).render()
    return _trial(scene, after, expected=OPPOSITE[stance])


@promised("typing error")
def _mistype(scene: Scene, _words: Sentences) -> Trial:
    """The answer stays when a word is mistyped."""
    random = np.random.default_rng((SEED, scene.number))
    words = [w for w in _SLOT_OR_WORD.findall(scene.text) if w.islower() and len(w) >= SHORTEST]
    plain = [word for word in words if word.isalpha()]  # neither a slot nor a number
    return _mistyped(scene, plain[random.integers(len(plain))])


@promised("typing error in the deciding word")
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


@promised("all capitals")
def _to_upper(scene: Scene, _words: Sentences) -> Trial:
    """The answer stays when everything is written in capitals."""
    return _trial(scene, scene.render().upper())


@promised("no capitals", "an actor with a name that counts in any spelling")
def _to_lower(scene: Scene, words: Sentences) -> Trial | None:
    """The answer stays when nothing has a capital."""
    free = [a for a in scene.actor.aliases.get("name", ()) if a not in scene.actor.case]
    if not free:
        return None
    scene = scene.change(actor=words.with_article(free[0]))
    return _trial(scene, scene.render().lower())
