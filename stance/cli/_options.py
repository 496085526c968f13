"""All arguments and options, section by section; a command lists the names of its own."""

import functools
import inspect
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Annotated, Any, Literal

import typer

Declared = tuple[str | None, str, tuple[str, ...], dict[str, Any]]

SEEDS = {"min": 0, "max": 2**31 - 1}


def _given(metavar: str | None, text: str, *names: str, **more: Any) -> Declared:
    """Declare a parameter: what stands for its value (None for a flag), and what it does."""
    return metavar, text, names, more


def _model(text: str) -> Declared:
    return _given("MODEL", text, "--model", "-m")


def _output(metavar: str, text: str) -> Declared:
    return _given(metavar, text, "--output", "-o")


def _column(what: str, name: str) -> Declared:
    return _given("NAME", f"Column with {what}; '{name}' if omitted.")


PANELS: dict[str, dict[str, Declared]] = {
    "Arguments": {
        "predict.sources": _given("INPUT", "Tables, articles or folders; - is stdin."),
        "actors.sources": _given("INPUT", "Tables, articles or folders; - is stdin."),
        "articles": _given("ARTICLE", "Articles (.txt, .html) or folders; - is stdin."),
        "answers": _given(
            "ANSWERS",
            "Tables by stance predict, or of labels by others; or folders of such tables.",
        ),
        "corpora": _given("CORPUS", "Labelled tables."),
        "train.corpora": _given("CORPUS", "Labelled tables; the starter corpus if omitted."),
        "import.form": _given(
            "FORMAT",
            "A data set (newsmtsc, rusentne, ruopinionne, persent, semeval2016, pstance, xstance, "
            "sentfin, semeval2025, seesaw), a tool (doccano, labelstudio, prodigy, brat), or "
            "table.",
        ),
        "source": _given("SOURCE", "File of the data set or export, or a folder."),
        "table": _given("TABLE", "Table with columns text and actor."),
        "text": _given("TEXT", "The paragraph; - is stdin."),
        "inspect.model": _given(
            "MODEL", "Model file, or 'speeches'; the default model if omitted."
        ),
    },
    "Options": {
        "model": _model("Model file, or the bundled 'speeches'; the default model if omitted."),
        "report.model": _model("Model that gave the answers; the default model if it fits."),
        "abstain": _given(
            "RATE",
            "Answer 'uncertain' where the model is unsure. With 90 % confidence, at most this "
            "share of the other answers is then wrong in each class, over texts mixed like the "
            "training corpora (news and speeches for the default model). In one kind of text "
            "alone, or in other outlets, genres or years, more may be wrong.",
            min=0,
            max=1,
        ),
        "speakers": _given(
            None,
            "Name the speaker of neutral answers, too, in 'holder', so that 'shares --pairs' "
            "counts all that a holder says about an actor.",
        ),
        "explain": _given(
            "N",
            "Add a column 'because' with the N words that push most toward the answer, for "
            "example condemned(-0.42): minus is toward against, plus toward favor.",
            min=0,
        ),
        "deep": _given(
            "PAIRS",
            "Let a small neural network read pairs of a paragraph and an actor, too: all of them, "
            "or only those that leave the model unsure. Slower but more often right; needs the "
            "extra 'deep'.",
        ),
        "explain.actor": _given("NAME", "Actor to judge; every actor that is named if omitted."),
        "read.actor": _given("NAME", "Actor to judge; every actor that is named if omitted."),
        "number": _given("N", "Answers to label, 10 or more.", "--number", "-n"),
        "purpose": _given(
            "PURPOSE",
            "audit: a random sample, to correct shares; train: the answers that the model is least "
            "sure of, and a quarter at random.",
        ),
        "documents": _given(None, "Draw N whole documents, with all their answers."),
        "sample.seed": _given("N", "Seed of the draw.", **SEEDS),
        "label.coder": _given(
            "NAME",
            "Who labels, or whose labels to export; 'adjudicated' settles the rows on which coders "
            "differ.",
        ),
        "ask": _given(
            "QUESTIONS", "What to ask beside the stance: holder, sentiment or holder,sentiment."
        ),
        "codebook": _given("FILE.md", "Your own codebook; the bundled one if omitted."),
        "merge": _given("STORE", "Add the labels of another store, such as ben.sqlite."),
        "export": _given("FILE", "Write the labels, as a table."),
        "browser": _given(
            None, "Open the page, or only print its address.", "--browser/--no-browser"
        ),
        "recipe": _given("FILE", "Recipe (TOML) for the model."),
        "vectors": _given("FILE", "Word vectors to learn with, made by training/vectors.py."),
        "train.deep": _given(
            None, "Learn from a small neural network, too; needs the extra 'deep'."
        ),
        "lexicon": _given("FILE", "Lexicon (TOML) to use instead of the language's own."),
        "train.seed": _given("N", "Seed to use instead of the recipe's.", **SEEDS),
        "compare": _given("MODEL", "Second model to compare with the first."),
        "stress": _given(None, "Test how answers change when texts change; needs no CORPUS."),
    },
    "Output": {
        "predict.output": _output("FILE", "Table to write; - is stdout."),
        "sample.output": _output("TO_LABEL.csv", "Table to write."),
        "shares.output": _output("FILE", "Table of shares to write."),
        "report.output": _output("FILE", "Page to write; ANSWERS.html if omitted."),
        "read.output": _output("PAGE.html", "Page to write; for several articles, a folder."),
        "train.output": _output("MODEL", "Model file to write."),
        "import.output": _output("CORPUS.csv", "Corpus table to write."),
        "wide": _given(None, "Write one row per input row, with columns per actor."),
        "predict.prefix": _given("WORD", "Prefix for the names of new columns."),
        "summary": _given("FILE.json", "Write a summary of the run: rows by file, times, options."),
        "excel_safe": _given(
            None, "Quote cells that look like formulas, and mark UTF-8 for Excel."
        ),
        "title": _given("TEXT", "Title of the page; the name of the table if omitted."),
        "figures": _given("DIR", "Folder for the figures as SVG, and their numbers as CSV."),
        "pdf": _given(None, "Write figures as PDF, too."),
        "report": _given("FILE.html", "Write a report as HTML."),
        "errors": _given("FILE.csv", "Write a table of the wrong answers."),
        "differences": _given("FILE", "Write a table of the differences."),
        "as_json": _given(None, "Print one JSON object.", "--json"),
        "force": _given(None, "Overwrite existing files."),
        "quiet": _given(None, "Show no progress and no summary.", "--quiet", "-q"),
    },
    "Groups": {
        "by": _given("NAME", "Column of the groups to compare; if omitted, 'source' in report."),
        "over": _given("NAME", "Column of the dates to compare; if omitted, 'date' in report."),
        "period": _given(
            "UNIT",
            "Length of the periods: week, month, quarter or year. If omitted, the shortest that "
            "makes twelve or fewer.",
        ),
        "pairs": _given(
            None, "Count who judges whom; --output writes a table, or a graph (.graphml)."
        ),
        "only": _given("NAME", "Only this actor; may be repeated.", "--actor"),
    },
    "Labelled sample": {
        "audit": _given("LABELLED", "Labelled sample of the answers, to correct them."),
        "simple_random": _given(None, "All labelled answers were drawn with the same probability."),
        "audit_encoding": _given("E", "Encoding of the labelled sample; UTF-8 if omitted."),
        "surrogate": _given("COLUMN", "Column of another model's labels; may be repeated."),
    },
    "Actors": {
        "actors": _given("FILE", "Your own actor book (TOML).", "--actors", "-a"),
        "people": _given(
            "FILE", "Table of people (name, party, country, from, to) to print as a book.", "--from"
        ),
        "discover": _given(
            None, "Print the names that the book lacks, as a new book.", "--discover"
        ),
        "aliases": _given(
            "KINDS", "Kinds of aliases that count, such as name,demonym; all if omitted."
        ),
    },
    "Reading tables": {
        "labels": _given(
            "SPELLING=LABEL,...", "What stance labels mean, such as 0=against,1=favor."
        ),
        "text_column": _column("the paragraph", "text"),
        "actor_column": _column("the actor", "actor"),
        "actor": _given(
            "NAME", "Actor that every row is about, in a table without an actor column."
        ),
        "stance_column": _column("the stance", "stance"),
        "document_column": _column("the document of each paragraph", "document"),
        "date_column": _given(
            "NAME", "Column with the date, so that leaders count only in office; 'date' if omitted."
        ),
        "date_format": _given(
            "PATTERN", "Form of dates that can be read in two ways, such as %d/%m/%Y."
        ),
        "delimiter": _given("C", "Separator of the table; detected if omitted."),
        "quoting": _given(
            "none", "Read a table that never quotes: a quote is an ordinary character."
        ),
        "encoding": _given("E", "Encoding of the table, such as cp1252; UTF-8 if omitted."),
        "sheet": _given("NAME", "Sheet of a workbook; the first if omitted."),
        "names": _given(
            "COLUMN=NAME,...",
            "Our columns and their names in the source, such as text=body; may be repeated.",
            "--map",
        ),
        "prefix": _given("WORD", "Prefix of the columns of answers."),
        "rejects": _given("FILE", "Write bad rows to this table and continue."),
        "max_rejects": _given("N", "Fail if more than N rows are bad.", min=0),
        "keep_all": _given(
            None, "Keep boilerplate of articles, such as menus, and mark it in a column."
        ),
    },
    "Running": {
        "jobs": _given("N", "Number of processes.", min=1, max=256),
        "since": _given(
            "FILE.json",
            "Judge only files that are new or have changed since the run with this --summary, "
            "and add their answers to the output.",
        ),
        "resume": _given(None, "Continue an interrupted run."),
        "cluster": _given("ADDRESS", "Address of a Dask scheduler."),
    },
}
"""Parameters by section and name; COMMAND.NAME is one that differs in a command."""

