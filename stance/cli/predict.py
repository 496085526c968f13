"""Commands that answer: predict, explain."""

import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stance.cli import _files as files
from stance.cli._options import reads
from stance.cli._terminal import progress, say, show_each, tell
from stance.display import count
from stance.errors import DataError, UsageError

if TYPE_CHECKING:
    from stance.runs import Done
    from stance.tables import Reading

LONGEST_TEXT = 1_000_000  # bytes of a paragraph on standard input


@reads(reading=files.texts)
def predict(
    sources: list[Path],
    output: Path = Path("-"),
    model: Path | None = None,
    actors: Path | None = None,
    aliases: str | None = None,
    wide: bool = False,
    jobs: int = 1,
    abstain: float | None = None,
    voice: Literal["author"] | None = None,
    explain: int = 0,
    actor_column: str | None = None,
    actor: str | None = None,
    prefix: str = "",
    rejects: Path | None = None,
    max_rejects: int | None = None,
    summary: Path | None = None,
    since: Path | None = None,
    resume: bool = False,
    cluster: str | None = None,
    excel_safe: bool = False,
    force: bool = False,
    quiet: bool = False,
    *,
    reading: "Reading",
) -> None:
    """Judge paragraphs: stance toward each actor, and sentiment."""
    from stance.runs import Input, Options, Output, WorkerPool, predict_table

    files.check_jobs(jobs)
    paths = tuple(map(files.path_or_stdin, sources))
    reading = replace(reading, actor_column=actor_column, actor=actor)
    table = Input(paths, reading, rejects, max_rejects, since)
    target = Output(files.path_or_stdin(output), force=force, resume=resume, summary=summary)
    answering = Options(
        wide=wide,
        prefix=prefix,
        abstain=abstain,
        voice=voice or "",
        explain=explain,
        excel_safe=excel_safe,
    )
    again = force or resume or since is not None
    files.refuse_outputs(again, [model, actors], output=target.path)
    files.refuse_outputs(again, [*paths, model, actors], rejects=rejects, summary=summary)
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
    text: str,
    actor: str | None = None,
    model: Path | None = None,
    actors: Path | None = None,
    aliases: str | None = None,
    sentiment: bool = False,
    as_json: bool = False,
) -> None:
    """Show how far each word pushes the answer."""
    from stance.model.explanation import explain_each, explain_sentiment
    from stance.screens.model import explanation_lines

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
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for explanation in found:
        say("\n".join(explanation_lines(explanation, coloured=coloured)))


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
