"""Figures in, lines of a terminal out; nothing else formats a screen."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stance.display import Row, count, facts, listed, percent, ranged, shown, stacked, table, wrap
from stance.reading.actor_tables import ALIAS_KINDS
from stance.recipe import cautions
from stance.records import ANSWERS, NET, SIDES, UNCERTAIN

if TYPE_CHECKING:
    from stance.findings.shares import Share
    from stance.model.explanation import Explanation
    from stance.reading.actors import ActorBook
    from stance.runs.summary import Done

Figures = Mapping[str, Any]  # as commands print them as JSON

COMPARED = ("against", "favor", "net")  # of shares

ACTORS = 15  # listed with their scores or answers; the rest is counted
EXAMINED = 12  # actors with margins, and differences between shares
SHARES = 24  # lines of shares of actors and groups
GROUPS = 6  # groups whose shares are listed, at most
PAIRS = 20  # pairs of a holder and an actor
NAMES = 8  # actors of a book
ALIASES = 6  # of an actor
STRONGEST = 8  # words that explain an answer

FEW = "few"  # marks an interval that cannot be trusted
LEGEND = "In percent; [low, high] is the 95 % interval, with documents as units; "
LEGEND += f"'{FEW}' marks intervals from too few documents, labels or errors to be trusted."


# --- Models: a card, an evaluation, a stress test ---


def card_facts(manifest: Figures) -> Iterator[tuple[str, str]]:
    """Yield what the manifest says, for people: the name of each fact, and a text."""
    recipe, scores = manifest["recipe"], manifest["scores"]
    features = recipe["features"]
    yield "model", f"recipe '{recipe['name']}', {manifest['language']}"
    if "name" in features["blocks"] or features["per_actor"]:
        yield "WARNING", cautions()["prior"]
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
        parts = scores["baselines"].items()
        rivals = [f"{name} {percent(part['macro_f1'])}" for name, part in parts if part]
        yield "", f"beside {', '.join(rivals).replace('_', '-')}"
    yield "made by", ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
    if "deep_reader" in manifest:
        yield "", f"needs the extra 'deep', and the deep reader {manifest['deep_reader'][:12]}"
    for limit in manifest["limits"]:
        yield "limits", limit


def evaluation_lines(figures: Figures) -> list[str]:
    """Return what to decide by in what `stance.evaluate` returns; the rest is in the report."""
    others = [f"calibration: ECE {percent(figures['ece'])} %"]
    exact = {"conflict": "paragraphs of conflicting stances", "holder": "whose stance it is"}
    for key, name in exact.items():
        if (part := figures.get(key)) and part["n"]:
            accuracy = ranged(part["accuracy"], part["interval"])
            others.append(f"{name}: accuracy {accuracy}, {count(part['n'], 'row')}")
    if leakage := figures.get("leakage"):
        line = "leakage: no row or near-duplicate was found in the model's training data"
        if leakage["rows"]:
            rows, share = count(leakage["rows"], "row"), percent(leakage["share"])
            line = f"leakage: {rows} ({share} %), or near-duplicates of them, "
            line += "found in the model's training data; macro-F1 without: "
            line += ranged(leakage["macro_f1_without"], leakage["macro_f1_without_interval"])
        others += wrap(line)
    legend = wrap(LEGEND)
    if unsure := figures["n"] - figures["answered"]["n"]:
        answers = count(unsure, "answer")
        legend.append(f"{answers} withheld as uncertain, which counts as wrong among all rows")
    return stacked(
        [
            [*table(headline(figures)), *legend],
            table(class_scores(figures)),
            table(group_scores(figures, "actor"), most=ACTORS, noun="actor"),
            others,
            [line for note in all_notes(figures) for line in wrap(note, "note: ", "  ")],
        ]
    )


def all_notes(figures: Figures) -> list[str]:
    """Return the notes on an evaluation, then those on its sentiments."""
    mood = figures.get("sentiment") or {}
    return [*figures.get("notes", []), *(f"sentiment: {note}" for note in mood.get("notes", []))]


def class_scores(figures: Figures) -> list[Row]:
    """Return the scores of each class, below their names."""
    rows: list[Row] = [("class", "precision", "recall", "F1", "n")]
    for name, part in figures["per_class"].items():
        rates = percent(part["precision"]), percent(part["recall"])
        rows.append((name, *rates, ranged(part["f1"], part["f1_interval"]), part["support"]))
    return rows


def group_scores(figures: Figures, noun: str) -> list[Row]:
    """Return the scores of each actor, source or corpus, below their names."""
    rows: list[Row] = [(noun, "macro-F1", "n", "")]
    for name, part in figures.get(f"per_{noun}", {}).items():
        few = "" if part["interval"] and part["trusted"] else FEW
        rows.append((name, ranged(part["macro_f1"], part["interval"]), part["n"], few))
    return rows


def headline(figures: Figures) -> list[Row]:
    """Return the main scores, those of the baselines and what is gained over them."""
    rows: list[Row] = [("", "macro-F1", "accuracy", "n", "gain in macro-F1", "")]
    parts = {"all rows": figures, "answered rows": figures["answered"]}
    names = {"majority": "majority label", "target_blind": "target-blind"}
    parts |= {name: figures["baselines"].get(key) for key, name in names.items()}
    if figures["n"] == figures["answered"]["n"]:
        del parts["answered rows"]
    for name, part in (parts | {"sentiment": figures.get("sentiment")}).items():
        if part:
            score = ranged(part["macro_f1"], part.get("macro_f1_interval"))
            gain = part.get("difference")
            over = ranged(gain["macro_f1"], gain["macro_f1_interval"], "+") if gain else ""
            few = FEW * bool(part.get("macro_f1_interval") and not figures["trusted"])
            rows.append((name, score, percent(part["accuracy"]), part.get("n", ""), over, few))
    return rows


def stress_lines(figures: Figures) -> list[str]:
    """Return the lines of what `stance.evaluation.run_suite` returns; its JSON has examples."""
    rows: list[Row] = [("may fail; the less often, the better", "n", "failures", "rate")]
    for test in figures["tests"]:
        rate = ranged(test["rate"], test["interval"])
        rows.append((test["name"], test["n"], test["failures"], rate))
    head = f"stress suite  {count(figures['seeds'], 'seed paragraph')} written for it"
    legend = "Rates in percent with Wilson's 95 % interval; --json has examples of failures."
    return stacked([[head], table(rows), wrap(legend)])


# --- Answers: one explained, those of a run ---


def explanation_lines(explanation: "Explanation") -> list[str]:
    """Return one answer with its paragraph and its reasons."""
    chances = dict(zip(explanation.labels, explanation.probabilities, strict=True))
    label = UNCERTAIN if explanation.withheld else str(max(chances, key=lambda name: chances[name]))
    shares = "  ".join(f"{name} {share:.3f}" for name, share in chances.items())
    lines = [f"{shown(explanation.actor)}: {label}    {shares}"]
    if (chance := explanation.holder_probability) is not None:
        lines.append(f"whose stance: {shown(explanation.holder)} {chance:.2f}")
    if explanation.foreign:
        lines.append("In a language that the model was not trained on: do not rely on this.")
    if explanation.withheld and not explanation.mentions:
        lines.append("Not named in the paragraph: check the spelling, or add aliases (--actors).")
    for line in explanation.text.splitlines():
        lines += wrap(shown(line, len(line)), "", "")
    return [*lines, "", *_pushes(explanation), ""]


def _pushes(explanation: "Explanation") -> list[str]:
    """Return what the strongest words and features add to the score of each label."""
    words = sorted(explanation.words, key=lambda word: -max(map(abs, word.push)))
    reasons = [*words[:STRONGEST], *explanation.features[:3]]
    rest = np.subtract(explanation.scores, explanation.intercept)
    rest = rest - np.sum([reason.push for reason in reasons], axis=0)
    names = [f"{one.text}  ({one.terms[0]})" if one.terms else one.text for one in reasons]
    names += ["all other words and features", "constant", "score"]
    pushes = [*(one.push for one in reasons), rest, explanation.intercept, explanation.scores]
    rows: list[Row] = [("pushes the score of", *explanation.labels)]
    for name, push in zip(names, pushes, strict=True):
        rows.append((f"  {name}", *(f"{value:+.3f}" for value in push)))
    return table(rows)


def run_lines(done: "Done") -> list[str]:
    """Return how many rows a run has judged, and how often each stance was given per actor."""
    tally = done.tally
    head = (
        f"{count(done.rows_in, 'row')} in = {tally.rows:,} judged + {done.rejected:,} rejected; "
        f"{tally.named:,} naming an actor; {count(done.rows_out, 'row')} out"
    )
    totals = {actor: [tally.answers[actor, name] for name in ANSWERS] for actor, _ in tally.answers}
    order = sorted(totals, key=lambda actor: (-sum(totals[actor]), actor))
    rows = [(actor, *totals[actor]) for actor in order]
    return [head, *table([("actor", *ANSWERS), *rows], most=ACTORS, noun="actor")]


# --- Studies: a sample, shares, pairs ---


def sample_lines(figures: Figures) -> list[str]:
    """Return the lines of a summary of a sample: how it was drawn, and on which actors."""
    lines = wrap(
        f"{count(figures['answers'], 'answer')} of {figures['population']:,}, in "
        f"{count(figures['documents'], 'document')}; {count(figures['audited'], 'answer')} drawn "
        f"at random from {count(figures['strata'], 'group')}"
    )
    drawn = sorted(figures["labels"].items(), key=lambda actor: (-actor[1], actor[0]))
    parts = [f"{shown(name, 30)} {number:,}" for name, number in drawn if number]
    return lines + wrap(f"drawn at random by actor: {listed(parts, EXAMINED, 'actor')}")


def share_lines(figures: Figures) -> list[str]:
    """Return the lines of a summary of shares: those of actors and groups, and what differs."""
    by_part = defaultdict[tuple[str, str], list[Figures]](list)
    for share in figures["shares"]:
        if share["class"] in COMPARED and not share["period"]:
            by_part[share["actor"], share["group"]].append(share)
    few = len({group for _, group in by_part}) <= GROUPS + 1  # all together are no group
    sizes = f"{count(figures['answers'], 'answer')} in {count(figures['documents'], 'document')}"
    withheld = figures["shares"][0]["withheld"]  # of the only actor, or of all together
    sizes += f", {withheld:,} withheld" if withheld else ""
    sizes += f", {count(figures['labels'], 'label')}" if figures["labels"] else ""
    sizes += f", {figures['missing']:,} missing" if figures["missing"] else ""
    rows: list[Row] = [("counted", "against, %", "favor, %", "net")]
    for (actor, group), shares in by_part.items():
        if not group:
            counted = (percent(share["counted"]) for share in shares)
            rows.append((f"{actor} ({shares[0]['n']:,})", *counted))
        if figures["labels"] and (few or not group):
            rows.append(_corrected(f"- {group}" if group else "corrected", shares))
    body = table(rows, most=SHARES, noun="row")
    unlisted = figures["over"] or (figures["by"] and not figures["labels"])
    if len(rows) > SHARES + 1 or not few or unlisted:
        body.append("-o FILE.csv lists all")
    if scarce := figures["few"]:  # as a report says it
        whose = f"For {listed([*map(shown, scarce)], NAMES, 'group')}, the" if scarce[0] else "The"
        body += wrap(f"{whose} answers count as too few independent documents to trust intervals.")
    return stacked([[sizes], body, _verdict(figures)])


def _corrected(name: str, shares: Sequence[Figures]) -> tuple[str, ...]:
    if shares[0]["corrected"] is None:
        why = shares[0]["method"].removeprefix("not corrected: ")
        return (f"  {name}", why, "", "")  # short enough for its column
    return (f"  {name}", *(ranged(s["corrected"], (s["low"], s["high"])) for s in shares))


def _verdict(figures: Figures) -> list[str]:
    """Return what may be said of the differences, or what is missing for that."""
    asked, differences = figures["by"] or figures["over"], figures["differences"]
    if not figures["labels"]:
        return wrap(
            "Counted only: a model's counts are not shares, since its errors do not cancel out. "
            "Draw a sample with stance sample, label it, and add it with --audit."
        )
    if not differences:
        return wrap("Nothing is compared: no two groups have enough labels.") if asked else []
    claimed = sorted((row for row in differences if row["claimed"]), key=lambda row: row["p"])
    comparisons = count(len(differences), "comparison")
    if not claimed:
        return wrap(f"No difference in net stance is beyond chance in {comparisons} (Holm, 5 %).")
    beyond = "Differences in net stance beyond chance (Holm, 5 %), in points"
    lines = wrap(f"{beyond}: {len(claimed)} of {comparisons}")
    for row in claimed[:EXAMINED]:
        value = ranged(row["difference"], (row["low"], row["high"]), "+")
        actor, one, other = (shown(row[name], 30) for name in ("actor", "one", "other"))
        lines += wrap(f"{actor}: {one} less {other} {value}", "  ")
    return lines + (["  --differences FILE.csv lists all"] if len(claimed) > EXAMINED else [])


def pair_lines(shares: Sequence["Share"]) -> list[str]:
    """Return who judges whom, in the order of the shares."""
    audited = any(share.audited for share in shares)
    sides = [] if audited else [*SIDES]  # or 80 columns do not hold the intervals
    heads = ("holder", "target", "n", *(ANSWERS[side] for side in sides), "net")
    rows: list[Row] = [(*heads, *["corrected"] * audited)]
    for share in shares:
        given = share.given.sum(axis=0)[sides].tolist()
        nets = [share.value(NET, counted=True), *[share.net] * audited]
        cells = (ranged(*net) if net else FEW for net in nets)
        rows.append((share.group, share.actor, share.counts.n, *given, *cells))
    title = f"{count(sum(share.n for share in shares), 'answer')} whose holder is known"
    return stacked([[title], table(rows, most=PAIRS, noun="pair")])


# --- Tables: a corpus checked, an actor book, the aliases in a table ---


def check_lines(figures: Figures) -> list[str]:
    """Return the lines about what in a corpus would spoil a study."""
    files = ", ".join(f"{shown(file['name'], 40)} ({file['rows']:,})" for file in figures["files"])
    sizes = ", ".join(count(figures[f"{noun}s"], noun) for noun in ("row", "document", "text"))
    total = max(figures["rows"], 1)
    rows_of = {name: part["rows"] for name, part in figures["classes"].items()}
    classes = "  ".join(f"{name} {n:,} ({100 * n / total:.0f} %)" for name, n in rows_of.items())
    findings = facts(((one["severity"], one["text"]) for one in figures["findings"]), 8)
    passed = wrap(f"passed: {', '.join(figures['passed'])}") if figures["passed"] else []
    rows: list[Row] = [("agreement [95 % interval]", "rows", "alpha", "agreed")]
    if agreement := figures["agreement"]:
        for name, part in ({"all": agreement} | agreement["per_label"]).items():
            rows.append((name, part["units"], *map(_coefficient, (part["alpha"], part["percent"]))))
    number = sum(finding["severity"] == "spoils" for finding in figures["findings"])
    what = f"{count(number, 'finding')} would" if number else "nothing found that would"
    verdict = [f"{what} spoil a study; examples are file:row"]
    return stacked([[*wrap(files), sizes, *wrap(classes)], findings, passed, table(rows), verdict])


def _coefficient(figures: Figures) -> str:
    if figures["value"] is None:
        return "-"
    ends = ", ".join(f"{end:.2f}" for end in figures["interval"] or ())
    return f"{figures['value']:.2f}" + (f" [{ends}]" if ends else "")


def book_lines(book: "ActorBook") -> list[str]:
    """Return an actor book as lines of a screen."""
    lines = []
    for actor in book.actors:
        lines.append(f"{shown(actor.name)} ({shown(actor.kind)})")
        aliases = [(kind, actor.aliases.get(kind, ())) for kind in ALIAS_KINDS]
        for kind, names in [*aliases, ("not", actor.exclusions)]:
            if names:
                lines += wrap(", ".join(map(shown, names)), f"  {kind:<13}", " " * 15)
    return lines


def alias_lines(figures: Figures) -> list[str]:
    """Return which aliases fire in a table, as `stance.actors` counts them."""
    rows = []
    for actor, part in figures["actors"].items():
        names = [f"{shown(alias)} {number:,}" for alias, number in part["aliases"].items()]
        rows.append((f"{shown(actor)} ({part['rows']:,})", listed(names, ALIASES, "name")))
    named = figures["rows_with_actor"]
    head = f"{count(figures['rows'], 'row')}; {named:,} name{'s' * (named == 1)} an actor"
    return [head, *facts(rows, 24)]
