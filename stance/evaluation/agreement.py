"""How far coders agree on labels, beyond chance and with intervals."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from stance.arrays import Bools, Floats, Ints, Ints8
from stance.evaluation.answers import Figures, plain
from stance.evaluation.intervals import FEWEST, spread, t_interval

MISSING = -1  # code of a unit that a coder did not code


@dataclass(frozen=True, slots=True)
class CodeSums:
    """Sums over units from which every coefficient follows; `sum_codes` makes them."""

    labels: int
    sums: Floats
    """Of shape (..., 3 * labels + 2 + labels**2). For c of the m codes of a unit on a label: c,
    c (c - 1) / (m - 1) and c / m per label; the agreeing part of the unit's pairs; 1; and, of two
    coders, the table of their codes. All are 0 for a unit with fewer than two codes."""

    def per_label(self, place: int) -> Floats:
        """Return codes (0), agreeing codes (1) or parts of codes (2) on each label."""
        return self.sums[..., place * self.labels : (place + 1) * self.labels]

    @property
    def agreed(self) -> Floats:
        """Sum over units of the part of the unit's pairs of codes that agree."""
        return self.sums[..., 3 * self.labels]

    @property
    def units(self) -> Floats:
        """Units with two codes or more."""
        return self.sums[..., 3 * self.labels + 1]

    @property
    def table(self) -> Floats:
        """First coder's label by second coder's, of two coders."""
        flat = self.sums[..., 3 * self.labels + 2 :]
        return flat.reshape(*flat.shape[:-1], self.labels, self.labels)

    def total(self) -> "CodeSums":
        """Return the sums over the first axis."""
        return CodeSums(self.labels, self.sums.sum(axis=0))


