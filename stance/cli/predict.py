"""Commands that answer: predict, explain."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from stance.cli import _options as options
from stance.cli._terminal import meter, show, summary, tell
from stance.errors import UsageError

Voice = Literal["author"]
Sources = Annotated[
    list[Path],
    typer.Argument(metavar="INPUT", help="Tables, articles, folders of them; - is stdin."),
]


def predict(
    sources: Sources,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Table to write; - is stdout.")
    ] = Path("-"),
    model: options.ModelFile = None,
    actors: options.ActorsFile = None,
    aliases: options.Aliases = None,
    wide: Annotated[
        bool, typer.Option("--wide", help="Write one row per input row, with columns per actor.")
    ] = False,
    jobs: options.Jobs = 1,
    abstain: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Withhold unsure answers: with 90 % confidence, at most this share of the others "
            "is wrong, in each class, on texts like the training corpus.",
            min=0,
            max=1,
        ),
    ] = None,
    voice: Annotated[
        Voice | None,
        typer.Option(
            metavar="VOICE",
            help="Whose stances to answer with: author withholds those of others, such as a "
            "speaker that is quoted; they are uncertain, and 'holder' says whose they are.",
        ),
    ] = None,
    explain: Annotated[
        int,
        typer.Option(
            help="Add a column 'because' with the N words that push most toward the answer, such "
            "as condemned(-0.42); - is toward against, + toward favor.",
            metavar="N",
            min=0,
        ),
    ] = 0,
    text_column: options.TextColumn = "text",
    actor_column: options.ActorColumn = None,
    date_column: options.DateColumn = None,
    date_format: options.DateFormat = None,
    prefix: Annotated[
        str, typer.Option(metavar="WORD", help="Prefix for the names of new columns.")
    ] = "",
    delimiter: options.Delimiter = None,
    encoding: options.Encoding = None,
    sheet: options.Sheet = None,
    include: options.Include = None,
    name_pattern: options.NamePattern = None,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write bad rows to this table and continue.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")] = False,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address of a Dask scheduler.")
    ] = None,
    keep_all: Annotated[
        bool,
        typer.Option("--keep-all", help="Keep menus, captions and the like of a .txt article."),
    ] = False,
    excel_safe: Annotated[
        bool,
        typer.Option(
            "--excel-safe", help="Quote cells that look like formulas, and mark UTF-8 for Excel."
        ),
    ] = False,
    force: options.Force = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show no progress and no summary.")
    ] = False,
) -> None:
    """Judge every paragraph of a table: its stance toward each actor, and its sentiment."""
    from stance.runs import Input, LocalCrew, Options, Output, predict_table
    from stance.tables import Reading

    reading = Reading(
        text_column=text_column,
        actor_column=actor_column,
        date_column=date_column,
        date_format=date_format,
        delimiter=delimiter,
        encoding=encoding,
        sheet=sheet,
        keep_all=keep_all,
        include=tuple(include or ()),
        name_pattern=name_pattern or "",
    )
    table = Input(tuple(map(options.path_or_stdin, sources)), reading, rejects)
    target = Output(options.path_or_stdin(output), force=force, resume=resume)
    answering = Options(
        wide=wide,
        prefix=prefix,
        abstain=abstain,
        voice=voice or "",
        explain=explain,
        excel_safe=excel_safe,
    )
    options.refuse_output(target.path, force or resume, [model, actors])
    options.refuse_output(rejects, force or resume, [*table.paths, model, actors])
    with LocalCrew(jobs - 1 if cluster is None else 0) as crew:  # loads modules meanwhile
        loaded = options.open_model(model, actors, aliases)
        if cluster is not None:
            from stance.runs.cluster import exposure

            for line in filter(None, [exposure(cluster)]):
                tell(line)
        with meter(quiet) as progress:
            done = predict_table(
                loaded, table, target, answering, crew=crew, cluster=cluster, progress=progress
            )
    for line in () if quiet else (*done.notes, *summary(done, quoted=excel_safe)):
        tell(line)


def explain(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The paragraph; - is stdin.")],
    actor: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Actor to judge; all that are named if omitted.",
            rich_help_panel="Options",
        ),
    ] = None,
    model: options.ModelFile = None,
    actors: options.ActorsFile = None,
    aliases: options.Aliases = None,
    sentiment: Annotated[
        bool, typer.Option("--sentiment", help="Explain the paragraph's sentiment instead.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Show how far each word pushes the answer, and the exact sums."""
    import dataclasses

    from stance.model.explanation import explain as reasons
    from stance.model.explanation import explain_sentiment
    from stance.screens.model import print_explanation

    if sentiment and actor is not None:
        raise UsageError("--sentiment is about the whole paragraph; drop --actor")
    if text == "-":
        text = options.text_of_stdin()
    loaded = options.open_model(model, actors, aliases)
    found = [explain_sentiment(loaded, text)] if sentiment else reasons(loaded, text, actor)
    if as_json:
        show([dataclasses.asdict(explanation) for explanation in found], (), as_json)
        return
    for explanation in found:
        print_explanation(explanation)
