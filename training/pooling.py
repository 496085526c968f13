"""Count how often the map of a report shows a difference where there is none.

Usage: python training/pooling.py ANSWERS.csv [--by source] [--draws 300] [--seed 20]

ANSWERS.csv is a table that stance predict wrote. Its sources are given at random to its documents,
so that no source differs from another. Prints in how many of the draws the map of net stances shows
any cell as apart from its actor's mean, and how many cells do; beside it, what shading every cell
by its own net stance would show.  Then, of groups whose net stances are known and lie apart by so
much (standard deviation), how often the pooled interval of a group holds its own.
"""

import argparse
from pathlib import Path

import numpy as np

from stance.arrays import Floats, Ints
from stance.findings import Request
from stance.findings.answers import read_population
from stance.findings.pooling import FEWEST_POOLED, pool_groups, pool_map
from stance.records import AGAINST, FAVOR

ACTORS, SOURCES, CLUSTERS = 30, 12, 256  # of a map
SHADED = 0.05  # net stance beyond which a cell had a shade


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("answers", type=Path)
    parser.add_argument("--by", default="source")
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    answers, source = read(Request(options.answers, by=options.by))
    found = [count(answers, rng.permutation(source)) for _ in range(options.draws)]
    print("| map | maps that show a difference | cells shown, mean per map |\n|---|---|---|")
    for name, cells in (("partial pooling", pooled), ("each cell alone", alone)):
        shown = np.array([cells(each) for each in found])
        print(f"| {name} | {100 * (shown > 0).mean():.1f} % | {shown.mean():.2f} |", flush=True)
    print(f"| the true sources | | {pooled(count(answers, source))} |\n")
    print("| spread of groups | groups | documents | pooled intervals hold, % |\n|---|---|---|---|")
    for spread in (0.0, 0.05, 0.1, 0.2):
        for groups, documents in ((5, 20), (10, 20), (10, 60), (25, 20)):
            parts = [held(rng, spread, groups, documents) for _ in range(options.draws)]
            inside, every = np.sum(parts, axis=0)
            row = f"| {spread} | {groups} | {documents} | {100 * inside / every:.1f} |"
            print(row, flush=True)


def read(request: Request) -> tuple[Ints, Ints]:
    """Return actor, document and label of each answer shown, and the source of each document."""
    table = read_population(request)
    most = [
        np.argsort(-np.bincount(each))[:n]
        for each, n in ((table.actor, ACTORS), (table.group, SOURCES))
    ]
    places = [np.full(len(names), -1) for names in (table.actors, table.groups)]
    for place, kept in zip(places, most, strict=True):
        place[kept] = np.arange(len(kept))
    actor, source = places[0][table.actor], places[1][table.group]
    shown = (table.stance <= FAVOR) & (actor >= 0)
    rows = np.stack([actor, table.document, table.stance.astype(np.int64)], axis=1)[shown]
    return rows, source[np.unique(table.document, return_index=True)[1]]


def count(answers: Ints, source: Ints) -> Ints:
    """Return counts by actor, source, cluster of documents and label."""
    actor, document, label = answers.T
    counts = np.zeros((ACTORS, SOURCES, CLUSTERS, 3), np.int64)
    mine = source[document] >= 0
    where = (actor, source[document], document % CLUSTERS, label)
    np.add.at(counts, tuple(each[mine] for each in where), 1)
    return counts


def pooled(counts: Ints) -> int:
    """Return how many cells stand apart from their actor's mean."""
    return sum(int(each.apart.sum()) for each in pool_map(counts) if each)


def held(rng: np.random.Generator, spread: float, groups: int, documents: int) -> tuple[int, int]:
    """Return how many groups' pooled intervals hold their net stance, of how many."""
    nets = rng.normal(-0.1, spread, groups).clip(-0.45, 0.4)
    found = pool_groups(np.stack([draw(rng, net, documents) for net in nets]))
    if found is None:
        return 0, 0
    kept = ~np.isnan(found.net)
    inside = (found.low <= nets) & (nets <= found.high)
    return int(inside[kept].sum()), int(kept.sum())


def alone(counts: Ints) -> int:
    """Return how many cells had a shade by their own net stance."""
    cells = counts.sum(axis=2)
    size = cells.sum(axis=2)
    net = (cells[..., FAVOR] - cells[..., AGAINST]) / np.maximum(1, size)
    return int(((size >= FEWEST_POOLED) & (abs(net) > SHADED)).sum())


def draw(rng: np.random.Generator, net: float, documents: int = 30) -> Ints:
    """Draw the answers of documents that have one to four each and are alike (0.15)."""
    truth: Floats = np.array([0.25 - net / 2, 0.5, 0.25 + net / 2])
    return rng.multinomial(rng.integers(1, 5, documents), rng.dirichlet(truth * 5.7, documents))


if __name__ == "__main__":
    main()
