"""Measure whether corrected shares and claimed differences can be trusted.

Usage: python training/findings.py shares [--draws 1000] [--seed 20] [--jobs 1]
       python training/findings.py differences [--draws 1000] [--seed 20] [--jobs 1]
       python training/findings.py readers [--draws 200] [--seed 20]
       python training/findings.py promise [--draws 200] [--seed 20] [--jobs 1]
       python training/findings.py news NEWS.csv [--recipe training/mixture.toml] [--draws 200]
                                   [--answers FILE.npy]

``shares`` draws archives of documents of unequal length, whose answers come from a classifier as
biased as the bundled model is on news; audits of each are drawn as `stance sample` draws, or with
equal chances. It prints how often 95 % intervals hold the true share, and how wide they are beside
those of the audit alone. ``differences`` gives each document a group by chance and prints how many
runs claim any difference. ``readers`` prints the width of intervals where another reader's labels
of some answers stand in a column. ``promise`` audits archives on three actors, by answers and by
whole documents, and prints how often the interval of the most frequent actor's net stance holds,
how wide it is, and how often it is wider than `stance sample` said. ``news`` leaves one collection
of news out after the other (as `training/leave_out.py`), and corrects the answers to it by audits
of 100 and 300.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from leave_out import without

from stance.arrays import Floats, Ints
from stance.corpus import Corpus, read_corpus
from stance.findings.answers import AnswersTable
from stance.findings.audit import LabelledSample
from stance.findings.correction import NET, Audit, Correction
from stance.findings.design import expected_margins
from stance.findings.request import Places
from stance.findings.sampling import SampleRequest, draw_sample, expected_spread
from stance.findings.shares import QUANTITIES, Share, Study
from stance.fitting import train
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe
from stance.records import AGAINST, FAVOR, Stance

TRUTHS = ((0.02, 0.95, 0.03), (0.14, 0.80, 0.06), (0.30, 0.60, 0.10), (0.60, 0.20, 0.20))
"""Shares against, neutral, in favor."""

NEWS_AUDITS, ACTORS, LISTED, LEAST_COLLECTION = (100, 300), 5, 8, 1000
"""Labels; actors of each collection, and of the table; pairs of a collection that is left out."""

MEASURED = ("corrected", "error", "held, %", "width")
AUDITS = (50, 80, 100, 200, 400)
DOCUMENTS, LIKENESS = 1200, 0.15  # likeness: intraclass correlation of a document's stances
PULL, BIAS, NOISE, SURENESS = 1.3, (-0.2, 0.9, -0.7), 0.8, 1.3
"""How much the truth moves the classifier's scores, what it prefers, and how sure it is.

With 14 % against, 80 % neutral, 6 % in favor it finds 0.52, 0.91 and 0.36 of each stance.
"""


def archive(rng: np.random.Generator, truth: tuple[float, ...]) -> tuple[AnswersTable, Ints]:
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


def population(answers: Floats, document: Ints, actor: Ints | None = None) -> AnswersTable:
    """Return answers that are in no table; of one actor, unless said otherwise."""
    number = len(answers)
    none = np.zeros(number, np.uint64)
    places = Places(0, 0, 0, 0, (0, 0, 0), *[None] * 8)
    return AnswersTable(
        table="simulated", columns=(), places=places, partial=False, labels=(), notes=(),
        actors=("NATO",), groups=(), periods=None,
        actor=np.zeros(number, np.int64) if actor is None else actor,
        group=np.zeros(number, np.int64), period=np.full(number, -1),
        stance=answers.argmax(axis=1).astype(np.int8), chances=answers.astype(np.float32),
        document=document, record=np.arange(number), key=none, text=none,
    )  # fmt: skip


def audited(
    rng: np.random.Generator, answers: AnswersTable, stance: Ints, size: int, *, plain: bool = False
) -> Audit:
    """Draw and label an audit: by the design of `stance sample`, or plainly by equal chances."""
    if plain:
        pair = np.sort(rng.choice(len(answers), size, replace=False))
        return Audit(pair, stance[pair], np.full(size, size / len(answers)), np.zeros_like(pair))
    asked = SampleRequest(size, seed=int(rng.integers(1 << 31)), margin=np.inf)
    drawn = draw_sample(answers, asked)
    return Audit(drawn.pair, stance[drawn.pair], drawn.inclusion, drawn.stratum)


def intervals(share: Share) -> Floats:
    """Return the bounds of the intervals of an actor's four quantities, of shape (4, 2)."""
    assert share.corrected is not None
    return np.array([share.corrected.interval(quantity) for quantity in range(NET + 1)])


