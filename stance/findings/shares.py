"""Shares of stances, counted and corrected, by actor, group and period, and how they differ."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from stance.arrays import Floats, Ints, Ints8, tally
from stance.display import shown
from stance.errors import DataError
from stance.evaluation.intervals import Estimates, Interval, estimate_shares, holm
from stance.evaluation.intervals import Shares as Counts
from stance.findings import correction
from stance.findings.answers import AnswersTable, refuse_many_groups, split_by
from stance.findings.audit import read_answers
from stance.findings.correction import Audit, Corrected, Correction, Surrogates
from stance.findings.request import Request
from stance.records import NET, SIDES, Stance

TOTAL = "(all actors)"  # name of the sum over actors
QUANTITIES = (*map(str, Stance), "net")
UNAUDITED = "not corrected: no labels"
FEW = "not corrected: too few labels"
SCARCE = "not corrected: too few documents"
WIDE = 1.2  # width of a net stance's interval that says next to nothing; shares' are half as wide
PAIRED = 5  # groups of which each is compared with each; of more, each with all others
UNLIKELY = 5  # standard errors by which no share differs by chance
LEVEL = 0.05  # chance, at most, that a run claims any difference where there is none
OTHERS = "all others"
Number = tuple[float, Interval]
Names = tuple[str, str, str]  # of an actor, a group and a period, empty for all


@dataclass(frozen=True)
class Share:
    """What is said of an actor's answers, all or those of a group, of a period, or of both."""

    actor: str
    group: str  # empty for all
    period: str
    pairs: Ints  # numbers of the answers
    documents: int
    withheld: int  # answers not given, of which the counted shares take no account
    labels: int  # audited answers
    given: Ints  # answers given, by document and stance
    corrected: Corrected | None  # of all answers
    method: str

    @property
    def n(self) -> int:
        """How many answers there are."""
        return len(self.pairs)

    @cached_property
    def counts(self) -> Counts:
        """Shares of the answers given, with intervals of sampling alone."""
        return estimate_shares(self.given)

    def counted(self, quantity: int) -> float | None:
        """Return the share of a stance, or for `NET` the net stance, as counted; None of none."""
        return self.counts.value(quantity) if self.counts.n else None

    @property
    def audited(self) -> bool:
        """Whether labels may correct it."""
        return self.method != UNAUDITED

    def value(self, quantity: int, *, counted: bool = False) -> Number | None:
        """Return the corrected (without labels, the counted) number and interval; None of few."""
        known = self.counts if counted or not self.audited else self.corrected
        if known is None:
            return None
        low, high = known.interval(quantity)
        wide = WIDE / (1 if quantity == NET else 2)
        return (known.value(quantity), (low, high)) if high - low <= wide else None

    @property
    def net(self) -> Number | None:
        """The net stance."""
        return self.value(NET)

    def ends(self, level: float) -> Interval:
        """Return the interval of the net stance that misses it with so small a probability."""
        return (self.corrected or self.counts).interval(NET, 1 - level)

    def side(self, rest: "Rest | None", level: float) -> int:
        """Return 1 or -1 if the net stance is clearly above or below another (None: 0), else 0."""
        low, high = self.ends(level)
        if rest:
            other, together = rest
            known = self.corrected or self.counts, other.corrected or other.counts
            ends = correction.difference(*known, 1 - level, together)
            low, high = ends if other.net else (-1.0, 1.0)
        return (low > 0) - (high < 0)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the figures of each stance and the net stance; None where unknown."""
        row = {name: getattr(self, name) for name in ("actor", "group", "period", "n", "documents")}
        row |= {"withheld": self.withheld, "labels": self.labels}
        for quantity, name in enumerate(QUANTITIES):
            row["class"] = name
            counts = self.counts if self.counts.n else None
            row |= figures(counts, quantity, ("counted", "counted_low", "counted_high"))
            row |= figures(self.corrected, quantity, ("corrected", "low", "high"))
            yield row | {"method": self.method}


def figures(known: Estimates | None, quantity: int, names: Sequence[str]) -> dict[str, Any]:
    """Return an estimate and the ends of its interval under their names; None where unknown."""
    figures = (None,) * 3 if known is None else (known.value(quantity), *known.interval(quantity))
    return dict(zip(names, figures, strict=True))


Rest = tuple[Share, float]  # other answers on an actor, and how both net stances correlate


def beyond_chance(shares: Sequence[Share], rests: Sequence[Rest | None]) -> list[int]:
    """Return on which `side` of the rest each net stance is, 0 if not significant (Holm)."""
    sides = [0] * len(shares)
    left = [number for number, share in enumerate(shares) if share.net]
    while new := {n: s for n in left if (s := shares[n].side(rests[n], LEVEL / len(left)))}:
        for number, side in new.items():
            sides[number] = side
        left = [number for number in left if number not in new]
    return sides


DIFFERENCE = ("actor", "of", "one", "other", "difference", "low", "high", "p", "holm", "claimed")
"""Figures of how two groups or periods of an actor differ in net stance: the first less the second.

