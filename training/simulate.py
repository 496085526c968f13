"""Simulate whether intervals, claims and promises hold as often as they say.

Usage: python training/simulate.py shares|scores|audit [--draws 1000] [--seed 20] [--jobs 1]
       python training/simulate.py abstain CORPUS... [--draws 50] [--jobs 1]
       python training/simulate.py reader CORPUS... [--draws 50] [--reader FOLDER]

``shares``: counted shares and the net stance, of documents of unequal length whose answers are more
or less alike, or of which a tenth are campaigns; a star marks intervals that say that they are not
to be trusted. ``scores``: macro-F1 and accuracy. ``audit``: shares of an archive corrected by
labels that are drawn as `stance sample` draws them, and how many runs claim a difference between
groups that documents have by chance.
``abstain``: what models of 1,000 documents answer with `--abstain` in the rest of a corpus, and how
many of these answers are wrong. ``reader``: how far the interval of the net stance of a corpus
reaches to either side, by labels of some of its pairs alone, with the default model's answers, and
with those of the deep reader beside these as `shares --surrogate` takes them; it must not have
learned from the corpus. Each prints Markdown tables, in percent.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from stance.arrays import Floats, Ints
from stance.corpus import read_corpus
from stance.errors import DataError
from stance.evaluation.intervals import estimate_shares, score_interval
from stance.evaluation.scores import accuracy, document_confusion, macro_f1
from stance.findings.answers import AnswersTable
from stance.findings.correction import Audit, Correction
from stance.findings.request import Places, Request
from stance.findings.sampling import draw_sample
from stance.findings.shares import QUANTITIES, Share, Study
from stance.fitting import train
from stance.model.abstention import thresholds
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe
from stance.records import AGAINST, FAVOR, NET, Stance
from stance.storage import load_model, load_reader

Truth = tuple[float, ...]  # shares against, neutral, in favor
Rng = np.random.Generator


def print_table(
    heads: str, kinds: Iterable[tuple[Any, ...]], measure: Callable[..., str], jobs: int, seed: int
) -> None:
    """Print a row of a table for each kind; each has random numbers of its own."""
    print(f"\n| {heads} |\n|{'---|' * (heads.count('|') + 1)}")
    work = (
        delayed(measure)(np.random.default_rng([seed, number]), *kind)
        for number, kind in enumerate(kinds)
    )
    for row in Parallel(n_jobs=jobs, return_as="generator")(work):
        print(f"| {row} |", flush=True)


def percent(values: Iterable[float]) -> str:
    """Return cells of a table."""
    return " | ".join(f"{100 * value:.1f}" for value in values)


# --- Counted shares ---

COUNTED = ((0.02, 0.95, 0.03), (0.05, 0.75, 0.2), (0.1, 0.8, 0.1), (0.4, 0.3, 0.3), (0.6, 0.2, 0.2))
ALIKE = (0.0, 0.05, 1 / 6, 0.4, 0.7, None)
"""Intraclass correlation of a document's answers; None where a tenth are campaigns."""

CAMPAIGNS, MOST = 0.1, 0.95  # share of documents that are campaigns; against in them, at most


def documents() -> Iterator[tuple[str, Ints]]:
    """Yield kinds of documents and the answers in each of them."""
    for number, length in ((10, 10), (20, 5), (50, 5), (100, 1), (300, 3)):
        yield f"{number} of {length}", np.full(number, length)
    yield "100, 20 of 1", np.array([100] + 20 * [1])
    yield "200, 100, 50, 100 of 3", np.array([200, 100, 50] + 100 * [3])
    rng = np.random.default_rng(5)
    for number in (10, 30, 100, 300):
        yield f"{number}, log-normal", np.ceil(rng.lognormal(1.5, 1.0, number)).astype(np.int64)
    yield "100, Pareto", np.ceil(2 * rng.pareto(1.2, 100) + 1).astype(np.int64)


