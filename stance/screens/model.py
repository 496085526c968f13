"""Lines about one model: its card, what more labels would gain, one answer explained."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from stance.display import WIDTH, count, shown
from stance.model.explanation import Explanation, Learned, NameShare, Reason
from stance.model.familiarity import Reference
from stance.records import UNCERTAIN
from stance.screens import Figures, bounds, paragraphs, percent, ranged, row, wrap

SPREAD = (
    "± is the standard deviation between them: the luck of the folds, no sampling error; "
    "[low, high] is the 95 % interval of their mean, whole documents resampled"
)

KIND = "95 % interval, for new documents of the same kind and coding"


def prospects_lines(
    repeats: Figures,
    curve: Figures | None,
    advice: Sequence[str],
    stopping: Figures | None = None,
) -> list[str]:
    """Return what the luck of the folds is, what more labels would gain, and where to add some."""
    found = wrap(repeats_text(repeats))
    if repeats["sd"] is not None:
        found += wrap(f"({SPREAD})", "  ")
    if curve is not None:
        found += ["", *_curve_table(curve["points"])]
        found += wrap(gain_text(curve), "  ")
    if stopping is not None:
        found += ["", *wrap(stopping["text"])]
    if advice:
        found += ["", "where labels are missing, the most useful first", *paragraphs(advice, "  ")]
    return found


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
    lines = ["learned from                      macro-F1  95 % interval"]
    for point in points:
        sizes = f"{point['rows']:>9,.0f} rows of {point['documents']:>7,.0f} documents"
        interval = bounds((point["low"], point["high"]))
        lines.append(f"{sizes}  {percent(point['macro_f1']):>8} {interval}")
    return lines


NAMES = 8  # actors named of those in the book
SCORED = 15  # corpora, genres and actors whose scores are shown; the manifest has all


def card_lines(manifest: Figures) -> Iterator[str]:
    """Yield what the manifest says, for people."""
    recipe = manifest["recipe"]
    sizes = {
        name: sum(block["features"] for block in head["blocks"])
        for name, head in manifest["heads"].items()
    }
    heads = ", ".join(f"{name} {size:,} features" for name, size in sizes.items())
    heads = f"recipe '{shown(recipe['name'])}', {manifest['language']}, {heads}"
    yield from _wrapped(heads, "model     ")
    blocks = recipe["features"]["blocks"]
    weights = ", ".join(f"{shown(name)} {weight:g}" for name, weight in blocks.items())
    yield from _wrapped(weights, "blocks    ")
    if "name" in blocks:
        yield "WARNING   the actor's name is a feature: the model has learned a prior about actors,"
        yield "          which is the very thing that a study wants to measure"
    names = list(manifest["book"])
    rest = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    book = f"{len(names)} in the book: {', '.join(map(shown, names[:NAMES]))}{rest}"
    yield from _wrapped(book, "actors    ")
    for source in manifest["data"]:
        classes = ", ".join(f"{number:,} {shown(k)}" for k, number in source["classes"].items())
        rows = f"{shown(source['name'])}: {source['rows']:,} rows ({classes})"
        yield from _wrapped(rows, "data      ")
        yield from _wrapped(f"licence: {source.get('licence', 'not stated')}", " " * 10)
        yield f"sha256    {source['sha256']}"
    scores = manifest["scores"]
    if "macro_f1" in scores:
        yield from _wrapped(
            f"macro-F1 {ranged(scores['macro_f1'], scores['macro_f1_interval'])} by "
            f"cross-validation over {scores['documents']:,} documents, "
            f"ECE {percent(scores['ece'])} %",
            "scores    ",
        )
        known = {"majority": "majority", "target_blind": "target-blind words", "lexicon": "lexicon"}
        base = {name: scores["baselines"].get(key) for key, name in known.items()}
        beside = [f"{name} {percent(part['macro_f1'])}" for name, part in base.items() if part]
        yield f"          beside {', '.join(beside)}"
        for title in ("corpus", "source", "genre", "actor"):
            for name, part in list(scores.get(f"per_{title}", {}).items())[:SCORED]:
                yield _group_line(title, name, part)
    yield from _prospects(manifest)
    yield from _drift(manifest.get("reference"))
    versions = ", ".join(f"{name} {shown(number)}" for name, number in manifest["versions"].items())
    yield from _wrapped(versions, "made by   ")
    yield f"          seed {manifest['seed']}, temperature {manifest['temperature']:.4f}"
    for limit in manifest["limits"]:
        yield from _wrapped(limit, "limits    ")


def _prospects(manifest: Figures) -> Iterator[str]:
    if "repeats" in manifest:
        yield from _wrapped(repeats_text(manifest["repeats"]), "repeats   ")
    if "learning_curve" in manifest:
        curve = manifest["learning_curve"]
        points = (f"{percent(p['macro_f1'])} from {p['rows']:,.0f}" for p in curve["points"])
        yield from _wrapped(f"macro-F1 by rows: {', '.join(points)}", "curve     ")
        yield from _wrapped(gain_text(curve), " " * 10)


def _drift(table: Figures | None) -> Iterator[str]:
    if table is None:
        yield "drift     not checked: the model was saved without statistics of its training texts"
        return
    reference = Reference.from_table(table)
    low, middle, high = reference.length
    language = "language is not checked (too few paragraphs)"
    if reference.familiarity is not None:
        language = f"uncertain below a familiarity of {reference.threshold:.2f} (another language)"
    yield from _wrapped(
        f"input is compared with {reference.paragraphs:,} training paragraphs: {low} to {high} "
        f"words (median {middle}), {100 * reference.unknown:.1f} % of words unknown to the other "
        f"documents; {language}",
        "drift     ",
    )


def _group_line(title: str, name: str, part: Figures) -> str:
    words = bounds(part.get("macro_f1_interval", part.get("interval"))) or " no interval"
    score = f"{percent(part['macro_f1']):>5}{words:<14}"
    return f"          {title} {shown(name, 30):<31} {score} n {part['n']:,}"


def _wrapped(text: str, lead: str) -> list[str]:
    return wrap(shown(text, 1000), lead, " " * len(lead))


STRONGEST = 8  # words and features that are listed

FOREIGN = "In a language that the model was not trained on: do not rely on what follows."
UNNAMED = "Not named in the paragraph: check the spelling, or add aliases (--actors)."
PALE, STRONG = 0.04, 0.12  # pushes from which a word is coloured, and coloured strongly
BOLD, STRONG_CODE, GREEN, RED = "1", "1;4;", "32", "31"  # codes of a terminal
NAMED = 42  # columns for a word and its strongest term


def explanation_lines(explanation: Explanation, *, coloured: bool = False) -> list[str]:
    """Return one answer with its reasons; on a terminal, words that push are coloured."""
    chances = dict(zip(explanation.labels, explanation.probabilities, strict=True))
    label = UNCERTAIN if explanation.withheld else str(max(chances, key=lambda name: chances[name]))
    shares = "  ".join(f"{name} {share:.3f}" for name, share in chances.items())
    name = shown(explanation.actor) or "sentiment"
    lines = [f"{_styled(f'{name}: {label}', BOLD * coloured)}   {shares}"]
    if explanation.holder_probability is not None:
        holder = f"whose stance: {shown(explanation.holder)} {explanation.holder_probability:.2f}"
        lines.append(holder)
    if explanation.foreign:
        lines.append(FOREIGN)
    if explanation.actor and not explanation.mentions and not explanation.learned:
        lines.append(UNNAMED)
    return [*lines, *_paragraph(explanation, coloured), "", *_table(explanation), ""]


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


def _table(explanation: Explanation) -> Iterator[str]:
    labels = explanation.labels
    yield f"{'pushes the score of':<{NAMED + 2}}" + row(labels, ">11")
    reasons = sorted(explanation.words, key=lambda word: -max(map(abs, word.push)))
    listed = [*reasons[:STRONGEST], *explanation.features[:3]]
    for reason in listed:
        yield f"  {_named(reason):<{NAMED}}" + row(reason.push, ">+11.3f")
    every = (*explanation.words, *explanation.features)
    rest = [
        sum(r.push[i] for r in every) - sum(r.push[i] for r in listed) for i in range(len(labels))
    ]
    yield f"  {'all other words and features':<{NAMED}}" + row(rest, ">+11.3f")
    yield f"  {'constant':<{NAMED}}" + row(explanation.intercept, ">+11.3f")
    yield f"  {'score':<{NAMED}}" + row(explanation.scores, ">+11.3f")


def learned_lines(found: Learned) -> Iterator[str]:
    """Yield what a model has learned, for people."""
    yield from _name_lines(found.name)
    for head, blocks in found.heads.items():
        for block in blocks:
            size = count(block.features, "feature")
            yield from ("", f"{head}: block {shown(block.name)}, weight {block.weight:g}, {size}")
            for label, terms in block.words.items():
                yield from _listed(f"  {label:<10}", [(term.term, term.push) for term in terms])
            if block.features and not any(block.words.values()):
                yield "  the model was saved without the names of its features"


def _name_lines(name: NameShare) -> Iterator[str]:
    if not name.used:
        yield "actor's name: no feature; which actor is judged adds nothing to its stance"
        return
    yield "WARNING: the model knows which actor is judged: it has learned a prior about actors,"
    yield "which is the very thing that a study wants to measure"
    if name.weight:
        yield f"actor's name: {100 * name.weight:.0f} % of the weight of all blocks; its push to"
        yield "favor (+) or against (-) in every row about it:"
        yield from _listed("  ", list(name.push.items()))
    if name.copies:
        yield f"features of one actor alone: {100 * name.copies:.0f} % of all pushes"


def _listed(lead: str, pushes: Sequence[tuple[str, float]]) -> Iterator[str]:
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
