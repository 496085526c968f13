"""Lines about scores: an evaluation, two models compared, training and a stress test."""

from stance.display import count
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
    classes: list[Row] = [("class", "precision", "recall", "F1", "n")]
    for name, part in figures["per_class"].items():
        f1 = ranged(part["f1"], part["f1_interval"])
        row = (name, percent(part["precision"]), percent(part["recall"]), f1, part["support"])
        classes.append(row)
    actors: list[Row] = [("actor", "macro-F1", "n", "")]
    for name, part in figures.get("per_actor", {}).items():
        few = "" if part["interval"] and part["trusted"] else FEW
        actors.append((name, ranged(part["macro_f1"], part["interval"]), part["n"], few))
    facts = [f"calibration: ECE {percent(figures['ece'])} %"]
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
        f"leakage: {count(leakage['rows'], 'row')} ({percent(leakage['share'])} %) found in the "
        f"model's training data, {leakage['near']:,} of them as near-duplicates; macro-F1 "
        f"without: {ranged(leakage['macro_f1_without'], leakage['macro_f1_without_interval'])}"
    )


def comparison_lines(figures: Figures, names: tuple[str, str]) -> list[str]:
    """Return the lines of what `stance.evaluation.compare_models` returns, of models so named."""
    title = f"{count(figures['n'], 'row')} of {count(figures['documents'], 'document')}"
    seen = figures["seen"]
    if any(seen.values()):
        title += f"; training data left out: {seen['a']:,} rows of A, {seen['b']:,} of B"
    parts = {f"A  {names[0]}": "a", f"B  {names[1]}": "b", "A less B": "difference"}
    rows: list[Row] = [("", "macro-F1 [95 % interval]")]
    for name, key in parts.items():
        part, sign = figures[key], "+" * (key == "difference")
        rows.append((name, ranged(part["macro_f1"], part["macro_f1_interval"], sign)))
    return stacked([wrap(title), table(rows), paragraphs(figures["notes"], "note: ", "  ")])


def stress_lines(figures: Figures) -> list[str]:
    """Return the lines of what `stance.stress.run_suite` returns; its JSON has examples."""
    rows: list[Row] = [("may fail; the less often, the better", "n", "failures", "rate")]
    for test in figures["tests"]:
        rate = ranged(test["rate"], test["interval"])
        rows.append((test["name"], test["n"], test["failures"], rate))
    head = f"stress suite  {count(figures['seeds'], 'seed paragraph')} written for it"
    legend = "Rates in percent with Wilson's 95 % interval; --json has examples of failures."
    return stacked([[head], table(rows), wrap(legend)])
