"""Tables for regressions: one row per document, with what was predicted, audited and corrected."""

from pathlib import Path

import numpy as np

from stance.arrays import Floats, Ints
from stance.display import count
from stance.errors import UsageError
from stance.files import AtomicGroup
from stance.findings.answers import AnswersTable
from stance.findings.correction import Audit
from stance.findings.request import Request
from stance.findings.shares import Study
from stance.label_values import SOFT
from stance.records import SIDES
from stance.tables import write_table

OF = ("against", "favor", "net")
COLUMNS = tuple(f"{kind}_{of}" for kind in ("predicted", "audited", "corrected") for of in OF)


def write_regression_table(
    study: Study,
    request: Request,
    output: Path,
    together: AtomicGroup,
    *,
    force: bool = False,
    excel_safe: bool = False,
) -> str:
    """Write a table for regressions; return what to say of it.

    There is one row per document and actor if the audit labelled them whole, else one per answer.
    The input's columns come first, but for the text. ``predicted`` is the mean of the model's
    probabilities, ``audited`` that of the labels, ``inclusion`` the probability to be audited: of a
    row that was not the mean of all those, which `dsl` in R needs to sum up to the audit's size.
    ``corrected`` is the pseudo-outcome of design-based supervised learning (Egami et al. 2023):
    least squares on it are unbiased, with standard errors clustered by document.
    """
    population, audit = study.population, study.audit
    if audit is None:
        raise UsageError("a table for regressions needs the audit; add --audit LABELLED")
    unit = _units(population, audit)
    number = np.bincount(unit)
    means = _means(study, audit, unit)
    chance = _chances(audit, unit, len(number))
    first = np.unique(unit, return_index=True)[1]
    heads = dict(zip(population.record[first].tolist(), range(len(first)), strict=True))
    places = population.places
    taken = {"actor", "answers", "inclusion", *COLUMNS, *SOFT}
    kept = [
        at
        for at, name in enumerate(population.columns[: places.row])
        if at not in (places.text, places.spans, places.actor) and name not in taken
    ]
    columns = (*(population.columns[at] for at in kept), "actor", "answers", "inclusion", *COLUMNS)
    with (
        request.open() as table,
        together.part(write_table(output, columns, force=force, excel_safe=excel_safe)) as written,
    ):
        for at, record in enumerate(table):
            if (own := heads.get(at)) is not None:
                cells = [*(record.cells[place] for place in kept), places.actor_of(record.cells)]
                shown = ("" if np.isnan(value) else f"{value:.6f}" for value in means[own])
                cells += [str(number[own]), f"{chance[own]:.9f}"]
                written.write([*cells, *shown])
    what = "documents and actors" if len(number) < len(population) else "answers"
    rows = f"{count(len(number), 'row')} of {what}"
    return f"wrote {output}: {rows}"


def _units(population: AnswersTable, audit: Audit) -> Ints:
    """Return the unit of each pair: its document and actor if they were labelled whole."""
    both = np.stack([population.document, population.actor])
    unit = np.unique(both, axis=1, return_inverse=True)[1]
    labelled = np.bincount(unit[audit.pair], minlength=int(unit.max()) + 1)
    own = np.bincount(unit[audit.pair], audit.inclusion, minlength=len(labelled))
    alike = np.allclose(own[unit[audit.pair]], labelled[unit[audit.pair]] * audit.inclusion)
    whole = bool((labelled[labelled > 0] == np.bincount(unit)[labelled > 0]).all())
    return unit if whole and alike else np.arange(len(population))


def _chances(audit: Audit, unit: Ints, number: int) -> Floats:
    """Return the probability of each unit to be audited; of those that were not, their mean."""
    found = np.full(number, np.nan)
    found[unit[audit.pair]] = audit.inclusion
    open_ = np.isnan(found)
    labelled = number - int(open_.sum())
    found[open_] = np.clip((labelled - np.nansum(found)) / max(1, int(open_.sum())), 1e-9, 1)
    return found


def _means(study: Study, audit: Audit, unit: Ints) -> Floats:
    """Return the mean of each unit's figures, in the order of `COLUMNS`."""
    population = study.population
    truth = np.full((len(population), 2), np.nan)
    truth[audit.pair] = audit.truth[:, None] == np.array(SIDES)
    corrected = study.predictions()
    residual = truth[audit.pair] - corrected[audit.pair]
    corrected[audit.pair] += residual / audit.inclusion[:, None]
    sides = np.stack([population.chances[:, list(SIDES)], truth, corrected], axis=1)
    values = np.concatenate([sides, sides[:, :, 1:] - sides[:, :, :1]], axis=2).reshape(-1, 9)
    sums = np.stack([np.bincount(unit, column) for column in values.T], axis=1)
    found: Floats = sums / np.bincount(unit)[:, None]
    return found