The interval is not adjusted, ``holm`` is p adjusted for all comparisons of the run.
"""


class Study:
    """A table of answers and its labelled sample, from which shares and differences follow."""

    def __init__(self, population: AnswersTable, audit: Audit | None) -> None:
        self.population, self.audit = population, audit
        every = np.arange(len(population))
        parts = split_by(every, population.actor, population.actors)
        actors = dict(sorted(parts, key=lambda part: (-len(part[1]), part[0])))
        # Most answers first; of several actors, after the total.
        self.actors = ({TOTAL: every} if len(actors) > 1 else {}) | actors
        self._correction = None
        if audit is not None:
            _check_filled(population, audit)
            self._correction = Correction(audit, population.document, *surrogates(population))
            weigh = self._correction.weights
            self._weights = {name: weigh(pairs) for name, pairs in self.actors.items()}

    def to_json(self) -> dict[str, Any]:
        """Return all shares, and how net stances differ, for JSON."""
        population = self.population
        columns, by, over = population.columns, population.places.by, population.places.over
        shares = [*self.shares()]
        all_or_groups = [s for s in shares if s.actor == shares[0].actor and not s.period]
        few = [s.group for s in all_or_groups if s.counts.n and not s.counts.trusted]
        return {
            "answers": len(population),
            "documents": len(np.unique(population.document)),
            "labels": 0 if self.audit is None else len(self.audit),
            "missing": 0 if self.audit is None else self.audit.missing,
            "by": None if by is None else columns[by],
            "over": None if over is None or not population.periods else columns[over],
            "few": few,  # groups, or "" for all, of too few documents for trusted intervals
            "shares": [row for share in shares for row in share.rows()],
            "differences": self.differences(),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noticed while the table and its labels were read."""
        never = self.population.never_answered
        uncounted = [f"{never}, so no answers are counted"] * bool(never)
        return (*self.population.notes, *(self.audit.notes if self.audit else ()), *uncounted)

    def parts(self) -> Iterator[tuple[Names, Ints]]:
        """Yield the pairs of all actors and of each: all, by group, by period, and by both."""
        population = self.population
        for actor, pairs in self.actors.items():
            groups = [("", pairs), *sorted(split_by(pairs, population.group, population.groups))]
            yield from (((actor, group, ""), part) for group, part in groups)
            for group, part in groups:
                periods = split_by(part, population.period, [*population.periods])
                yield from (((actor, group, period), both) for period, both in periods)

    @cached_property
    def _shares(self) -> list[Share]:
        return [self.share(*part) for part in self.parts()]

    def shares(self) -> Iterator[Share]:
        """Yield the shares of each of the `parts`."""
        return iter(self._shares)

    def share(self, names: Names, pairs: Ints) -> Share:
        """Return the shares of a part."""
        population, audit, answers = self.population, self.audit, len(Stance) + 1
        answered = tally(population.document[pairs], population.stance[pairs], answers)
        known = self._correction
        corrected = known.estimate(pairs, self._weights[names[0]]) if known else None
        labels = 0 if audit is None else int(np.isin(audit.pair, pairs).sum())
        few = labels < correction.FEWEST_LABELS
        lacking = UNAUDITED if audit is None else FEW if few else SCARCE
        return Share(
            *names,
            pairs=pairs,
            documents=len(answered),
            withheld=int(answered[:, -1].sum()),
            labels=labels,
            given=answered[: 0 if population.never_answered else None, :-1],
            corrected=corrected,
            method=corrected.method if corrected else lacking,
        )

    def rest(self, share: Share) -> Rest:
        """Return the shares of an actor's answers that are not of a share."""
        others = np.setdiff1d(self.actors[share.actor], share.pairs, assume_unique=True)
        rest = self.share((share.actor, OTHERS, OTHERS), others)
        return rest, self._correlation(share, rest)

    def _correlation(self, one: Share, other: Share) -> float:
        """Return how two corrected net stances vary together; 0 if one is not corrected."""
        if not (self._correction and one.corrected and other.corrected):
            return 0.0
        known = (one.pairs, one.corrected), (other.pairs, other.corrected)
        return self._correction.correlation(known, self._weights[one.actor])

    def differences(self) -> list[dict[str, Any]]:
        """Return how groups, and periods, differ in net stance, as `DIFFERENCE` lists it."""
        parts, rows = defaultdict[tuple[str, str], list[Share]](list), []
        for share in self._shares:
            if share.corrected and bool(share.group) != bool(share.period):
                parts[share.actor, "group" if share.group else "period"].append(share)
        for (actor, of), shares in parts.items():
            if len(shares) > PAIRED:
                couples = [(share, *self.rest(share)) for share in shares]
            else:
                both = combinations(shares, 2)
                couples = [(one, other, self._correlation(one, other)) for one, other in both]
            for one, other, together in couples:
                if one.corrected and other.corrected:
                    difference = correction.compare(one.corrected, other.corrected, together)
                    value, (low, high), p = difference
                    names = getattr(one, of), getattr(other, of)
                    rows.append((actor, of, *names, value, low, high, p))
        adjusted = zip(rows, holm([row[-1] for row in rows]), strict=True)
        return [dict(zip(DIFFERENCE, (*row, p, p <= LEVEL), strict=True)) for row, p in adjusted]


