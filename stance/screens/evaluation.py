"""Lines about scores: an evaluation, and a comparison of two models."""

from collections.abc import Iterator

from stance.display import WIDTH, count, shown
from stance.screens import (
    Figures,
    bounds,
    p_value,
    paragraphs,
    percent,
    ranged,
    stacked,
    table,
    wrap,
)

LISTED = 15  # actors, sources, genres or years listed; of more than these only what can be trusted
NAMED = 5  # rows in the training data that are named; the rest is counted
PLURALS = {"corpus": "corpora", "source": "sources", "genre": "genres", "year": "years"}
FEW = "few"  # marks an interval that cannot be trusted
LEGEND = "  (in percent; [low, high] is the 95 % interval, whole documents resampled)"


def evaluation_lines(figures: Figures) -> list[str]:
    """Return what to decide by in `stance.evaluation.Report.to_json`, each line under 80 columns.

    Confusion, calibration curve and agreement of coders are in the JSON and in the report.
    """
    mood = figures.get("sentiment")
    mood_notes = [f"sentiment: {note}" for note in mood["notes"]] if mood else []
    parts = [
        [*_headline(figures), *_baselines(figures["baselines"]), *_verdicts(figures), LEGEND],
        _classes(figures),
        *_divisions(figures),
        [
            f"calibration  ECE {percent(figures['ece'])} %  Brier {figures['brier']:.3f}  "
            f"uncertain {percent(figures['uncertain'])} %",
            *_conflict(figures["conflict"]),
            *_holder(figures.get("holder")),
            *_leakage(figures.get("leakage")),
        ],
        ["sentiment of paragraphs", *(f"  {line}" for line in _headline(mood))] if mood else [],
        paragraphs([*figures["notes"], *mood_notes], "note: ", "  "),
    ]
    return stacked(parts)


def _headline(figures: Figures) -> list[str]:
    """Return the main scores: of all rows, and where answers are withheld of the others."""
    line = (
        f"macro-F1 {ranged(figures['macro_f1'], figures['macro_f1_interval'])}  "
        f"accuracy {percent(figures['accuracy'])}  n {figures['n']:,}  "
        f"documents {figures['documents']:,}"
    )
    answered = figures["answered"]
    if not (withheld := figures["n"] - answered["n"]):
        return [line]
    return [
        f"all rows  {line}",
        _beside("answered rows", answered),
        f"  ({count(withheld, 'answer')} withheld as uncertain; among all rows they are wrong)",
    ]


def _baselines(baselines: Figures) -> list[str]:
    names = {"majority": "majority label", "target_blind": "target-blind", "lexicon": "lexicon"}
    return [_beside(name, baselines[key]) for key, name in names.items() if key in baselines]


def _beside(name: str, part: Figures) -> str:
    score = ranged(part["macro_f1"], part.get("macro_f1_interval"))
    return f"  {name:<20} macro-F1 {score:<20}  accuracy {percent(part['accuracy'])}"


def _verdicts(figures: Figures) -> Iterator[str]:
    """Yield in words whether the model is better than each baseline."""
    for key, name in {"target_blind": "target-blind words", "lexicon": "the lexicon"}.items():
        if key in figures["baselines"]:
            gain = figures["baselines"][key]["difference"]
            low, high = gain["macro_f1_interval"]
            verdict = "better" if low > 0 else "worse" if high < 0 else "not shown to be better"
            if not figures["trusted"]:
                verdict = "with too few documents to say whether it is better"
            points = f"{percent(gain['macro_f1'], '+')} points{bounds(gain['macro_f1_interval'])}"
            yield f"  {verdict} than {name}: {points}"


def _classes(figures: Figures) -> list[str]:
    known = figures.get("per_class_intervals", {})
    rows: list[tuple[object, ...]] = [("class", "precision", "recall", "F1", "support")]
    for label, row in figures["per_class"].items():
        f1 = ranged(row["f1"], known.get(label, {}).get("f1"))
        rows.append((label, percent(row["precision"]), percent(row["recall"]), f1, row["support"]))
    return table(rows, left=(0, 3))


def _divisions(figures: Figures) -> Iterator[list[str]]:
    """Yield the scores by actor, corpus, source, genre and year, as far as there are any."""
    tables = [_groups("actor", figures.get("per_actor", {}))]
    for name in PLURALS:
        groups = figures.get(f"per_{name}", {})
        # The scores of a single group would repeat the first line.
        tables.append(_groups(name, groups) if len(groups) > 1 else [])
    yield from tables
    if any(line.endswith(FEW) for lines in tables for line in lines):
        yield [f"({FEW}: too few documents, labels or errors to trust the interval)"]


def _groups(title: str, groups: Figures) -> list[str]:
    """Return the scores of each group: the first actors, of others those that can be trusted."""
    chosen = list(groups.items())
    if title != "actor" and len(chosen) > LISTED:
        chosen = [pair for pair in chosen if pair[1]["trusted"]]
    chosen = chosen[-LISTED:] if title == "year" else chosen[:LISTED]
    many = PLURALS.get(title, "actors")
    if groups and not chosen:
        return [f"{len(groups):,} {many}, none with enough documents to trust its score"]
    rows: list[tuple[object, ...]] = [(title, "n", "macro-F1", "95 % interval", "")]
    for name, row in chosen:
        given = row["interval"] if "interval" in row else row["macro_f1_interval"]
        interval = bounds(given).strip() or "too few documents"
        few = FEW if given and not row["trusted"] else ""
        rows.append((name, row["n"], percent(row["macro_f1"]), interval, few))
    more = len(groups) - len(chosen)
    rest = [f"and {more:,} more {title if more == 1 else many}"] if more else []
    return table(rows, left=(0, 3, 4)) + rest


