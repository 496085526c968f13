"""Commands on answers: sample, shares, report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from stance.cli import _files as files
from stance.cli import _options as options
from stance.cli._options import AUDIT, GROUPS, OUTPUT, option
from stance.cli._terminal import show, tell
from stance.errors import UsageError

if TYPE_CHECKING:
    from stance.findings import AuditRequest

Only = Annotated[
    list[str] | None, option("NAME", "Only this actor; may be repeated.", "--actor", panel=GROUPS)
]


@options.reads_answers
def sample(
    number: Annotated[int, option("N", "Answers to label, 10 or more.", "--number", "-n")],
    output: Annotated[
        Path, option("TO_LABEL.csv", "Table to write.", "--output", "-o", panel=OUTPUT)
    ],
    actor: Only = None,
    purpose: Annotated[
        Literal["audit", "train"],
        option(
            "PURPOSE", "audit: drawn by chance; train: chosen to learn from, but for a quarter."
        ),
    ] = "audit",
    documents: Annotated[
        bool, option(None, "Draw N whole documents, with all their answers.", "--documents")
    ] = False,
    margin: Annotated[
        float,
        option(
            "M", "Half the width of an interval that would do: 0.2 is 20 points.", min=0.01, max=1
        ),
    ] = 0.2,
    seed: Annotated[int, option("N", "Seed of the draw.", min=0, max=2**31 - 1)] = 20,
    force: options.Force = False,
    *,
    form: options.AnswersForm,
) -> None:
    """Draw a sample of answers to label."""
    from stance.findings import Request, SampleRequest, write_sample
    from stance.screens.findings import sample_lines

    request = Request(**form)
    files.refuse_outputs(force, request.paths, output=output)
    asked = SampleRequest(number, seed, documents, purpose, margin)
    drawn = write_sample(request, asked, output, only=actor or (), force=force)
    wrote = f"wrote {output}; label it with: stance label {output} --coder NAME"
    tell(*drawn.notes, *sample_lines(drawn.to_json()), wrote)


@options.reads_answers
@options.reads_audit
def shares(
    output: Annotated[
        Path | None, option("FILE", "Table of shares to write.", "--output", "-o", panel=OUTPUT)
    ] = None,
    actor: Only = None,
    surrogate: Annotated[
        list[str] | None,
        option("COLUMN", "Column of another model's labels; may be repeated.", panel=AUDIT),
    ] = None,
    quantity: Annotated[
        Literal["against", "neutral", "favor", "net"],
        option(
            "WHAT",
            "What is compared: against, neutral, favor, or net (favor less against).",
            panel=GROUPS,
        ),
    ] = "net",
    differences: Annotated[
        Path | None, option("FILE", "Table of differences to write.", panel=OUTPUT)
    ] = None,
    regression: Annotated[
        Path | None,
        option("FILE", "Table for regressions to write: a row per document.", panel=OUTPUT),
    ] = None,
    excel_safe: options.ExcelSafe = False,
    as_json: options.AsJson = False,
    force: options.Force = False,
    *,
    form: options.AnswersForm,
    audit: "AuditRequest | None",
) -> None:
    """Count stances, correct them by a sample, compare groups."""
    from stance.files import AtomicGroup
    from stance.findings import Request, read_study, write_numbers, write_regression_table
    from stance.screens.findings import share_lines

    request = Request(**form)
    if audit is None and surrogate:
        raise UsageError("--surrogate stands in for an audit's labels; add --audit LABELLED")
    read = [*request.paths, audit.source if audit else None]
    written = {"output": output, "differences": differences, "regression": regression}
    files.refuse_outputs(force, read, **written)
    study = read_study(request, audit, surrogates=surrogate or (), only=actor or ())
    found = study.shares(quantity)
    tell(*found.notes)
    figures, how, said = found.to_json(), {"force": force, "excel_safe": excel_safe}, []
    with AtomicGroup() as together:
        for path, name in ((output, "shares"), (differences, "differences")):
            if path:
                said.append(write_numbers(path, figures[name], together, **how))
        if regression:
            said.append(write_regression_table(study, request, regression, together, **how))
    tell(*said)
    show(figures, lambda: share_lines(figures), as_json)


@options.reads_answers
@options.reads_audit
def report(
    output: Annotated[
        Path | None,
        option("FILE", "Page to write; ANSWERS.html if omitted.", "--output", "-o", panel=OUTPUT),
    ] = None,
    title: Annotated[
        str | None, option("TEXT", "Title of the page; names the table if omitted.", panel=OUTPUT)
    ] = None,
    figures: Annotated[
        Path | None,
        option("DIR", "Folder for each figure as SVG, and all numbers as CSV.", panel=OUTPUT),
    ] = None,
    pdf: Annotated[bool, option(None, "Write figures as PDF, too.", "--pdf", panel=OUTPUT)] = False,
    checklist: Annotated[
        Path | None,
        option("FILE.md", "What to report, filled in as far as it is known.", panel=OUTPUT),
    ] = None,
    model: Annotated[
        Path | None,
        option(
            "MODEL", "Model that gave the answers; the default model if it fits.", "--model", "-m"
        ),
    ] = None,
    actors: options.ActorsFile = None,
    aliases: options.Aliases = None,
    excel_safe: options.ExcelSafe = False,
    force: options.Force = False,
    *,
    form: options.AnswersForm,
    audit: "AuditRequest | None",
) -> None:
    """Summarise answers on one page."""
    from stance.reports import Request, check_figures, read_maker, write_predictions
    from stance.storage import bundled_model

    request = Request(**form)
    if output is None and len(request.paths) > 1:
        raise UsageError(f"{request.name}: several tables make one page; name it with --output")
    if pdf and figures is None:
        raise UsageError("--pdf is about figures; add --figures DIR")
    if str(figures) == "-":
        raise UsageError("-: figures cannot go to standard output; name a folder")
    output = output or files.beside(request.paths[0], ".html")
    read = [*request.paths, model, actors, audit.source if audit else None]
    files.refuse_outputs(force, read, output=output, checklist=checklist)
    check_figures(figures, pdf=pdf, force=force)
    path = model or bundled_model()
    maker = read_maker(path, files.open_model(path, actors, aliases), given=model is not None)
    told = write_predictions(
        request, output, maker,
        audit=audit, title=title, folder=figures, pdf=pdf, checklist=checklist,
        force=force, excel_safe=excel_safe,
    )  # fmt: skip
    tell(*told)
