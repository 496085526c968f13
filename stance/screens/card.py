"""A model's card as lines on a screen."""

from collections.abc import Iterator, Mapping
from typing import Any

from stance.display import shown, wrap
from stance.model.familiarity import Reference
from stance.screens.prospects import forecast_text, repeats_text

MOST = 15
"""Corpora, genres and actors whose scores are shown; the manifest has all."""


def card_lines(manifest: Mapping[str, Any]) -> list[str]:
    """Return what the manifest says, for people."""
    return list(_lines(manifest))


def _lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    recipe = manifest["recipe"]
    heads = f"recipe '{shown(recipe['name'])}', {manifest['language']}, {_heads(manifest)}"
    yield from _wrapped(heads, "model     ")
    blocks = recipe["features"]["blocks"]
    yield "blocks    " + ", ".join(f"{shown(name)} {weight:g}" for name, weight in blocks.items())
    if "name" in blocks:
        yield "WARNING   the actor's name is a feature: the model has learned a prior about actors,"
        yield "          which is the very thing that a study wants to measure"
    book = f"{len(manifest['book'])} in the book: {_some(list(manifest['book']))}"
    yield from _wrapped(book, "actors    ")
    for source in manifest["data"]:
        classes = ", ".join(f"{number:,} {shown(k)}" for k, number in source["classes"].items())
        rows = f"{shown(source['name'])}: {source['rows']:,} rows ({classes})"
        yield from _wrapped(rows, "data      ")
        yield from _wrapped(f"licence: {source.get('licence', 'not stated')}", " " * 10)
        yield f"sha256    {source['sha256']}"
    scores = manifest["scores"]
    if "macro_f1" in scores:
        low, high = scores["macro_f1_interval"]
        yield from _wrapped(
            f"macro-F1 {100 * scores['macro_f1']:.1f} [{100 * low:.1f}, {100 * high:.1f}] by "
            f"cross-validation over {scores['documents']:,} documents, "
            f"ECE {100 * scores['ece']:.1f} %",
            "scores    ",
        )
        base = scores["baselines"]
        yield (
            f"          beside majority {100 * base['majority']['macro_f1']:.1f}, "
            f"target-blind words {100 * base['target_blind']['macro_f1']:.1f}"
            + (f", lexicon {100 * base['lexicon']['macro_f1']:.1f}" if "lexicon" in base else "")
        )
        for title, key in (
            ("corpus", "per_corpus"),
            ("source", "per_source"),
            ("genre", "per_genre"),
            ("actor", "per_actor"),
        ):
            for name, part in list(scores.get(key, {}).items())[:MOST]:
                yield _group_line(title, name, part)
    yield from _prospects(manifest)
    yield from _drift(manifest.get("reference"))
    yield f"made by   {', '.join(f'{k} {shown(v)}' for k, v in manifest['versions'].items())}"
    yield f"          seed {manifest['seed']}, temperature {manifest['temperature']:.4f}"
    for limit in manifest["limits"]:
        yield from _wrapped(limit, "limits    ")


def _prospects(manifest: Mapping[str, Any]) -> Iterator[str]:
    if "repeats" in manifest:
        yield from _wrapped(repeats_text(manifest["repeats"]), "repeats   ")
    if "learning_curve" in manifest:
        curve = manifest["learning_curve"]
        points = (f"{100 * p['macro_f1']:.1f} from {p['rows']:,.0f}" for p in curve["points"])
        yield from _wrapped(f"macro-F1 by rows: {', '.join(points)}", "curve     ")
        yield from _wrapped(forecast_text(curve), " " * 10)


def _drift(table: Mapping[str, Any] | None) -> Iterator[str]:
    if table is None:
        yield "drift     not checked: the model was saved without numbers of its training texts"
        return
    reference = Reference.from_table(table)
    low, middle, high = reference.length
    language = "language is not checked, for there were too few"
    if reference.familiarity is not None:
        language = f"uncertain below a familiarity of {reference.threshold:.2f} (another language)"
    yield from _wrapped(
        f"input is compared with {reference.paragraphs:,} training paragraphs: {low} to {high} "
        f"words (median {middle}), {100 * reference.unknown:.1f} % of words unknown to the other "
        f"documents; {language}",
        "drift     ",
    )


def _group_line(title: str, name: str, part: Mapping[str, Any]) -> str:
    bounds = part.get("macro_f1_interval", part.get("interval"))
    words = "no interval" if bounds is None else f"[{100 * bounds[0]:.1f}, {100 * bounds[1]:.1f}]"
    return (
        f"          {title} {shown(name, 30):<31} {100 * part['macro_f1']:5.1f} "
        f"{words:<13} n {part['n']:,}"
    )


def _wrapped(text: str, lead: str) -> list[str]:
    return wrap(shown(text, 1000), lead, " " * len(lead))


def _heads(manifest: Mapping[str, Any]) -> str:
    counts = {
        name: sum(block["features"] for block in head["blocks"])
        for name, head in manifest["heads"].items()
    }
    return ", ".join(f"{name} {count:,} features" for name, count in counts.items())


def _some(names: list[str], most: int = 8) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + rest
