"""Shares of stances, counted and corrected, by actor, group and period, and how they differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.display import count, shown
from stance.errors import DataError
from stance.evaluation.intervals import Interval, benjamini_hochberg, estimate_shares, holm
from stance.evaluation.intervals import Shares as Counts
from stance.files import AtomicGroup
from stance.findings.answers import AnswersTable, read_population
from stance.findings.audit import AuditRequest, LabelledSample, audit_columns, read_audit
from stance.findings.correction import NET, TUNED, Corrected, Correction
from stance.findings.differences import OTHERS, Difference, compare, detectable, pairs_to_compare
from stance.findings.request import Request
from stance.records import Stance
from stance.tables import write_table

OWN = TUNED  # labels of an actor from which surrogates are weighted for it alone
TOTAL = "(all actors)"  # name of the sum over actors
QUANTITIES = (*map(str, Stance), "net")
UNAUDITED = "not corrected: no audit"
FEW = "not corrected: too few labels"
WIDE = 1.2  # width of a net stance's interval that says next to nothing; shares' are half as wide
MOST_PARTS = 200  # groups that are told apart
COLUMNS = ("actor", "group", "period", "n", "documents", "withheld", "labels", "missing", "class")
Number = tuple[float, Interval]
VALUES = ("counted", "corrected", "low", "high")


@dataclass(frozen=True)
class Share:
    """What is said of an actor's answers, all or those of a group, of a period, or of both."""

    actor: str
    group: str  # empty for all
    period: str
    n: int  # answers
    withheld: int  # answers not given, of which the counted shares take no account
    labels: int  # audited answers
    missing: int  # answers drawn for the audit that nobody labelled
    documents: int
    given: Ints  # answers given, by document and stance
    corrected: Corrected | None  # of all answers
    method: str

    @cached_property
    def counts(self) -> Counts:
        """Shares of the answers given, with intervals of sampling alone."""
        return estimate_shares(self.given)

    def counted(self, quantity: int) -> float | None:
        """Return the share of a stance, or for `NET` the net stance, as counted; None of none."""
        return (*self.counts.shares, self.counts.net)[quantity] if self.counts.n else None

    @property
    def audited(self) -> bool:
        """Whether labels may correct it."""
        return self.method != UNAUDITED

    def value(self, quantity: int) -> Number | None:
        """Return the corrected number of a study with labels, else the counted, and its interval.

        None where labels or answers are too few for an interval that says something.
        """
        number: Number | None = None
        if self.audited and self.corrected:
            number = self.corrected.value(quantity), self.corrected.interval(quantity)
        elif not self.audited and (counted := self.counted(quantity)) is not None:
            intervals = (*self.counts.intervals, self.counts.net_interval)
            number = counted, intervals[quantity]
        wide = WIDE / (1 if quantity == NET else 2)
        return number if number and number[1][1] - number[1][0] <= wide else None

    @property
    def net(self) -> Number | None:
        """The net stance."""
        return self.value(NET)

    @property
    def prevails(self) -> int:
        """The side that prevails beyond chance: -1 against, 1 in favor, 0 neither."""
        low, high = (self.net or (0, (-1, 1)))[1]
        return (low > 0) - (high < 0)

    def rows(self) -> Iterator[list[Any]]:
        """Yield a row of figures for each stance and the net stance; None where unknown."""
        about = (self.actor, self.group, self.period, self.n, self.documents, self.withheld)
        for quantity, name in enumerate(QUANTITIES):
            figures: list[float | None] = [None, None, None]
            if self.corrected is not None:
                figures = [self.corrected.value(quantity), *self.corrected.interval(quantity)]
            counted = self.counted(quantity)
            yield [*about, self.labels, self.missing, name, counted, *figures, self.method]


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of a table of answers."""

    answers: int
    documents: int
    labels: int
    by: str | None  # column of the groups
    over: str | None  # column of the dates
    quantity: str  # that differences are about
    shares: tuple[Share, ...]
    differences: tuple[Difference, ...]
    detectable: float | None  # difference found with a power of 80 % in half the comparisons
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return all figures, for JSON."""
        keys = (*COLUMNS, *VALUES, "method")
        rows = [dict(zip(keys, row, strict=True)) for each in self.shares for row in each.rows()]
        return {
            **{name: getattr(self, name) for name in ("answers", "documents", "labels")},
            **{name: getattr(self, name) for name in ("by", "over", "quantity")},
            "shares": rows,
            "differences": [{**asdict(d), "claimed": d.claimed} for d in self.differences],
            "detectable": self.detectable,
        }


