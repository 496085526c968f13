"""Pages, one self-contained HTML file each without script or request; that on an evaluation."""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from stance import __version__
from stance.corpus import Source
from stance.display import bounds, count, cut, percent, points, shown, signed
from stance.model.passages import NAMES, look, rules
from stance.reports.figures import Cell, Column, Data, Kind, with_interval, without_forbidden
from stance.screens import Figures

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = files(__package__) / "templates"
_SECTION = re.compile(r'<section id="([\w-]+)"[^>]*><h2[^>]*>([^<]*)</h2>')
BASELINES = {"target_blind": "target-blind words", "majority": "majority label"}
DIVISIONS = {"actor": "Actors", "source": "Sources", "corpus": "Corpora"}
ROWS = Column("rows", "count")
MACRO_F1 = with_interval("macro-F1, %")


def shown_cell(value: Cell, kind: Kind) -> str:
    """Return a cell as it is printed.

    >>> shown_cell(0.1234, "share"), shown_cell(-0.05, "signed"), shown_cell(1234, "count")
    ('12.3', '−5.0', '1,234')
    """
    if value is None or isinstance(value, str):
        return "–" if value is None else value
    if kind == "signed":
        return signed(100 * value, 1)
    return f"{value:,.0f}" if kind == "count" else percent(value)


def references(keys: Sequence[str]) -> str:
    """Return the BibTeX entry of this package and those of the given keys."""
    entries = (TEMPLATES / "references.bib").read_text("utf-8").strip().split("\n\n")
    by_key = {entry[entry.index("{") + 1 : entry.index(",")]: entry for entry in entries}
    return "\n\n".join(by_key[key] for key in ("stance", *keys)).replace("VERSION", __version__)


def sections(body: str) -> list[tuple[str, Markup]]:
    """Return the name and the title of each section of a page."""
    return [(name, Markup(title)) for name, title in _SECTION.findall(body)]  # noqa: S704 (escaped)


def stylesheet(actors: int = 0) -> Markup:
    """Return the style sheet of all pages, for passages that name so many actors."""
    style = (TEMPLATES / "style.css").read_text("utf-8")
    return Markup(look() + style + rules(actors))  # noqa: S704 (our own files)


@cache
def environment() -> "Environment":
    """Return the templates and the functions that they use."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader(__package__)
    made = Environment(autoescape=True, loader=loader, undefined=StrictUndefined)
    made.lstrip_blocks = made.trim_blocks = True
    made.filters |= {
        **{"bounds": bounds, "counted": count, "named": cut, "number": "{:,}".format},
        **{"percent": percent, "points": points, "references": references, "sections": sections},
        **{"shown_cell": shown_cell, "signed": signed, "stance_name": NAMES.__getitem__},
        "whole": lambda share: f"{100 * share:.0f}",
        "unbroken": lambda text: text.replace(" %", "\u00a0%"),
    }
    made.globals["version"] = __version__
    return made


def render(name: str, actors: int = 0, /, **context: Any) -> bytes:
    """Return a whole page as UTF-8 whose policy lets a browser load and run nothing.

    Its passages name so many actors.
    """
    style = stylesheet(actors)
    digest = b64encode(sha256(style.encode()).digest()).decode("ascii")
    template = environment().get_template(f"{name}.html.j2")
    return without_forbidden(template.render(context, style=style, digest=digest)).encode()


# --- The page on an evaluation: what scores say in words and in tables ---


def evaluation_page(
    scores: Figures, card: Figures, sources: Sequence[Source], model: tuple[str, str]
) -> bytes:
    """Return the page on an evaluation; ``model`` is the name and the sha256 of its file."""
    tone = scores.get("sentiment")
    notes = [*scores.get("notes", [])]
    notes += (f"sentiment: {note}" for note in (tone or {}).get("notes", []))
    blind = scores["baselines"].get("target_blind")
    rare = ("accuracy_interval", "confidence", "leakage", "uncertain")  # not in each evaluation
    return render(
        "evaluation",
        title=f"Evaluation of {shown(model[0], 80)}",
        **{"scores": scores, "blind": blind, "model": model, "notes": notes, "tone": tone},
        **{"sources": sources, "trained": card.get("data", [])},
        **{name: scores.get(name) for name in rare},
        verdict=_verdict(blind["difference"]) if blind else "",
        conflict=scores.get("conflict") or {"n": 0},
        compared=_baselines(scores),
        classes=_class_scores(scores, "classes"),
        confusion=_confusion(scores),
        divisions=list(_divisions(scores)),
        tone_classes=tone and _class_scores(tone, "sentiment"),
        versions=", ".join(f"{name} {n}" for name, n in card.get("versions", {}).items()),
    )


def _cells(part: Figures, key: str = "macro_f1") -> list[Cell]:
    """Return a score and the ends of its interval, None where there is none."""
    return [part[key], *(part.get(f"{key}_interval") or (None, None))]


def _baselines(scores: Figures) -> Data:
    """Return the model's macro-F1, that of each baseline, and what the model gains over it."""
    rows: list[list[Cell]] = [["this model", *_cells(scores), None, None, None]]
    for key, name in BASELINES.items():
        if part := scores["baselines"].get(key):
            gain = part.get("difference")
            rows.append([name, *_cells(part), *(_cells(gain) if gain else [None] * 3)])
    gains = with_interval("gain of this model, points", "signed")
    return Data("baselines", (Column("model"), *MACRO_F1, *gains), rows)


def _verdict(gain: Figures) -> str:
    """Return whether a gain shows that the model is better, in words that a rival's name ends."""
    if gain["macro_f1_interval"] is None:
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


def _confusion(scores: Figures) -> Data:
    """Return how often rows of each label are given each, and that in percent of its rows."""
    withheld = scores.get("withheld") or {}
    heads = [*map(str, scores["labels"]), *["withheld"] * any(withheld.values())]
    rows: list[list[Cell]] = []
    for label, row in zip(scores["labels"], scores["confusion"], strict=True):
        counts = [*row, withheld.get(label, 0)][: len(heads)]
        total = max(sum(counts), 1)
        rows.append([str(label), *(f"{n:,} ({100 * n / total:.0f} %)" for n in counts)])
    columns = [Column("labelled"), *(Column(head, "count") for head in heads)]
    return Data("confusion", columns, rows)


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