def hold(
    rng: np.random.Generator, truth: tuple[float, ...], size: int, draws: int, *, plain: bool
) -> tuple[Floats, Floats, Floats]:
    """Return coverage, width, and width by the audit alone, of the three shares and the net."""
    goal = np.array([*truth, truth[FAVOR] - truth[AGAINST]])
    held, width, alone = np.zeros(len(goal)), np.zeros(len(goal)), np.zeros(len(goal))
    for _ in range(draws):
        answers, stance = archive(rng, truth)
        audit = audited(rng, answers, stance, size, plain=plain)
        whole = Study(answers, LabelledSample(audit, ())).actors[0]
        bounds = intervals(next(whole.shares()))
        held += (bounds[:, 0] <= goal) & (goal <= bounds[:, 1])
        width += np.diff(bounds)[:, 0]
        every, rows = np.arange(len(answers)), np.ones(len(audit), np.bool_)
        none = Correction(audit, answers.document, ())
        without = none.estimate(every, rows, np.zeros((len(every), 2)), none.weigh(rows))
        assert without is not None
        alone += [np.diff(without.interval(quantity))[0] for quantity in range(NET + 1)]
    return held / draws, width / draws, alone / draws


def print_shares(draws: int, seed: int, jobs: int) -> None:
    """Print coverage and width for audits of archives with various shares."""
    heads = [f"{name} {kind}" for kind in ("held, %", "width / alone") for name in QUANTITIES]
    print(f"| true shares, % | audit | drawn | {' | '.join(heads)} |")
    print("|---" * (3 + len(heads)) + "|")
    kinds = [(truth, size, False) for truth in TRUTHS for size in AUDITS]
    kinds += [(truth, 100, True) for truth in TRUTHS]
    work = (
        delayed(hold)(np.random.default_rng([seed, at]), truth, size, draws, plain=plain)
        for at, (truth, size, plain) in enumerate(kinds)
    )
    found = Parallel(n_jobs=jobs, return_as="generator")(work)
    for (truth, size, plain), (held, width, alone) in zip(kinds, found, strict=True):
        cells = [f"{100 * part:.1f}" for part in held]
        cells += [f"{100 * a:.1f} / {100 * b:.1f}" for a, b in zip(width, alone, strict=True)]
        name = " / ".join(f"{100 * part:.0f}" for part in truth)
        kind = "equal chances" if plain else "strata"
        print(f"| {name} | {size} | {kind} | {' | '.join(cells)} |", flush=True)


def claim(rng: np.random.Generator, groups: int, size: int, draws: int) -> tuple[float, ...]:
    """Return comparisons, and shares of runs with any p below 0.05 and with any claim."""
    naive = claims = comparisons = 0
    for _ in range(draws):
        answers, stance = archive(rng, TRUTHS[2])
        own = rng.integers(groups, size=DOCUMENTS)[answers.document]
        names = tuple(f"group {number}" for number in range(groups))
        answers = replace(answers, groups=names, group=own, columns=("outlet",))
        study = Study(answers, LabelledSample(audited(rng, answers, stance, size), ()))
        found = study.shares().differences
        comparisons += len(found)
        naive += any(each.p < 0.05 for each in found)
        claims += any(each.claimed for each in found)
    return comparisons / draws, 100 * naive / draws, 100 * claims / draws


def print_differences(draws: int, seed: int, jobs: int) -> None:
    """Print how many runs claim any difference between groups that documents have by chance."""
    print("| groups | audit | comparisons | runs with p < 0.05, % | runs that claim, % |")
    print("|---|---|---|---|---|")
    kinds = [(groups, size) for size in (400, 100) for groups in (2, 4, 10)]
    work = (
        delayed(claim)(np.random.default_rng([seed, at]), groups, size, draws)
        for at, (groups, size) in enumerate(kinds)
    )
    results = Parallel(n_jobs=jobs, return_as="generator")(work)
    for (groups, size), found in zip(kinds, results, strict=True):
        print(f"| {groups} | {size} | {' | '.join(f'{c:.1f}' for c in found)} |", flush=True)


