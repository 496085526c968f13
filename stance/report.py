"""An evaluation as one self-contained HTML file: no script, no request, all text escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from stance.corpus import Source
from stance.saving import write_whole

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evaluation of a stance model</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: auto; padding: 1rem; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { border: 1px solid #8888; padding: .3rem .6rem; text-align: right; }
th:first-child, td:first-child { text-align: left; }
</style></head><body>
"""


def write_report(
    path: Path,
    scores: Mapping[str, Any],
    card: Mapping[str, Any],
    sources: Sequence[Source],
    *,
    force: bool = False,
) -> None:
    """Write an evaluation report.

    Parameters
    ----------
    path : Path
    scores : mapping
        As `stance.evaluation.Report.to_json` returns it.
    card : mapping
        The model's card.
    sources : sequence of Source
        Corpora that it was evaluated on.
    """
    parts = [
        "<h1>Evaluation of a stance model</h1>",
        _paragraph(
            f"macro-F1 {_score(scores['macro_f1'])} {_interval(scores['macro_f1_interval'])}, "
            f"accuracy {_score(scores['accuracy'])}, {scores['n']:,} rows of "
            f"{scores['documents']:,} documents. Brackets hold 95 % intervals by cluster "
            "bootstrap over documents."
        ),
        *map(_paragraph, scores["notes"]),
        _baselines(scores),
        _classes("Stance by class", scores["per_class"]),
        _confusion(scores),
        _actors(scores),
        _paragraph(
            f"Calibration: expected calibration error {_score(scores['ece'])} %. Conflict rows "
            f"(actors of differing stance in one paragraph): {scores['conflict']['n']:,}, "
            f"accuracy {_score(scores['conflict']['accuracy'])}."
        ),
    ]
    if tone := scores.get("sentiment"):
        parts.append(_classes("Sentiment by class", tone["per_class"]))
    rows = [(source.name, f"{source.rows:,}", source.sha256) for source in sources]
    parts.append(_table("Evaluated on", ("corpus", "rows", "sha256"), rows))
    trained = [(s["name"], f"{s['rows']:,}", s["sha256"]) for s in card["data"]]
    parts.append(_table("Trained on", ("corpus", "rows", "sha256"), trained))
    html = _HEAD + "\n".join(parts) + "\n</body></html>\n"
    write_whole(path, html.encode("utf-8", "replace"), force=force)


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _score(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _interval(bounds: Sequence[float] | None) -> str:
    return "–" if bounds is None else f"[{100 * bounds[0]:.1f}, {100 * bounds[1]:.1f}]"


def _table(title: str, header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<h2>{escape(title)}</h2>\n<table><tr>{head}</tr>\n{body}\n</table>"


def _baselines(scores: Mapping[str, Any]) -> str:
    blind = scores["baselines"]["target_blind"]
    rows = [
        ("this model", _score(scores["macro_f1"]), _interval(scores["macro_f1_interval"])),
        ("target-blind words", _score(blind["macro_f1"]), _interval(blind["macro_f1_interval"])),
        ("majority label", _score(scores["baselines"]["majority"]["macro_f1"]), "–"),
    ]
    return _table("Beside its baselines", ("model", "macro-F1", "95 % interval"), rows)


def _classes(title: str, classes: Mapping[str, Mapping[str, float]]) -> str:
    rows = [
        (
            label,
            *(_score(figures[name]) for name in ("precision", "recall", "f1")),
            f"{figures['support']:,}",
        )
        for label, figures in classes.items()
    ]
    return _table(title, ("class", "precision", "recall", "F1", "support"), rows)


def _confusion(scores: Mapping[str, Any]) -> str:
    labels = scores["labels"]
    rows = [
        (label, *(f"{count:,}" for count in row))
        for label, row in zip(labels, scores["confusion"], strict=True)
    ]
    return _table("Confusion", ("gold \\ predicted", *labels), rows)


def _actors(scores: Mapping[str, Any]) -> str:
    rows = [
        (actor, f"{found['n']:,}", _score(found["macro_f1"]), _interval(found["interval"]))
        for actor, found in scores.get("per_actor", {}).items()
    ]
    return _table("By actor", ("actor", "rows", "macro-F1", "95 % interval"), rows)
