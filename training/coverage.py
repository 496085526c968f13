"""Simulate how often the 95 % intervals of shares and of the net stance hold the truth.

Usage: python training/coverage.py [--repeats 1000] [--seed 20]

Each document has its own chances of the three stances, drawn from a Dirichlet distribution: the
more alike the answers of a document are, the more these chances differ between documents. Or a
tenth of the documents, campaigns, hold most of what is against. Prints a Markdown table: the
documents' lengths, as how many of equal length they count, how alike answers are (intraclass
correlation), and the percentage of the intervals that hold the true share against (2 to 60 %) and
the true net stance, with a star where the intervals say that they are not to be trusted, since the
documents are too few.
"""

import argparse
from collections.abc import Iterator

import numpy as np

from stance.arrays import Floats, Ints
from stance.evaluation.intervals import estimate_shares

TRUTHS = ((0.02, 0.95, 0.03), (0.05, 0.75, 0.2), (0.1, 0.8, 0.1), (0.4, 0.3, 0.3), (0.6, 0.2, 0.2))
"""Shares against, neutral, in favor."""

LIKENESS = (0.0, 0.05, 1 / 6, 0.4, 0.7, None)
"""Intraclass correlation of a document's answers; None where a tenth are campaigns."""

CAMPAIGNS, MOST = 0.1, 0.95  # share of documents that are campaigns; against in them, at most


def main() -> None:
    """Print a row for each kind of documents and likeness."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    heads = [f"{100 * truth[0]:.0f} %" for truth in TRUTHS]
    heads += [f"net {truth[2] - truth[0]:+.2f}" for truth in TRUTHS]
    print(f"| documents | count as | alike | {' | '.join(heads)} |")
    print("|---" * (3 + len(heads)) + "|")
    rng = np.random.default_rng(options.seed)
    for name, sizes in documents():
        for likeness in LIKENESS:
            found = [hold(rng, sizes, truth, likeness, options.repeats) for truth in TRUTHS]
            count = sizes.sum() ** 2 / (sizes**2).sum()
            cells = " | ".join(f"{100 * part[at]:.1f}" for at in (0, 1) for part in found)
            star = "" if found[0][2] else "*"
            alike = "campaigns" if likeness is None else f"{likeness:.2f}"
            print(f"| {name} | {count:.1f}{star} | {alike} | {cells} |", flush=True)


def documents() -> Iterator[tuple[str, Ints]]:
    """Yield kinds of documents and the answers in each of them."""
    for number, length in ((10, 10), (20, 5), (50, 5), (100, 1), (300, 3)):
        yield f"{number} of {length}", np.full(number, length)
    yield "100, 20 of 1", np.array([100] + 20 * [1])
    yield "200, 100, 50, 100 of 3", np.array([200, 100, 50] + 100 * [3])
    rng = np.random.default_rng(5)
    for number in (10, 30, 100, 300):
        yield f"{number}, log-normal", np.ceil(rng.lognormal(1.5, 1.0, number)).astype(np.int64)
    yield "100, Pareto", np.ceil(2 * rng.pareto(1.2, 100) + 1).astype(np.int64)


def draw(
    rng: np.random.Generator, sizes: Ints, truth: tuple[float, ...], likeness: float | None
) -> Ints:
    """Draw the answers of each document, of shape (n_documents, 3)."""
    chances: Floats = np.tile(np.array(truth), (len(sizes), 1))
    if likeness is None:
        most = min(MOST, 0.9 * truth[0] / CAMPAIGNS)
        least = (truth[0] - CAMPAIGNS * most) / (1 - CAMPAIGNS)
        chances[:, 0] = np.where(rng.random(len(sizes)) < CAMPAIGNS, most, least)
        chances[:, 1:] *= (1 - chances[:, :1]) / (1 - truth[0])
    elif likeness:
        gamma = rng.standard_gamma(chances * (1 / likeness - 1)) + 1e-300
        chances = gamma / gamma.sum(axis=1, keepdims=True)
    return rng.multinomial(sizes, chances)


def hold(
    rng: np.random.Generator,
    sizes: Ints,
    truth: tuple[float, ...],
    likeness: float | None,
    repeats: int,
) -> tuple[float, float, bool]:
    """Return how often the intervals of a share and of the net hold, and whether to trust them."""
    share = net = 0
    for _ in range(repeats):
        found = estimate_shares(draw(rng, sizes, truth, likeness))
        (low, high), (least, most) = found.intervals[0], found.net_interval
        share += low <= truth[0] <= high
        net += least <= truth[2] - truth[0] <= most
    return share / repeats, net / repeats, found.trusted


if __name__ == "__main__":
    main()