class Study:
    """A table of answers and its audit, from which shares and differences are found."""

    def __init__(self, population: AnswersTable, sample: LabelledSample | None) -> None:
        self.population, self.sample = population, sample
        correction = None
        if sample is not None:
            surrogates = population.surrogates()
            correction = Correction(sample.audit, population.document, *surrogates)
        sizes = np.bincount(population.actor, minlength=len(population.actors))
        order = np.argsort(population.actor, kind="stable")
        pairs, names = np.split(order, np.cumsum(sizes)[:-1]), population.actors
        ranked = sorted(range(len(names)), key=lambda each: (-sizes[each], names[each]))
        self.actors = [_Actor(names[at], pairs[at], population, correction) for at in ranked]
        every = np.arange(len(population))
        self.total = _Actor(TOTAL, every, population, correction) if len(names) > 1 else None

    def shares(self, quantity: str = "net") -> Shares:
        """Return all shares, and how those of a stance or the net stances differ.

        Parameters
        ----------
        quantity : {"net", "against", "neutral", "favor"}
            What is compared; net is favor less against.

        Returns
        -------
        Shares
        """
        population = self.population
        found = [d for a in self.actors for d in a.differences(QUANTITIES.index(quantity))]
        p = np.array([each.p for each in found])
        adjusted = zip(found, holm(p), benjamini_hochberg(p).tolist(), strict=True)
        columns, places = population.columns, population.places
        listed = [self.total, *self.actors] if self.total else self.actors
        return Shares(
            answers=len(population),
            documents=len(np.unique(population.document)),
            labels=0 if self.sample is None else len(self.sample.audit),
            by=None if places.by is None else columns[places.by],
            over=columns[places.over] if population.periods and places.over is not None else None,
            quantity=quantity,
            shares=tuple(share for actor in listed for share in actor.shares()),
            differences=tuple(replace(each, holm=h, bh=b) for each, h, b in adjusted),
            detectable=detectable(found),
            notes=(
                *population.notes,
                *(() if self.sample is None else self.sample.notes),
                *([uncounted(population)] if population.unanswered else []),
            ),
        )

    def predictions(self) -> Floats:
        """Return the tuned predictions of all pairs, against and in favor: shape (n_pairs, 2)."""
        found = np.zeros((len(self.population), 2))
        for actor in self.actors:
            found[actor.pairs] = actor.predictions
        return found


def uncounted(population: AnswersTable) -> str:
    """Return why the answers of a table are not counted."""
    listed = " and ".join(population.unanswered)
    return (
        f"{population.table}: {listed} is never answered, but withheld "
        "wherever it is likeliest, so its answers are not counted as shares; run stance "
        "predict without --abstain or with a higher rate, or add --audit LABELLED"
    )


def read_study(
    request: Request,
    audit: AuditRequest | None = None,
    *,
    surrogates: Sequence[str] = (),
    only: Sequence[str] = (),
) -> Study:
    """Read a table of answers and, if there is one, its audit.

    Parameters
    ----------
    request : Request
        The table, and the columns of its groups and dates.
    audit : AuditRequest, optional
        A labelled sample of it.
    surrogates : sequence of str
        Columns with other models' labels, each weighted by its use.
    only : sequence of str
        Actors to look at; all if empty.
    """
    labelled = ("row",) if audit is None else audit_columns(audit)
    population = read_population(request, surrogates, only, labelled)
    if len(population.groups) > MOST_PARTS:
        number = f"{len(population.groups):,} values"
        raise DataError(
            f"{population.table}: column '{shown(request.by or '')}' has {number}; compare at most "
            f"{MOST_PARTS} groups"
        )
    return Study(population, None if audit is None else read_audit(audit, population))


def write_numbers(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    together: AtomicGroup,
    *,
    force: bool = False,
    excel_safe: bool = False,
) -> str:
    """Write figures as a tidy table, unknown ones as empty cells; return what to say of it."""
    # Differences alone may be none.
    columns = tuple(rows[0]) if rows else (*(each.name for each in fields(Difference)), "claimed")
    opened = write_table(path, columns, force=force, excel_safe=excel_safe)
    with together.part(opened) as table:
        for row in rows:
            table.write([_cell(row[name]) for name in columns])
    return f"wrote {path}: {count(len(rows), 'row')}"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6f}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of an actor's answers."""

    name: str
    pairs: Bools  # which of the actor's pairs
    rows: Bools  # which of the audit's labels

    def both(self, other: "_Part") -> "_Part":
        return _Part("", self.pairs & other.pairs, self.rows & other.rows)


