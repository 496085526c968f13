"""The report on an evaluation, as one page."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from stance.corpus import Source
from stance.display import count, shown
from stance.files import write_whole
from stance.reports.classes import classes, sentiment
from stance.reports.confidence import calibration, training
from stance.reports.examples import Mistake
from stance.reports.markup import Content, Html, escaped, isolated, joined, named, tag
from stance.reports.method import DAVISON, EFRON, HESTERBERG, KORN, software
from stance.reports.page import facts, page, paragraph, section, warnings
from stance.reports.scoring import (
    Figures,
    baselines,
    bounds,
    divisions,
    leakage,
    leaked_rows,
    note_lines,
    percent,
    ranged,
)
from stance.reports.survey import file_hash
from stance.reports.tables import Column, Data, html_table
from stance.reports.telling import quotation
from stance.reports.trials import conflict, stress


def write_evaluation(
    path: Path,
    scores: Mapping[str, Any],
    card: Mapping[str, Any],
    sources: Sequence[Source],
    mistakes: Sequence[Mistake] = (),
    *,
    model: Path | None = None,
    force: bool = False,
) -> None:
    """Write the report on an evaluation.

    Parameters
    ----------
    path : Path
    scores : mapping
        As `stance.evaluation.Report.to_json` returns it.
    card : mapping
        The model's card.
    sources : sequence of Source
        Corpora that it was evaluated on.
    mistakes : sequence of Mistake
        Wrong answers to show.
    model : Path or None
        The model's file, whose name and hash are told.
    force : bool
        Replace an existing file.
    """
    told = (model.name, file_hash(model)) if model else None
    write_whole(path, compose(scores, card, sources, mistakes, told), force=force)


def compose(
    scores: Figures,
    card: Mapping[str, Any],
    sources: Sequence[Source],
    mistakes: Sequence[Mistake] = (),
    model: tuple[str, str] | None = None,
) -> bytes:
    """Return the page; `model` is name and sha256 of the model's file."""
    return page(
        f"Evaluation of {shown(model[0], 80) if model else 'a stance model'}",
        [*_opening(scores), warnings(_cautions(scores))],
        [
            baselines(scores),
            conflict(scores),
            classes(scores),
            calibration(scores),
            divisions(scores),
            stress(scores),
            _worst(mistakes),
            sentiment(scores),
            training(card),
            _method(scores, card, sources, model),
        ],
    )


def _opening(scores: Figures) -> list[Html]:
    rivals = scores["baselines"]
    interval = bounds(scores["macro_f1_interval"])
    blind = rivals.get("target_blind")
    lead = (
        f"On {count(scores['n'], 'labelled row')} of {count(scores['documents'], 'document')} the "
        f"model reaches a macro-F1 of {ranged(scores['macro_f1'], interval)}"
    )
    if blind:
        lead += f"; words alone, blind to the actor, reach {percent(blind['macro_f1'])}"
    found = scores.get("conflict") or {}
    leaked = scores.get("leakage")
    if leaked and leaked["rows"]:
        lead += f". But {leaked_rows(scores)}"
    pairs = [
        ("macro-F1", percent(scores["macro_f1"]), f"95 % interval {_range(interval)}"),
        ("accuracy", percent(scores["accuracy"]), _interval_note(scores.get("accuracy_interval"))),
        ("rows", f"{scores['n']:,}", ""),
        ("documents", f"{scores['documents']:,}", ""),
        ("calibration error", f"{percent(scores['ece'])} %", "expected; 0 is best"),
        ("accuracy where sides differ", percent(found.get("accuracy")),
         count(found.get("n", 0), "row")),
        ("rows seen in training", "–" if leaked is None else f"{leaked['rows']:,}",
         _unseen(leaked)),
    ]  # fmt: skip
    return [paragraph(lead + ".", "lead"), facts(pairs)]


def _unseen(leaked: Figures | None) -> str:
    if not leaked or not leaked["rows"] or leaked["macro_f1_without"] is None:
        return ""
    return f"macro-F1 {percent(leaked['macro_f1_without'])} without them"


def _range(interval: tuple[float, float] | None) -> str:
    return (
        "unknown"
        if interval is None
        else f"{percent(interval[0])}\u00a0–\u00a0{percent(interval[1])}"
    )


