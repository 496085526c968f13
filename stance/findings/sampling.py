"""Samples of answers to label: drawn at random to audit them, or chosen to learn from."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stance.arrays import Floats, Ints
from stance.display import shown
from stance.errors import UsageError
from stance.files import AtomicGroup
from stance.findings.answers import AnswersTable, read_population
from stance.findings.audit import TRAIN, design_path
from stance.findings.design import SUREST, Design, design_sample, draw, expected_margins
from stance.findings.request import Request
from stance.label_values import SOFT
from stance.records import AGAINST, FAVOR, SIDES, Stance
from stance.tables import Header, column, write_table

LABELS = ("stance", "holder", "sentiment", "false_match", "note", "coder")
"""Empty columns for a coder to fill in."""

DRAWN = ("row", "actor", "purpose", "design")
FEWEST = 10  # units of a sample
ALIKE = 0.2  # likeness of the errors of a document's answers, if whole documents are drawn
AUDIT_SHARE = 0.25  # of a sample to learn from, drawn at random


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """What sample to draw."""

    size: int  #: answers or, if whole, documents
    seed: int = 20
    whole_documents: bool = False
    purpose: Literal["audit", "train"] = "audit"


@dataclass(frozen=True, slots=True)
class Sample:
    """Answers to label."""

    pair: Ints  # numbers in the population, ascending
    inclusion: Floats  # NaN where chosen to learn from
    stratum: Ints  # numbered by chance, so that no number gives a stance away
    chance: Floats  # of every pair of the population to be drawn


def write_sample(
    request: Request, asked: SampleRequest, output: Path, *, force: bool = False
) -> dict[str, Any]:
    """Draw a sample of answers and write it as a table to label, without the answers.

    Parameters
    ----------
    request : Request
        The table of answers; the sample is spread over its columns ``by`` and ``over``.
    asked : SampleRequest
    output : Path
        Table to write.
    force : bool
        Whether to overwrite.

    Returns
    -------
    dict
        answers and documents drawn, of a population, from so many strata, audited of them by
        chance; margins by actor: half the interval to expect of its net stance; notes.
    """
    train = asked.purpose == "train"
    if asked.size < FEWEST:
        raise UsageError(f"-n {asked.size}: a sample needs {FEWEST} or more")
    if train and asked.whole_documents:
        raise UsageError("--purpose train chooses single answers; drop it, or drop --documents")
    population = read_population(request)
    chance = max(FEWEST, round(AUDIT_SHARE * asked.size))
    sample = draw_sample(population, replace(asked, size=chance) if train else asked)
    audited = len(sample.pair)
    if train:
        sample = _with_uncertain(population, sample, asked.size - audited)
    left_out = _write(population, sample, output, force)
    margins = dict[str, float]()
    if (population.chances % 1).any():  # labels without probabilities tell nothing of their errors
        spread = expected_spread(population, asked.whole_documents)
        reach = expected_margins(sample.chance, population.actor, spread, len(population.actors))
        margins = dict(zip(population.actors, reach.tolist(), strict=True))
    return {
        "answers": len(sample.pair),
        "documents": len(np.unique(population.document[sample.pair])),
        "population": len(population),
        "strata": len(np.unique(sample.stratum[~np.isnan(sample.inclusion)])),
        "audited": audited,
        "margins": margins,
        "notes": [*population.notes, *left_out],
    }


def draw_sample(population: AnswersTable, asked: SampleRequest) -> Sample:
    """Draw a sample at random."""
    rng = np.random.Generator(np.random.PCG64(asked.seed))
    design, unit = _design(population, asked.whole_documents, asked.size)
    numbers = rng.permutation(len(design.sizes)) + 1
    pairs = np.flatnonzero(np.isin(unit, draw(design, rng)))
    chance = design.inclusion[unit]
    return Sample(pairs, chance[pairs], numbers[design.stratum[unit[pairs]]], chance)


def _design(population: AnswersTable, whole: bool, size: int) -> tuple[Design, Ints]:
    """Return the design of a sample, and the unit that each pair belongs to."""
    chances = population.chances.astype(np.float64)
    errors = 1 - (chances**2).sum(axis=1)  # of the three stances, as the model expects them
    groups, periods = max(1, len(population.groups)), int(population.period.max(initial=0)) + 2
    group, period, stance = population.group, population.period + 1, population.stance
    if not whole:
        actor, unit = population.actor, np.arange(len(population))
        outer = actor * groups + group
        cell = outer * periods + period
        levels = [cell * (len(Stance) + 1) + stance, cell, outer, actor, np.zeros_like(actor)]
        return design_sample(levels, cell, errors, min(size, len(unit))), unit
    unit = population.document
    first = np.unique(unit, return_index=True)[1]
    cell = group[first] * periods + period[first]
    sides = [np.bincount(unit, stance == side) > 0 for side in SIDES]
    levels = [cell * 4 + sides[0] * 2 + sides[1], cell, np.zeros_like(cell)]
    return design_sample(
        levels, cell, np.bincount(unit, errors).astype(np.float64), min(size, len(first))
    ), unit


def expected_spread(population: AnswersTable, whole: bool) -> Floats:
    """Return the square to expect of each net stance's error; larger if documents are whole."""
    against, favor = population.chances[:, AGAINST], population.chances[:, FAVOR]
    plain = np.maximum(against + favor - (favor - against) ** 2, SUREST**2)
    spread: Floats = plain.astype(np.float64)
    if whole:
        spread *= 1 + ALIKE * (np.bincount(population.document)[population.document] - 1)
    return spread


