"""What a run is asked for: inputs, outputs and options, and what its parts have in common."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeGuard

from stance.errors import DataError, UsageError
from stance.files import is_device
from stance.model.abstention import thresholds
from stance.model.judging import StanceModel
from stance.runs.answers import RunConfig, Tally
from stance.runs.options import Options
from stance.tables import (
    InputOptions,
    Table,
    column,
    find_dates,
    optional_column,
    table_format,
)


@dataclass(frozen=True, slots=True)
class Input:
    """What to judge, and how to read it."""

    paths: tuple[Path | None, ...]  # files and folders; None is standard input
    reading: InputOptions = field(default_factory=InputOptions)
    rejects: Path | None = None  # takes bad records and files; None to stop at the first
    max_rejects: int | None = None  # more of them end the run
    since: Path | None = None  # summary of an earlier run, whose files are not judged again


@dataclass(frozen=True, slots=True)
class Output:
    """Where the answers go; their bytes do not depend on it."""

    path: Path | None  # None is standard output
    force: bool = False  # replace existing files
    resume: bool = False  # go on with a run that was stopped
    summary: Path | None = None  # takes what the run did, as JSON


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did."""

    tally: Tally
    rows_in: int  # judged or rejected
    rows_out: int
    rejected: int
    notes: tuple[str, ...]  # on the input, for the user
    warnings: tuple[str, ...]  # those on stances that the model never answers


def check_options(model: StanceModel, source: Input, target: Output, options: Options) -> None:
    """Raise if the arguments contradict each other."""
    paths = source.paths
    if target.resume and not all(map(is_file, (*paths, target.path))):
        raise UsageError("--resume needs files, not streams; name input and output")
    if source.since and len(paths) == 1 and not (paths[0] and paths[0].is_dir()):
        raise UsageError("--since needs a folder, or several files")
    if source.max_rejects is not None and source.rejects is None:
        raise UsageError("--max-rejects counts bad rows; say with --rejects where they go")
    if options.speakers and model.holder is None:
        raise DataError(
            "--speakers: the model cannot say whose stance it is, since its corpus had no column "
            "holder; drop --speakers, or train on one that has"
        )


def is_file(path: Path | None) -> TypeGuard[Path]:
    """Return whether a path is neither a standard stream nor a device."""
    return path is not None and not is_device(path)


def make_config(
    model: StanceModel, source: Input, target: Output, options: Options, table: Table, before: int
) -> RunConfig:
    """Return what all parts have in common; earlier runs numbered so many input rows ``before``."""
    columns, reading = table.columns, source.reading
    if reading.actor_column is not None:
        actor: int | None = column(table, reading.actor_column, "--actor-column")
    else:
        actor = optional_column(table, "actor")
    asked = (reading.actor or "").strip() if actor is None else ""
    paired = asked or actor is not None
    config = RunConfig(
        columns=columns,
        text=column(table, reading.text_column, "--text-column"),
        actor=actor,
        asked=asked,
        spans=optional_column(table, "spans") if paired else None,
        options=options,
        actors=model.book.names,
        thresholds=thresholds(model.calibration, options.abstain),
        rows_before=before,
        table=table.name,
    )
    config.check()
    if config.spans is not None:
        table.check = config.fault
    if reading.date_column is not None:
        column(table, reading.date_column, "--date-column")  # raises
    if dates := find_dates(table, reading) if model.book.has_terms else None:
        config = replace(config, date=dates[0], date_pattern=dates[1])
    written, types = (*columns, *config.added()), config.types()
    form = table_format(target.path, written, excel_safe=options.excel_safe, types=types)
    return replace(config, form=form)
