"""Runs the behavioural tests on a model: hard ones, which must always hold, and soft ones."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from stance.display import shown
from stance.errors import DataError
from stance.evaluation.answers import DECIMALS
from stance.evaluation.intervals import proportion_interval
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.records import UNCERTAIN, Stance
from stance.stress._changes import SOFT_TESTS, Change, Test, Trial, adds_to
from stance.stress._scenes import NAMING_KINDS, Scene, Sentences, cast, read_sentences

LANGUAGE = "english"  # of the sentences, and so of the models that the suite can test
EXACT = 1e-9  # difference of probabilities up to which two answers are the same
EXAMPLES = 3  # failures that are kept of a test

_OPENS = re.compile(r'[.!?]"? "?\{actor\}')
_ENDS = re.compile(r"\{actor\}('s|\.)")


@dataclass(frozen=True, slots=True)
class Example:
    """One failure: the answer for an actor before and after a change of the text."""

    actor: str
    before: str
    after: str
    answer_before: str
    answer_after: str
    expected: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one test; a seed paragraph that it changes in several ways fails once."""

    name: str
    promise: str
    kind: Literal["hard", "soft"]
    n: int  # seed paragraphs tested
    failures: int
    examples: tuple[Example, ...]  # at most `EXAMPLES` failures

    @property
    def rate(self) -> float:
        """Share of the paragraphs that failed, between 0 and 1."""
        return self.failures / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the rate: Wilson's, which has a width even if nothing failed."""
        seeds = np.arange(self.n)
        return proportion_interval(seeds < self.failures, seeds) or (0.0, 1.0)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        found = asdict(self)
        examples = list(found.pop("examples"))
        interval = [round(bound, DECIMALS) for bound in self.interval]
        rate = round(self.rate, DECIMALS)
        return found | {"rate": rate, "interval": interval, "examples": examples}


