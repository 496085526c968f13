"""Whose stance it is, in sources that the holder head was not trained on.

Usage: python training/holders.py CORPUS [--recipe RECIPE] [--speakers]

The corpus has columns holder and source.  Prints, for each source when the head has learned from
the others, how often author, actor or other is right with its 95 % interval, beside always giving
the most frequent of the three; and how often the name of the actor is right as well.

With --speakers, it learns instead how much each sign that an actor speaks weighs, from the rows of
which the head says that an actor holds the stance; and prints how often the right one, or rightly
none, is found in sources left out.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from stance.arrays import Bools, Floats, Ints, stretches
from stance.corpus import Corpus, holder_kinds, holder_rows, read_corpus
from stance.evaluation.comparison import holder_score
from stance.fitting.counts import count_features
from stance.fitting.learning import fit_head, score_rows
from stance.fitting.task import Task, class_weights
from stance.model.holders import ACTOR_KIND, SIGNS, name_held, signs
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.spans import Query, make_query
from stance.reading.words import Reader
from stance.recipe import HeadRecipe, read_recipe
from stance.records import Holder


def main() -> None:
    """Leave out each source in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--recipe", type=Path)
    parser.add_argument("--speakers", action="store_true")
    options = parser.parse_args()
    recipe, corpus = read_recipe(options.recipe), read_corpus([options.corpus])
    corpus = corpus.take(holder_rows(corpus))
    reader = Reader(ActorBook.default(), Lexicon.default(recipe.language), recipe.language)
    query = make_query(reader.book, corpus.texts, corpus.actors, corpus.spans, corpus.months)
    head = HeadRecipe(recipe.holder_features, recipe.holder_classifier)
    counts, y = count_features(reader, query, head.features), holder_kinds(corpus)
    weight = class_weights(y, corpus.source, np.ones(1), head.classifier.balanced)
    task = Task(counts, head, tuple(Holder), True, y, corpus.document, weight)
    names, source = np.unique(corpus.extra["source"], return_inverse=True)
    kinds = np.zeros(len(y), np.int64)
    for number in range(len(names)):
        learned = fit_head(task, np.flatnonzero(source != number), recipe.validation.seed)
        rows = np.flatnonzero(source == number)
        kinds[rows] = score_rows(learned, counts, rows).argmax(axis=1)
    if options.speakers:
        asked = (kinds == ACTOR_KIND) & (y != list(Holder).index(Holder.AUTHOR))
        learn_speakers(reader, corpus.take(np.flatnonzero(asked)))
        return
    found = np.array(name_held(reader, query, kinds), object)
    print("| tested on | n | right | 95 % interval | most frequent | name right |")
    print("|---|---|---|---|---|---|")
    for number, name in enumerate([*names.tolist(), "all"]):
        rows = np.flatnonzero((source == number) | (name == "all"))
        part = holder_score(corpus.take(rows), reader.book, found[rows].tolist())
        low, high = part["interval"]
        print(
            f"| {name} | {part['n']:,} | {100 * part['accuracy']:.1f} | "
            f"[{100 * low:.1f}, {100 * high:.1f}] | {100 * part['majority']:.1f} | "
            f"{100 * part['exact']:.1f} |"
        )


@dataclass(frozen=True, slots=True)
class Choices:
    """Mentions of the paragraph of each pair: one of these actors holds the stance, or none."""

    x: Floats  # of shape (n_mentions, n_signs + 1): signs, and whether it is the judged actor
    pair: Ints
    actor: Ints  # number in the book
    right: Bools
    other: Bools  # pairs of whose holder no actor is right, of shape (n_pairs,)

    @classmethod
    def of(cls, reader: Reader, query: Query, holder: Sequence[str | None]) -> "Choices":
        """Read the mentions of some pairs."""
        found, low = [], 0
        numbers = np.array([reader.book.number(name or "") for name in holder])
        judged = np.array([reader.book.number(name) for name in query.names])
        for part in query.batches():
            words, para = part.read(reader)
            where = words.para.take(words.mentions)
            start, stop = np.searchsorted(where, para), np.searchsorted(where, para + 1)
            pair = np.repeat(np.arange(len(para)), stop - start)
            at = words.mentions.take(stretches(start, stop - start))
            who, own = words.who.take(at), part.actor.take(pair)
            x = np.vstack([signs(words, at), who == own]).T.astype(np.float64)
            actor = np.where(who == len(reader.book), judged[low + pair], who)
            right = (actor == numbers[low + pair]) & (actor >= 0)
            found.append((x, low + pair, actor, right))
            low += len(part)
        x, pair, actor, right = map(np.concatenate, zip(*found, strict=True))
        return cls(x, pair, actor, right, np.array(holder) == Holder.OTHER)

    def learn(self, pairs: Bools) -> Floats:
        """Return a weight per sign, for the judged actor, and for nobody, by some pairs."""
        kept = pairs[self.pair]
        x, pair, right = self.x[kept], self.pair[kept], self.right[kept]
        count = len(self.other)
        known = np.bincount(pair[right], minlength=count) > 0

        def loss(weights: Floats) -> tuple[float, Floats]:
            odds, nobody = np.exp(x @ weights[:-1]), np.exp(weights[-1])
            every = np.bincount(pair, odds, count) + nobody
            own = np.where(known, np.bincount(pair, odds * right, count), nobody)
            likely = np.log(own / every)[pairs].sum()
            share = odds / every[pair] - odds * right / np.where(known, own, 1)[pair]
            bias = (nobody / every - ~known)[pairs].sum()
            slope = np.append(share @ x, bias) + RIDGE * weights
            return RIDGE / 2 * weights @ weights - likely, slope

        found: Floats = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
        return found

    def found(self, weights: Floats) -> Bools:
        """Return for which pairs the right actor, or rightly none, is the most probable one."""
        key = self.pair * (self.actor.max() + 2) + self.actor + 1
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        odds, pair = np.bincount(which, np.exp(self.x @ weights[:-1])), self.pair[first]
        best = np.full(len(self.other), np.exp(weights[-1]))
        np.maximum.at(best, pair, odds)
        won = odds == best[pair]
        found = self.other.copy()
        found[pair[won]] = self.right[first][won]
        return found


RIDGE = 1.0


def learn_speakers(reader: Reader, corpus: Corpus) -> None:
    """Print the weights of `SIGNS`, and how often they find the holder in sources left out."""
    query = make_query(reader.book, corpus.texts, corpus.actors, corpus.spans, corpus.months)
    choices = Choices.of(reader, query, corpus.holder)
    source = np.array(corpus.extra["source"])
    found = np.zeros(len(corpus), np.bool_)
    for name in np.unique(source):
        found[source == name] = choices.found(choices.learn(source != name))[source == name]
    known = len(np.unique(choices.pair[choices.right]))
    weights = choices.learn(np.ones(len(corpus), np.bool_))
    for name, weight in zip([*SIGNS, "judged", "nobody"], weights, strict=True):
        print(f"{name:<14}{weight:5.1f}")
    print(
        f"{len(corpus):,} rows; {known / len(corpus):.1%} name the holder; right {found.mean():.1%}"
    )


if __name__ == "__main__":
    main()