def draw_counts(rng: Rng, sizes: Ints, truth: Truth, alike: float | None) -> Ints:
    """Draw the answers of each document, of shape (n_documents, 3)."""
    chances: Floats = np.tile(np.array(truth), (len(sizes), 1))
    if alike is None:
        most = min(MOST, 0.9 * truth[0] / CAMPAIGNS)
        least = (truth[0] - CAMPAIGNS * most) / (1 - CAMPAIGNS)
        chances[:, 0] = np.where(rng.random(len(sizes)) < CAMPAIGNS, most, least)
        chances[:, 1:] *= (1 - chances[:, :1]) / (1 - truth[0])
    elif alike:
        gamma = rng.standard_gamma(chances * (1 / alike - 1)) + 1e-300
        chances = gamma / gamma.sum(axis=1, keepdims=True)
    return rng.multinomial(sizes, chances)


def hold_counted(
    rng: Rng, sizes: Ints, truth: Truth, alike: float | None, draws: int
) -> tuple[float, float, bool]:
    """Return how often intervals of the share against and the net hold, and if they are trusted."""
    held = np.zeros(2)
    for _ in range(draws):
        shares = estimate_shares(draw_counts(rng, sizes, truth, alike))
        bounds = shares.interval(0), shares.interval(NET)
        for number, true in enumerate((truth[0], truth[2] - truth[0])):
            held[number] += bounds[number][0] <= true <= bounds[number][1]
    return *(held / draws), shares.trusted


def print_counted(draws: int, seed: int, _jobs: int) -> None:
    """Print a row for each kind of documents and likeness."""
    rng = np.random.default_rng(seed)

    def row(_: Rng, name: str, sizes: Ints, alike: float | None) -> str:
        results = [hold_counted(rng, sizes, truth, alike, draws) for truth in COUNTED]
        star = "" if results[0][2] else "*"
        cells = percent([*(result[0] for result in results), *(result[1] for result in results)])
        effective = f"{sizes.sum() ** 2 / (sizes**2).sum():.1f}{star}"
        return (
            f"{name} | {effective} | {'campaigns' if alike is None else f'{alike:.2f}'} | {cells}"
        )

    heads = [f"{100 * truth[0]:.0f} %" for truth in COUNTED]
    heads += [f"net {truth[2] - truth[0]:+.2f}" for truth in COUNTED]
    kinds = [(*kind, alike) for kind in documents() for alike in ALIKE]
    print_table(f"documents | count as | alike | {' | '.join(heads)}", kinds, row, 1, seed)


# --- Scores ---

USUAL, UNEVEN = (0.5, 0.3, 0.2), (0.6, 0.36, 0.04)  # shares of labels
DRAWN_FROM = 60_000  # documents


def draw_confusions(rng: Rng, kind: str) -> Floats:
    """Return confusion matrices by document of a model and a better one, of shape (n, 2, 3, 4).

    The rows of a document share their label and their difficulty; documents are of 1 to 15 rows,
    uneven ones of 1 to 6 with a rare label, of the long few outweigh many.
    """
    sizes = rng.integers(1, 7 if kind == "uneven" else 16, DRAWN_FROM)
    if kind == "long":
        sizes = np.ceil(rng.lognormal(1, 1, DRAWN_FROM)).astype(np.int64)
    labels = UNEVEN if kind == "uneven" else USUAL
    document = np.repeat(np.arange(len(sizes)), sizes)
    tone = rng.choice(3, len(sizes), p=labels)[document]
    random = rng.choice(3, (3, len(document)), p=labels)
    gold = np.where(rng.random(len(document)) < 0.7, tone, random[0])
    skill = rng.beta(1.5, 1, len(sizes))[document]
    predicted = np.where(rng.random(len(document)) < skill, gold, random[1])
    better = np.where(rng.random(len(document)) < 0.3, gold, predicted)
    return np.stack(
        [document_confusion(gold, answers, document, 3) for answers in (predicted, better)], axis=1
    )


def print_scores(draws: int, seed: int, jobs: int) -> None:
    """Print how often intervals of macro-F1 and accuracy hold."""

    def row(rng: Rng, kind: str, size: int) -> str:
        every, held = draw_confusions(rng, kind)[:, 0], np.zeros(2)
        true = [score(every.sum(axis=0)) for score in (macro_f1, accuracy)]
        for _ in range(draws):
            study = every[rng.integers(len(every), size=size)]
            for number, score in enumerate((macro_f1, accuracy)):
                low, high = score_interval(score, study)
                held[number] += low <= true[number] <= high
        return f"{kind} | {size} | {percent(held / draws)}"

    kinds = [("usual", 12), ("usual", 40), ("uneven", 60), ("uneven", 30), ("long", 40)]
    print_table("kind | documents | macro-F1 | accuracy", kinds, row, jobs, seed)