def print_readers(draws: int, seed: int) -> None:
    """Print mean widths of intervals without and with a reader who labels some answers."""
    rng = np.random.default_rng(seed)
    print("| audit | right, % | read, % | against | favor | net |")
    print("|---" * 6 + "|")
    for size in (200, 300):
        for right, read in ((0.0, 0.0), (0.9, 0.6), (0.9, 1.0), (1 / 3, 1.0)):
            width = np.zeros(NET + 1)
            for _ in range(draws):
                answers, stance = archive(rng, TRUTHS[2])
                wrong = (stance + 1 + rng.integers(2, size=len(stance))) % len(Stance)
                said = np.where(rng.random(len(stance)) < right, stance, wrong)
                said = np.where(rng.random(len(stance)) < read, said, -1).astype(np.int8)
                answers = replace(answers, labels=(("reader", said),) if read else ())
                audit = audited(rng, answers, stance, size)
                whole = Study(answers, LabelledSample(audit, ())).actors[0]
                width += np.diff(intervals(next(whole.shares())))[:, 0] / draws
            cells = " | ".join(f"{100 * width[at]:.1f}" for at in (AGAINST, FAVOR, NET))
            print(f"| {size} | {100 * right:.0f} | {100 * read:.0f} | {cells} |", flush=True)


def promise(
    rng: np.random.Generator, truth: tuple[float, ...], size: int, draws: int, *, whole: bool
) -> tuple[float, ...]:
    """Return coverage, width, widest, and how often half of it exceeds what was promised."""
    held, ratios, widths = 0, [], []
    for _ in range(draws):
        answers, stance = archive(rng, truth)
        actor = np.minimum(rng.geometric(0.6, len(stance)) - 1, 2)
        answers = replace(answers, actor=actor, actors=("NATO", "Russia", "Poland"))
        asked = SampleRequest(size, int(rng.integers(1 << 31)), whole, margin=np.inf)
        drawn = draw_sample(answers, asked)
        audit = Audit(drawn.pair, stance[drawn.pair], drawn.inclusion, drawn.stratum)
        share = next(Study(answers, LabelledSample(audit, ())).actors[0].shares())
        if share.corrected is None:
            continue
        low, high = share.corrected.interval(NET)
        promised = expected_margins(drawn.chance, actor, expected_spread(answers, whole), 3)[0]
        held += low <= truth[FAVOR] - truth[AGAINST] <= high
        widths.append(high - low)
        ratios.append((high - low) / 2 / promised)
    ratio = np.array(ratios)
    wide = 100 * np.array(
        [np.mean(widths), np.max(widths), (ratio > 1).mean(), (ratio > 1.5).mean()]
    )
    return 100 * held / len(ratio), *map(float, wide), float(ratio.max())


def print_promise(draws: int, seed: int, jobs: int) -> None:
    """Print how intervals of one of three actors compare with what `stance sample` promises."""
    heads = (
        "true shares, % | audit | held, % | width | widest | above promise, % | 1.5 times, % | most"
    )
    print(f"| {heads} |\n|---|---|---|---|---|---|---|---|")
    kinds = [(truth, size, False) for truth in TRUTHS[1:3] for size in (60, 100, 300)]
    kinds += [(truth, size, True) for truth in TRUTHS[1:3] for size in (60, 150)]
    work = (
        delayed(promise)(np.random.default_rng([seed, at]), truth, size, draws, whole=whole)
        for at, (truth, size, whole) in enumerate(kinds)
    )
    results = Parallel(n_jobs=jobs, return_as="generator")(work)
    for (truth, size, whole), found in zip(kinds, results, strict=True):
        name = " / ".join(f"{100 * part:.0f}" for part in truth)
        unit = "documents" if whole else "answers"
        print(f"| {name} | {size} {unit} | {' | '.join(f'{c:.1f}' for c in found)} |", flush=True)


def answer_collections(news: Path, recipe: Path, kept: Path | None) -> tuple[Corpus, Floats]:
    """Return a corpus of news, and answers to each collection by a model of all others."""
    corpus = read_corpus([news])
    if kept is not None and kept.exists():
        return corpus, np.load(kept)
    plain = read_recipe(recipe).validated_once()
    quick = replace(plain, validation=replace(plain.validation, folds=2))
    collection = np.array(corpus.extra["source"])
    answers = np.full((len(corpus), len(Stance)), np.nan)
    for name in np.unique(collection).tolist():
        rows = np.flatnonzero(collection == name)
        if len(rows) < LEAST_COLLECTION:
            continue
        tested = corpus.take(rows)
        rest = without(corpus, tested, np.flatnonzero(collection != name))
        model = train(quick, rest, ActorBook.default()).model
        months = tested.months
        answers[rows] = model.probabilities(tested.texts, tested.actors, tested.spans, months)
        if kept is not None:
            np.save(kept, answers)
    return corpus, answers


