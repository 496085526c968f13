"""The page on an evaluation: what scores say in words, their charts and tables."""

from collections.abc import Iterator, Sequence

from stance.corpus import Source
from stance.display import shown
from stance.records import UNCERTAIN
from stance.reports import _charts as charts
from stance.reports import _page as page
from stance.reports._figures import ROWS, Cell, Column, Data, Figure, with_interval
from stance.screens import Figures

HEATS = 5  # shades of a share, from none to all
BASELINES = {"target_blind": "target-blind words", "majority": "majority label"}
DIVISIONS = {"actor": "Actors", "source": "Sources", "corpus": "Corpora"}
MACRO_F1 = with_interval("macro-F1, %")


def _cells(part: Figures, key: str = "macro_f1", interval: str = "") -> list[Cell]:
    """Return a score and the ends of its interval, None where there is none."""
    return [part[key], *(part.get(interval or f"{key}_interval") or (None, None))]


def _baselines(scores: Figures) -> Data:
    """Return the model's macro-F1, that of each baseline, and what the model gains over it."""
    rows: list[list[Cell]] = [["this model", *_cells(scores), None, None, None]]
    for key, name in BASELINES.items():
        if part := scores["baselines"].get(key):
            gain = part.get("difference")
            rows.append([name, *_cells(part), *(_cells(gain) if gain else [None] * 3)])
    gains = with_interval("gain over it, points", "signed")
    return Data("baselines", (Column("model"), *MACRO_F1, *gains), rows)


def _verdict(gain: Figures | None) -> str:
    """Return whether a gain shows that the model is better, in words that a rival's name ends."""
    if gain is None or gain["macro_f1_interval"] is None:
        return "the documents are too few to show whether the model is better than"
    low, high = gain["macro_f1_interval"]
    if high < 0:
        return "the model is shown to be worse than"
    return f"the model is {'' if low > 0 else 'not '}shown to be better than"


def _class_scores(scores: Figures, name: str) -> Data:
    """Return precision, recall and F1 of each class."""
    known = scores["per_class"].items()
    rows = [
        [label, part["support"], part["precision"], part["recall"], *_cells(part, "f1")]
        for label, part in known
    ]
    plain = (Column("precision, %", "share"), Column("recall, %", "share"))
    return Data(f"{name}-scores", (Column("class"), ROWS, *plain, *with_interval("F1, %")), rows)


def _confusion_figure(scores: Figures) -> Figure:
    labels, withheld = list(map(str, scores["labels"])), scores.get("withheld") or {}
    heads = [*labels, *[UNCERTAIN] * any(withheld.values())]
    counts = dict(zip(labels, scores["confusion"], strict=True))
    rows = [[label, *([*row, withheld.get(label)][: len(heads)])] for label, row in counts.items()]
    columns = (Column("labelled"), *(Column(head, "count") for head in heads))
    cells = [(page.named(row[0]), [_heated(n, sum(row[1:])) for n in row[1:]]) for row in rows]
    names = [page.named(head, page.SHORT) for head in heads]
    chart = charts.heat(names, cells, "labelled / predicted")
    return Figure("Labelled and predicted", chart, Data("confusion", columns, rows))


def _heated(number: int, total: int) -> charts.MatrixCell:
    share = number / total if total else 0.0
    shade = f"heat{min(int(share * HEATS), HEATS - 1)}"
    return charts.MatrixCell(f"{number:,}", f"{100 * share:.0f} %", shade)


def _divisions(scores: Figures) -> Iterator[tuple[str, Data]]:
    """Yield the title of each breakdown of more than one group, and its scores."""
    for noun, title in DIVISIONS.items():
        parts = scores.get(f"per_{noun}", {})
        if len(parts) > (noun == "corpus"):
            rows = list[list[Cell]]()
            for name, part in parts.items():
                ends = (part["trusted"] and part["interval"]) or (None, None)
                rows.append([name, part["n"], part["macro_f1"], *ends, part["ece"]])
            error = Column("calibration error, %", "share")
            yield title, Data(f"per-{noun}", (Column(noun), ROWS, *MACRO_F1, error), rows)


def evaluation_page(
    scores: Figures,
    card: Figures,
    sources: Sequence[Source],
    model: tuple[str, str] | None = None,
) -> bytes:
    """Return the page on an evaluation; ``model`` is the name and the sha256 of its file."""
    tone = scores.get("sentiment")
    notes = [*scores.get("notes", [])]
    notes += (f"sentiment: {note}" for note in (tone or {}).get("notes", []))
    blind = scores["baselines"].get("target_blind")
    return page.render(
        "evaluation",
        1,
        title=f"Evaluation of {shown(model[0], 80) if model else 'a stance model'}",
        **{"scores": scores, "blind": blind, "model": model, "notes": notes, "tone": tone},
        **{"sources": sources, "trained": card.get("data", [])},
        **{name: scores.get(name) for name in ("accuracy_interval", "confidence")},
        **{name: scores.get(name) for name in ("leakage", "uncertain")},
        verdict=_verdict(blind["difference"]) if blind else "",
        conflict=scores.get("conflict") or {"n": 0},
        compared=_baselines(scores),
        classes=_class_scores(scores, "classes"),
        confusion=_confusion_figure(scores),
        divisions=list(_divisions(scores)),
        tone_classes=tone and _class_scores(tone, "sentiment"),
        versions=", ".join(f"{name} {n}" for name, n in card.get("versions", {}).items()),
    )
