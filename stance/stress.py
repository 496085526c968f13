"""Behavioural tests of a model: what it answers when a text changes.

The tests follow Ribeiro, Wu, Guestrin and Singh (2020), "Beyond Accuracy: Behavioral Testing of NLP
Models with CheckList". The paragraphs in ``stress.csv`` were written for this purpose: nothing in
them happened, and no wording was chosen by what a model answers.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
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
WRITTEN = "as written"
CHANGES: dict[str, Callable[[str], str]] = {
    "paragraph doubled": lambda text: f"{text} {text}",
    "all capitals": str.upper,
    "no capitals": str.lower,
}


class Case(NamedTuple):
    """A question to a model: a paragraph as written or changed, and whom it is asked about."""

    paragraph: str  # number of the paragraph that was changed
    test: str
    actor: str
    expected: str  # a label; "same" as before; or "not LABEL", where that was the answer before
    text: str


def read_cases() -> Iterator[Case]:
    """Yield the bundled cases; those of a paragraph follow it as it was written."""
    path = files("stance").joinpath("data/english/stress.csv")
    for row in csv.DictReader(path.read_text("utf-8").splitlines()):
        yield (case := Case(**row))
        if case.test == WRITTEN:
            for test, change in CHANGES.items():
                yield case._replace(test=test, expected="same", text=change(case.text))


def run_suite(model: StanceModel) -> Figures:
    """Test how a model of English texts behaves when a text changes.

    Returns
    -------
    dict
        tests, each with name, n, failures, rate, its Wilson interval and at most three examples;
        and seeds, the number of paragraphs.
    """
    if model.recipe.language != LANGUAGE:
        raise DataError(
            f"the stress suite is English and the model reads {shown(model.recipe.language)}; "
            "evaluate it on a corpus of its language"
        )
    cases = list(read_cases())
    given = zip(cases, ask(model, [(case.text, case.actor) for case in cases]), strict=True)
    written, results = dict[str, str](), dict[str, list[tuple[bool, dict[str, str]]]]()
    for case, answer in given:
        before = written.setdefault(case.paragraph, answer)
        label = case.expected.removeprefix("not ")
        if label != case.expected and before != label:
            continue  # no stance is there that could go
        right = (answer == (before if label == "same" else label)) == (label == case.expected)
        expected = before if label == "same" else case.expected
        example = {"actor": case.actor, "text": case.text, "answer": answer, "expected": expected}
        results.setdefault(case.test, []).append((right, example))
    tests = [_result(name, tested) for name, tested in results.items()]
    return plain({"tests": tests, "seeds": len(written)})


def ask(model: StanceModel, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return what `predict` would answer to each pair of a text and an actor."""
    texts, actors = zip(*pairs, strict=True)
    return [
        UNCERTAIN if withheld else ANSWERS[best]
        for _, judged in model.judge_many(texts, actors)
        for best, withheld in zip(judged.stance.argmax(axis=1), judged.withheld, strict=True)
    ]


def _result(name: str, tested: Sequence[tuple[bool, dict[str, str]]]) -> dict[str, Any]:
    wrong = np.array([not right for right, _ in tested])
    return {
        "name": name,
        "n": len(tested),
        "failures": wrong.sum(),
        "rate": wrong.mean(),
        "interval": proportion_interval(wrong, np.arange(len(tested))),
        "examples": [example for right, example in tested if not right][:EXAMPLES],
    }
