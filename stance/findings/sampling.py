"""Samples of answers to label: drawn at random to audit them, or chosen to learn from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.corpus.rows import AUDIT, CODED, SOFT, TRAIN
from stance.display import shown
from stance.errors import DataError, UsageError
from stance.evaluation.intervals import edge
from stance.files import AtomicGroup
from stance.findings.answers import AnswersTable, read_population, refuse_many_groups
from stance.findings.audit import UNIT, design_path
from stance.findings.request import Request
from stance.records import SIDES, Stance
from stance.tables import Table, column, write_table

DRAWN = ("row", "actor", "purpose", "design")
FEWEST = 10  # units of a sample
AUDIT_SHARE = 0.25  # of a sample to learn from, drawn at random
LEAST = 5  # units drawn from a stratum: fewer say too little of its spread
SUREST = 0.2  # standard deviation, at least, that a unit's error is given: models are too sure


class Sample(NamedTuple):
    """Answers drawn at random."""

    pair: Ints  # numbers in the population, ascending
    stratum: Ints  # numbered by chance, so that no number gives a stance away
    chance: Floats  # of every pair of the population to be drawn


def write_sample(
    request: Request, output: Path | str, size: int, *, seed: int = 20, whole: bool = False,
    purpose: Literal["audit", "train"] = "audit", force: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Draw a sample of answers and write it as a table to label, without the answers.

    It is spread over ``by`` and ``over``, its size in answers or whole documents; returns numbers.
    """
    train = purpose == TRAIN
    if size < FEWEST:
        raise UsageError(f"-n {size}: a sample needs {FEWEST} or more")
    if purpose not in (AUDIT, TRAIN):
        raise UsageError(f"--purpose {purpose}: choose {AUDIT} or {TRAIN}")
    if train and whole:
        raise UsageError("--purpose train chooses single answers; drop it, or drop --documents")
    population = read_population(request)
    refuse_many_groups(population)
    _refuse_repeated(population)
    by_chance = max(FEWEST, round(AUDIT_SHARE * size)) if train else size
    sample = draw_sample(population, by_chance, seed, whole=whole)
    audited = len(sample.pair)
    unsure = _least_sure(population, sample, size - audited if train else 0)
    unit = "document" if whole else "answer"
    notes = _write(population, sample, unsure, Path(output), unit, force)
    drawn = np.bincount(population.actor[sample.pair], minlength=len(population.actors)).tolist()
    return {
        "answers": audited + len(unsure),
        "documents": len(np.unique(population.document[np.append(sample.pair, unsure)])),
        "population": len(population),
        "strata": len(np.unique(sample.stratum)),
        "audited": audited,
        "labels": dict(zip(population.actors, drawn, strict=True)),
        "texts": population.places.text is not None,
        "notes": [*population.notes, *notes],
    }


def draw_sample(population: AnswersTable, size: int, seed: int, *, whole: bool = False) -> Sample:
    """Draw a sample at random, of answers or of whole documents."""
    rng = np.random.Generator(np.random.PCG64(seed))
    groups, periods = max(1, len(population.groups)), int(population.period.max(initial=0)) + 2
    unit = population.document if whole else np.arange(len(population))
    first = np.unique(unit, return_index=True)[1]
    actor = np.zeros_like(unit) if whole else population.actor
    outer = actor * groups + population.group
    cell = outer * periods + population.period + 1
    finest = cell * (len(Stance) + 1) + population.stance
    if whole:  # by the sides that answers of a document take
        sides = [np.bincount(unit, population.stance == side)[unit] > 0 for side in SIDES]
        finest = cell * 4 + sides[0] * 2 + sides[1]
    # What the model expects of its errors in all three stances.
    squares = (population.chances.astype(np.float64) ** 2).sum(axis=1)
    errors = np.bincount(unit, 1 - squares).astype(np.float64)
    levels = [level[first] for level in (finest, cell, outer, actor, np.zeros_like(cell))]
    stratum, drawn = design_sample(levels, errors, min(size, len(first)))
    numbers = rng.permutation(len(drawn)) + 1
    strata = (np.flatnonzero(stratum == number) for number in range(len(drawn)))
    units = [rng.choice(rows, n, replace=False) for rows, n in zip(strata, drawn, strict=True)]
    pair = np.flatnonzero(np.isin(unit, np.concatenate(units)))
    chance = (drawn / np.bincount(stratum))[stratum[unit]]
    return Sample(pair, numbers[stratum[unit[pair]]], chance)


def _least_sure(population: AnswersTable, sample: Sample, size: int) -> Ints:
    """Return so many other pairs of which the model is least sure, each text once.

    Sureness is the margin between the two likeliest stances (Scheffer, Decomain and Wrobel 2001,
    "Active Hidden Markov Models for Information Extraction").
    """
    if size <= 0:
        return np.zeros(0, np.int64)
    if population.places.text is None:
        column(Table(population.table, population.columns), "text", "--text-column")  # raises
    ordered = np.sort(population.chances, axis=1)
    order = np.argsort(ordered[:, -1] - ordered[:, -2], kind="stable")
    order = order[~np.isin(population.text[order], population.text[sample.pair])]
    return order[np.sort(np.unique(population.text[order], return_index=True)[1])][:size]


