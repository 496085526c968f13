"""All arguments and options, section by section; a command lists the names of its own."""

from typing import Any

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
        "predict.sources": _given("INPUT", "Tables, articles, folders of them; - is stdin."),
        "actors.sources": _given("INPUT", "Tables, articles or folders; - is stdin."),
        "articles": _given("ARTICLE", "Articles (.txt, .html), folders of them; - is stdin."),
        "answers": _given(
            "ANSWERS",
            "Tables that stance predict wrote, or of anyone's labels; or folders of them.",
        ),
        "corpora": _given("CORPUS", "Labelled tables."),
        "train.corpora": _given("CORPUS", "Labelled tables; the starter corpus if omitted."),
        "import.form": _given(
            "FORMAT",
            "A data set (newsmtsc, madtsc, rusentne, ruopinionne, persent, semeval2016, pstance, "
            "vast, xstance, sentfin, semeval2025, seesaw), a tool (doccano, labelstudio, "
            "prodigy, brat), or table.",
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
            "Answer 'uncertain' where the model is unsure, so that with 90 % confidence at most "
            "this share of the other answers is wrong in each class, over texts mixed like the "
            "training corpora (of the default model, news and speeches). In one kind of text "
            "alone, or in other outlets, genres and years, more may be wrong.",
            min=0,
            max=1,
        ),
        "voice": _given(
            "VOICE",
            "Whose stances to answer with: author withholds others' stances, such as a quoted "
            "speaker's; they are uncertain, and 'holder' says whose they are.",
        ),
        "speakers": _given(
            None,
            "Say in 'holder' who speaks where the answer is neutral, too, so that shares have all "
            "that somebody says about an actor as their base.",
        ),
        "explain": _given(
            "N",
            "Add a column 'because' with the N words that push most toward the answer, such as "
            "condemned(-0.42); - is toward against, + toward favor.",
            min=0,
        ),
        "deep": _given(
            "PAIRS",
            "Which pairs of a paragraph and an actor a small neural network reads, too: all, or "
            "only where the model is unsure. Needs the extra 'deep'; slower, more often right.",
        ),
        "explain.actor": _given("NAME", "Actor to judge; all that are named if omitted."),
        "read.actor": _given("NAME", "Actor to judge; all that are named if omitted."),
        "number": _given("N", "Answers to label, 10 or more.", "--number", "-n"),
        "purpose": _given(
            "PURPOSE",
            "audit: a random sample, to correct shares; train: the most instructive answers, and "
            "a quarter at random.",
        ),
        "documents": _given(None, "Draw N whole documents, with all their answers."),
        "margin": _given(
            *("M", "Half-width of an interval that is narrow enough: 0.2 is 20 points."),
            min=0.01,
            max=1,
        ),
        "sample.seed": _given("N", "Seed of the draw.", **SEEDS),
        "label.coder": _given("NAME", "Who labels, or whose labels to export."),
        "ask": _given(
            "QUESTIONS", "What to ask beside the stance: holder, sentiment or holder,sentiment."
        ),
        "codebook": _given("FILE.md", "Your codebook; ours if omitted."),
        "adjudicate": _given(None, "Settle the rows on which coders differ."),
        "merge": _given("STORE", "Add the labels of another store, such as ben.sqlite."),
        "export": _given("FILE", "Write the labels, as a table."),
        "store": _given("FILE", "File of the labels; TABLE.sqlite if omitted."),
        "browser": _given(
            None, "Open the page, or only print its address.", "--browser/--no-browser"
        ),
        "recipe": _given("FILE", "Recipe (TOML) for the model."),
        "vectors": _given("FILE", "Word vectors (training/vectors.py) to learn with."),
        "train.deep": _given(
            None, "Learn from what a small neural network reads, too. Needs the extra 'deep'."
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
        "read.output": _output("PAGE.html", "Page to write; of several articles, a folder."),
        "train.output": _output("MODEL", "Model file to write."),
        "import.output": _output("CORPUS.csv", "Corpus table to write."),
        "wide": _given(None, "Write one row per input row, with columns per actor."),
        "predict.prefix": _given("WORD", "Prefix for the names of new columns."),
        "summary": _given("FILE.json", "Write what the run did: rows by file, times, options."),
        "excel_safe": _given(
            None, "Quote cells that look like formulas, and mark UTF-8 for Excel."
        ),
        "title": _given("TEXT", "Title of the page; names the table if omitted."),
        "figures": _given("DIR", "Folder for each figure as SVG, and all numbers as CSV."),
        "pdf": _given(None, "Write figures as PDF, too."),
        "report": _given("FILE.html", "Write a report as HTML."),
        "errors": _given("FILE.csv", "Write a table of the wrong answers."),
        "differences": _given("FILE", "Write a table of the differences."),
        "regression": _given("FILE", "Write a table for regressions, one row per answer."),
        "suspects": _given("FILE.csv", "Write a table of rows whose label is likely wrong."),
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
            "makes a dozen or fewer; in report, as each actor's answers allow.",
        ),
        "pairs": _given(
            None, "Who judges whom: holders and actors. --output writes a table, or a .graphml."
        ),
        "only": _given("NAME", "Only this actor; may be repeated.", "--actor"),
        "quantity": _given(
            "WHAT", "What is compared: against, neutral, favor, or net (favor less against)."
        ),
    },
    "Labelled sample": {
        "audit": _given("LABELLED", "Labelled sample of the answers, to correct them."),
        "coder": _given("NAME", "Coder whose labels count."),
        "simple_random": _given(None, "The labelled answers were drawn with equal chances."),
        "audit_encoding": _given("E", "Encoding of the labelled sample; UTF-8 if omitted."),
        "surrogate": _given("COLUMN", "Column of another model's labels; may be repeated."),
    },
    "Actors": {
        "actors": _given("FILE", "Your own actor book (TOML).", "--actors", "-a"),
        "people": _given(
            "FILE", "Table of people (name, party, country, from, to) to print as a book.", "--from"
        ),
        "discover": _given(None, "Print names that the book lacks as a book.", "--discover"),
        "aliases": _given(
            "KINDS", "Kinds of names that count, such as name,demonym; all if omitted."
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
            "PATTERN", "Form of dates with two readings, such as %d/%m/%Y or %m/%d/%Y."
        ),
        "delimiter": _given("C", "Separator of the table; detected if omitted."),
        "quoting": _given("none", "The table never quotes: a quote is a character like others."),
        "encoding": _given("E", "Encoding of the table, such as cp1252; UTF-8 if omitted."),
        "sheet": _given("NAME", "Sheet of a workbook; the first if omitted."),
        "include": _given(
            "PATTERN", "Files to read in folders, such as '*.html' or '2024/*'; may be repeated."
        ),
        "names": _given(
            "COLUMN=NAME,...",
            "Names of our columns in the source, such as text=body,actor=target; may be repeated.",
            "--map",
        ),
        "prefix": _given("WORD", "Prefix of the answers' columns."),
        "rejects": _given("FILE", "Write bad rows to this table and continue."),
        "max_rejects": _given("N", "Fail if more than N rows are bad.", min=0),
        "keep_all": _given(None, "Keep menus and the like of articles, marked in a column."),
    },
    "Running": {
        "jobs": _given("N", "Number of processes.", min=1, max=256),
        "since": _given(
            "FILE.json",
            "Judge only what is new or changed since the run with this --summary, and add it to "
            "the output.",
        ),
        "resume": _given(None, "Continue an interrupted run."),
        "cluster": _given("ADDRESS", "Address of a Dask scheduler."),
    },
}
"""Parameters by section and name; COMMAND.NAME is one that differs in a command."""
