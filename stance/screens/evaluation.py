"""Lines about scores: an evaluation, and a comparison of two models."""

from collections.abc import Iterator

from stance.display import WIDTH, count, shown
from stance.screens import (
    Figures,
    bounds,
    cut,
    p_value,
    paragraphs,
    percent,
    ranged,
    stacked,
    table,
    wrap,
)
from stance.screens.checks import coders_lines

LISTED = 15  # actors, sources, genres or years listed; of more than these only what can be trusted
NAMED = 5  # rows in the training data that are named; the rest is counted
PLURALS = {"corpus": "corpora", "source": "sources", "genre": "genres", "year": "years"}
FEW = "few"  # marks an interval that cannot be trusted
CORNER = r"gold \ predicted"
LEGEND = "  (in percent; [low, high] is the 95 % interval, whole documents resampled)"
CONFIDENT = (0.5, 0.25)  # shares of answers, the most confident ones, whose errors are shown


def evaluation_lines(figures: Figures) -> list[str]:
    """Return the lines of `stance.evaluation.Report.to_json`, each under 80 columns."""
    mood = figures.get("sentiment")
    mood_notes = [f"sentiment: {note}" for note in mood["notes"]] if mood else []
    parts = [
        [*_headline(figures), *_baselines(figures["baselines"]), *_verdicts(figures), LEGEND],
        _classes(figures),
        _confusion(figures),
        *_divisions(figures),
        _calibration(figures),
        _conflict(figures["conflict"]),
        _sentiment(mood),
        _holder(figures.get("holder")),
        coders_lines(figures["agreement"]) if "agreement" in figures else [],
        _leakage(figures.get("leakage")),
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
        scores = percent(row["precision"]), percent(row["recall"])
        rows.append((cut(label, 11), *scores, f1, row["support"]))
    return table(rows, left=(0, 3))


def _confusion(figures: Figures) -> list[str]:
    labels = figures["labels"]
    width = max(1, min(11, (WIDTH - len(CORNER)) // len(labels) - 2))
    head = (CORNER, *(cut(label, width) for label in labels))
    rows = zip(labels, figures["confusion"], strict=True)
    return table([head, *((cut(label, len(CORNER)), *row) for label, row in rows)])


def _divisions(figures: Figures) -> Iterator[list[str]]:
    """Yield the scores by actor, corpus, source, genre and year, as far as there are any."""
    tables = [_groups("actor", figures.get("per_actor", {}))]
    for name in PLURALS:
        groups = figures.get(f"per_{name}", {})
        # The scores of a single group would repeat the first line.
        tables.append(_groups(name, groups) if len(groups) > 1 else [])
    yield from tables
    if any(line.endswith(FEW) for lines in tables for line in lines):
        yield wrap(
            f"({FEW}: the documents, those with one of the labels, or the errors are too few to "
            "trust the interval)", "", "",
        )  # fmt: skip


def _groups(title: str, groups: Figures) -> list[str]:
    """Return the scores of each group: the first actors, of others those that can be trusted."""
    if not groups:
        return []
    chosen = list(groups.items())
    if title != "actor" and len(chosen) > LISTED:
        chosen = [pair for pair in chosen if pair[1]["trusted"]]
    chosen = chosen[-LISTED:] if title == "year" else chosen[:LISTED]
    many = PLURALS.get(title, "actors")
    if not chosen:
        return [f"{len(groups):,} {many}, none with enough documents to trust its score"]
    rows: list[tuple[object, ...]] = [(title, "n", "macro-F1", "95 % interval", "")]
    for name, row in chosen:
        given = row["interval"] if "interval" in row else row["macro_f1_interval"]
        interval = bounds(given).strip() or "too few documents"
        few = FEW if given and not row["trusted"] else ""
        rows.append((name, row["n"], percent(row["macro_f1"]), interval, few))
    lines = table(rows, left=(0, 3, 4))
    if more := len(groups) - len(chosen):
        lines.append(f"and {more:,} more {title if more == 1 else many}")
    return lines


def _calibration(figures: Figures) -> list[str]:
    curve = figures["risk_coverage"]
    nearest = [min(curve, key=lambda p: abs(p["coverage"] - share)) for share in CONFIDENT]
    parts = [
        f"most confident {100 * point['coverage']:.0f} %: {percent(point['error'])} %"
        for point in nearest
        if point["coverage"] < 1
    ]
    first = f"errors  all answers: {percent(curve[0]['error'])} %"
    return [
        f"calibration  ECE {percent(figures['ece'])} %  Brier {figures['brier']:.3f}  "
        f"log loss {figures['log_loss']:.3f}  uncertain {percent(figures['uncertain'])} %",
        *wrap(", ".join([first, *dict.fromkeys(parts)])),
    ]


def _conflict(conflict: Figures) -> list[str]:
    if not conflict["n"]:
        return ["conflict  no paragraph has actors of differing gold stance"]
    rows = count(conflict["n"], "row")
    return [
        f"conflict  {rows} whose paragraph has actors of differing gold stance",
        f"  accuracy {ranged(conflict['accuracy'], conflict['interval'])}  "
        f"target-blind {percent(conflict['target_blind_accuracy'])}"
        + ("" if conflict["trusted"] else "  (few documents)"),
    ]


def _sentiment(sentiment: Figures | None) -> list[str]:
    if sentiment is None:
        return []
    lines = _headline(sentiment) + _baselines(sentiment.get("baselines", {}))
    return ["sentiment of paragraphs", *("  " + line for line in lines + _classes(sentiment))]


def _holder(figures: Figures | None) -> list[str]:
    if figures is None:
        return []
    return [
        f"whose stance it is: author, actor or other right in "
        f"{ranged(figures['accuracy'], figures['interval'])}, n {figures['n']:,}",
        f"  always the most frequent {percent(figures['majority'])}; with the actor's name right "
        f"{percent(figures['exact'])}",
    ]


def _leakage(leakage: Figures | None) -> list[str]:
    if leakage is None:
        return []
    if not leakage["rows"]:
        return wrap("leakage  no row or near-duplicate was found in the model's training data")
    text = (
        f"leakage  {count(leakage['rows'], 'row')} ({percent(leakage['share'])} %) found in the "
        f"model's training data, {leakage['near']:,} of them as a near-duplicate; macro-F1 "
        f"without: {ranged(leakage['macro_f1_without'], leakage['macro_f1_without_interval'])}"
    )
    return wrap(text)


COMPARED = (
    "In percent; [low, high] is the 95 % interval, whole documents resampled, the same ones for "
    "both. p: exact test on accuracy that gives whole documents to A or B by chance (p Holm: "
    "adjusted for the number of actors). McNemar's p takes rows for independent, which those of "
    "one document are not."
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
        f"p {p_value(test['p'])}  (McNemar on rows: {p_value(test['p_rows'])})",
        f"  {winner} better in macro-F1" if part["trusted"] else f"  {few}",
    ]


def _actors(actors: Figures, left_out: int) -> list[str]:
    rest = [f"{count(left_out, 'actor')} with too few rows left out"] if left_out else []
    if not actors:
        return rest
    rows: list[tuple[object, ...]] = [("actor", "n", "A", "B", "A - B in macro-F1", "p", "p Holm")]
    for name, part in list(actors.items())[:LISTED]:
        gain = ranged(part["difference"], part["difference_interval"], "+")
        scores = (percent(part[mark]["macro_f1"]) for mark in ("a", "b"))
        tests = p_value(part["p"]), p_value(part["p_holm"])
        rows.append((cut(name, 18), part["n"], *scores, gain + "*" * (not part["trusted"]), *tests))
    lines = table(rows, left=(0, 4))
    if len(actors) > LISTED:
        lines.append(f"and {count(len(actors) - LISTED, 'more actor')}")
    if not all(part["trusted"] for part in actors.values()):
        lines.append("(* too few documents, or with one of the labels, to trust the interval)")
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
