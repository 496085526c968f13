"""What more labels would gain, and which actors lack them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stance.arrays import Floats, Ints
from stance.corpus import Corpus
from stance.display import count, shown
from stance.evaluation.answers import plain
from stance.evaluation.bootstrap import percentile_interval
from stance.fitting.folds import LARGE, is_large
from stance.fitting.repeats import Repeats
from stance.reading.actors import ActorBook
from stance.reading.keys import numbered
from stance.records import Stance
from stance.screens.model import prospects_lines

POWERS = np.geomspace(0.05, 2.0, 60)  # exponents tried: from nearly logarithmic to nearly flat
FORESEEN = (1.25, 2.0)  # multiples of the labels that are forecast

# Documents below which there is no forecast (``training/forecasts.py``): from 50 of NewsMTSC, the
# range of a doubling missed the true gain in 4 of 20 draws, from 100 and more in none or one.
FEWEST_DOCUMENTS = 100

POINTS = 4  # points below which three parameters fit anything
# Macro-F1 that the points may stray from the fitted curve, root of the weighted mean square; on
# 20 draws of 100 documents of NewsMTSC it was below 0.019 in 95 %.
POOR = 0.02

# Kappa of successive models' answers from which they are stable (Bloodgood and Vijay-Shanker 2009,
# "A Method for Stopping Active Learning Based on Stabilizing Predictions").
STABLE = 0.99
WORTH = 0.01  # macro-F1 that twice the labels must gain to be worth their while

LABEL_ROWS = 10  # rows that each label of an actor should have
OFTEN = 20  # texts that must name an actor without labels before labels are advised
SELDOM = 5  # texts below which an actor is too rare for advice
WIDE = 0.2  # width of an actor's interval that more rows should bring down
MOST = 10  # actors that get advice


@dataclass(frozen=True, slots=True)
class Advice:
    """What an actor lacks."""

    actor: str
    rows: int  # labelled ones
    texts: int  # that name the actor or judge it
    missing: Mapping[str, int]  # rows in all, and by label if it has fewer than `LABEL_ROWS`
    text: str  # one line

    @property
    def use(self) -> float:
        """Texts that name the actor, times the share of its wanted rows that is missing."""
        wanted = self.missing["rows"]
        return self.texts * wanted / (self.rows + wanted)

    def to_json(self) -> dict[str, Any]:
        """Return the advice as a JSON object."""
        missing = dict(self.missing)
        return {"actor": self.actor, "rows": self.rows, "missing": missing, "text": self.text}


@dataclass(frozen=True, slots=True)
class Prospects:
    """The luck of the folds, what more labels would gain, and where they are missing."""

    repeats: Mapping[str, Any]
    learning_curve: Mapping[str, Any] | None  # None if the recipe goes without
    advice: Sequence[Advice]  # the most useful first
    stopping: Mapping[str, Any] | None = None  # whether to go on labelling, with a learning curve

    def card(self) -> dict[str, Any]:
        """Return what a model's card keeps."""
        curve = {} if self.learning_curve is None else {"learning_curve": self.learning_curve}
        return {"repeats": self.repeats, **curve}

    def to_json(self) -> dict[str, Any]:
        """Return everything as one object for JSON."""
        stopping = {} if self.stopping is None else {"stopping": self.stopping}
        return self.card() | stopping | {"advice": [each.to_json() for each in self.advice]}

    def lines(self) -> list[str]:
        """Return a plain-text screen, each line under 80 columns."""
        texts = [each.text for each in self.advice]
        return prospects_lines(self.repeats, self.learning_curve, texts, self.stopping)


@dataclass(frozen=True, slots=True)
class PowerLaws:
    """Curves y = top - gap * x ** -power, one per draw."""

    top: Floats  # what the curve tends to, at most 1
    gap: Floats  # how far below that it is at x = 1; never negative: more labels do not harm
    power: Floats
    error: Floats  # root of the weighted mean square of what the curve leaves over

    def gain(self, factor: float) -> Floats:
        """Return how much y grows from x = 1 to x = factor."""
        grown: Floats = self.gap * (1 - factor**-self.power)
        return grown


