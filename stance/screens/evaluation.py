"""Lines about scores: an evaluation, and a comparison of two models."""

from collections.abc import Iterator, Sequence

from stance.display import WIDTH, count, shown
from stance.screens import (
    Figures,
    bounds,
    cell,
    p_value,
    paragraphs,
    percent,
    ranged,
    stacked,
    wrap,
)
from stance.screens.checks import coders_lines

LISTED = 15  # actors, sources, genres or years listed; of more than these only what can be trusted

PLURALS = {"corpus": "corpora", "source": "sources", "genre": "genres", "year": "years"}
FEW = "few"  # marks an interval that cannot be trusted
NAME, LABEL = 30, 11  # columns for an actor's and for a label's name
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
    lines = [f"{cell('class', LABEL)}  precision  recall  {'F1':<20}  support"]
    for label, row in figures["per_class"].items():
        f1 = ranged(row["f1"], known.get(label, {}).get("f1"))
        lines.append(
            f"{cell(label, LABEL)}  {percent(row['precision']):>9}  {percent(row['recall']):>6}"
            f"  {f1:<20}  {row['support']:>7,}"
        )
    return lines


def _confusion(figures: Figures) -> list[str]:
    labels = figures["labels"]
    width = max(1, min(LABEL, (WIDTH - len(CORNER)) // len(labels) - 2))
    lines = [CORNER + "".join("  " + cell(label, width, right=True) for label in labels)]
    for label, row in zip(labels, figures["confusion"], strict=True):
        cells = "".join(f"  {number:>{width},}" for number in row)
        lines.append(cell(label, len(CORNER)) + cells)
    return lines


def _divisions(figures: Figures) -> Iterator[list[str]]:
    """Yield the scores by actor, corpus, source, genre and year, as far as there are any."""
    tables = [_groups("actor", figures.get("per_actor", {}))]
    for name in PLURALS:
        groups = figures.get(f"per_{name}", {})
        # The scores of a single group would repeat the first line.
        tables.append(_groups(name, groups) if len(groups) > 1 else [])
    yield from tables
    if any(line.endswith(FEW) for table in tables for line in table):
        yield [
            f"({FEW}: the documents, those with one of the labels, or the errors are too few to",
            "trust the interval)",
        ]


def _groups(title: str, groups: Figures) -> list[str]:
    """Return the scores of each group: the first actors, of others those that can be trusted."""
    if not groups:
        return []
    listed = list(groups.items())
    if title != "actor" and len(listed) > LISTED:
        listed = [pair for pair in listed if pair[1]["trusted"]]
    listed = listed[-LISTED:] if title == "year" else listed[:LISTED]
    many = PLURALS.get(title, "actors")
    if not listed:
        return [f"{len(groups):,} {many}, none with enough documents to trust its score"]
    lines = [f"{cell(title, NAME)}  {'n':>9}  macro-F1  95 % interval"]
    for name, row in listed:
        given = row["interval"] if "interval" in row else row["macro_f1_interval"]
        interval = bounds(given).strip() or "too few documents"
        if given and not row["trusted"]:
            interval = f"{interval:<14}  {FEW}"
        lines.append(
            f"{cell(name, NAME)}  {row['n']:>9,}  {percent(row['macro_f1']):>8}  {interval}"
        )
    if more := len(groups) - len(listed):
        lines.append(f"and {more:,} more {title if more == 1 else many}")
    return lines


def _calibration(figures: Figures) -> list[str]:
    return [
        f"calibration  ECE {percent(figures['ece'])} %  Brier {figures['brier']:.3f}  "
        f"log loss {figures['log_loss']:.3f}  uncertain {percent(figures['uncertain'])} %",
        *_errors(figures["risk_coverage"]),
    ]


def _errors(curve: Sequence[Figures]) -> list[str]:
    nearest = [min(curve, key=lambda p: abs(p["coverage"] - share)) for share in CONFIDENT]
    parts = [
        f"most confident {100 * point['coverage']:.0f} %: {percent(point['error'])} %"
        for point in nearest
        if point["coverage"] < 1
    ]
    first = f"errors  all answers: {percent(curve[0]['error'])} %"
    return wrap(", ".join([first, *dict.fromkeys(parts)]))


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


NAMED = 5  # rows in the training data that are named; the rest is counted
MOST_ACTORS = 15  # actors listed; the rest is counted
ACTOR = 18  # columns for an actor's name

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
    lines = [f"{title}: {count(part['n'], 'row')} of {count(part['documents'], 'document')}"]
    lines.append(f"  {'':<7}  {'macro-F1':<20}  {'accuracy':<20}   ECE  Brier")
    for mark in ("a", "b"):
        own = part[mark]
        scores = (ranged(own[key], own[f"{key}_interval"]) for key in ("macro_f1", "accuracy"))
        cells = "  ".join(f"{score:<20}" for score in scores)
        lines.append(f"  {mark.upper():<7}  {cells}  {percent(own['ece']):>4}  {own['brier']:.3f}")
    keys = ("difference", "accuracy_difference")
    gains = (ranged(part[key], part[f"{key}_interval"], "+") for key in keys)
    lines.append("  A - B    " + "  ".join(f"{gain:<20}" for gain in gains))
    test = part["mcnemar"]
    lines.append(
        f"  right only by A {test['a_only']:,}, only by B {test['b_only']:,}: "
        f"p {p_value(test['p'])}  (McNemar on rows: {p_value(test['p_rows'])})"
    )
    low, high = part["difference_interval"] or (0.0, 0.0)
    winner = "A is" if low > 0 else "B is" if high < 0 else "neither is shown to be"
    few = "too few documents to say which is better"
    lines.append(f"  {winner} better in macro-F1" if part["trusted"] else f"  {few}")
    return lines


def _actors(actors: Figures, left_out: int) -> list[str]:
    rest = [f"{count(left_out, 'actor')} with too few rows left out"] if left_out else []
    if not actors:
        return rest
    head = f"{cell('actor', ACTOR)}  {'n':>5}  {'A':>5}  {'B':>5}  "
    lines = [f"{head}{'A - B in macro-F1':<23} {'p':>6}  p Holm"]
    for name, part in list(actors.items())[:MOST_ACTORS]:
        gain = ranged(part["difference"], part["difference_interval"], "+")
        scores = "  ".join(f"{percent(part[mark]['macro_f1']):>5}" for mark in ("a", "b"))
        lines.append(
            f"{cell(name, ACTOR)}  {part['n']:>5,}  {scores}  "
            f"{gain + ('' if part['trusted'] else '*'):<23} {p_value(part['p']):>6}  "
            f"{p_value(part['p_holm']):>6}"
        )
    if len(actors) > MOST_ACTORS:
        lines.append(f"and {count(len(actors) - MOST_ACTORS, 'more actor')}")
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