def archives(corpus: Corpus, answers: Floats) -> Iterator[tuple[AnswersTable, Ints]]:
    """Yield the answers on the most frequent actors of each collection, and the labels."""
    collection = np.array(corpus.extra["source"])
    actors = np.array(corpus.actors)
    for name in np.unique(collection[~np.isnan(answers[:, 0])]).tolist():
        own = np.flatnonzero((collection == name) & ~np.isnan(answers[:, 0]))
        _, numbers, sizes = np.unique(actors[own], return_inverse=True, return_counts=True)
        first = np.argsort(-sizes, kind="stable")[:ACTORS]
        rows = own[np.isin(numbers, first)]
        listed, actor = np.unique(actors[rows], return_inverse=True)
        document = np.unique(corpus.document[rows], return_inverse=True)[1]
        found = population(answers[rows], document, actor)
        yield replace(found, table=name, actors=tuple(listed.tolist())), corpus.stance[rows]


def print_news(corpus: Corpus, answers: Floats, draws: int, seed: int) -> None:
    """Print true, counted and corrected shares of each actor, a mean over the collections."""
    rng = np.random.default_rng(seed)
    found: dict[tuple[str, int], list[Floats]] = {}
    pairs: Counter[str] = Counter()
    for archive_, stance in archives(corpus, answers):
        pairs.update(dict(zip(archive_.actors, np.bincount(archive_.actor).tolist(), strict=True)))
        for size in NEWS_AUDITS:
            for _ in range(draws):
                audit = audited(rng, archive_, stance, size)
                for actor in Study(archive_, LabelledSample(audit, ())).actors:
                    if (row := figures(next(actor.shares()), stance[actor.pairs])) is not None:
                        found.setdefault((row[0], size), []).append(row[1])
    sizes = " and ".join(map(str, NEWS_AUDITS))
    print(f"audits of {sizes} answers, {draws} times for each of the collections\n")
    heads = ("true", "counted", "error", *(f"{name} {n}" for n in NEWS_AUDITS for name in MEASURED))
    print(f"| actor | pairs | share | {' | '.join(heads)} |")
    print("|---" * (3 + len(heads)) + "|")
    listed = sorted({name for name, _ in found}, key=lambda name: -pairs[name])[:LISTED]
    for name in [*listed, ""]:
        own = []
        for size in NEWS_AUDITS:
            parts = (v for (n, s), v in found.items() if s == size and name in ("", n))
            own.append(np.stack(list(chain.from_iterable(parts))))
        means = [rows.mean(axis=0) for rows in own]
        for at, side in enumerate(("against", "favor")):
            true, counted, error = (100 * means[0][part, at] for part in range(3))
            cells = [
                true,
                counted,
                error,
                *(100 * m[part, at] for m in means for part in (3, 4, 5, 6)),
            ]
            number = pairs[name] if name else pairs.total()
            line = " | ".join(f"{cell:.1f}" for cell in cells)
            print(f"| {name or 'all actors'} | {number:,} | {side} | {line} |", flush=True)


def figures(share: Share, stance: Ints) -> tuple[str, Floats] | None:
    """Return truth, counted, its error, corrected, its error, held and width, of both sides."""
    if share.corrected is None or not share.counts.n:
        return None
    sides = [AGAINST, FAVOR]
    true = np.bincount(stance, minlength=len(Stance))[sides] / len(stance)
    counted = np.array(share.counts.shares)[sides]
    value = np.array(share.corrected.shares)[sides]
    low, high = intervals(share)[sides].T
    held = (low <= true) & (true <= high)
    rows = (true, counted, abs(counted - true), value, abs(value - true), held, high - low)
    return share.actor, np.stack(rows).astype(np.float64)


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("shares", "differences", "readers", "promise", "news"))
    parser.add_argument("news", type=Path, nargs="?")
    parser.add_argument("--recipe", type=Path, default=Path("training/mixture.toml"))
    parser.add_argument("--answers", type=Path, help="file that keeps the answers to NEWS.csv")
    parser.add_argument("--draws", type=int)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    if options.what == "shares":
        print_shares(options.draws or 1000, options.seed, options.jobs)
    elif options.what == "differences":
        print_differences(options.draws or 1000, options.seed, options.jobs)
    elif options.what == "promise":
        print_promise(options.draws or 200, options.seed, options.jobs)
    elif options.what == "readers":
        print_readers(options.draws or 200, options.seed)
    else:
        corpus, answers = answer_collections(options.news, options.recipe, options.answers)
        print_news(corpus, answers, options.draws or 200, options.seed)


if __name__ == "__main__":
    main()
