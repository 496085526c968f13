"""Commands on answers: sample, shares."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from stance.cli import _options as options
from stance.cli._terminal import show, tell

By = Annotated[str | None, typer.Option(metavar="NAME", help="Column of the groups to compare.")]
Over = Annotated[str | None, typer.Option(metavar="NAME", help="Column of the dates to compare.")]
Period = Annotated[
    Literal["week", "month", "quarter", "year"] | None,
    typer.Option(
        metavar="UNIT",
        help="Length of the periods: week, month, quarter or year; the shortest of which a dozen "
        "suffice if omitted.",
    ),
]
Only = Annotated[
    list[str] | None, typer.Option("--actor", metavar="NAME", help="Only this actor; repeatable.")
]


@options.reads_answers
def sample(
    number: Annotated[
        int, typer.Option("--number", "-n", metavar="N", help="Answers to label.", min=1)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="TO_LABEL.csv", help="Table to write.")
    ],
    by: By = None,
    over: Over = None,
    period: Period = None,
    actor: Only = None,
    purpose: Annotated[
        Literal["audit", "train"],
        typer.Option(
            metavar="PURPOSE",
            help="audit: drawn by chance; train: chosen to learn from, but for a quarter.",
        ),
    ] = "audit",
    documents: Annotated[
        bool, typer.Option("--documents", help="Draw N whole documents, with all their answers.")
    ] = False,
    margin: Annotated[
        float,
        typer.Option(metavar="M", help="Half the width of an interval that would do.", min=0.01),
    ] = 0.2,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Seed of the draw.", min=0, max=2**31 - 1)
    ] = 20,
    force: options.Force = False,
    *,
    form: options.AnswersForm,
) -> None:
    """Draw a sample of answers to label: by chance, so that shares can be corrected by it."""
    from stance.findings import Request, SampleRequest, write_sample
    from stance.screens.findings import sample_lines

    request = Request(by=by, over=over, period=period, **form)
    options.refuse_output(output, force, request.paths)
    asked = SampleRequest(number, seed, documents, purpose, margin)
    drawn = write_sample(request, asked, output, only=actor or (), force=force)
    wrote = f"wrote {output}; label it with: stance label {output} --coder NAME"
    for line in (*drawn.notes, *sample_lines(drawn.to_json()), wrote):
        tell(line)


@options.reads_answers
def shares(
    audit: Annotated[
        Path | None,
        typer.Option(metavar="LABELLED", help="Labelled sample of the answers, to correct them."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Table of shares to write."),
    ] = None,
    by: By = None,
    over: Over = None,
    period: Period = None,
    actor: Only = None,
    surrogate: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Column of another model's labels; repeatable."),
    ] = None,
    quantity: Annotated[
        Literal["against", "neutral", "favor", "net"],
        typer.Option(
            metavar="WHAT",
            help="What is compared: against, neutral, favor, or net (favor less against).",
        ),
    ] = "net",
    differences: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Table of differences to write.")
    ] = None,
    regression: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Table for regressions to write: a row per document."),
    ] = None,
    coder: Annotated[
        str | None, typer.Option(metavar="NAME", help="Coder whose labels count.")
    ] = None,
    simple_random: Annotated[
        bool, typer.Option("--simple-random", help="Every answer had the same chance.")
    ] = False,
    labels: options.Labels = None,
    audit_encoding: options.AuditEncoding = None,
    as_json: options.AsJson = False,
    force: options.Force = False,
    *,
    form: options.AnswersForm,
) -> None:
    """Count the stances of answers, correct them by a labelled sample, and compare groups."""
    from stance.corpus import parse_labels
    from stance.findings import (
        AuditRequest,
        Request,
        read_study,
        write_figures,
        write_regression_table,
    )
    from stance.screens.findings import share_lines

    request = Request(by=by, over=over, period=period, **form)
    for path in (output, differences, regression):
        options.refuse_output(path, force, [*request.paths, audit])
    asked = None
    if audit is not None:
        asked = AuditRequest(audit, coder, simple_random, parse_labels(labels), audit_encoding)
    study = read_study(request, asked, surrogates=surrogate or (), only=actor or ())
    found = study.shares(quantity)
    for note in found.notes:
        tell(note)
    figures = found.to_json()
    for path, rows in ((output, figures["shares"]), (differences, figures["differences"])):
        if path:
            tell(write_figures(path, rows, force=force))
    if regression:
        tell(write_regression_table(study, request, regression, force=force))
    show(figures, () if as_json else share_lines(figures), as_json)
