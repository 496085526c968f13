"""The page on an evaluation: what scores say in words, their charts and tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance.corpus import Source
from stance.display import shown
from stance.files import AtomicGroup
from stance.records import UNCERTAIN
from stance.reports import _page as page
from stance.reports._charts import (
    Axis,
    Estimate,
    Line,
    MatrixCell,
    curve,
    heat,
    share_axis,
    whiskers,
)
from stance.reports._figures import ROWS, Cell, Column, Data, Figure, text_column, with_interval
from stance.reports._paragraphs import Quotation
from stance.screens import Figures, percent, ranged
from stance.storage import model_hash

HEATS = 5  # shades of a share, from none to all
MOST_GROUPS = 20  # groups in a chart; tables have all

RIVALS = {  # name of each baseline, and what it does
    "target_blind": ("target-blind words", "the same training data, blind to the actor"),
    "lexicon": ("polarity lexicon", "counts good and bad words near the actor"),
    "majority": ("majority label", "always the most frequent label"),
}
DIVISIONS = {  # title of each breakdown, and the name of one group
    "per_actor": ("actor", "Actors"),
    "per_source": ("source", "Sources"),
    "per_genre": ("genre", "Genres"),
    "per_year": ("year", "Years"),
    "per_corpus": ("corpus", "Corpora"),
}
CLASS_SCORES = {"precision": "precision", "recall": "recall", "f1": "F1"}
MACRO_F1 = with_interval("macro-F1, %", "macro_f1", "macro_f1_low", "macro_f1_high")


@dataclass(frozen=True, slots=True)
class Score:
    """A score between 0 and 1, or a difference of two, with its interval."""

    name: str
    value: float
    interval: tuple[float, float] | None

    @classmethod
    def of(cls, name: str, part: Figures, key: str = "macro_f1", interval: str = "") -> "Score":
        """Return a score of an evaluation by its key."""
        return cls(name, part[key], interval_of(part.get(interval or f"{key}_interval")))

    @property
    def words(self) -> str:
        """The score as a sentence has it."""
        return ranged(self.value, self.interval)

    @property
    def cells(self) -> tuple[Cell, Cell, Cell]:
        """The score as a table has it."""
        return (self.value, *(self.interval or (None, None)))

    def line(self, *, trusted: bool = True) -> Line:
        """Return the score as a chart has it."""
        words = self.words if trusted else f"{percent(self.value)}, few"
        return Line(page.named(self.name), words, (Estimate(self.value, self.interval),))


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


def interval_of(value: Any) -> tuple[float, float] | None:
    """Return an interval of an evaluation."""
    return None if value is None else (float(value[0]), float(value[1]))


def rivals_of(scores: Figures) -> dict[str, Rival]:
    """Return the baselines that an evaluation knows."""
    rivals = {}
    for key, (name, what) in RIVALS.items():
        if part := scores["baselines"].get(key):
            gain = part.get("difference")
            rivals[key] = Rival(Score.of(name, part), what, Score.of(name, gain) if gain else None)
    return rivals


def _rivals_figure(scores: Figures, rivals: Mapping[str, Rival]) -> Figure:
    known = [Score.of("this model", scores), *(rival.score for rival in rivals.values())]
    gains = [None, *(rival.gain for rival in rivals.values())]
    columns = (
        text_column("model"),
        *MACRO_F1,
        *with_interval("gain, points", "gain", kind="signed"),
    )
    rows = [
        [score.name, *score.cells, *(gain.cells if gain else [None] * 3)]
        for score, gain in zip(known, gains, strict=True)
    ]
    chart = whiskers([score.line() for score in known], share_axis(title="macro-F1"))
    return Figure("rivals", "Macro-F1 beside baselines", chart, Data("baselines", columns, rows))


def _class_scores(scores: Figures, name: str) -> Data:
    """Return precision, recall and F1 of each class."""
    known = scores.get("per_class_intervals") or {}
    columns = [text_column("class"), ROWS]
    for key, title in CLASS_SCORES.items():
        columns += with_interval(f"{title}, %", key, f"{key}_low", f"{key}_high")
    rows = []
    for label, part in scores["per_class"].items():
        cells: list[Cell] = [label, part["support"]]
        for key in CLASS_SCORES:
            cells += (part[key], *(interval_of(known.get(label, {}).get(key)) or (None, None)))
        rows.append(cells)
    return Data(f"{name}-scores", columns, rows)


def _confusion_figure(scores: Figures) -> Figure:
    labels, withheld = list(map(str, scores["labels"])), scores.get("withheld") or {}
    silent = [UNCERTAIN] * any(withheld.values())
    columns = (Column(label, label, "count") for label in (*labels, *silent))
    rows = [
        [label, *row, *(withheld[label] for _ in silent)]
        for label, row in zip(labels, scores["confusion"], strict=True)
    ]
    data = Data("confusion", (text_column("labelled"), *columns), rows)
    cells = [(page.named(row[0]), [_heated(n, sum(row[1:])) for n in row[1:]]) for row in rows]
    heads = [page.named(head, page.SHORT) for head in (*labels, *silent)]
    chart = heat(heads, cells, "labelled / predicted")
    return Figure("confusion", "Labelled and predicted", chart, data)


def _heated(number: int, total: int) -> MatrixCell:
    share = number / total if total else 0.0
    shade = f"heat{min(int(share * HEATS), HEATS - 1)}"
    return MatrixCell(f"{number:,}", f"{100 * share:.0f} %", shade)


def _reliability_figure(bins: Sequence[Figures]) -> Figure:
    rows, marks = [], []
    for part in bins:
        right = Score.of(f"{part['low']:.2f}–{part['high']:.2f}", part, "accuracy", "interval")
        rows.append([right.name, part["n"], part["confidence"], *right.cells])
        marks.append((part["confidence"], Estimate(right.value, right.interval)))
    ticks = ((0.4, "40"), (0.6, "60"), (0.8, "80"), (1.0, "100 %"))
    x = Axis(min(1 / 3, *(place for place, _ in marks)), 1, ticks, title="probability")
    sure = Column("mean probability, %", "confidence", "share")
    columns = (Column("probability", "bin"), ROWS, sure, *with_interval("right, %", "accuracy"))
    chart = curve(marks, x, share_axis(title="answers that are right"), equality=True)
    data = Data("reliability", columns, rows)
    return Figure("reliability", "Probability and accuracy", chart, data)


def _divisions(scores: Figures) -> Iterator[tuple[Figure, int]]:
    """Yield the figure of each breakdown of more than one group, and how many groups it has."""
    for key, (noun, title) in DIVISIONS.items():
        parts = scores.get(key, {})
        if len(parts) <= (key == "per_corpus"):
            continue
        lines, rows = [], list[list[Cell]]()
        for name, part in parts.items():
            ends = interval_of(part.get("interval", part.get("macro_f1_interval")))
            ends = None if ends and ends[0] == ends[1] else ends  # all documents score the same
            score = Score(name, part["macro_f1"], ends)
            rows.append([name, part["n"], *score.cells, part.get("ece")])
            lines.append(score.line(trusted=part.get("trusted", True)))
        error = Column("calibration error, %", "ece", "share")
        data = Data(key.replace("_", "-"), (Column(noun, "group"), ROWS, *MACRO_F1, error), rows)
        chart = whiskers(lines[:MOST_GROUPS], share_axis(title="macro-F1"))
        yield Figure(f"{key}-chart", title, chart, data), len(lines)


def _stress(tests: Sequence[Figures]) -> Data:
    texts = map(text_column, ("test", "promise"))
    counts = (Column(name, name, "count") for name in ("cases", "failures"))
    rows: list[list[Cell]] = []
    for test in tests:
        cells = Score(test["name"], test["rate"], interval_of(test["interval"])).cells
        rows.append([test["name"], test.get("promise", ""), test["n"], test["failures"], *cells])
    return Data("stress", (*texts, *counts, *with_interval("failures, %", "rate")), rows)


def _trust(scores: Figures) -> dict[str, Any]:
    """Return the mean probability of the answers, and the point of half of them answered."""
    bins, curve = scores.get("reliability") or [], scores.get("risk_coverage") or []
    rows = sum(part["n"] for part in bins)
    mean = sum(part["n"] * part["confidence"] for part in bins) / rows if rows else None
    half = min(curve, key=lambda point: abs(point["coverage"] - 0.5), default=None)
    return {"confidence": mean, "half": half}


def write_evaluation(
    path: Path,
    scores: Figures,
    card: Figures,
    sources: Sequence[Source],
    mistakes: Sequence[Quotation],
    together: AtomicGroup,
    *,
    model: Path | None = None,
    force: bool = False,
) -> None:
    """Write the page on an evaluation, as a part of what is written together."""
    file = (model.name, model_hash(model)) if model else None
    together.write(path, compose(scores, card, sources, mistakes, file), force=force)


def compose(
    scores: Figures,
    card: Figures,
    sources: Sequence[Source],
    mistakes: Sequence[Quotation] = (),
    model: tuple[str, str] | None = None,
) -> bytes:
    """Return the page; ``model`` is the name and the sha256 of its file."""
    tone, rivals = scores.get("sentiment"), rivals_of(scores)
    tests = (scores.get("stress") or {}).get("tests", [])
    columns = (text_column("corpus"), ROWS, text_column("sha256"))
    tested: list[list[Cell]] = [[source.name, source.rows, source.sha256] for source in sources]
    trained = [[part["name"], part["rows"], part["sha256"]] for part in card.get("data", [])]
    notes = [*scores.get("notes", [])]
    notes += (f"sentiment: {note}" for note in (tone or {}).get("notes", []))
    bins = scores.get("reliability")
    return page.render(
        "evaluation",
        1,
        title=f"Evaluation of {shown(model[0], 80) if model else 'a stance model'}",
        **{"scores": scores, "rivals": rivals, "model": model, "notes": notes},
        **{"mistakes": mistakes, "sources": sources, "tone": tone, **_trust(scores)},
        macro_f1=Score.of("this model", scores),
        accuracy=Score.of("accuracy", scores, "accuracy"),
        conflict=scores.get("conflict") or {"n": 0},
        **{name: scores.get(name) for name in ("leakage", "uncertain")},
        compared=_rivals_figure(scores, rivals),
        classes=_class_scores(scores, "classes"),
        confusion=_confusion_figure(scores),
        reliability=bins and _reliability_figure(bins),
        divisions=list(_divisions(scores)),
        stress=tests and _stress(tests),
        tone_classes=tone and _class_scores(tone, "sentiment"),
        tested=Data("evaluated-on", columns, tested),
        trained=Data("trained-on", columns, trained),
        versions=", ".join(f"{name} {n}" for name, n in card.get("versions", {}).items()),
        most_groups=MOST_GROUPS,
    )
