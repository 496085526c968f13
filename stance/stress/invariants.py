"""Hard tests: what must hold always, to the ninth decimal.

An alias shrinks to one word, TARGET or OTHER, before any feature is made, so no two aliases of one
kind can differ.  Three things stand outside of this promise, since they change what is around the
mention: an adjective for a name ("Russian officials") has a role of its own; the point of "U.S."
may hide the end of a sentence and a possessive; and a small letter ("eu") does not open one.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.stress.answers import Answer, Answers, answer_for, ask
from stance.stress.scenes import Scene, cast, naming_kinds, with_article
from stance.stress.sentences import Sentences


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two answers that must be the same.

    Attributes
    ----------
    seed : int
    actor : str
    before, after : str
        Texts.
    answer_before, answer_after : Answer
    """

    seed: int
    actor: str
    before: str
    after: str
    answer_before: Answer
    answer_after: Answer


@dataclass(frozen=True, slots=True)
class HardTest:
    """What must hold always.

    Attributes
    ----------
    name, promise : str
    compare : callable
        Yields the comparisons; none where the actor book has not what the test needs.
    needs : str
    """

    name: str
    promise: str
    compare: Callable[[StanceModel, Sequence[Scene], Sentences], Iterator[Comparison]]
    needs: str


_OPENS = re.compile(r'[.!?]"? "?\{actor\}')
_ENDS = re.compile(r"\{actor\}('s|\.)")


def exchange_aliases(
    model: StanceModel, scenes: Sequence[Scene], words: Sentences
) -> Iterator[Comparison]:
    """Put every alias of a kind in place of the first of that kind."""
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
    for kind in naming_kinds():
        aliases = [
            alias
            for alias in scene.actor.aliases.get(kind, ())
            if not (ends and "." in alias.split()[-1]) and not (opens and alias[0].islower())
        ]
        if len(aliases) > 1:
            article = with_article(aliases[0], words.articles).removesuffix(aliases[0])
            yield [article + alias for alias in aliases]


def reorder_rows(
    model: StanceModel, scenes: Sequence[Scene], _words: Sentences
) -> Iterator[Comparison]:
    """Give the same paragraphs backwards."""
    texts = [scene.render() for scene in scenes]
    backwards = ask(model, texts[::-1])[::-1]
    yield from _compare(_numbers(scenes), (texts, ask(model, texts)), (texts, backwards))


def rebatch(model: StanceModel, scenes: Sequence[Scene], _words: Sentences) -> Iterator[Comparison]:
    """Give every paragraph alone, and among few others."""
    texts = [scene.render() for scene in scenes]
    together = ask(model, texts)
    for batch in (1, 7):
        apart = ask(model, texts, batch)
        yield from _compare(_numbers(scenes), (texts, together), (texts, apart))


def drop_unmentioned(
    model: StanceModel, scenes: Sequence[Scene], words: Sentences
) -> Iterator[Comparison]:
    """Take all actors but two, or one, out of the book, and let only these be named."""
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
    shown = [texts[at] for at in mine]
    yield from _compare(
        [scenes[at].number for at in mine],
        (shown, [before[at] for at in mine]),
        (shown, [after[at] for at in mine]),
    )


def _numbers(scenes: Sequence[Scene]) -> list[int]:
    return [scene.number for scene in scenes]


Judged = tuple[Sequence[str], Sequence[Answers]]
"""Texts and the answers to them."""


def _compare(numbers: Sequence[int], before: Judged, after: Judged) -> Iterator[Comparison]:
    """Compare the answers for every actor that is named before or after."""
    for seed, old, found, new, then in zip(numbers, *before, *after, strict=True):
        for actor in {**found, **then}:
            yield Comparison(
                seed, actor, old, new, answer_for(found, actor), answer_for(then, actor)
            )


HARD_TESTS = (
    HardTest(
        "alias exchanged",
        "Every alias of a kind gives the same probabilities, for every actor of the paragraph.",
        exchange_aliases,
        "an actor with two aliases of one kind",
    ),
    HardTest(
        "order of rows",
        "The same paragraphs in another order get the same probabilities.",
        reorder_rows,
        "an actor of kind state, organisation or other with an alias that is no adjective",
    ),
    HardTest(
        "batch composition",
        "A paragraph gets the same probabilities alone and among others.",
        rebatch,
        "an actor of kind state, organisation or other with an alias that is no adjective",
    ),
    HardTest(
        "actors not mentioned",
        "Actors of the book that no paragraph names change no probability.",
        drop_unmentioned,
        "an actor more than the paragraphs name",
    ),
)
"""Every hard test, in the order of the report."""
