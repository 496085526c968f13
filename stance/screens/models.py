"""Lines about models: a card, an evaluation, a stress test, one answer explained."""

from collections.abc import Iterator

import numpy as np

from stance.display import count, shown
from stance.model.explanation import DEEP, Explanation
from stance.records import UNCERTAIN
from stance.screens import (
    Figures,
    listed,
    percent,
    ranged,
    stacked,
    table,
    wrap,
)

Row = tuple[object, ...]

LISTED = 15  # actors listed; of more, the rest is counted
FEW = "few"  # marks an interval that cannot be trusted
LEGEND = (
    "In percent; [low, high] is the 95 % interval, whole documents resampled; "
    f"'{FEW}' marks intervals from too few documents, labels or errors to be trusted."
)
PRIOR = (
    "the model knows which actor is judged: it has learned a prior about actors, which is the very "
    "thing that a study wants to measure"
)
NAMES = 8  # actors named of those in the book
STRONGEST = 8  # words and features that are listed

FOREIGN = "In a language that the model was not trained on: do not rely on what follows."
UNNAMED = "Not named in the paragraph: check the spelling, or add aliases (--actors)."


# --- Cards ---


def card_facts(manifest: Figures) -> Iterator[tuple[str, str]]:
    """Yield what the manifest says, for people: the name of each fact, and a text."""
    recipe, scores = manifest["recipe"], manifest["scores"]
    yield "model", f"recipe '{recipe['name']}', {manifest['language']}"
    if "name" in recipe["features"]["blocks"]:
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
    if "deep_reader" in manifest:
        yield "", f"needs the extra 'deep', and the deep reader {manifest['deep_reader'][:12]}"
    for limit in manifest["limits"]:
        yield "limits", limit


# --- Scores ---


def evaluation_lines(figures: Figures) -> list[str]:
    """Return what to decide by in `stance.evaluation.evaluate`; the rest is in the report."""
    mood = figures.get("sentiment")
    notes = [*figures["notes"], *(f"sentiment: {note}" for note in (mood or {}).get("notes", ()))]
    classes: list[Row] = [("class", "precision", "recall", "F1", "n")]
    for name, part in figures["per_class"].items():
        f1 = ranged(part["f1"], part["f1_interval"])
        row = (name, percent(part["precision"]), percent(part["recall"]), f1, part["support"])
        classes.append(row)
    actors: list[Row] = [("actor", "macro-F1", "n", "")]
    for name, part in figures.get("per_actor", {}).items():
        few = "" if part["interval"] and part["trusted"] else FEW
        actors.append((name, ranged(part["macro_f1"], part["interval"]), part["n"], few))
    others = [f"calibration: ECE {percent(figures['ece'])} %"]
    exact = {"paragraphs of conflicting stances": figures["conflict"]}
    exact["whose stance it is"] = figures.get("holder")
    for name, part in exact.items():
        if part and part["n"]:
            accuracy = ranged(part["accuracy"], part["interval"])
            others.append(f"{name}: accuracy {accuracy}, {count(part['n'], 'row')}")
    legend = wrap(LEGEND)
    if unsure := figures["n"] - figures["answered"]["n"]:
        answers = count(unsure, "answer")
        legend.append(f"{answers} withheld as uncertain, which counts as wrong among all rows")
    return stacked(
        [
            [*table(_headline(figures, mood)), *legend],
            table(classes),
            table(actors, most=LISTED, noun="actor"),
            [*others, *_leakage(figures.get("leakage"))],
            [line for note in notes for line in wrap(note, "note: ", "  ")],
        ]
    )


def _headline(figures: Figures, mood: Figures | None) -> list[Row]:
    """Return the main scores, those of the baselines and what is gained over them."""
    rows: list[Row] = [("", "macro-F1", "accuracy", "n", "gain in macro-F1", "")]
    parts = {"all rows": figures, "answered rows": figures["answered"]}
    names = {"majority": "majority label", "target_blind": "target-blind"}
    parts |= {name: figures["baselines"].get(key) for key, name in names.items()}
    if figures["n"] == figures["answered"]["n"]:
        del parts["answered rows"]
    for name, part in (parts | {"sentiment": mood}).items():
        if part:
            score = ranged(part["macro_f1"], part.get("macro_f1_interval"))
            gain = part.get("difference")
            over = ranged(gain["macro_f1"], gain["macro_f1_interval"], "+") if gain else ""
            few = FEW * bool(over and not figures["trusted"])
            rows.append((name, score, percent(part["accuracy"]), part.get("n", ""), over, few))
    return rows


def _leakage(leakage: Figures | None) -> list[str]:
    if leakage is None:
        return []
    if not leakage["rows"]:
        return wrap("leakage: no row or near-duplicate was found in the model's training data")
    return wrap(
        f"leakage: {count(leakage['rows'], 'row')} ({percent(leakage['share'])} %), or "
        "near-duplicates of them, found in the model's training data; macro-F1 without: "
        + ranged(leakage["macro_f1_without"], leakage["macro_f1_without_interval"])
    )


def stress_lines(figures: Figures) -> list[str]:
    """Return the lines of what `stance.evaluation.run_suite` returns; its JSON has examples."""
    rows: list[Row] = [("may fail; the less often, the better", "n", "failures", "rate")]
    for test in figures["tests"]:
        rate = ranged(test["rate"], test["interval"])
        rows.append((test["name"], test["n"], test["failures"], rate))
    head = f"stress suite  {count(figures['seeds'], 'seed paragraph')} written for it"
    legend = "Rates in percent with Wilson's 95 % interval; --json has examples of failures."
    return stacked([[head], table(rows), wrap(legend)])


# --- Explanations ---


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
    if any(feature.text == DEEP for feature in explanation.features):
        lines += ["", *wrap(f"What {DEEP} adds comes from the whole paragraph, not from words.")]
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
