"""The report on an evaluation: one record of all that its page says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stance.corpus import Source
from stance.evaluation.intervals import Interval
from stance.reports import _charts as charts
from stance.reports import _page as page
from stance.reports._charts import Estimate, Line
from stance.reports._examples import Mistake
from stance.reports._page import Cell
from stance.screens import Figures, bounds, percent

MOST_GROUPS = 20  # groups in a chart; tables have all

RIVALS = {  # name of each baseline, and what it does
    "target_blind": ("target-blind words", "the same training data, blind to the actor"),
    "lexicon": ("polarity lexicon", "counts good and bad words near the actor"),
    "majority": ("majority label", "always the most frequent label"),
}

DIVISIONS = {  # title of each breakdown, and the name of one group
    "per_actor": ("Actors", "actor"),
    "per_source": ("Sources", "source"),
    "per_genre": ("Genres", "genre"),
    "per_year": ("Years", "year"),
    "per_corpus": ("Corpora", "corpus"),
}


@dataclass(frozen=True, slots=True)
class Score:
    name: str
    value: float
    interval: Interval | None
    note: str = ""

    @property
    def words(self) -> str:
        return f"{percent(self.value)}{bounds(self.interval)}"

    def line(self) -> Line:
        words = self.words + (f", {self.note}" if self.note else "")
        mark = Estimate(self.value, self.interval)
        return Line(page.named(self.name, charts.PHONE), words, (mark,))

    def cells(self) -> tuple[Cell, Cell, Cell]:
        return (self.value, *(self.interval or (None, None)))


@dataclass(frozen=True, slots=True)
class Rival:
    """A baseline, what it does, and by how much the model's macro-F1 is above its own."""

    score: Score
    what: str
    gain: Score | None

    @property
    def verdict(self) -> str:
        """Whether the model is better, in words that the rival's name ends."""
        if self.gain is None or self.gain.interval is None:
            return "the documents are too few to show whether the model is better than"
        low, high = self.gain.interval
        if high < 0:
            return "the model is shown to be worse than"
        return f"the model is {'' if low > 0 else 'not '}shown to be better than"


@dataclass(frozen=True, slots=True)
class Division:
    key: str
    title: str
    groups: tuple[tuple[Score, Figures], ...]

    @property
    def charted(self) -> bool:
        """Whether there is a chart: not of many groups, none of which can be trusted."""
        trusted = any(part.get("trusted", True) for _, part in self.groups)
        return trusted or len(self.groups) <= MOST_GROUPS


@dataclass(frozen=True)
class EvaluationReport:
    """All that the page on an evaluation says; what is derived is computed once."""

    scores: Figures  # as `stance.evaluation.Report.to_json` returns them
    card: Figures  # the model's
    sources: Sequence[Source]  # corpora that it was evaluated on
    mistakes: Sequence[Mistake] = ()  # wrong answers to show
    model: tuple[str, str] | None = None  # name and sha256 of its file

    @cached_property
    def macro_f1(self) -> Score:
        return score_of("this model", self.scores)

    @cached_property
    def accuracy(self) -> Score:
        return score_of("accuracy", self.scores, "accuracy")

    @cached_property
    def rivals(self) -> dict[str, Rival]:
        parts = self.scores["baselines"]
        return {
            key: Rival(score_of(name, part), what, score_of(name, gain) if gain else None)
            for key, (name, what) in RIVALS.items()
            if (part := parts.get(key))
            for gain in [part.get("difference")]
        }

    @cached_property
    def divisions(self) -> list[Division]:
        """The breakdowns that have more than one group to compare, or are not by corpus."""
        return [
            Division(key, title, tuple(_groups(self.scores[key])))
            for key, (title, _) in DIVISIONS.items()
            if len(self.scores.get(key, {})) > (key == "per_corpus")
        ]

    @cached_property
    def notes(self) -> list[str]:
        tone = (self.scores.get("sentiment") or {}).get("notes", [])
        return [*map(str, self.scores.get("notes", [])), *(f"sentiment: {note}" for note in tone)]

    @cached_property
    def confidence(self) -> float | None:
        bins = self.scores.get("reliability") or []
        rows = sum(each["n"] for each in bins)
        return sum(each["n"] * each["confidence"] for each in bins) / rows if rows else None

    @cached_property
    def surest_half(self) -> Figures | None:
        """The point of the risk curve nearest to one half of the rows answered."""
        curve = self.scores.get("risk_coverage") or []
        return min(curve, key=lambda each: abs(each["coverage"] - 0.5), default=None)


def interval_of(value: Any) -> Interval | None:
    return None if value is None else (float(value[0]), float(value[1]))


def score_of(name: str, part: Figures, key: str = "macro_f1", interval: str = "") -> Score:
    return Score(name, part[key], interval_of(part.get(interval or f"{key}_interval")))


def _groups(parts: Mapping[str, Figures]) -> Iterator[tuple[Score, Figures]]:
    for name, part in parts.items():
        found = interval_of(part.get("interval", part.get("macro_f1_interval")))
        interval = None if found and found[0] == found[1] else found  # all resamples score the same
        note = f"n {part['n']:,}{'' if part.get('trusted', True) else ', few'}"
        yield Score(name, part["macro_f1"], interval, note), part
