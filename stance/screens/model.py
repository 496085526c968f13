"""Lines about one model: its card, what it has learned, one answer explained."""

from collections.abc import Iterator

import numpy as np

from stance.display import count, shown
from stance.model.explanation import Explanation
from stance.records import UNCERTAIN
from stance.screens import Figures, listed, percent, ranged, table, wrap

PRIOR = (
    "the model knows which actor is judged: it has learned a prior about actors, which is the very "
    "thing that a study wants to measure"
)
NAMES = 8  # actors named of those in the book
STRONGEST = 8  # words and features that are listed

FOREIGN = "In a language that the model was not trained on: do not rely on what follows."
UNNAMED = "Not named in the paragraph: check the spelling, or add aliases (--actors)."


def card_lines(manifest: Figures) -> list[str]:
    """Return what the manifest says, for people; its JSON has more."""
    return [
        line
        for lead, text in _card(manifest)
        for line in wrap(shown(text, 1000), f"{lead:<10}", " " * 10)
    ]


def _card(manifest: Figures) -> Iterator[tuple[str, str]]:
    """Yield what the manifest says: what it is about, and the text."""
    recipe, scores = manifest["recipe"], manifest["scores"]
    yield "model", f"recipe '{recipe['name']}', {manifest['language']}"
    blocks = recipe["features"]["blocks"]
    yield "blocks", ", ".join(f"{name} {weight:g}" for name, weight in blocks.items())
    if "name" in blocks:
        yield "WARNING", PRIOR
    names = list(manifest["book"])
    yield "actors", f"{len(names)} in the book: {listed(names, NAMES, 'actor')}"
    for source in manifest["data"]:
        classes = ", ".join(f"{number:,} {name}" for name, number in source["classes"].items())
        yield "data", f"{source['name']}: {source['rows']:,} rows ({classes})"
        yield "", f"licence: {source.get('licence', 'not stated')}"
        yield "sha256", source["sha256"]
    if "macro_f1" in scores:
        score = ranged(scores["macro_f1"], scores["macro_f1_interval"])
        documents = count(scores["documents"], "document")
        error = f"ECE {percent(scores['ece'])} %"
        yield "scores", f"macro-F1 {score} by cross-validation over {documents}, {error}"
        names_of = {"majority": "majority", "target_blind": "target-blind words"}
        parts = {name: scores["baselines"].get(key) for key, name in names_of.items()}
        rivals = [f"{name} {percent(part['macro_f1'])}" for name, part in parts.items() if part]
        yield "", f"beside {', '.join(rivals)}"
    yield "made by", ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
    yield "", f"seed {manifest['seed']}, temperature {manifest['temperature']:.4f}"
    if "deep_reader" in manifest:
        yield "", f"needs the extra 'deep', and the deep reader {manifest['deep_reader'][:12]}"
    for limit in manifest["limits"]:
        yield "limits", limit


def explanation_lines(explanation: Explanation) -> list[str]:
    """Return one answer with its paragraph and its reasons."""
    chances = dict(zip(explanation.labels, explanation.probabilities, strict=True))
    label = UNCERTAIN if explanation.withheld else str(max(chances, key=lambda name: chances[name]))
    shares = "  ".join(f"{name} {share:.3f}" for name, share in chances.items())
    lines = [f"{shown(explanation.actor)}: {label}    {shares}"]
    if explanation.holder_probability is not None:
        holder = f"whose stance: {shown(explanation.holder)} {explanation.holder_probability:.2f}"
        lines.append(holder)
    if explanation.foreign:
        lines.append(FOREIGN)
    if not explanation.mentions and not explanation.learned:
        lines.append(UNNAMED)
    for paragraph in explanation.text.splitlines():
        printable = "".join(char if char.isprintable() else " " for char in paragraph)
        lines += wrap(printable, "", "")
    return [*lines, "", *_pushes(explanation), ""]


def _pushes(explanation: Explanation) -> list[str]:
    reasons = sorted(explanation.words, key=lambda word: -max(map(abs, word.push)))
    strongest = [*reasons[:STRONGEST], *explanation.features[:3]]
    every = [reason.push for reason in (*explanation.words, *explanation.features)]
    listed_pushes = [reason.push for reason in strongest]
    rest = np.sum(every, axis=0) - np.sum(listed_pushes, axis=0)
    terms = [f"  ({shown(reason.terms[0])})" if reason.terms else "" for reason in strongest]
    names = [shown(reason.text) + term for reason, term in zip(strongest, terms, strict=True)]
    names += ["all other words and features", "constant", "score"]
    pushes = [*listed_pushes, rest, explanation.intercept, explanation.scores]
    cells = [
        (f"  {name}", *(f"{value:+.3f}" for value in push))
        for name, push in zip(names, pushes, strict=True)
    ]
    return table([("pushes the score of", *explanation.labels), *cells])