def _refuse_repeated(population: AnswersTable) -> None:
    """Raise if two answers have the same name, by which a design could not tell them apart."""
    first = np.unique(population.key, return_index=True)[1]
    if len(first) < len(population):
        again = population.record[np.setdiff1d(np.arange(len(population)), first)[0]] + 1
        why = f"record {again:,} has the 'row' and actor of an earlier one, as if tables were put"
        advice = "together by hand; give the tables that stance predict wrote, one after the other"
        raise DataError(f"{population.table}: {why} {advice}")


def _write(
    population: AnswersTable, sample: Sample, unsure: Ints, output: Path, unit: str, force: bool
) -> list[str]:
    """Write the sample's rows with the input's columns; return a note on those left out."""
    places, columns = population.places, population.columns
    inputs = [place for place in range(places.row) if place != places.actor]
    taken = {*DRAWN, *CODED, *SOFT, *["text"] * (places.text is not None)}
    kept = [place for place in inputs if place == places.text or columns[place] not in taken]
    left_out = ", ".join(shown(columns[place], 30) for place in inputs if place not in kept)
    names = ["text" if place == places.text else columns[place] for place in kept]
    keys = [place for place in (places.file, places.document, places.id) if place is not None]
    about, design = [places.row, places.actor], design_path(output)
    known = (*(columns[place] for place in keys), "row", "actor", "inclusion", "stratum", UNIT)
    how = zip(sample.chance[sample.pair].tolist(), sample.stratum.tolist(), strict=True)
    drawn = dict(zip(population.record[sample.pair].tolist(), how, strict=True))
    chosen = {*population.record[unsure].tolist()}
    with (
        AtomicGroup() as group,
        group.part(write_table(output, (*names, *DRAWN, *CODED), force=force)) as sheet,
        group.part(write_table(design, known, force=force)) as chances,
        population.open_again() as table,
    ):
        for number, record in enumerate(table):
            if number in drawn:
                inclusion, stratum = drawn[number]
                pair = [record.cells[place] for place in (*keys, *about)]
                chances.write([*pair, f"{inclusion:.9g}", str(stratum), unit])
            elif number not in chosen:
                continue
            purpose = [TRAIN, ""] if number in chosen else [AUDIT, design.name]
            cells = [record.cells[place] for place in (*kept, *about)]
            sheet.write([*cells, *purpose, *("" for _ in CODED)])
    why = f"{population.table}: columns left out, because coders fill in their own: {left_out}"
    return [why] if left_out else []


# --- Designs ---


def design_sample(levels: Sequence[Ints], spread: Floats, size: int) -> tuple[Ints, Ints]:
    """Return the stratum of each unit, and how many units a sample takes from each stratum.

    The ``levels`` number the strata of units, the finest first. Those of the second are cells that
    are compared, which share the sample by the square root of their size, a compromise between
    equal precision for each and the best for all (Bankier 1988, "Power Allocations"); within a
    cell, strata share it by size and standard deviation (Neyman 1934, "On the Two Different Aspects
    of the Representative Method"). A stratum that would get fewer than `LEAST` units is joined with
    other such strata of the next coarser level, the last of which holds all units; what is small
    there, too, is joined with the smallest other stratum. ``spread`` is the expected square of each
    unit's error; ``size`` is at most the number of units.
    """
    finest, cell = (np.unique(level, return_inverse=True)[1] for level in levels[:2])
    mean = np.bincount(finest, spread) / np.bincount(finest)
    deviation = np.sqrt(np.maximum(mean, SUREST**2))[finest]
    sizes, deviations = np.bincount(cell), np.bincount(cell, deviation)
    claim = np.sqrt(sizes) * (deviations / sizes)
    share = deviation / deviations[cell] * (claim / claim.sum())[cell] * size
    stratum = levels[0].copy()
    for coarser in levels[1:]:
        offset = int(stratum.max()) + 1
        stratum = np.where(_small(stratum, share), offset + coarser, stratum)
    while (small := _small(stratum, share)).any() and not small.all():
        numbers, place = np.unique(stratum[~small], return_inverse=True)
        stratum[small] = numbers[np.bincount(place, share[~small]).argmin()]  # the smallest other
    stratum = np.unique(stratum, return_inverse=True)[1]
    target = np.bincount(stratum, share).astype(np.float64)
    return stratum, _whole_numbers(target, np.bincount(stratum), size)


def _small(strata: Ints, share: Floats) -> Bools:
    """Return which units are of strata that would get too few units, and not all of theirs."""
    _, stratum, held = np.unique(strata, return_inverse=True, return_counts=True)
    expected = np.minimum(np.bincount(stratum, share), held)
    return ((expected < LEAST) & (expected < held))[stratum]


def _whole_numbers(target: Floats, sizes: Ints, total: int) -> Ints:
    """Round the units of each stratum so that they sum to the total, each within its bounds."""
    least = np.minimum(LEAST, sizes)
    total = min(max(total, int(least.sum())), int(sizes.sum()))
    high = float((sizes / np.maximum(target, 1e-12)).max()) + 1
    # The factor by which the bounded targets sum to the total.
    factor = edge(lambda by: np.clip(target * by, least, sizes).sum() >= total, 0.0, high, 100)
    wanted = np.clip(target * factor, least, sizes)
    drawn = np.floor(wanted + 1e-9).astype(np.int64)
    room = np.flatnonzero(drawn < sizes)
    order = room[np.argsort(-(wanted - drawn)[room], kind="stable")]
    drawn[order[: total - int(drawn.sum())]] += 1
    return drawn