def fit_power_laws(size: Floats, scores: Floats) -> PowerLaws:
    """Fit an inverse power law to each draw of a learning curve by weighted least squares.

    The law and the weights are those of Figueroa, Zeng-Treitler, Kandula and Ngo 2012, "Predicting
    sample size required for classification performance". ``top`` and ``gap`` have a closed form for
    each exponent. Sizes are relative; scores are of shape (n_draws, n_points).

    >>> size = np.array([0.1, 0.2, 0.4, 0.7, 1.0])
    >>> law = fit_power_laws(size, (0.7 - 0.1 * size**-POWERS[30])[None])
    >>> law.top.round(4).tolist(), law.gap.round(4).tolist(), law.gain(2.0).round(4).tolist()
    ([0.7], [0.1], [0.0202])
    """
    weight = size / size.sum()
    basis = size ** -POWERS[:, None]  # (n_powers, n_points)
    centre, mean = basis @ weight, scores @ weight
    spread = (basis - centre[:, None]) * weight
    gap = -(scores @ spread.T) / (spread * basis).sum(axis=1)  # (n_draws, n_powers)
    gap = np.maximum(gap, 0.0)
    top = mean[:, None] + gap * centre
    capped = ((1 - scores) * weight) @ basis.T / (basis**2 @ weight)  # the best gap where top is 1
    top, gap = np.minimum(top, 1.0), np.where(top > 1, capped, gap)
    left = scores[:, None] - top[..., None] + gap[..., None] * basis
    error = np.sqrt((left**2) @ weight)
    best = error.argmin(axis=1)
    rows = np.arange(len(scores))
    return PowerLaws(top[rows, best], gap[rows, best], POWERS[best], error[rows, best])


def learning_curve(repeats: Repeats, bounds: Floats, drawn: Floats, rows: int) -> dict[str, Any]:
    """Return the points of a learning curve, and what more labels would gain.

    The forecast starts from ``rows``, the labels that the model is fitted on. Its gains are 95 %
    intervals for documents of the same kind; if nothing can be forecast, ``why`` says why.
    """
    mean = repeats.scores.mean(axis=0)
    columns = (repeats.shares, repeats.documents, repeats.rows, mean, *bounds)
    names = ("share", "documents", "rows", "macro_f1", "low", "high")
    points = [dict(zip(names, point, strict=True)) for point in zip(*columns, strict=True)]
    found = _forecast(repeats, drawn, rows)
    forecast = {"forecast": None, "why": found} if isinstance(found, str) else {"forecast": found}
    return plain({"points": points} | forecast)


def _forecast(repeats: Repeats, drawn: Floats, rows: int) -> dict[str, Any] | str:
    documents, points = len(repeats.confusion), len(repeats.shares)
    if documents < FEWEST_DOCUMENTS:
        few = count(documents, "document")
        return f"{few} are too few for a forecast; label {FEWEST_DOCUMENTS}"
    if is_large(rows):
        return f"from {LARGE:,} rows on, there are no repeats, which a forecast needs"
    if len(repeats.seeds) < 2:
        return (
            "one repeat does not show the luck of the folds; the recipe needs repeats = 2 or more"
        )
    if points < POINTS:
        return f"only {points} parts of the documents hold every class; label more of the rare ones"
    size = np.array(repeats.rows) / rows
    law = fit_power_laws(size, repeats.scores.mean(axis=0)[None])
    if law.error[0] > POOR:
        return f"the points stray {100 * law.error[0]:.1f} from any curve that levels off"
    laws = fit_power_laws(size, drawn)
    near, far = (_gain(laws, rows, factor) for factor in FORESEEN)
    return near | {"doubled": far}


def _gain(laws: PowerLaws, rows: int, factor: float) -> dict[str, Any]:
    """Return what about so many times the labels would gain."""
    more = int(float(f"{(factor - 1) * rows:.2g}"))  # two significant digits
    low, high = percentile_interval(laws.gain(1 + more / rows))
    text = f"about {more:,} more labels would gain {_points(low, high)}"
    return {"more_rows": more, "gain": [low, high], "text": text}


def _points(low: float, high: float) -> str:
    """Return a range of macro-F1 in percentage points.

    >>> _points(0.0101, 0.0204), _points(0.0003, 0.008), _points(0, 0.0003)
    ('1.0 to 2.0 points', 'at most 0.8 points', 'less than 0.1 points')
    """
    first, last = f"{100 * low:.1f}", f"{100 * high:.1f}"
    if last == "0.0":
        return "less than 0.1 points"
    return f"at most {last} points" if first == "0.0" else f"{first} to {last} points"