def _interval_note(interval: Any) -> str:
    return "" if interval is None else f"95 % interval {_range(bounds(interval))}"


def _cautions(scores: Figures) -> list[Content]:
    lines: list[Content] = list(note_lines(scores))
    if (scores.get("leakage") or {}).get("rows"):
        lines.append(
            "Scores on rows that a model has seen in training, or much like them, say nothing of "
            "new texts. Those of its baselines are as inflated."
        )
    if scores.get("uncertain"):
        lines.append(
            f"{percent(scores['uncertain'])} % of the answers were withheld as uncertain; they are "
            "wrong in the scores of all rows."
        )
    return lines


def _worst(mistakes: Sequence[Mistake]) -> Html:
    if not mistakes:
        return escaped("")
    note = (
        "Wrong answers of which the model was most certain, with the words that pushed them. "
        "Some may be errors of the labels: read them before you blame the model."
    )
    halves = (mistakes[: (len(mistakes) + 1) // 2], mistakes[(len(mistakes) + 1) // 2 :])
    columns = [tag("div", [_mistake(each) for each in half]) for half in halves]
    return section(
        "worst",
        "Worst errors",
        paragraph(note, "note"),
        tag("div", columns, class_="examples"),
    )


def _mistake(each: Mistake) -> Html:
    side = each.predicted if each.predicted in ("against", "favor") else "neutral"
    title = tag(
        "h3",
        isolated(named(each.actor)),
        f": labelled {each.gold}, predicted {each.predicted} ({100 * each.probability:.0f}\u00a0%)",
    )
    return joined([title, quotation(each.text, each.marks, each.where, side)])


def _file(model: tuple[str, str] | None) -> list[str]:
    """Return the name and hash of a model's file in brackets."""
    return ["(", isolated(model[0]), ", sha256 ", tag("code", model[1]), ") "] if model else []


def _method(
    scores: Figures,
    card: Mapping[str, Any],
    sources: Sequence[Source],
    model: tuple[str, str] | None,
) -> Html:
    columns = (Column("corpus", "corpus"), Column("rows", "rows", "count"),
               Column("sha256", "sha256"))  # fmt: skip
    tested = Data("evaluated-on", columns, [[s.name, s.rows, s.sha256] for s in sources])
    learned = [[s["name"], s["rows"], s["sha256"]] for s in card.get("data", [])]
    versions = ", ".join(f"{name} {number}" for name, number in card.get("versions", {}).items())
    names = ", ".join(f"{s.name} ({s.rows:,} rows, sha256 {s.sha256})" for s in sources)
    rivals = scores["baselines"]
    parts: list[str] = [
        "We evaluated the model ", *_file(model),
        f"with stance {version('stance')} on ", isolated(names),
        f": {count(scores['n'], 'row')} of {count(scores['documents'], 'document')}. Macro-F1 is "
        f"{ranged(scores['macro_f1'], bounds(scores['macro_f1_interval']))}, accuracy "
        f"{percent(scores['accuracy'])}. ",
    ]  # fmt: skip
    if "target_blind" in rivals:
        parts.append(
            "A target-blind baseline trained on the same rows reaches "
            f"{percent(rivals['target_blind']['macro_f1'])}, the majority label "
            f"{percent(rivals['majority']['macro_f1'])}. "
        )
    parts.append(
        "Brackets hold 95 % intervals: BCa bootstrap (Efron 1987) that draws whole documents "
        "(Davison and Hinkley 1997, section 3.8), with quantiles of Student's t (Hesterberg 2015); "
        "those of plain shares are Wilson's with the effective number of rows (Korn and Graubard "
        "1998). "
    )
    parts.append(leakage(scores))
    if versions:
        parts += [" The model was trained with ", isolated(versions), "."]
    return section(
        "method",
        "Method, ready to paste",
        tag("p", joined(parts), class_="paste"),
        tag("h3", "References (BibTeX)"),
        tag("pre", "\n\n".join([software(), EFRON, DAVISON, HESTERBERG, KORN])),
        tag("h3", "Evaluated on"),
        html_table(tested),
        tag("h3", "Trained on"),
        html_table(Data("trained-on", columns, learned)),
    )
