"""Commands on answers: sample, shares, report."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stance.cli import _files as files
from stance.cli._options import reads
from stance.cli._terminal import show, tell
from stance.errors import UsageError

if TYPE_CHECKING:
    from stance.findings import AuditRequest


@reads(form=files.answered)
def sample(
    number: int,
    output: Path,
    only: list[str] | None = None,
    purpose: Literal["audit", "train"] = "audit",
    documents: bool = False,
    margin: float = 0.2,
    seed: int = 20,
    force: bool = False,
    *,
    form: files.AnswersForm,
) -> None:
    """Draw a sample of answers to label."""
    from stance.findings import Request, SampleRequest, write_sample
    from stance.screens.checks import sample_lines

    request = Request(**form)
    files.refuse_outputs(force, request.paths, output=output)
    asked = SampleRequest(number, seed, documents, purpose, margin)
    drawn = write_sample(request, asked, output, only=only or (), force=force)
    wrote = f"wrote {output}; label it with: stance label {output} --coder NAME"
    tell(*drawn.notes, *sample_lines(drawn.to_json()), wrote)


@reads(form=files.answered, audit=files.audited)
def shares(
    output: Path | None = None,
    only: list[str] | None = None,
    surrogate: list[str] | None = None,
    quantity: Literal["against", "neutral", "favor", "net"] = "net",
    differences: Path | None = None,
    regression: Path | None = None,
    excel_safe: bool = False,
    as_json: bool = False,
    force: bool = False,
    *,
    form: files.AnswersForm,
    audit: "AuditRequest | None",
) -> None:
    """Count stances, correct them by a sample, compare groups."""
    from stance.files import AtomicGroup
    from stance.findings import Request, read_study, write_numbers, write_regression_table
    from stance.screens.checks import share_lines

    request = Request(**form)
    if audit is None and surrogate:
        raise UsageError("--surrogate stands in for an audit's labels; add --audit LABELLED")
    read = [*request.paths, audit.source if audit else None]
    written = {"output": output, "differences": differences, "regression": regression}
    files.refuse_outputs(force, read, **written)
    study = read_study(request, audit, surrogates=surrogate or (), only=only or ())
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


@reads(form=files.answered, audit=files.audited)
def report(
    output: Path | None = None,
    title: str | None = None,
    figures: Path | None = None,
    pdf: bool = False,
    checklist: Path | None = None,
    model: Path | None = None,
    actors: Path | None = None,
    aliases: str | None = None,
    excel_safe: bool = False,
    force: bool = False,
    *,
    form: files.AnswersForm,
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