_KNOWN = {key: (name, entry) for name, panel in PANELS.items() for key, entry in panel.items()}
_PLACES = {key: place for place, key in enumerate(_KNOWN)}

# --- Parameters of several commands ---

_TEXT = str | None
TABLE = dict.fromkeys(("delimiter", "encoding", "sheet"), _TEXT) | {
    "quoting": Literal["none"] | None
}
_DATED = {"date_format": _TEXT, **TABLE}
_COLUMNS = dict.fromkeys(("text_column", "actor_column", "stance_column", "document_column"), _TEXT)
_PERIOD = Literal["week", "month", "quarter", "year"] | None
GROUPS: dict[str, dict[str, Any]] = {
    "table": TABLE,
    "dated": {"date_column": _TEXT, **_DATED},
    "labelled": _DATED,
    "answered": {"by": _TEXT, "over": _TEXT, "period": _PERIOD, **_COLUMNS, **_DATED},
}
"""Options that go through a maker as they are: it gets a group as ``**NAME``."""

Command = Callable[..., None]


def reads(**makers: Callable[..., Any]) -> Callable[[Command], Command]:
    """Give a command the parameters of functions, and what these make of them."""

    def give(command: Command) -> Command:
        command.makers = makers  # type: ignore[attr-defined]
        return command

    return give


