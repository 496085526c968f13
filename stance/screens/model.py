"""Lines about one model: its card, what more labels would gain, one answer explained."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from stance.display import WIDTH, count, shown
from stance.model.explanation import Explanation, Learned, NameShare, Reason
from stance.model.familiarity import Reference
from stance.records import UNCERTAIN
from stance.screens import Figures, bounds, listed, paragraphs, percent, ranged, table, wrap

SPREAD = (
    "(± is the standard deviation between them: the luck of the folds, no sampling error; "
    "[low, high] is the 95 % interval of their mean, whole documents resampled)"
)
KIND = "95 % interval, for new documents of the same kind and coding"
PRIOR = (
    "the model knows which actor is judged: it has learned a prior about actors, which is the very "
    "thing that a study wants to measure"
)

NAMES = 8  # actors named of those in the book
SCORED = 15  # corpora, genres and actors whose scores are shown; the manifest has all
STRONGEST = 8  # words and features that are listed

FOREIGN = "In a language that the model was not trained on: do not rely on what follows."
UNNAMED = "Not named in the paragraph: check the spelling, or add aliases (--actors)."
PALE, STRONG = 0.04, 0.12  # pushes from which a word is coloured, and coloured strongly
BOLD, STRONG_CODE, GREEN, RED = "1", "1;4;", "32", "31"  # codes of a terminal
NAMED = 42  # columns for a word and its strongest term


def prospects_lines(
    repeats: Figures,
    curve: Figures | None,
    advice: Sequence[str],
    stopping: Figures | None = None,
) -> list[str]:
    """Return how scores vary with the folds, what more labels would gain, and where to add some."""
    lines = wrap(repeats_text(repeats))
    if repeats["sd"] is not None:
        lines += wrap(SPREAD, "  ")
    if curve is not None:
        lines += ["", *_curve_table(curve["points"]), *wrap(gain_text(curve), "  ")]
    if stopping is not None:
        lines += ["", *wrap(stopping["text"])]
    if advice:
        lines += ["", "where labels are missing, the most useful first", *paragraphs(advice, "  ")]
    return lines


def repeats_text(repeats: Figures) -> str:
    """Return mean, spread and interval of repeated cross-validations."""
    if repeats["sd"] is None:
        return f"1 cross-validation: macro-F1 {ranged(repeats['mean'], repeats['interval'])}"
    figure = f"{percent(repeats['mean'])} ± {percent(repeats['sd'])}{bounds(repeats['interval'])}"
    return f"{len(repeats['macro_f1'])} cross-validations with other folds: macro-F1 {figure}"


def gain_text(curve: Figures) -> str:
    """Return what the last doubling of the labels gained, or why that is not known."""
    gain = curve.get("doubling")
    if gain is None:
        return str(curve.get("why", ""))
    low, high = (f"{100 * bound:+.1f}" for bound in gain)
    return f"the last doubling of the labels changed macro-F1 by {low} to {high} points ({KIND})"


def _curve_table(points: Sequence[Figures]) -> list[str]:
    rows = [
        (
            f"{point['rows']:,.0f} rows of {point['documents']:,.0f} documents",
            percent(point["macro_f1"]),
            bounds((point["low"], point["high"])).strip(),
        )
        for point in points
    ]
    return table([("learned from", "macro-F1", "95 % interval"), *rows], left=(0, 2))


def card_lines(manifest: Figures) -> list[str]:
    """Return what the manifest says, for people."""
    return [
        line
        for lead, text in _card(manifest)
        for line in wrap(shown(text, 1000), f"{lead:<10}", " " * 10)
    ]


def _card(manifest: Figures) -> Iterator[tuple[str, str]]:
    """Yield what the manifest says: what it is about, and the text."""
    recipe, versions = manifest["recipe"], manifest["versions"]
    heads = ", ".join(
        f"{name} {sum(block['features'] for block in head['blocks']):,} features"
        for name, head in manifest["heads"].items()
    )
    yield "model", f"recipe '{recipe['name']}', {manifest['language']}, {heads}"
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
    yield from _scores(manifest["scores"])
    if "repeats" in manifest:
        yield "repeats", repeats_text(manifest["repeats"])
    if "learning_curve" in manifest:
        curve = manifest["learning_curve"]
        points = (f"{percent(p['macro_f1'])} from {p['rows']:,.0f}" for p in curve["points"])
        yield "curve", f"macro-F1 by rows: {', '.join(points)}"
        yield "", gain_text(curve)
    yield "drift", _drift(manifest.get("reference"))
    yield "made by", ", ".join(f"{name} {number}" for name, number in versions.items())
    yield "", f"seed {manifest['seed']}, temperature {manifest['temperature']:.4f}"
    for limit in manifest["limits"]:
        yield "limits", limit


def _scores(scores: Figures) -> Iterator[tuple[str, str]]:
    if "macro_f1" not in scores:
        return
    score = ranged(scores["macro_f1"], scores["macro_f1_interval"])
    documents = count(scores["documents"], "document")
    error = f"ECE {percent(scores['ece'])} %"
    yield "scores", f"macro-F1 {score} by cross-validation over {documents}, {error}"
    known = {"majority": "majority", "target_blind": "target-blind words", "lexicon": "lexicon"}
    base = {name: scores["baselines"].get(key) for key, name in known.items()}
    beside = [f"{name} {percent(part['macro_f1'])}" for name, part in base.items() if part]
    yield "", f"beside {', '.join(beside)}"
    for title in ("corpus", "source", "genre", "actor"):
        for name, part in list(scores.get(f"per_{title}", {}).items())[:SCORED]:
            words = bounds(part.get("macro_f1_interval", part.get("interval"))) or " no interval"
            score = f"{percent(part['macro_f1']):>5}{words:<14}"
            yield "", f"{title} {shown(name, 30):<31} {score} n {part['n']:,}"


def _drift(reference: Figures | None) -> str:
    if reference is None:
        return "not checked: the model was saved without statistics of its training texts"
    known = Reference.from_table(reference)
    low, middle, high = known.length
    language = "language is not checked (too few paragraphs)"
    if known.familiarity is not None:
        language = f"uncertain below a familiarity of {known.threshold:.2f} (another language)"
    return (
        f"input is compared with {known.paragraphs:,} training paragraphs: {low} to {high} "
        f"words (median {middle}), {100 * known.unknown:.1f} % of words unknown to the other "
        f"documents; {language}"
    )


def explanation_lines(explanation: Explanation, *, coloured: bool = False) -> list[str]:
    """Return one answer with its reasons; on a terminal, words that push are coloured."""
    chances = dict(zip(explanation.labels, explanation.probabilities, strict=True))
    label = UNCERTAIN if explanation.withheld else str(max(chances, key=lambda name: chances[name]))
    shares = "  ".join(f"{name} {share:.3f}" for name, share in chances.items())
    name = shown(explanation.actor) or "sentiment"
    lines = [f"{_styled(f'{name}: {label}', BOLD * coloured)}    {shares}"]
    if explanation.holder_probability is not None:
        holder = f"whose stance: {shown(explanation.holder)} {explanation.holder_probability:.2f}"
        lines.append(holder)
    if explanation.foreign:
        lines.append(FOREIGN)
    if explanation.actor and not explanation.mentions and not explanation.learned:
        lines.append(UNNAMED)
    return [*lines, *_paragraph(explanation, coloured), "", *_pushes(explanation), ""]


def _paragraph(explanation: Explanation, coloured: bool) -> Iterator[str]:
    """Yield the paragraph, red where a word pushes against, green where it favors."""
    text = explanation.text.replace("\r\n", " \n")
    text = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    codes = [""] * len(text)
    for word in explanation.words if coloured else ():
        codes[word.start : word.end] = [_push_code(word.net_push)] * (word.end - word.start)
    start = 0
    for paragraph in text.split("\n"):
        for line in wrap(paragraph, "", "") or [""]:
            end = start + len(line)
            runs = groupby(range(start, end), codes.__getitem__)
            yield "".join(_styled("".join(map(text.__getitem__, run)), code) for code, run in runs)
            start = end + (text[end : end + 1] == " ")
        start += 1


def _push_code(push: float) -> str:
    if abs(push) < PALE:
        return ""
    return (STRONG_CODE if abs(push) >= STRONG else "") + (GREEN if push > 0 else RED)


def _styled(text: str, codes: str) -> str:
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text


def _named(reason: Reason) -> str:
    """Return a reason's word and its strongest term."""
    word = shown(reason.text, 18 if reason.terms else NAMED - 1)
    if reason.terms and (room := NAMED - 5 - len(word)) > 2:
        word += f"  ({shown(reason.terms[0], room)})"
    return word[:NAMED]


