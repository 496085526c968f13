"""Lines about scores: an evaluation, two models compared, training and a stress test."""

from stance.display import count, shown
from stance.screens import Figures, paragraphs, percent, ranged, stacked, table, wrap

Row = tuple[object, ...]

LISTED = 15  # actors listed; of more, the rest is counted
FEW = "few"  # marks an interval that cannot be trusted
LEGEND = (
    "In percent; [low, high] is the 95 % interval, whole documents resampled; "
    f"'{FEW}' marks intervals from too few documents, labels or errors to be trusted."
)


def evaluation_lines(figures: Figures) -> list[str]:
    """Return what to decide by in `stance.evaluation.Report.to_json`; the rest is in the report."""
    mood = figures.get("sentiment")
    notes = [*figures["notes"], *(f"sentiment: {note}" for note in (mood or {}).get("notes", ()))]
    known = figures.get("per_class_intervals", {})
    classes: list[Row] = [("class", "precision", "recall", "F1", "n")]
    for name, part in figures["per_class"].items():
        f1 = ranged(part["f1"], known.get(name, {}).get("f1"))
        row = (name, percent(part["precision"]), percent(part["recall"]), f1, part["support"])
        classes.append(row)
    actors: list[Row] = [("actor", "macro-F1", "n", "")]
    for name, part in figures.get("per_actor", {}).items():
        few = "" if part["interval"] and part["trusted"] else FEW
        actors.append((name, ranged(part["macro_f1"], part["interval"]), part["n"], few))
    facts = [f"calibration: ECE {percent(figures['ece'])} %, Brier {figures['brier']:.3f}"]
    exact = {"paragraphs of conflicting stances": figures["conflict"]}
    exact["whose stance it is"] = figures.get("holder")
    for name, part in exact.items():
        if part and part["n"]:
            accuracy = ranged(part["accuracy"], part["interval"])
            facts.append(f"{name}: accuracy {accuracy}, {count(part['n'], 'row')}")
    legend = wrap(LEGEND)
    if unsure := figures["n"] - figures["answered"]["n"]:
        answers = count(unsure, "answer")
        legend.append(f"{answers} withheld as uncertain, which counts as wrong among all rows")
    return stacked(
        [
            [*table(_headline(figures, mood)), *legend],
            table(classes),
            table(actors, most=LISTED, noun="actor"),
            [*facts, *_leakage(figures.get("leakage"))],
            paragraphs(notes, "note: ", "  "),
        ]
    )


def _headline(figures: Figures, mood: Figures | None) -> list[Row]:
    """Return the main scores, those of the baselines and what is gained over them."""
    rows: list[Row] = [("", "macro-F1", "accuracy", "n", "gain in macro-F1", "")]
    parts = {"all rows": figures, "answered rows": figures["answered"]}
    names = {"majority": "majority label", "target_blind": "target-blind", "lexicon": "lexicon"}
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
        f"leakage: {count(leakage['rows'], 'row')} ({percent(leakage['share'])} %) found in the "
        f"model's training data, {leakage['near']:,} of them as near-duplicates; macro-F1 "
        f"without: {ranged(leakage['macro_f1_without'], leakage['macro_f1_without_interval'])}"
    )


def comparison_lines(figures: Figures) -> list[str]:
    """Return the lines of what `stance.evaluation.compare_models` returns."""
    scores = (
        ranged(figures[mark]["macro_f1"], figures[mark]["macro_f1_interval"]) for mark in "ab"
    )
    gain = ranged(figures["difference"], figures["difference_interval"], "+")
    head: Row = ("macro-F1", "n", "A", "B", "A less B")
    rows: list[Row] = [head, ("all rows", figures["n"], *scores, gain)]
    low, high = figures["difference_interval"] or (0.0, 0.0)
    winner = "A is" if low > 0 else "B is" if high < 0 else "neither is shown to be"
    verdict = f"{winner} better in macro-F1"
    names = [f"{mark.upper()}  {shown(name)}" for mark, name in figures["models"].items()]
    seen = figures["seen"]
    known = f"rows of training data left out: {seen['a']:,} of A, {seen['b']:,} of B"
    return stacked(
        [
            names,
            table(rows),
            [verdict if figures["trusted"] else "too few documents to say which is better"],
            wrap(known) if any(seen.values()) else [],
            wrap(LEGEND),
            paragraphs(figures["notes"], "note: ", "  "),
        ]
    )


def stress_lines(figures: Figures) -> list[str]:
    """Return the lines of what `stance.stress.run_suite` returns; its JSON has examples."""
    rows: list[Row] = [("may fail; the less often, the better", "n", "failures", "rate")]
    for test in figures["tests"]:
        rate = ranged(test["rate"], test["interval"])
        rows.append((test["name"], test["n"], test["failures"], rate))
    head = f"stress suite  {count(figures['seeds'], 'seed paragraph')} written for it"
    legend = "Rates in percent with Wilson's 95 % interval; --json has examples of failures."
    return stacked([[head], table(rows), wrap(legend)])