def declared(command: Command, name: str) -> Command:
    """Return a command whose parameters are as declared here, so that typer reads them."""
    makers: dict[str, Callable[..., Any]] = getattr(command, "makers", {})

    @functools.wraps(command)
    def run(**given: Any) -> None:
        for key, make in makers.items():
            given[key] = make(**{option.name: given.pop(option.name) for option in _taken(make)})
        command(**given)

    taken = [one for one in _taken(command) if one.name not in makers]
    taken += chain.from_iterable(map(_taken, makers.values()))
    signed = [_signed(name, one) for one in taken]
    run.__annotations__ = {one.name: one.annotation for _, one in sorted(signed)}
    run.__signature__ = inspect.Signature([one for _, one in sorted(signed)])  # type: ignore[attr-defined]
    return run


def _taken(make: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    for parameter in inspect.signature(make).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            for name, kind in GROUPS[parameter.name].items():
                yield inspect.Parameter(name, parameter.KEYWORD_ONLY, default=None, annotation=kind)
        else:
            yield parameter


def _signed(command: str, parameter: inspect.Parameter) -> tuple[int, inspect.Parameter]:
    """Return the place of a parameter among all, and the parameter as typer takes it."""
    key = f"{command}.{parameter.name}"
    key = key if key in _KNOWN else parameter.name
    panel, (metavar, text, names, more) = _KNOWN[key]
    if parameter.annotation is bool and not names:
        names = (f"--{parameter.name.replace('_', '-')}",)
    argument, annotated = panel == "Arguments", Annotated  # of which mypy thinks that it is a type
    kind: Any = (
        typer.Argument if argument else functools.partial(typer.Option, rich_help_panel=panel)
    )
    info = kind(*names, metavar=metavar, help=text, **more)
    annotation = annotated[parameter.annotation, info]
    return _PLACES[key], parameter.replace(kind=parameter.KEYWORD_ONLY, annotation=annotation)