# --- Corrected shares ---

TRUTHS = ((0.02, 0.95, 0.03), (0.14, 0.80, 0.06), (0.30, 0.60, 0.10), (0.60, 0.20, 0.20))
AUDITS = (50, 80, 100, 200, 400)
DOCUMENTS, LIKENESS = 1200, 0.15  # likeness: intraclass correlation of a document's stances
PULL, BIAS, NOISE, SURENESS = 1.3, (-0.2, 0.9, -0.7), 0.8, 1.3
"""How much the truth moves the classifier's scores, what it prefers, and how sure it is.

With 14 % against, 80 % neutral, 6 % in favor it finds 0.52, 0.91 and 0.36 of each stance.
"""


def archive(rng: Rng, truth: Truth) -> tuple[AnswersTable, Ints]:
    """Return the answers to an archive on one actor, and the true stances."""
    sizes = np.ceil(rng.lognormal(0.6, 0.9, DOCUMENTS)).astype(np.int64)
    document = np.repeat(np.arange(DOCUMENTS), sizes)
    chances = rng.dirichlet(np.array(truth) * (1 / LIKENESS - 1), DOCUMENTS)[document]
    below = chances.cumsum(axis=1) < rng.random(len(document))[:, None]
    stance = np.minimum(below.sum(axis=1), FAVOR)
    scores = PULL * np.eye(len(Stance))[stance] + np.array(BIAS)
    scores += rng.gumbel(0, NOISE, scores.shape)
    scores += rng.normal(0, 0.5, (DOCUMENTS, len(Stance)))[document]
    answers = np.exp(SURENESS * scores)
    return population(answers / answers.sum(axis=1, keepdims=True), document), stance


def population(answers: Floats, document: Ints) -> AnswersTable:
    """Return answers on one actor that are in no table."""
    number = len(answers)
    none = np.zeros(number, np.uint64)
    places = Places(0, 0, 0, 0, (0, 0, 0), *[None] * 8)
    return AnswersTable(
        request=Request(Path("simulated")), table="simulated", columns=(), places=places, notes=(),
        actors=("NATO",), groups=(), periods={},
        actor=np.zeros(number, np.int64),
        group=np.zeros(number, np.int64), period=np.full(number, -1),
        stance=answers.argmax(axis=1).astype(np.int8), chances=answers.astype(np.float32),
        document=document, record=np.arange(number), key=none, text=none,
        labels=np.zeros((number, 0), np.int8), named_by=(), holders=(), rows=0, naming=0,
        holder=np.zeros(number, np.int64), length=np.zeros(number, np.int64),
    )  # fmt: skip


def audited(
    rng: Rng, answers: AnswersTable, stance: Ints, size: int, *, whole: bool = False
) -> Audit:
    """Draw and label an audit as `stance sample` does."""
    drawn = draw_sample(answers, size, int(rng.integers(1 << 31)), whole=whole)
    return Audit(drawn.pair, stance[drawn.pair], drawn.chance[drawn.pair], drawn.stratum)


def intervals(share: Share) -> Floats:
    """Return the bounds of the intervals of an actor's four quantities, of shape (4, 2)."""
    assert share.corrected is not None
    return np.array([share.corrected.interval(quantity) for quantity in range(NET + 1)])


def hold_corrected(rng: Rng, truth: Truth, size: int, draws: int) -> tuple[Floats, Floats, Floats]:
    """Return coverage, width, and width by the labels alone, of the three shares and the net."""
    goal = np.array([*truth, truth[FAVOR] - truth[AGAINST]])
    held, width, alone = np.zeros((3, len(goal)))
    for _ in range(draws):
        answers, stance = archive(rng, truth)
        audit = audited(rng, answers, stance, size)
        bounds = intervals(next(Study(answers, audit).shares()))
        held += (bounds[:, 0] <= goal) & (goal <= bounds[:, 1])
        width += np.diff(bounds)[:, 0]
        plain = Correction(audit, answers.document, ())
        labels = plain.estimate(np.arange(len(answers)), plain.pooled)
        assert labels is not None
        alone += [np.diff(labels.interval(quantity))[0] for quantity in range(NET + 1)]
    return held / draws, width / draws, alone / draws


