"""Runs every test of the suite on a model."""

from collections.abc import Iterable, Mapping, Sequence

from stance.display import shown
from stance.errors import DataError
from stance.model.judging import StanceModel
from stance.stress.answers import Answers, answer_for, ask
from stance.stress.invariants import HARD_TESTS, HardTest
from stance.stress.perturbations import Trial
from stance.stress.promises import SOFT_TESTS, SoftTest
from stance.stress.results import EXAMPLES, Example, Result, StressReport
from stance.stress.scenes import Scene, cast
from stance.stress.sentences import Sentences, read_sentences

LANGUAGE = "english"
"""Of the sentences, and so of the models that the suite can test."""


def run_suite(model: StanceModel) -> StressReport:
    """Test how a model behaves when a text changes.

    Parameters
    ----------
    model : StanceModel
        Its own actor book says which actors stand in the seed paragraphs.

    Raises
    ------
    DataError
        If the model reads another language than English.
    """
    if model.recipe.language != LANGUAGE:
        raise DataError(
            f"the stress suite is English and the model reads {shown(model.recipe.language)}; "
            "evaluate it on a corpus of its language"
        )
    words = read_sentences()
    scenes = cast(model.book, words)
    trials = {
        test.name: [trial for scene in scenes if (trial := test.change(scene, words)) is not None]
        for test in SOFT_TESTS
    }
    answers = _answers(model, [trial for some in trials.values() for trial in some])
    outcomes: list[tuple[HardTest | SoftTest, Result | None]] = [
        *((test, _hard_result(test, model, scenes, words)) for test in HARD_TESTS),
        *((test, _soft_result(test, trials[test.name], answers)) for test in SOFT_TESTS),
    ]
    return StressReport(
        tests=tuple(result for _, result in outcomes if result is not None),
        skipped={
            test.name: f"skipped, it needs {test.needs}"
            for test, result in outcomes
            if result is None
        },
        seeds=len(scenes),
    )


def _answers(model: StanceModel, trials: Iterable[Trial]) -> dict[str, Answers]:
    texts = list(dict.fromkeys(text for trial in trials for text in (trial.before, trial.after)))
    return dict(zip(texts, ask(model, texts), strict=True))


def _hard_result(
    test: HardTest, model: StanceModel, scenes: Sequence[Scene], words: Sentences
) -> Result | None:
    seeds: set[int] = set()
    failed: dict[int, Example] = {}
    for found in test.compare(model, scenes, words):
        seeds.add(found.seed)
        if not found.answer_before.equals(found.answer_after) and found.seed not in failed:
            failed[found.seed] = Example(
                actor=found.actor,
                before=found.before,
                after=found.after,
                answer_before=str(found.answer_before),
                answer_after=str(found.answer_after),
                expected=str(found.answer_before),
            )
    examples = tuple(failed.values())[:EXAMPLES]
    if not seeds:
        return None
    return Result(test.name, test.promise, "hard", len(seeds), len(failed), examples)


def _soft_result(
    test: SoftTest, trials: Sequence[Trial], answers: Mapping[str, Answers]
) -> Result | None:
    tested = 0
    failed: list[Example] = []
    for trial in trials:
        before = answer_for(answers[trial.before], trial.actor_before).label
        after = answer_for(answers[trial.after], trial.actor_after).label
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
