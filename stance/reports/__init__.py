"""Pages, one self-contained HTML file each without script or request; that on an evaluation."""

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from stance import __version__
from stance.corpus import Source
from stance.display import Row, cut, definite, percent, points, ranged, shown, signed
from stance.model.passages import templates
from stance.reports.figures import TEMPLATES, without_forbidden
from stance.screens import Figures, all_notes, class_scores, group_scores, headline

_SECTION = re.compile(r'<section id="([\w-]+)"[^>]*><h2[^>]*>([^<]*)</h2>')


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
    style = "".join((TEMPLATES / f"{name}.css").read_text("utf-8") for name in ("look", "style"))
    rules = environment().get_template("actors.css.j2").render(actors=actors)
    return Markup(style + rules)  # noqa: S704 (our own files)


def environment() -> Environment:
    """Return the templates and the functions that they use."""
    made = templates()
    made.filters |= {
        **{"named": cut, "definite": definite, "percent": percent, "points": points},
        **{"ranged": ranged, "signed": signed, "references": references, "sections": sections},
        "whole": lambda share: f"{100 * share:.0f}",
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
    groups = {noun: group_scores(scores, noun) for noun in ("actor", "source", "corpus")}
    return render(
        "evaluation",
        title=f"Evaluation of {shown(model[0], 80)}",
        **{"scores": scores, "blind": scores["baselines"]["target_blind"], "model": model},
        **{"sources": sources, "trained": card["data"], "versions": card["versions"]},
        **{"notes": all_notes(scores), "tone": tone, "confusion": _confusion(scores)},
        **{"compared": headline(scores), "classes": class_scores(scores)},
        divisions={n: rows for n, rows in groups.items() if len(rows) > 1 + (n == "corpus")},
        tone_classes=tone and class_scores(tone),
    )


def _confusion(scores: Figures) -> list[Row]:
    """Return how often rows of each label are given each, and that in percent of its rows."""
    withheld = scores["withheld"]
    heads = [*scores["labels"], *["withheld"] * any(withheld.values())]
    rows: list[Row] = [("labelled", *heads)]
    for label, row in zip(scores["labels"], scores["confusion"], strict=True):
        counts = [*row, withheld[label]][: len(heads)]
        total = max(sum(counts), 1)
        rows.append((label, *(f"{n:,} ({100 * n / total:.0f} %)" for n in counts)))
    return rows