def hold_documents(rng: Rng, truth: Truth, size: int, draws: int) -> float:
    """Return how often the net of the most frequent of three actors holds, of whole documents."""
    held = 0
    for _ in range(draws):
        answers, stance = archive(rng, truth)
        actor = np.minimum(rng.geometric(0.6, len(stance)) - 1, 2)
        answers = replace(answers, actor=actor, actors=("NATO", "Russia", "Poland"))
        audit = audited(rng, answers, stance, size, whole=True)
        nato = next(share for share in Study(answers, audit).shares() if share.actor == "NATO")
        low, high = intervals(nato)[NET]
        held += low <= truth[FAVOR] - truth[AGAINST] <= high
    return held / draws


def claim(rng: Rng, groups: int, size: int, draws: int) -> float:
    """Return the share of runs that claim a difference between groups that chance gave."""
    claims = 0
    for _ in range(draws):
        answers, stance = archive(rng, TRUTHS[2])
        group = rng.integers(groups, size=DOCUMENTS)[answers.document]
        names = tuple(f"group {number}" for number in range(groups))
        answers = replace(answers, groups=names, group=group, columns=("outlet",))
        audit = audited(rng, answers, stance, size)
        differences = Study(answers, audit).differences()
        claims += any(difference["claimed"] for difference in differences)
    return claims / draws


def print_audits(draws: int, seed: int, jobs: int) -> None:
    """Print coverage and width of corrected shares, and false claims."""

    def corrected(rng: Rng, truth: Truth, size: int) -> str:
        held, width, alone = hold_corrected(rng, truth, size, draws)
        cells = percent([*held, *(width / alone), width[NET] / 2])
        return f"{' / '.join(f'{100 * part:.0f}' for part in truth)} | {size} | {cells}"

    def of_documents(rng: Rng, truth: Truth, size: int) -> str:
        held = hold_documents(rng, truth, size, draws)
        return f"{' / '.join(f'{100 * part:.0f}' for part in truth)} | {size} | {100 * held:.1f}"

    def claimed(rng: Rng, groups: int, size: int) -> str:
        return f"{groups} | {size} | {100 * claim(rng, groups, size, draws):.1f}"

    quantities = [f"{name} {kind}" for kind in ("held", "width of alone") for name in QUANTITIES]
    audits = [(truth, size) for truth in TRUTHS for size in AUDITS]
    heads = f"true shares | labels | {' | '.join(quantities)} | net ±"
    print_table(heads, audits, corrected, jobs, seed)
    wholes = [(truth, size) for truth in TRUTHS[1:3] for size in (60, 150)]
    print_table("true shares | documents | net held", wholes, of_documents, jobs, seed)
    parts = [(groups, size) for size in (400, 100) for groups in (2, 4, 10)]
    print_table("groups | labels | runs that claim", parts, claimed, jobs, seed)


# --- The deep reader's answers beside the model's ---