class _Actor:
    """The answers toward one actor, and what their audit says of any part of them."""

    def __init__(
        self, name: str, pairs: Ints, population: AnswersTable, correction: Correction | None
    ) -> None:
        self._name, self.pairs, self._population = name, pairs, population
        self._correction, self._counts = correction, not population.unanswered
        audited = np.zeros(0, np.int64) if correction is None else correction.audit.pair
        rows = np.isin(audited, pairs)
        self._audited = audited
        self._missing = audited[:0] if correction is None else correction.audit.missing
        self._all = _Part("", np.ones(len(pairs), np.bool_), rows)
        if correction is not None:
            self._weights = correction.weigh(rows) if rows.sum() >= OWN else correction.pooled
            self.predictions = self._weights.predict(pairs)
        else:
            self.predictions = np.zeros((len(pairs), 2))

    def _parts(self, codes: Ints, names: Sequence[str]) -> list[_Part]:
        own, audited = codes[self.pairs], codes[self._audited]
        return [
            _Part(names[number], own == number, self._all.rows & (audited == number))
            for number in np.unique(own[own >= 0]).tolist()
        ]

    def groups(self) -> list[_Part]:
        """Return the answers of each group, in the alphabetical order of their names."""
        if not self._population.groups:
            return []
        found = self._parts(self._population.group, self._population.groups)
        return sorted(found, key=lambda part: part.name)

    def periods(self) -> list[_Part]:
        """Return the answers of each period, the first one first."""
        if (periods := self._population.periods) is None:
            return []
        return self._parts(self._population.period, list(map(periods.name, range(periods.count))))

    def shares(self) -> Iterator[Share]:
        """Yield the shares of all answers, of groups, of periods, and of groups in periods."""
        groups, periods = self.groups(), self.periods()
        yield self._share(self._all, "", "")
        for group in groups:
            yield self._share(group, group.name, "")
        for period in periods:
            yield self._share(period, "", period.name)
        for group in groups:
            for period in periods:
                part = group.both(period)
                if part.pairs.any():
                    yield self._share(part, group.name, period.name)

    def _share(self, part: _Part, group: str, period: str) -> Share:
        pairs, population = self.pairs[part.pairs], self._population
        stance = population.stance[pairs]
        answered = stance < len(Stance)
        names, document = np.unique(population.document[pairs], return_inverse=True)
        given = np.zeros((len(names), len(Stance)), np.int64)
        np.add.at(given, (document[answered], stance[answered]), 1)
        corrected = self._correct(part)
        method = UNAUDITED if self._correction is None else FEW
        return Share(
            actor=self._name,
            group=group,
            period=period,
            n=len(pairs),
            withheld=int((~answered).sum()),
            labels=int(part.rows.sum()),
            missing=int(np.isin(self._missing, pairs).sum()),
            documents=len(names),
            given=given if self._counts else given[:0],
            corrected=corrected,
            method=corrected.method if corrected else method,
        )

    def _correct(self, part: _Part) -> Corrected | None:
        if self._correction is None:
            return None
        pairs, predictions = self.pairs[part.pairs], self.predictions[part.pairs]
        return self._correction.estimate(pairs, part.rows, predictions, self._weights)

    def differences(self, quantity: int) -> Iterator[Difference]:
        """Yield how the corrected shares of groups, and those of periods, differ."""
        for of, parts in (("group", self.groups()), ("period", self.periods())):
            found = [(part, self._correct(part)) for part in parts]
            kept = [(part, own) for part, own in found if own]
            for at, against in pairs_to_compare(len(kept)):
                (one, first), (other, second) = kept[at], kept[against or 0]
                if against is None:
                    other = _Part(OTHERS, ~one.pairs, self._all.rows & ~one.rows)
                    rest = self._correct(other)
                    if rest is None:
                        continue
                    second = rest
                value, (low, high), p = compare(first, second, quantity)
                names = (one.name, other.name)
                yield Difference(self._name, of, *names, value, low, high, p)