@dataclass(frozen=True, slots=True)
class StressReport:
    """What came of every test."""

    tests: tuple[Result, ...]
    skipped: Mapping[str, str]  # tests that the model's actor book does not allow, and why
    seeds: int  # seed paragraphs that the book has actors for

    @property
    def hard_failures(self) -> int:
        """Failures of the tests that must always hold."""
        return sum(test.failures for test in self.tests if test.kind == "hard")

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "tests": [test.to_json() for test in self.tests],
            "skipped": [{"name": name, "reason": why} for name, why in self.skipped.items()],
            "seeds": self.seeds,
            "hard_failures": self.hard_failures,
        }


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
        test.name: [trial for scene in scenes if (trial := test.run(scene, words)) is not None]
        for test in SOFT_TESTS
    }
    texts = {
        t: None for some in trials.values() for trial in some for t in (trial.before, trial.after)
    }
    answers = dict(zip(texts, ask(model, list(texts)), strict=True))
    outcomes: list[tuple[Test[Any], Result | None]] = [
        *((test, _hard_result(test, test.run(model, scenes, words))) for test in HARD_TESTS),
        *((test, _soft_result(test, trials[test.name], answers)) for test in SOFT_TESTS),
    ]
    return StressReport(
        tests=tuple(result for _, result in outcomes if result is not None),
        skipped={t.name: f"skipped, it needs {t.needs}" for t, result in outcomes if not result},
        seeds=len(scenes),
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one actor in one text."""

    label: str
    probabilities: tuple[float, ...]  # of the stances, then of the text's sentiment if it has one

    def __str__(self) -> str:
        numbers = " ".join(f"{p:.9f}" for p in self.probabilities[: len(Stance)])
        return f"{self.label} ({numbers})"

    def equals(self, other: "Answer") -> bool:
        """Return whether both give the same label with the same probabilities."""
        mine, theirs = np.array(self.probabilities), np.array(other.probabilities)
        close = mine.shape == theirs.shape and (np.abs(mine - theirs) <= EXACT).all()
        return self.label == other.label and bool(close)  # false where one is not a number


NOT_NAMED = Answer("not named", ())  # for an actor that the model does not find in a text

Answers = Mapping[str, Answer]  # what a model says of one text, by actor


def ask(model: StanceModel, texts: Sequence[str], batch: int | None = None) -> list[Answers]:
    """Judge texts as `predict` would, ``batch`` at a time."""
    labels, answers = list(map(str, Stance)), list[Answers]()
    for rows, judged in model.judge_many(texts, size=batch):
        withheld = judged.withheld.tolist()
        found: list[dict[str, Answer]] = [{} for _ in texts[rows]]
        for row, (para, actor) in enumerate(zip(judged.para.tolist(), judged.actor, strict=True)):
            numbers = judged.stance[row].tolist()
            label = UNCERTAIN if withheld[row] else labels[int(judged.stance[row].argmax())]
            if judged.sentiment is not None:
                numbers += judged.sentiment[para].tolist()
            found[para][actor] = Answer(label, tuple(numbers))
        answers += found
    return answers


def _soft_result(
    test: Test[Change], trials: Sequence[Trial], answers: Mapping[str, Answers]
) -> Result | None:
    tested = 0
    failed: list[Example] = []
    for trial in trials:
        before = answers[trial.before].get(trial.actor_before, NOT_NAMED).label
        after = answers[trial.after].get(trial.actor_after, NOT_NAMED).label
        if trial.leaves and before != trial.leaves:
            continue
        tested += 1
        if trial.leaves:
            passed, expected = after != trial.leaves, f"not {trial.leaves}"
        else:
            expected = str(trial.expected or before)
            passed = after == expected
        if not passed:
            failed.append(Example(trial.whose, trial.before, trial.after, before, after, expected))
    if not tested:
        return None
    return Result(test.name, test.promise, "soft", tested, len(failed), tuple(failed[:EXAMPLES]))


# --- What must always hold, to the ninth decimal ---
#
# An alias shrinks to one word before any feature is made, so two of one kind cannot differ, unless
# they change what is around the mention: an adjective has its own role, the point of "U.S." may
# hide the end of a sentence or a possessive, and a small letter ("eu") does not open a sentence.

# Numbers of seeds, and how two answers differ that must be the same.
Comparisons = Iterator[tuple[int, Example | None]]
Scenes = Sequence[Scene]
Compare = Callable[[StanceModel, Scenes, Sentences], Comparisons]


HARD_TESTS: list[Test[Compare]] = []  # what must always hold, in the order of the report


def _hard_result(test: Test[Compare], comparisons: Comparisons) -> Result | None:
    seeds: set[int] = set()
    failed: dict[int, Example] = {}
    for seed, example in comparisons:
        seeds.add(seed)
        if example is not None:
            failed.setdefault(seed, example)
    if not seeds:
        return None
    examples = tuple(failed.values())[:EXAMPLES]
    return Result(test.name, test.promise, "hard", len(seeds), len(failed), examples)


def _compare(
    numbers: Sequence[int],
    before: tuple[Sequence[str], Sequence[Answers]],
    after: tuple[Sequence[str], Sequence[Answers]],
) -> Comparisons:
    """Compare the answers for every actor that is named before or after."""
    for seed, old, found, new, then in zip(numbers, *before, *after, strict=True):
        for actor in {**found, **then}:
            one, other = found.get(actor, NOT_NAMED), then.get(actor, NOT_NAMED)
            example = Example(actor, old, new, str(one), str(other), expected=str(one))
            yield seed, None if one.equals(other) else example


def _rendered(scenes: Scenes) -> tuple[list[str], list[int]]:
    return [scene.render() for scene in scenes], [scene.number for scene in scenes]


@adds_to(HARD_TESTS, "alias exchanged", "an actor with two aliases of one kind")
def _exchange_aliases(model: StanceModel, scenes: Scenes, words: Sentences) -> Comparisons:
    """Every alias of a kind gives the same probabilities, for every actor of the paragraph."""
    asked = [
        (scene, group[0], alias)
        for scene in scenes
        for group in _exchangeable(scene, words)
        for alias in group[1:]
    ]
    before = [scene.change(actor=first).render() for scene, first, _ in asked]
    after = [scene.change(actor=alias).render() for scene, _, alias in asked]
    numbers = [scene.number for scene, _, _ in asked]
    yield from _compare(numbers, (before, ask(model, before)), (after, ask(model, after)))


def _exchangeable(scene: Scene, words: Sentences) -> Iterator[list[str]]:
    """Yield the aliases of each kind, all with the article that the first of them has."""
    opens, ends = _OPENS.search(scene.text), _ENDS.search(scene.text)
    for kind in NAMING_KINDS:
        aliases = [
            alias
            for alias in scene.actor.aliases.get(kind, ())
            if not (ends and "." in alias.split()[-1]) and not (opens and alias[0].islower())
        ]
        if len(aliases) > 1:
            article = words.with_article(aliases[0]).removesuffix(aliases[0])
            yield [article + alias for alias in aliases]


@adds_to(HARD_TESTS, "order of rows")
def _reorder_rows(model: StanceModel, scenes: Scenes, _words: Sentences) -> Comparisons:
    """The same paragraphs in another order get the same probabilities."""
    texts, numbers = _rendered(scenes)
    backwards = ask(model, texts[::-1])[::-1]
    yield from _compare(numbers, (texts, ask(model, texts)), (texts, backwards))


@adds_to(HARD_TESTS, "batch composition")
def _rebatch(model: StanceModel, scenes: Scenes, _words: Sentences) -> Comparisons:
    """A paragraph gets the same probabilities alone and among others."""
    texts, numbers = _rendered(scenes)
    together = ask(model, texts)
    for batch in (1, 7):
        yield from _compare(numbers, (texts, together), (texts, ask(model, texts, batch)))


@adds_to(HARD_TESTS, "actors not mentioned", "an actor more than the paragraphs name")
def _drop_unmentioned(model: StanceModel, scenes: Scenes, words: Sentences) -> Comparisons:
    """Actors of the book that no paragraph names change no probability."""
    # Take all actors but two, or one, out of the book, and name only these.
    if not scenes:
        return
    kept = [actor for actor in (scenes[0].other, scenes[0].actor) if actor is not None]
    if len(kept) == len(model.book):
        return
    book = ActorBook(kept)
    scenes = cast(book, words)
    texts = [scene.render() for scene in scenes]
    before, after = ask(model, texts), ask(replace(model, book=book), texts)
    # A place or a person of the suite may be an actor of somebody's book.
    mine = [at for at, answers in enumerate(before) if set(answers) <= set(book.names)]
    kept_texts, numbers = [texts[at] for at in mine], [scenes[at].number for at in mine]
    old, new = ([answers[at] for at in mine] for answers in (before, after))
    yield from _compare(numbers, (kept_texts, old), (kept_texts, new))