def sum_codes(codes: Ints, labels: int) -> CodeSums:
    """Return the sums of each unit from codes, 0 to ``labels - 1`` or `MISSING`, by coder."""
    counts = np.stack([(codes == label).sum(axis=0) for label in range(labels)], axis=1)
    counts = np.where(counts.sum(axis=1, keepdims=True) >= 2, counts, 0).astype(np.float64)
    size = counts.sum(axis=1, keepdims=True)
    alike = counts * (counts - 1) / np.maximum(size - 1, 1)
    part = counts / np.maximum(size, 1)
    agreed = alike.sum(axis=1, keepdims=True) / np.maximum(size, 1)
    table = np.zeros((codes.shape[1], labels**2))
    if len(codes) == 2:
        both = np.flatnonzero((codes >= 0).all(axis=0))
        table[both, codes[0, both] * labels + codes[1, both]] = 1
    return CodeSums(labels, np.concatenate([counts, alike, part, agreed, size > 0, table], axis=1))


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where the whole is 0."""
    empty = np.full(np.shape(whole), np.nan)
    quotient: Floats = np.divide(part, whole, out=empty, where=np.asarray(whole) != 0)
    return quotient


def percent_agreement(sums: CodeSums) -> Floats:
    """Return the mean part of a unit's pairs of codes that agree, between 0 and 1.

    Fleiss 1971, "Measuring nominal scale agreement among many raters".

    >>> float(percent_agreement(sum_codes(np.array([[0, 1, 1, 1], [0, 1, 0, -1]]), 2).total()))
    0.6666666666666666
    """
    return _ratio(sums.agreed, sums.units)


def krippendorff_alpha(sums: CodeSums) -> Floats:
    """Return Krippendorff's alpha for nominal data; NaN where only one label was used.

    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C.

    >>> meg, owen = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    >>> round(float(krippendorff_alpha(sum_codes(np.array([meg, owen]), 2).total())), 3)
    0.095
    """
    codes = sums.per_label(0)
    n = codes.sum(axis=-1)
    differing = n - sums.per_label(1).sum(axis=-1)
    return 1 - _ratio((n - 1) * differing, n**2 - (codes**2).sum(axis=-1))


def gwet_ac1(sums: CodeSums) -> Floats:
    """Return Gwet's AC1, which stays near the percentage where one label prevails.

    Gwet 2008, "Computing inter-rater reliability and its variance in the presence of high
    agreement"; units with a single code do not count.

    >>> both = np.repeat([[0, 0, 1], [0, 1, 0]], [118, 5, 2], axis=1)
    >>> round(float(gwet_ac1(sum_codes(both, 2).total())), 4)
    0.9408
    """
    shares = sums.per_label(2)
    part = _ratio(shares, np.broadcast_to(sums.units[..., None], shares.shape))
    chance = (part * (1 - part)).sum(axis=-1) / (sums.labels - 1)
    return _ratio(percent_agreement(sums) - chance, 1 - chance)


def cohen_kappa(sums: CodeSums) -> Floats:
    """Return Cohen's kappa of two coders; NaN of more, or where both used one label only.

    Cohen 1960, "A coefficient of agreement for nominal scales".

    >>> both = np.repeat([[0, 0, 1, 1], [0, 1, 0, 1]], [20, 5, 10, 15], axis=1)
    >>> round(float(cohen_kappa(sum_codes(both, 2).total())), 3)
    0.4
    """
    table = sums.table
    n = table.sum(axis=(-2, -1))
    chance = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1)
    return _ratio(n * np.trace(table, axis1=-2, axis2=-1) - chance, n**2 - chance)


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient and its 95 % interval; None where there is none to give."""

    value: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement on the units with two codes or more, and how many these and their documents are."""

    units: int
    documents: int
    percent: Coefficient
    alpha: Coefficient
    ac1: Coefficient
    kappa: Coefficient

    def to_json(self) -> Figures:
        """Return the figures as a JSON object."""
        return plain(asdict(self))


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """Agreement over all, on each label against the rest, and in each group of units."""

    overall: Agreement
    per_label: dict[str, Agreement]
    per_group: dict[str, Agreement]

    def to_json(self) -> Figures:
        """Return the figures as a JSON object, those over all at its top."""
        parts = plain(asdict(self))
        return {**parts.pop("overall"), **parts}


def coded_twice(codes: Ints | Ints8) -> Bools:
    """Return which units two coders or more have coded."""
    return np.asarray((codes >= 0).sum(axis=0) >= 2, np.bool_)


def measure_agreement(codes: Ints, labels: int, document: Ints) -> Agreement:
    """Measure the agreement of coders; ``codes`` and ``labels`` are as in `sum_codes`.

    Intervals are of whole documents. There is none with fewer than 5 documents coded twice, where a
    coefficient hangs on one of them, or where none of them changes it.
    """
    paired = coded_twice(codes)
    per_unit = sum_codes(codes[:, paired], labels)
    names, place = np.unique(document[paired], return_inverse=True)
    sums = np.zeros((len(names), per_unit.sums.shape[1]))
    np.add.at(sums, place.reshape(-1), per_unit.sums)
    scores = (percent_agreement, krippendorff_alpha, gwet_ac1, cohen_kappa)
    found = [_coefficient(score, labels, sums) for score in scores]
    return Agreement(int(paired.sum()), len(names), *found)


def _coefficient(score: Callable[[CodeSums], Floats], labels: int, sums: Floats) -> Coefficient:
    def statistic(total: Floats) -> Floats:
        return score(CodeSums(labels, total))

    value = float(statistic(sums.sum(axis=0)))
    if not np.isfinite(value):
        return Coefficient(None, None)
    known = len(sums) >= FEWEST and 0 < spread(statistic, sums)[1] < np.inf
    return Coefficient(value, t_interval(statistic, sums) if known else None)


def report_agreement(
    codes: Ints,
    labels: Sequence[str],
    document: Ints,
    groups: Sequence[str] = (),
    *,
    largest: int | None = None,
) -> AgreementReport:
    """Measure agreement over all, per label, and for the ``largest`` groups (None for all)."""
    paired, count = coded_twice(codes), len(labels)
    per_label = {}
    for label, name in enumerate(labels):
        own = np.where(codes < 0, MISSING, codes == label).astype(np.int64)
        per_label[name] = measure_agreement(own, 2, document)
    names = np.array(groups, object)
    sizes = Counter(names[paired].tolist() if len(names) else [])
    per_group = {}
    for name in sorted(sizes, key=lambda name: (-sizes[name], name))[:largest]:
        mine = names == name
        per_group[name] = measure_agreement(codes[:, mine], count, document[mine])
    overall = measure_agreement(codes, count, document)
    return AgreementReport(overall, per_label, per_group)