def print_reader(paths: Iterable[Path], draws: int, seed: int, folder: Path | None) -> None:
    """Print how far the interval of the net stance of a corpus reaches, and how often it holds."""
    model = load_model()
    deep = replace(model, deep=load_reader("all", folder))

    def rows(rng: Rng, path: Path) -> str:
        corpus = read_corpus([path])
        pairs = corpus.texts, corpus.actors, corpus.spans
        answers = population(model.probabilities(*pairs), corpus.document)
        read = deep.probabilities(*pairs).argmax(axis=1)[:, None]
        request, lines = replace(answers.request, surrogates=["deep"], audit=path), list[str]()
        beside = replace(answers, request=request, labels=read.astype(np.int8))
        net = (corpus.stance == FAVOR).mean() - (corpus.stance == AGAINST).mean()
        for size in (100, 300):
            widths, held = np.zeros(3), np.zeros(3)
            for _ in range(draws):
                audit = audited(rng, answers, corpus.stance, size)
                plain = Correction(audit, answers.document, ())
                alone = plain.estimate(np.arange(len(answers)), plain.pooled)
                shares = [next(Study(one, audit).shares()).corrected for one in (answers, beside)]
                bounds = np.array([one.interval(NET) for one in (alone, *shares) if one])
                widths += np.diff(bounds)[:, 0] / 2
                held += (bounds[:, 0] <= net) & (net <= bounds[:, 1])
            lines.append(f"{path.stem} | {size} | {percent([*widths / draws, *held / draws])}")
        return " |\n| ".join(lines)

    kinds = "labels alone", "with the model", "with the reader, too"
    heads = " | ".join((*(f"± {kind}" for kind in kinds), *(f"held, {kind}" for kind in kinds)))
    print_table(f"corpus | labels | {heads}", [(path,) for path in paths], rows, 1, seed)


# --- Withheld answers ---

RATES, LEARNED = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4), 1000  # documents


def print_abstention(paths: Iterable[Path], draws: int, seed: int, jobs: int) -> None:
    """Print what is answered at some rates, and in how many draws more is wrong than the rate.

    The answers of all draws tell how many are wrong at the thresholds of one: in a draw alone, a
    class of a few dozen answers would be above the rate by chance.
    """
    recipe = read_recipe(Path(__file__).with_name("fast.toml"))

    def rows(_: Rng, path: Path) -> str:
        corpus, answers = read_corpus([path]), []
        limits: list[dict[float, Floats]] = []
        names = np.unique(corpus.document)
        for draw in range(draws):
            rng = np.random.default_rng(draw)
            learned = rng.permutation(names)[: min(LEARNED, len(names) * 2 // 3)]
            inside = np.isin(corpus.document, learned)
            model = train(recipe, corpus.take(np.flatnonzero(inside)), ActorBook.default()).model
            rest = corpus.take(np.flatnonzero(~inside))
            given = rest.texts, rest.actors, rest.spans
            for judged_rows, judged in model.judge_many(*given, months=rest.months):
                gold = rest.stance[judged_rows]
                best = np.where(judged.withheld, -1, judged.stance.argmax(axis=1))
                answers.append(np.stack([best, judged.stance.max(axis=1), best != gold], axis=1))
            limits.append({})
            for rate in RATES:
                with suppress(DataError):
                    limits[-1][rate] = np.array(thresholds(model.calibration, rate))
        best, confidence, wrong = np.concatenate(answers).T
        lines = []
        for rate in RATES:
            shares, errors = [], []
            for least in (limit[rate] for limit in limits if rate in limit):
                given_rows = (best >= 0) & (confidence >= least[best.astype(np.int64)])
                shares.append(given_rows.mean())
                errors.append(wrong[given_rows].mean())
            above = sum(error > rate for error in errors)
            means = percent([np.mean(shares), np.mean(errors)]) if shares else " | "
            lines.append(
                f"{path.stem} | {100 * rate:.0f} | {draws - len(shares)} | {means} | {above}"
            )
        return " |\n| ".join(lines)

    heads = "corpus | rate | draws refused | given | wrong of them | draws above the rate"
    print_table(heads, [(path,) for path in paths], rows, jobs, seed)


def main() -> None:
    """Print the tables of a subcommand."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("shares", "scores", "audit", "abstain", "reader"))
    parser.add_argument("corpora", nargs="*", type=Path)
    parser.add_argument("--draws", type=int, help="1,000; of corpora 50")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--reader", type=Path, help="folder of a deep reader that did not learn")
    options = parser.parse_args()
    work = options.draws or 1000, options.seed, options.jobs
    tables = {"shares": print_counted, "scores": print_scores, "audit": print_audits}
    if options.what == "abstain":
        print_abstention(options.corpora, options.draws or 50, *work[1:])
    elif options.what == "reader":
        print_reader(options.corpora, options.draws or 50, options.seed, options.reader)
    else:
        tables[options.what](*work)


if __name__ == "__main__":
    main()