def _conflict(conflict: Figures) -> list[str]:
    if not conflict["n"]:
        return ["conflict  no paragraph has actors of differing gold stance"]
    return [
        f"conflict  {count(conflict['n'], 'row')} whose paragraph has actors of differing gold "
        "stance",
        f"  accuracy {ranged(conflict['accuracy'], conflict['interval'])}  "
        f"target-blind {percent(conflict['target_blind_accuracy'])}"
        + ("" if conflict["trusted"] else "  (few documents)"),
    ]


def _holder(figures: Figures | None) -> list[str]:
    if figures is None:
        return []
    return [
        f"whose stance it is: author, actor or other right in "
        f"{ranged(figures['accuracy'], figures['interval'])}, n {figures['n']:,}",
        f"  always the most frequent {percent(figures['majority'])}",
    ]


def _leakage(leakage: Figures | None) -> list[str]:
    if leakage is None:
        return []
    if not leakage["rows"]:
        return wrap("leakage  no row or near-duplicate was found in the model's training data")
    return wrap(
        f"leakage  {count(leakage['rows'], 'row')} ({percent(leakage['share'])} %) found in the "
        f"model's training data, {leakage['near']:,} of them as a near-duplicate; macro-F1 "
        f"without: {ranged(leakage['macro_f1_without'], leakage['macro_f1_without_interval'])}"
    )


COMPARED = (
    "In percent; [low, high] is the 95 % interval, whole documents resampled, the same ones for "
    "both. p: exact test on accuracy that gives whole documents to A or B by chance (p Holm: "
    "adjusted for the number of actors)."
)


def comparison_lines(figures: Figures) -> list[str]:
    """Return the lines of what `stance.evaluation.compare_models` returns, under 80 columns."""
    names = figures.get("models", {})
    parts = [
        [f"{mark.upper()}  {shown(name, WIDTH - 5)}" for mark, name in names.items()],
        _part("stance", figures),
        _actors(figures["per_actor"], figures["left_out"]),
        _part("conflict rows (actors of differing gold stance)", figures["conflict"]),
        _part("sentiment of paragraphs", figures.get("sentiment")),
        _seen(figures["leakage"]),
        wrap(COMPARED),
        paragraphs(figures["notes"], "note: ", "  "),
    ]
    return stacked(parts)


def _part(title: str, part: Figures | None) -> list[str]:
    if part is None:
        return []
    rows: list[tuple[str, ...]] = [("", "macro-F1", "accuracy", "ECE", "Brier")]
    for mark in ("a", "b"):
        own = part[mark]
        scores = (ranged(own[key], own[f"{key}_interval"]) for key in ("macro_f1", "accuracy"))
        rows.append((mark.upper(), *scores, percent(own["ece"]), f"{own['brier']:.3f}"))
    keys = ("difference", "accuracy_difference")
    gains = (ranged(part[key], part[f"{key}_interval"], "+") for key in keys)
    rows.append(("A - B", *gains, "", ""))
    test = part["mcnemar"]
    low, high = part["difference_interval"] or (0.0, 0.0)
    winner = "A is" if low > 0 else "B is" if high < 0 else "neither is shown to be"
    few = "too few documents to say which is better"
    return [
        f"{title}: {count(part['n'], 'row')} of {count(part['documents'], 'document')}",
        *(f"  {line}" for line in table(rows, left=(0, 1, 2))),
        f"  right only by A {test['a_only']:,}, only by B {test['b_only']:,}: "
        f"p {p_value(test['p'])}",
        f"  {winner} better in macro-F1" if part["trusted"] else f"  {few}",
    ]


def _actors(actors: Figures, left_out: int) -> list[str]:
    rows: list[tuple[object, ...]] = [("actor", "n", "A", "B", "A - B in macro-F1", "p Holm", "")]
    for name, part in actors.items():
        gain = ranged(part["difference"], part["difference_interval"], "+")
        scores = (percent(part[mark]["macro_f1"]) for mark in ("a", "b"))
        few = "" if part["trusted"] else FEW
        rows.append((name, part["n"], *scores, gain, p_value(part["p_holm"]), few))
    lines = table(rows, left=(0, 4, 6), width=20, most=LISTED, noun="actor")
    if not all(part["trusted"] for part in actors.values()):
        lines.append(f"({FEW}: too few documents, labels or errors to trust the interval)")
    rest = [f"{count(left_out, 'actor')} with too few rows left out"] if left_out else []
    return lines + rest


def _seen(leakage: Figures) -> list[str]:
    if not leakage["either"]:
        return ["leakage  no row or near-duplicate was found in the training data of either"]
    named = ", ".join(map(shown, leakage["rows"][:NAMED]))
    more = leakage["either"] - NAMED
    lines = wrap(
        f"leakage  {count(leakage['a'], 'row')} found in the training data of A, "
        f"{leakage['b']:,} in that of B: {named}{f' and {more:,} more' if more > 0 else ''}"
    )
    return lines + _part("without them", leakage["without"])
