"""Count how often the map of a report shows a difference where there is none.

Usage: python training/pooling.py ANSWERS.csv [--by source] [--draws 300] [--seed 20]

ANSWERS.csv is a table that stance predict wrote. Its sources are given at random to its documents,
so that no source differs from another. Prints in how many of the draws the map of net stances shows
any cell as apart from its actor's mean, and how many cells do; beside it, what shading every cell
by its own net stance would show, as the report did before.  Then, of curves with a known shape, how
often the band of the smooth line holds the truth, on average over the line and the draws.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from stance.arrays import Floats, Ints
from stance.evaluation.intervals import estimate_shares
from stance.findings import Request, survey
from stance.findings.pooling import FEWEST_POOLED, pool_map, smooth
from stance.findings.survey import batches
from stance.findings.tally import ACTORS, CELL_CLUSTERS, SOURCES, Tally
from stance.records import AGAINST, FAVOR

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
    print("| curve | points | band holds the truth | mean width of the band |\n|---|---|---|---|")
    for name, curve in CURVES.items():
        for points in (8, 12, 20, 40):
            print(band_row(rng, name, curve, points, options.draws), flush=True)


def read(request: Request) -> tuple[Ints, Ints]:
    """Return actor, document and label of each answer, and the source of each document."""
    tally = Tally(found := survey(request))
    actors = {name: at for at, name in enumerate(tally.actors)}
    sources = {name: at for at, name in enumerate(tally.sources)}
    places, documents, rows = found.places, dict[str, int](), list[tuple[int, int, int]]()
    source = list[int]()
    with request.open() as table:
        for batch in batches(table):
            if (answered := tally.add(batch, table)) is None:
                continue
            at = places.document if places.document is not None else places.text
            for record, label in zip(answered.records, answered.label.tolist(), strict=True):
                cells = record.cells
                name = cells[at] if at is not None else cells[places.row]
                if name not in documents:
                    source.append(sources.get(cells[places.by or 0], -1))
                document = documents.setdefault(name, len(documents))
                if label <= FAVOR and cells[places.actor] in actors:
                    rows.append((actors[cells[places.actor]], document, label))
    return np.array(rows), np.array(source)


def count(answers: Ints, source: Ints) -> Ints:
    """Return counts by actor, source, cluster of documents and label."""
    actor, document, label = answers.T
    counts = np.zeros((ACTORS, SOURCES, CELL_CLUSTERS, 3), np.int64)
    mine = source[document] >= 0
    where = (actor, source[document], document % CELL_CLUSTERS, label)
    np.add.at(counts, tuple(each[mine] for each in where), 1)
    return counts


def pooled(counts: Ints) -> int:
    """Return how many cells stand apart from their actor's mean."""
    return sum(int(each.apart.sum()) for each in pool_map(counts) if each)


def alone(counts: Ints) -> int:
    """Return how many cells had a shade by their own net stance."""
    cells = counts.sum(axis=2)
    size = cells.sum(axis=2)
    net = (cells[..., FAVOR] - cells[..., AGAINST]) / np.maximum(1, size)
    return int(((size >= FEWEST_POOLED) & (abs(net) > SHADED)).sum())


CURVES: dict[str, Callable[[Floats], Floats]] = {
    "flat": lambda t: np.full_like(t, -0.1),
    "rising": lambda t: -0.3 + 0.4 * t,
    "a bump": lambda t: -0.2 + 0.4 * np.exp(-((t - 0.5) ** 2) / 0.02),
    "a wave": lambda t: -0.1 + 0.2 * np.sin(4 * np.pi * t),
}
"""Net stance by time, from 0 to 1."""


def band_row(
    rng: np.random.Generator, name: str, curve: Callable[[Floats], Floats], points: int, draws: int
) -> str:
    """Return a row of the second table."""
    held, width = [], []
    x = np.linspace(0, 1, points)
    for _ in range(draws):
        line = smooth(x, [estimate_shares(draw(rng, net)) for net in curve(x)])
        truth = curve(line.x)
        held.append(((line.low <= truth) & (truth <= line.high)).mean())
        width.append((line.high - line.low).mean())
    return f"| {name} | {points} | {100 * np.mean(held):.1f} % | {100 * np.mean(width):.0f} |"


def draw(rng: np.random.Generator, net: float, documents: int = 30) -> Ints:
    """Draw the answers of documents that have one to four each and are alike (0.15)."""
    truth: Floats = np.array([0.25 - net / 2, 0.5, 0.25 + net / 2])
    return rng.multinomial(rng.integers(1, 5, documents), rng.dirichlet(truth * 5.7, documents))


if __name__ == "__main__":
    main()
