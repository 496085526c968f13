"""Tables for regressions: each answer with what was predicted, labelled and corrected."""

from pathlib import Path
from typing import Any

import numpy as np

from stance.arrays import Floats
from stance.display import count
from stance.errors import UsageError
from stance.files import AtomicGroup
from stance.findings.shares import Study
from stance.label_values import SOFT
from stance.records import SIDES
from stance.tables import write_table

OF = ("against", "favor", "net")
COLUMNS = tuple(f"{kind}_{of}" for kind in ("predicted", "audited", "corrected") for of in OF)


def write_regression_table(study: Study, output: Path, together: AtomicGroup, **how: Any) -> str:
    """Write a table for regressions, a row for each answer; return what to say of it.

    The input's columns come first, but for the text. ``predicted`` are the model's probabilities,
    ``audited`` the labels, ``inclusion`` the probability to be labelled: of other rows the mean of
    all those, which `dsl` in R needs to sum up to the sample's size. ``corrected`` is the
    pseudo-outcome of design-based supervised learning (Egami et al. 2023): least squares on it are
    unbiased, with standard errors clustered by document. ``how`` is as in `write_table`.
    """
    population = study.population
    inclusion, figures = _figures(study)
    places, taken = population.places, {"actor", "inclusion", *COLUMNS, *SOFT}
    kept = [
        place
        for place, name in enumerate(population.columns[: places.row])
        if place not in (places.text, places.spans, places.actor) and name not in taken
    ]
    columns = (*(population.columns[place] for place in kept), "actor", "inclusion", *COLUMNS)
    numbers = {record: number for number, record in enumerate(population.record.tolist())}
    opened = write_table(output, columns, **how)
    with population.request.open() as table, together.part(opened) as written:
        for record in table:
            if (number := numbers.get(record.number - 1)) is not None:
                cells = [record.cells[place] for place in kept]
                values = ["" if np.isnan(value) else f"{value:.6f}" for value in figures[number]]
                actor = places.actor_of(record.cells)
                written.write([*cells, actor, f"{inclusion[number]:.9f}", *values])
    return f"wrote {output}: {count(len(population), 'row')}"


def _figures(study: Study) -> tuple[Floats, Floats]:
    """Return the probability of each answer to be labelled, and its figures, see `COLUMNS`."""
    size, audit = len(study.population), study.audit
    if audit is None:
        raise UsageError("a table for regressions needs labels; add --audit LABELLED")
    labelled = np.full((size, 2), np.nan)
    labelled[audit.pair] = audit.truth[:, None] == np.array(SIDES)
    corrected = study.predictions()
    residual = labelled[audit.pair] - corrected[audit.pair]
    corrected[audit.pair] += residual / audit.inclusion[:, None]
    others = (len(audit) - audit.inclusion.sum()) / max(1, size - len(audit))
    inclusion = np.full(size, np.clip(others, 1e-9, 1))
    inclusion[audit.pair] = audit.inclusion
    sides = np.stack([study.population.chances[:, list(SIDES)], labelled, corrected], axis=1)
    values = np.concatenate([sides, sides[:, :, 1:] - sides[:, :, :1]], axis=2)
    return inclusion, values.reshape(size, len(COLUMNS))
