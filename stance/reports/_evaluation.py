"""The page on an evaluation: what scores say in words, their charts and tables."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from stance.corpus import Source
from stance.display import shown
from stance.records import UNCERTAIN
from stance.reports import _charts as charts
from stance.reports import _page as page
from stance.reports._figures import ROWS, Cell, Column, Data, Figure, text_column, with_interval
from stance.reports._paragraphs import Quotation
from stance.screens import Figures, percent, ranged

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
    interval: Sequence[float] | None

    @classmethod
    def of(cls, name: str, part: Figures, key: str = "macro_f1", interval: str = "") -> "Score":
        """Return a score of an evaluation by its key."""
        return cls(name, part[key], part.get(interval or f"{key}_interval"))

    @property
    def words(self) -> str:
        """The score as a sentence has it."""
        return ranged(self.value, self.interval)

    @property
    def cells(self) -> list[Cell]:
        """The score as a table has it."""
        return [self.value, *(self.interval or (None, None))]

    def line(self, *, trusted: bool = True) -> charts.Line:
        """Return the score as a chart has it."""
        words = self.words if trusted else f"{percent(self.value)}, few"
        return charts.Line(
            page.named(self.name), words, (charts.Estimate(self.value, self.interval),)
        )


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


def rivals_of(scores: Figures) -> dict[str, Rival]:
    """Return the baselines that an evaluation knows."""
    rivals = {}
    for key, (name, what) in RIVALS.items():
        if part := scores["baselines"].get(key):
            gain = part.get("difference")
            rivals[key] = Rival(Score.of(name, part), what, Score.of(name, gain) if gain else None)
    return rivals


def _rivals_figure(model: Score, rivals: Iterable[Rival]) -> Figure:
    known = [(model, None), *((rival.score, rival.gain) for rival in rivals)]
    gain_columns = with_interval("gain, points", "gain", kind="signed")
    rows = [
        [score.name, *score.cells, *(gain.cells if gain else [None] * 3)] for score, gain in known
    ]
    data = Data("baselines", (text_column("model"), *MACRO_F1, *gain_columns), rows)
    chart = charts.whiskers(
        [score.line() for score, _ in known], charts.share_axis(title="macro-F1")
    )
    return Figure("rivals", "Macro-F1 beside baselines", chart, data)


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
            cells += Score(key, part[key], known.get(label, {}).get(key)).cells
        rows.append(cells)
    return Data(f"{name}-scores", columns, rows)


def _confusion_figure(scores: Figures) -> Figure:
    labels, withheld = list(map(str, scores["labels"])), scores.get("withheld") or {}
    heads = [*labels, *[UNCERTAIN] * any(withheld.values())]
    counts = dict(zip(labels, scores["confusion"], strict=True))
    rows = [[label, *([*row, withheld.get(label)][: len(heads)])] for label, row in counts.items()]
    columns = (text_column("labelled"), *(Column(head, head, "count") for head in heads))
    cells = [(page.named(row[0]), [_heated(n, sum(row[1:])) for n in row[1:]]) for row in rows]
    names = [page.named(head, page.SHORT) for head in heads]
    chart, data = (
        charts.heat(names, cells, "labelled / predicted"),
        Data("confusion", columns, rows),
    )
    return Figure("confusion", "Labelled and predicted", chart, data)


def _heated(number: int, total: int) -> charts.MatrixCell:
    share = number / total if total else 0.0
    shade = f"heat{min(int(share * HEATS), HEATS - 1)}"
    return charts.MatrixCell(f"{number:,}", f"{100 * share:.0f} %", shade)


def _reliability_figure(bins: Sequence[Figures]) -> Figure:
    rows, marks = [], []
    for part in bins:
        right = Score.of(f"{part['low']:.2f}–{part['high']:.2f}", part, "accuracy", "interval")
        rows.append([right.name, part["n"], part["confidence"], *right.cells])
        marks.append((part["confidence"], charts.Estimate(right.value, right.interval)))
    ticks = ((0.4, "40"), (0.6, "60"), (0.8, "80"), (1.0, "100 %"))
    x = charts.Axis(min(1 / 3, *(place for place, _ in marks)), 1, ticks, title="probability")
    sure = Column("mean probability, %", "confidence", "share")
    columns = (Column("probability", "bin"), ROWS, sure, *with_interval("right, %", "accuracy"))
    chart = charts.curve(marks, x, charts.share_axis(title="answers that are right"), equality=True)
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
            ends = part.get("interval", part.get("macro_f1_interval"))
            ends = None if ends and ends[0] == ends[1] else ends  # all documents score the same
            score = Score(name, part["macro_f1"], ends)
            rows.append([name, part["n"], *score.cells, part.get("ece")])
            lines.append(score.line(trusted=part.get("trusted", True)))
        error = Column("calibration error, %", "ece", "share")
        data = Data(key.replace("_", "-"), (Column(noun, "group"), ROWS, *MACRO_F1, error), rows)
        chart = charts.whiskers(lines[:MOST_GROUPS], charts.share_axis(title="macro-F1"))
        yield Figure(f"{key}-chart", title, chart, data), len(lines)


def _stress(tests: Sequence[Figures]) -> Data:
    names = [*map(text_column, ("test", "promise"))]
    names += (Column(name, name, "count") for name in ("cases", "failures"))
    rows: list[list[Cell]] = []
    for test in tests:
        cells = Score.of(test["name"], test, "rate", "interval").cells
        rows.append([test["name"], test.get("promise", ""), test["n"], test["failures"], *cells])
    return Data("stress", (*names, *with_interval("failures, %", "rate")), rows)


def evaluation_page(
    scores: Figures,
    card: Figures,
    sources: Sequence[Source],
    mistakes: Sequence[Quotation] = (),
    model: tuple[str, str] | None = None,
) -> bytes:
    """Return the page on an evaluation; ``model`` is the name and the sha256 of its file."""
    tone, rivals, macro_f1 = (
        scores.get("sentiment"),
        rivals_of(scores),
        Score.of("this model", scores),
    )
    tests, bins = (scores.get("stress") or {}).get("tests", []), scores.get("reliability") or []
    columns, coverage = (
        (text_column("corpus"), ROWS, text_column("sha256")),
        scores.get("risk_coverage"),
    )
    tested: list[list[Cell]] = [[source.name, source.rows, source.sha256] for source in sources]
    trained = [[part["name"], part["rows"], part["sha256"]] for part in card.get("data", [])]
    notes = [*scores.get("notes", [])]
    notes += (f"sentiment: {note}" for note in (tone or {}).get("notes", []))
    probability = sum(part["n"] * part["confidence"] for part in bins)
    return page.render(
        "evaluation",
        1,
        title=f"Evaluation of {shown(model[0], 80) if model else 'a stance model'}",
        **{"scores": scores, "rivals": rivals, "model": model, "notes": notes},
        **{"mistakes": mistakes, "sources": sources, "tone": tone, "macro_f1": macro_f1},
        accuracy=Score.of("accuracy", scores, "accuracy"),
        confidence=probability / sum(part["n"] for part in bins) if bins else None,
        half=min(coverage or [], key=lambda point: abs(point["coverage"] - 0.5), default=None),
        conflict=scores.get("conflict") or {"n": 0},
        **{name: scores.get(name) for name in ("leakage", "uncertain")},
        compared=_rivals_figure(macro_f1, rivals.values()),
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