def _pushes(explanation: Explanation) -> list[str]:
    reasons = sorted(explanation.words, key=lambda word: -max(map(abs, word.push)))
    strongest = [*reasons[:STRONGEST], *explanation.features[:3]]
    pushes = [reason.push for reason in (*explanation.words, *explanation.features)]
    at = range(len(explanation.labels))
    rest = [sum(p[i] for p in pushes) - sum(r.push[i] for r in strongest) for i in at]
    rows = [
        *((_named(reason), reason.push) for reason in strongest),
        ("all other words and features", rest),
        ("constant", explanation.intercept),
        ("score", explanation.scores),
    ]
    head = f"{'pushes the score of':<{NAMED + 2}}" + "".join(f"{x:>11}" for x in explanation.labels)
    return [
        head,
        *(f"  {name:<{NAMED}}" + "".join(f"{p:>+11.3f}" for p in push) for name, push in rows),
    ]


def learned_lines(found: Learned) -> Iterator[str]:
    """Yield what a model has learned, for people."""
    yield from _name_lines(found.name)
    for head, blocks in found.heads.items():
        for block in blocks:
            size = count(block.features, "feature")
            yield from ("", f"{head}: block {shown(block.name)}, weight {block.weight:g}, {size}")
            for label, terms in block.words.items():
                yield from _terms(f"  {label:<10}", [(term.term, term.push) for term in terms])
            if block.features and not any(block.words.values()):
                yield "  the model was saved without the names of its features"


def _name_lines(name: NameShare) -> Iterator[str]:
    if not name.used:
        yield "actor's name: no feature; which actor is judged adds nothing to its stance"
        return
    yield from wrap(f"WARNING: {PRIOR}", "", "")
    if name.weight:
        yield f"actor's name: {100 * name.weight:.0f} % of the weight of all blocks; its push to"
        yield "favor (+) or against (-) in every row about it:"
        yield from _terms("  ", list(name.push.items()))
    if name.copies:
        yield f"features of one actor alone: {100 * name.copies:.0f} % of all pushes"


def _terms(lead: str, pushes: Sequence[tuple[str, float]]) -> Iterator[str]:
    """Yield terms and their pushes on lines of `WIDTH`, none of them broken."""
    line = lead
    for at, (term, push) in enumerate(pushes):
        item = f"{shown(term)} {push:+.2f}" + (", " if at < len(pushes) - 1 else "")
        if len(line) + len(item.rstrip()) > WIDTH and line.strip():
            yield line.rstrip()
            line = " " * len(lead)
        line += item
    if pushes:
        yield line.rstrip()
