"""Commands that answer: predict, explain."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stance.cli import _files as files
from stance.cli import _options as options
from stance.cli._options import OUTPUT, RUNNING, TABLES, option
from stance.cli._terminal import progress, show_each, tell
from stance.display import count
from stance.errors import DataError, UsageError, reported

if TYPE_CHECKING:
    from stance.runs import Done
    from stance.tables import Reading

LONGEST_TEXT = 1_000_000  # bytes of a paragraph on standard input


@options.reads_texts
def predict(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT", help="Tables, articles, folders of them; - is stdin."),
    ],
    output: Annotated[
        Path, option("FILE", "Table to write; - is stdout.", "--output", "-o", panel=OUTPUT)
    ] = Path("-"),
    model: options.ModelFile = None,
    actors: options.ActorsFile = None,
    aliases: options.Aliases = None,
    wide: Annotated[
        bool,
        option(
            None, "Write one row per input row, with columns per actor.", "--wide", panel=OUTPUT
        ),
    ] = False,
    jobs: options.Jobs = 1,
    abstain: Annotated[
        float | None,
        option(
            "RATE",
            "Withhold unsure answers: with 90 % confidence, at most this share of the others "
            "is wrong, in each class, on texts like the training corpus.",
            min=0,
            max=1,
        ),
    ] = None,
    voice: Annotated[
        Literal["author"] | None,
        option(
            "VOICE",
            "Whose stances to answer with: author withholds those of others, such as a "
            "speaker that is quoted; they are uncertain, and 'holder' says whose they are.",
        ),
    ] = None,
    explain: Annotated[
        int,
        option(
            "N",
            "Add a column 'because' with the N words that push most toward the answer, such "
            "as condemned(-0.42); - is toward against, + toward favor.",
            min=0,
        ),
    ] = 0,
    actor_column: options.ActorColumn = None,
    actor: options.OneActor = None,
    prefix: Annotated[
        str, option("WORD", "Prefix for the names of new columns.", panel=OUTPUT)
    ] = "",
    rejects: Annotated[
        Path | None, option("FILE", "Write bad rows to this table and continue.", panel=TABLES)
    ] = None,
    resume: options.Resume = False,
    cluster: Annotated[
        str | None, option("ADDRESS", "Address of a Dask scheduler.", panel=RUNNING)
    ] = None,
    excel_safe: options.ExcelSafe = False,
    force: options.Force = False,
    quiet: Annotated[
        bool, option(None, "Show no progress and no summary.", "--quiet", "-q", panel=OUTPUT)
    ] = False,
    *,
    reading: "Reading",
) -> None:
    """Judge paragraphs: stance toward each actor, and sentiment."""
    from contextlib import nullcontext
    from dataclasses import replace

    from stance.runs import Input, Options, Output, WorkerPool, predict_table

    options.check_jobs(jobs)
    paths = tuple(map(files.path_or_stdin, sources))
    reading = replace(reading, actor_column=actor_column, actor=actor)
    table = Input(paths, reading, rejects)
    target = Output(files.path_or_stdin(output), force=force, resume=resume)
    answering = Options(
        wide=wide,
        prefix=prefix,
        abstain=abstain,
        voice=voice or "",
        explain=explain,
        excel_safe=excel_safe,
    )
    files.refuse_outputs(force or resume, [model, actors], output=target.path)
    files.refuse_outputs(force or resume, [*paths, model, actors], rejects=rejects)
    pool = WorkerPool(jobs - 1) if jobs > 1 and cluster is None else None
    with pool.ahead_of(paths) if pool else nullcontext():  # they load their modules meanwhile
        loaded = files.open_model(model, actors, aliases)
        if cluster is not None:
            from stance.runs.cluster import exposure

            tell(*filter(None, [exposure(cluster)]))
        with progress(quiet) as shown:
            done = predict_table(
                loaded, table, target, answering, pool=pool, cluster=cluster, progress=shown
            )
    tell(*(done.warnings if quiet else (*done.notes, *_run_lines(done, quoted=excel_safe))))


def _run_lines(done: "Done", *, quoted: bool) -> list[str]:
    """Return the closing lines of a run: rows, and stance counts per actor."""
    from stance.screens.checks import answer_lines
    from stance.tables import formula_note

    tally = done.tally
    lines = [
        f"{count(done.rows_in, 'row')} in = {tally.rows:,} judged + {done.rejected:,} rejected; "
        f"{tally.named:,} naming an actor; {count(done.rows_out, 'row')} out"
    ]
    lines += filter(None, [formula_note(done.formulas, quoted=quoted)])
    return lines + answer_lines(tally.answers, tally.aliases)


def explain(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The paragraph; - is stdin.")],
    actor: Annotated[
        str | None,
        option("NAME", "Actor to judge; all that are named if omitted."),
    ] = None,
    model: options.ModelFile = None,
    actors: options.ActorsFile = None,
    aliases: options.Aliases = None,
    sentiment: Annotated[
        bool, option(None, "Explain the paragraph's sentiment instead.", "--sentiment")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Show how far each word pushes the answer."""
    from stance.model.explanation import explain_each, explain_sentiment
    from stance.screens.model import print_explanation

    if sentiment and actor is not None:
        raise UsageError("--sentiment is about the whole paragraph; drop --actor")
    if text == "-":
        text = _text_of_stdin()
    loaded = files.open_model(model, actors, aliases)
    found = explain_each(loaded, text, actor)
    if sentiment:
        found = iter([explain_sentiment(loaded, text)])
    if as_json:
        show_each(found)
        return
    for explanation in found:
        with reported(None):
            print_explanation(explanation)


def _text_of_stdin() -> str:
    """Return the text on standard input, without the line end behind it."""
    if sys.stdin is None:
        raise DataError("standard input: is closed; write the paragraph in quotes")
    data = sys.stdin.buffer.read(LONGEST_TEXT + 1)
    if len(data) > LONGEST_TEXT:
        why = f"more than {LONGEST_TEXT:,} bytes are too long for a paragraph"
        raise DataError(f"standard input: {why}; split it")
    try:
        text = data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        why = f"byte {data[error.start]:#04x} at offset {error.start} is not UTF-8"
        raise DataError(f"standard input: {why}; convert it first") from error
    if not text.strip():
        raise DataError("standard input: is empty; pipe a paragraph into it")
    return text