def _check_filled(population: AnswersTable, audit: Audit) -> None:
    """Raise where a further column is filled for more, or fewer, of the labelled than of all."""
    weight = 1 / audit.inclusion
    size = min(float(correction.effective(weight)), len(np.unique(population.document[audit.pair])))
    names = dict.fromkeys(population.request.surrogates)
    for name, labels in zip(names, population.labels.T, strict=True):
        filled = labels >= 0
        every, drawn = filled.mean(), weight @ filled[audit.pair] / weight.sum()
        if abs(every - drawn) > 0.01 + UNLIKELY * np.sqrt(every * (1 - every) / size):
            shares = f"{drawn:.0%} of the labelled answers, but {every:.0%} of all"
            advice = "fill it for all rows, or for rows chosen without regard to the sample"
            why = f"column '{shown(name)}' is filled for {shares}"
            raise DataError(f"{population.table}: {why}; {advice}")


def surrogates(population: AnswersTable) -> tuple[Surrogates, Surrogates]:
    """Return what can stand in for labels: the model's answers, and further columns.

    Where an answer is withheld, the likeliest one counts. A column that is empty for a pair adds
    nothing to the model's probabilities there.
    """

    def sides(labels: Ints | Ints8) -> Floats:
        return (labels[:, None] == np.array(SIDES)).astype(np.float64)

    chances = population.chances[:, list(SIDES)].astype(np.float64)
    stance, likeliest = population.stance, population.chances.argmax(axis=1)
    answers = sides(np.where(stance < len(Stance), stance, likeliest))
    names = dict.fromkeys(population.request.surrogates)
    columns = [
        (name, np.where(labels[:, None] >= 0, sides(labels) - chances, 0.0))
        for name, labels in zip(names, population.labels.T, strict=True)
    ]
    probable = [("probabilities", chances)] if population.probable else []
    return [*probable, ("answers", answers)], columns


def read_study(request: Request) -> Study:
    """Read a table of answers and, if there is one, the labelled sample that audits it."""
    population, sample = read_answers(request)
    refuse_many_groups(population)
    return Study(population, sample)
