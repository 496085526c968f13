"""Lines about one model: its card, what more labels would gain, one answer explained."""

from collections.abc import Iterator, Sequence

from stance.display import count, shown
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
NAMED = 44  # columns for a word and its strongest term


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
        rows = [
            (
                f"{point['rows']:,.0f} rows of {point['documents']:,.0f} documents",
                ranged(point["macro_f1"], (point["low"], point["high"])),
            )
            for point in curve["points"]
        ]
        head = ("learned from", "macro-F1 [95 % interval]")
        lines += ["", *table([head, *rows], left=(0, 1)), *wrap(gain_text(curve), "  ")]
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
    for title in ("corpus", "source", "genre"):
        parts = list(scores.get(f"per_{title}", {}).items())[:SCORED]
        said = (f"{shown(name, 30)} {percent(part['macro_f1'])}" for name, part in parts)
        if parts:
            yield "", f"by {title}: {', '.join(said)}"


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


def explanation_lines(explanation: Explanation) -> list[str]:
    """Return one answer with its paragraph and its reasons."""
    chances = dict(zip(explanation.labels, explanation.probabilities, strict=True))
    label = UNCERTAIN if explanation.withheld else str(max(chances, key=lambda name: chances[name]))
    shares = "  ".join(f"{name} {share:.3f}" for name, share in chances.items())
    lines = [f"{shown(explanation.actor) or 'sentiment'}: {label}    {shares}"]
    if explanation.holder_probability is not None:
        holder = f"whose stance: {shown(explanation.holder)} {explanation.holder_probability:.2f}"
        lines.append(holder)
    if explanation.foreign:
        lines.append(FOREIGN)
    if explanation.actor and not explanation.mentions and not explanation.learned:
        lines.append(UNNAMED)
    for paragraph in explanation.text.splitlines():
        printable = "".join(char if char.isprintable() else " " for char in paragraph)
        lines += wrap(printable, "", "")
    return [*lines, "", *_pushes(explanation), ""]


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
    lines = [("pushes the score of", *explanation.labels)]
    lines += [(f"  {name}", *(f"{push:+.3f}" for push in own)) for name, own in rows]
    return table(lines, width=NAMED)


def _named(reason: Reason) -> str:
    """Return a reason's word and its strongest term."""
    return shown(reason.text, 18) + (f"  ({shown(reason.terms[0], 20)})" if reason.terms else "")


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


def _terms(lead: str, pushes: Sequence[tuple[str, float]]) -> list[str]:
    if not pushes:
        return []
    said = ", ".join(f"{shown(term)}({push:+.2f})" for term, push in pushes)
    return wrap(said, lead, " " * len(lead))