def advise_stopping(repeats: Repeats, curve: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether to go on labelling: ``verdict`` is go on, stop or open, ``text`` says why.

    Stable answers (`STABLE`) stop, else the forecast of what twice the labels would gain decides.
    ``training/forecasts.py`` shows how often each verdict was right.
    """
    last = repeats.stability[-1] if repeats.stability else None
    verdict, why = _verdict(last, curve, len(repeats.confusion))
    if last is not None:
        share = round(100 * (1 - repeats.shares[-2]))
        why += f"; the last {share} % of the documents changed answers to kappa {last:.3f}"
        why += f" (stable from {STABLE:.2f})"
    text = {
        "stop": "stop labelling more of the same",
        "go on": "go on labelling",
        "open": "it is open whether more labels help",
    }
    return plain(
        {"kappa": list(repeats.stability), "verdict": verdict, "text": f"{text[verdict]}: {why}"}
    )


def _verdict(kappa: float | None, curve: Mapping[str, Any], documents: int) -> tuple[str, str]:
    if kappa is not None and kappa >= STABLE:
        return "stop", "answers are stable"
    if curve["forecast"] is None:
        return "go on" if documents < FEWEST_DOCUMENTS else "open", curve["why"]
    low, high = curve["forecast"]["doubled"]["gain"]
    why = f"twice the labels would gain {_points(low, high)}"
    return ("stop" if high < WORTH else "go on" if low + high >= 2 * WORTH else "open"), why


def advise(corpus: Corpus, book: ActorBook, scores: Mapping[str, Any]) -> list[Advice]:
    """Return for which actors labels would be most useful, the most useful first, at most `MOST`.

    ``scores`` holds ``macro_f1`` and ``per_actor``, as `stance.evaluation.score` returns them.
    """
    _, first = np.unique(corpus.marks.exact, return_index=True)
    pairs = book.named(corpus.texts[row] for row in first.tolist())
    named = np.bincount(pairs[:, 1], minlength=len(book))  # texts by actor
    found = [*_labelled(corpus, book, named, scores), *_never_labelled(corpus, book, named)]
    return sorted(found, key=lambda advice: (-advice.use, advice.actor))[:MOST]


def _labelled(
    corpus: Corpus, book: ActorBook, named: Ints, scores: Mapping[str, Any]
) -> Iterator[Advice]:
    proper = book.proper_names(corpus.actors)
    names = sorted(set(proper))
    numbers = {name: number for number, name in enumerate(names)}
    place = np.array([numbers[name] for name in proper])
    counts = np.zeros((len(names), len(Stance)), np.int64)
    np.add.at(counts, (place, corpus.stance), 1)
    paragraph, _ = numbered(corpus.marks.exact)
    judged = np.bincount(np.unique(place * len(corpus) + paragraph) // len(corpus)).tolist()
    for number, name in enumerate(names):
        rows, known = int(counts[number].sum()), book.number(name)
        texts = max(judged[number], int(named[known]) if known >= 0 else 0)
        few = {
            str(label): LABEL_ROWS - have
            for label, have in zip(Stance, counts[number].tolist(), strict=True)
            if have < LABEL_ROWS
        }
        score = scores["per_actor"].get(name, {})
        more, reasons = _by_score(rows, score, scores["macro_f1"])
        if few:
            reasons = [_few(few), *reasons]
        if reasons and texts >= SELDOM:
            missing = {"rows": max(more, sum(few.values()))} | few
            text = f"{shown(name, 40)} ({count(rows, 'row')}): {'; '.join(reasons)}"
            yield Advice(name, rows, texts, missing, text)


def _few(missing: Mapping[str, int]) -> str:
    return "label " + ", ".join(f"{rows} more {label}" for label, rows in missing.items())


def _by_score(rows: int, score: Mapping[str, Any], whole: float) -> tuple[int, list[str]]:
    """Return how many rows an actor's score asks for, and why."""
    if not score or score["interval"] is None or not score["trusted"]:
        return 0, []
    low, high = score["interval"]
    figure = f"macro-F1 {100 * score['macro_f1']:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    if high < whole:
        return rows, [
            f"{figure} is below the overall {100 * whole:.1f}: read its wrong answers, then label "
            "as many again"
        ]
    if high - low > WIDE:
        # An interval narrows with the root of the rows.
        more = 10 * math.ceil(rows * (((high - low) / WIDE) ** 2 - 1) / 10)
        return more, [
            f"{figure} is wide: about {more:,} more rows would narrow it to {100 * WIDE:.0f} points"
        ]
    return 0, []


def _never_labelled(corpus: Corpus, book: ActorBook, named: Ints) -> Iterator[Advice]:
    """Advise on actors that the texts often name and no row judges."""
    judged = {book.number(name) for name in set(corpus.actors)}
    for number, texts in enumerate(named.tolist()):
        if texts >= OFTEN and number not in judged:
            name = book.names[number]
            few = {str(label): LABEL_ROWS for label in Stance}
            text = f"{shown(name, 40)}: named in {texts:,} texts but never labelled; {_few(few)}"
            yield Advice(name, 0, texts, {"rows": sum(few.values())} | few, text)
