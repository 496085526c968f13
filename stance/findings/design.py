"""How a sample is spread over strata so that few labels tell the most."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stance.arrays import Bools, Floats, Ints

LEAST = 5  # units drawn from a stratum: fewer say too little of its spread
FEWEST_LABELS = 10  # below which nothing is said of a part
EVENTS = 3.0  # labels of the rarer kind that weigh as much as the assumption that nothing is gained
FREEDOM = 2.0  # effective labels for each degree of freedom of a corrected share, about
OPTIMISM = 1.3  # by which variances exceed what a model's probabilities let expect
SUREST = 0.2  # standard deviation, at least, that a unit's error is given: models are too sure


@dataclass(frozen=True, slots=True)
class Design:
    """Strata, and how many units are drawn from each."""

    stratum: Ints  # of each unit
    sizes: Ints  # units of each stratum
    drawn: Ints  # of them

    @property
    def inclusion(self) -> Floats:
        """The probability of each unit to be drawn."""
        share: Floats = self.drawn / self.sizes
        return share[self.stratum]


def design_sample(levels: Sequence[Ints], cells: Ints, spread: Floats, size: int) -> Design:
    """Spread a sample over strata.

    Cells that are compared share the sample by the square root of their size, a compromise between
    equal precision for each and the best for all (Bankier 1988, "Power Allocations"); within a
    cell, strata share it by size and standard deviation (Neyman 1934, "On the Two Different Aspects
    of the Representative Method"). A stratum that would get fewer than `LEAST` units is joined with
    other such strata of the next coarser level.

    Parameters
    ----------
    levels : sequence of ndarrays of shape (n_units,)
        Strata from fine to coarse; the last holds all units.
    cells : ndarray of shape (n_units,)
        What is compared.
    spread : ndarray of shape (n_units,)
        Expected square of each unit's error.
    size : int
        Units to draw, at most all.
    """
    share = _target(levels[0], cells, spread) * size
    stratum = levels[0].copy()
    for coarser in levels[1:]:
        offset = int(stratum.max()) + 1
        stratum = np.where(_small(stratum, share), offset + coarser, stratum)
    if _small(stratum, share).any():
        stratum = levels[-1]
    stratum = np.unique(stratum, return_inverse=True)[1]
    sizes = np.bincount(stratum)
    target = np.bincount(stratum, share).astype(np.float64)
    return Design(stratum, sizes, _whole_numbers(target, sizes, size))


def _small(strata: Ints, share: Floats) -> Bools:
    """Return which units are of strata that would get too few units, and not all of theirs."""
    _, stratum, held = np.unique(strata, return_inverse=True, return_counts=True)
    expected = np.minimum(np.bincount(stratum, share), held)
    small: Bools = ((expected < LEAST) & (expected < held))[stratum]
    return small


def _target(strata: Ints, cells: Ints, spread: Floats) -> Floats:
    """Return the part of the sample that each unit should be."""
    stratum = np.unique(strata, return_inverse=True)[1]
    held = np.bincount(stratum)
    deviation = np.sqrt(np.maximum(np.bincount(stratum, spread) / held, SUREST**2))[stratum]
    cell = np.unique(cells, return_inverse=True)[1]
    sizes = np.bincount(cell)
    whole = np.bincount(cell, deviation) / sizes  # mean deviation of each cell
    claim = np.sqrt(sizes) * whole
    target: Floats = deviation / np.bincount(cell, deviation)[cell] * (claim / claim.sum())[cell]
    return target


def _whole_numbers(target: Floats, sizes: Ints, total: int) -> Ints:
    """Round the units of each stratum so that they sum to the total, each within its bounds."""
    least = np.minimum(LEAST, sizes)
    total = min(max(total, int(least.sum())), int(sizes.sum()))
    low, high = 0.0, float((sizes / np.maximum(target, 1e-12)).max()) + 1
    for _ in range(100):  # the factor by which the bounded targets sum to the total
        factor = (low + high) / 2
        few = np.clip(target * factor, least, sizes).sum() < total
        low, high = (factor, high) if few else (low, factor)
    wanted = np.clip(target * high, least, sizes)
    drawn: Ints = np.floor(wanted + 1e-9).astype(np.int64)
    room = np.flatnonzero(drawn < sizes)
    order = room[np.argsort(-(wanted - drawn)[room], kind="stable")]
    drawn[order[: total - int(drawn.sum())]] += 1
    return drawn


def expected_margins(chance: Floats, parts: Ints, spread: Floats, number: int) -> Floats:
    """Return half the 95 % interval to expect of the mean of so many parts; infinite of few labels.

    Where labels are few, nothing is taken to be gained by the design, as `Correction` does.

    Parameters
    ----------
    chance : ndarray of shape (n,)
        Probability of each unit to be drawn.
    parts : ndarray of shape (n,)
        Number of the part that each belongs to.
    spread : ndarray of shape (n,)
        Expected square of each unit's error about what is estimated.
    """
    from scipy.special import stdtrit

    def total(values: Floats) -> Floats:
        return np.bincount(parts, values, minlength=number).astype(np.float64)

    sizes = np.maximum(np.bincount(parts, minlength=number), 1)
    variance, labels = OPTIMISM * total(spread / chance) / sizes**2, total(chance)
    effective = sizes**2 / np.maximum(total(1 / chance), 1)  # Kish 1965
    plain = OPTIMISM * total(spread) / sizes
    few = effective * np.minimum(plain, 0.5)
    variance += EVENTS / (EVENTS + few) * np.maximum(0, plain / effective - variance)
    reach = stdtrit(np.maximum(effective / FREEDOM - 1, 1), 0.975)
    return np.where(labels < FEWEST_LABELS, np.inf, reach * np.sqrt(variance))


def draw(design: Design, rng: np.random.Generator) -> Ints:
    """Return the numbers of the units drawn, each stratum's at random without replacement."""
    order = np.argsort(design.stratum, kind="stable")
    ends = np.cumsum(design.sizes)
    parts = [
        rng.choice(order[end - size : end], drawn, replace=False)
        for end, size, drawn in zip(ends, design.sizes, design.drawn, strict=True)
    ]
    return np.sort(np.concatenate(parts))