def _with_uncertain(population: AnswersTable, sample: Sample, size: int) -> Sample:
    """Add the pairs that the model is least sure of, each text once.

    Sureness is the margin between the two likeliest stances (Scheffer, Decomain and Wrobel 2001,
    "Active Hidden Markov Models for Information Extraction").
    """
    if population.places.text is None:
        column(Header(population.columns, population.table), "text", "--text-column")
    ordered = np.sort(population.chances, axis=1)
    order = np.argsort(ordered[:, -1] - ordered[:, -2], kind="stable")
    order = order[~np.isin(population.text[order], population.text[sample.pair])]
    first = np.sort(np.unique(population.text[order], return_index=True)[1])
    chosen = order[first][: max(0, size)]
    pairs = np.concatenate([sample.pair, chosen])
    order = np.argsort(pairs)
    inclusion = np.append(sample.inclusion, np.full(len(chosen), np.nan))
    stratum = np.append(sample.stratum, np.zeros(len(chosen), np.int64))
    return Sample(pairs[order], inclusion[order], stratum[order], sample.chance)


def _write(population: AnswersTable, sample: Sample, output: Path, force: bool) -> list[str]:
    """Write the sample's rows with the input's columns; return a note on those left out."""
    places, names = population.places, list(population.columns[: population.places.row])
    if places.text is not None:
        names = ["stance" if name == "text" else name for name in names]  # another is read
        names[places.text] = "text"
    taken = {*DRAWN, *LABELS, *SOFT}
    kept = [n for n, name in enumerate(names) if name not in taken and n != places.actor]
    others = (n for n in range(len(names)) if n not in kept and n != places.actor)
    left_out = ", ".join(shown(population.columns[place], 30) for place in others)
    keys = [place for place in (places.file, places.document) if place is not None]
    about, design = [places.row, places.actor], design_path(output)
    columns = (*(names[place] for place in kept), *DRAWN, *LABELS)
    known = (*(population.columns[place] for place in keys), "row", "actor", "inclusion", "stratum")
    records = population.record[sample.pair].tolist()
    numbers = {record: number for number, record in enumerate(records)}
    with (
        population.request.open() as table,
        AtomicGroup() as group,
        group.part(write_table(output, columns, force=force)) as sheet,
        group.part(write_table(design, known, force=force)) as chances,
    ):
        for record_number, record in enumerate(table):
            if (number := numbers.get(record_number)) is None:
                continue
            chance, purpose = sample.inclusion[number], [TRAIN, ""]
            if not np.isnan(chance):
                purpose = ["audit", design.name]
                pair = [record.cells[place] for place in (*keys, *about)]
                chances.write([*pair, f"{chance:.9g}", str(sample.stratum[number])])
            cells = [record.cells[place] for place in (*kept, *about)]
            sheet.write([*cells, *purpose, *("" for _ in LABELS)])
    why = f"{population.table}: columns left out, because coders fill in their own: {left_out}"
    return [why] if left_out else []
