"""What in a corpus would spoil a study."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple, Unpack

import numpy as np

from stance.arrays import Floats, Ints, sums_by
from stance.corpus import Corpus, read_corpus
from stance.corpus.rows import MISSING, CorpusForm
from stance.display import count, shown
from stance.evaluation.intervals import FEWEST, spread, t_interval
from stance.evaluation.scores import Figures, plain, share
from stance.reading.actors import ActorBook
from stance.reading.keys import linked_groups
from stance.reading.text import count_cut, cut_note, normalise
from stance.reading.words import literal_places
from stance.records import Stance

EXAMPLES = 3  # places that a message names
CLASS_ROWS, CLASS_DOCUMENTS = 30, 10  # rows and documents below which a label is too small to learn
UNNAMED = 0.2  # share of the rows whose actor may be missing from the text

# Alpha below which no conclusion can be drawn, and from which on it can (Krippendorff 2004,
# "Content Analysis", section 11.4.2).
TENTATIVE, RELIABLE = 0.667, 0.8
FEWEST_CODED = 100  # rows coded twice below which alpha says little

# Share of a file's texts that may be in another file, and of a corpus's texts that may have a
# near-duplicate in another document, before a study is spoilt.
LEAK, TEMPLATE = 0.01, 0.05

Finding = tuple[str, str, str]  # severity, the check, and one line: what, where, what to do
Rows = tuple[int, int]


class Study(NamedTuple):
    """A labelled corpus laid out for checking; a text is known by its first row."""

    corpus: Corpus
    files: tuple[str, ...]  # what messages call them
    actors: tuple[str, ...]  # of each row, by their names in the book if it has them
    text: Ints  # of each row: the first row whose text differs in case and punctuation at most
    alike: Ints  # of each row: the number of its group of nearly equal texts

    def place(self, row: int) -> str:
        """Return ``file:row`` for a message."""
        file, number = self.corpus.source[row], self.corpus.number[row]
        return f"{shown(self.files[file], 40)}:{number}"

    def pairs(self, rows: Iterable[Rows]) -> str:
        """Return the places of the first few pairs of rows for a message."""
        first = sorted(rows)[:EXAMPLES]
        return ", ".join(" = ".join(map(self.place, sorted(pair))) for pair in first)


def check_corpora(paths: Sequence[Path], *, book: ActorBook, **form: Unpack[CorpusForm]) -> Figures:
    """Look for what in a corpus would spoil a study; return counts and findings, the worst first.

    Texts that two files share leak: someone may train on one and test on the other. Coders in long
    form are compared. The form is as in `stance.corpus.read_corpus`. Raises `DataError` if a file
    is not a corpus.
    """
    corpus = read_corpus(paths, **form)
    _, first, number = np.unique(corpus.marks.exact, return_index=True, return_inverse=True)
    same_names = len({path.name for path in paths}) < len(paths)
    files = tuple(str(path) if same_names else path.name for path in paths)
    alike = linked_groups(corpus.marks.columns())  # as `evaluate` does
    study = Study(corpus, files, book.topics(corpus.actors), first[number], alike)
    classes = {}
    for place, label in enumerate(Stance):
        rows = corpus.stance == place
        documents = len(np.unique(corpus.document[rows]))
        classes[str(label)] = {"rows": int(rows.sum()), "documents": documents}
    findings = [*_small_classes(classes), *_unnamed(study, book), *_duplicates(study)]
    findings += [*_near_duplicates(study), *_leaks(study)]
    notes = filter(None, (*corpus.notes, cut_note(count_cut(corpus.texts))))
    findings += [("note", "reading", shown(note, 300)) for note in notes]
    checks, agreement = ["classes", "mentions", "duplicates", "near-duplicates", "conflicts"], None
    checks += ["leaks"] * (len(paths) > 1)
    if corpus.coders:
        checks.append("agreement")
        codes, document = corpus.codes, corpus.document
        agreement = measure_agreement(codes, len(Stance), document)
        agreement["per_label"] = {
            str(name): measure_agreement(np.where(codes < 0, MISSING, codes == label), 2, document)
            for label, name in enumerate(Stance)
        }
        findings += _agreed(corpus.coders, agreement)
    findings.sort(key=lambda finding: ("spoils", "warn", "note").index(finding[0]))
    failed = {check for severity, check, _ in findings if severity != "note"}
    names = "severity", "check", "text"
    sizes = zip(files, corpus.sources, strict=True)
    return {
        "spoils": any(severity == "spoils" for severity, *_ in findings),
        "files": [{"name": name, "rows": source.rows} for name, source in sizes],
        "rows": len(corpus),
        "documents": len(np.unique(corpus.document)),
        "texts": len(first),
        "classes": classes,
        "findings": [dict(zip(names, finding, strict=True)) for finding in findings],
        "passed": [name for name in checks if name not in failed],
        "coders": list(corpus.coders),
        "agreement": agreement,
    }


def _small_classes(classes: Mapping[str, Mapping[str, int]]) -> Iterator[Finding]:
    """Find labels that are missing or too small to learn."""
    for label, sizes in classes.items():
        rows, documents = sizes["rows"], sizes["documents"]
        if not rows:
            text = f"no row is {label}, so a model never answers it: add such rows"
            yield ("warn" if label == Stance.NEUTRAL else "spoils"), "classes", text
        elif rows < CLASS_ROWS or documents < CLASS_DOCUMENTS:
            size = f"only {count(rows, 'row')} from {count(documents, 'document')}"
            least = f"{CLASS_ROWS} rows from {CLASS_DOCUMENTS} documents"
            yield "warn", "classes", f"{label} has {size}, too few to learn: have at least {least}"


def _unnamed(study: Study, book: ActorBook) -> Iterator[Finding]:
    """Find rows about an actor that the text does not name."""
    corpus, (texts, place) = study.corpus, np.unique(study.text, return_inverse=True)
    named = set[tuple[int, int]]()
    for low, _, mentions in book.scan(corpus.texts[row] for row in texts.tolist()):
        named |= {*zip((mentions.para + low).tolist(), mentions.actor.tolist(), strict=True)}
    number = {name: book.number(name) for name in set(study.actors)}
    pairs = zip(place.tolist(), map(number.__getitem__, study.actors), strict=True)
    doubtful = [n for n, pair in enumerate(pairs) if not corpus.spans[n] and pair not in named]
    plain = [normalise(corpus.texts[row]) for row in doubtful]
    literal = literal_places(book, plain, [corpus.actors[row] for row in doubtful])
    if unnamed := [row for row, places in zip(doubtful, literal, strict=True) if not places]:
        ratio, rows = len(unnamed) / len(corpus), unnamed[:EXAMPLES]
        listed = ", ".join(f"{shown(corpus.actors[row], 24)} {study.place(row)}" for row in rows)
        text = f"{count(len(unnamed), 'row')} ({ratio:.1%}) about an actor that the text does not "
        text += f"name: add aliases (--actors) or spans, or train with per_actor ({listed})"
        yield ("spoils" if ratio > UNNAMED else "warn"), "mentions", text


# --- Repeated texts, which let a model score well without reading, and contradictions ---


def _duplicates(study: Study) -> Iterator[Finding]:
    """Find repeated rows, and contradictions."""
    corpus, repeated = study.corpus, 0
    repeats, conflicts = list[Rows](), list[Rows]()
    spans = [tuple(places or ()) for places in corpus.spans]
    for first, *others in _groups(zip(study.text.tolist(), study.actors, spans, strict=True)):
        if differing := [row for row in others if corpus.stance[row] != corpus.stance[first]]:
            conflicts.append((first, differing[0]))
        elif others:
            repeated += len(others)
            repeats.append((first, others[0]))
    if repeats:
        text = f"{count(repeated, 'row')} with text, actor and stance of an earlier row"
        yield "warn", "duplicates", f"{text}: delete the repetition ({study.pairs(repeats)})"
    if conflicts:
        text = f"{count(len(conflicts), 'text')} with two stances toward one actor: decide on one"
        text += ", or name their coders in a column 'coder' of one table"
        yield "spoils", "conflicts", f"{text} ({study.pairs(conflicts)})"


def _groups(keys: Iterable[Hashable]) -> Iterable[list[int]]:
    """Return the rows of each key."""
    groups = defaultdict[Hashable, list[int]](list)
    for row, key in enumerate(keys):
        groups[key].append(row)
    return groups.values()


def _near_duplicates(study: Study) -> Iterator[Finding]:
    """Find nearly equal texts of one file that are not of one document."""
    corpus, apart = study.corpus, list[Rows]()
    keys = zip(study.alike.tolist(), corpus.source.tolist(), strict=True)
    for first, *others in _groups(keys):
        apart += [(first, row) for row in others if corpus.document[row] != corpus.document[first]]
    if apart:
        texts = np.unique(study.text[np.array(apart)])
        ratio = len(texts) / len(np.unique(study.text))
        text = f"{count(len(texts), 'text')} ({ratio:.1%}) nearly equal to one in another document"
        text += f": give both the same document ({study.pairs(apart)})"
        yield ("spoils" if ratio > TEMPLATE else "warn"), "near-duplicates", text


def _leaks(study: Study) -> Iterator[Finding]:
    """Find texts that two files share."""
    source, text, alike = study.corpus.source, study.text, study.alike
    names = [shown(name, 40) for name in study.files]
    for one, other in combinations(range(len(names)), 2):
        parts = [np.flatnonzero(source == file) for file in (one, other)]
        if not len(shared := np.intersect1d(alike[parts[0]], alike[parts[1]])):
            continue
        leaking = [rows[np.isin(alike[rows], shared)] for rows in parts]
        firsts = [rows[np.unique(alike[rows], return_index=True)[1]].tolist() for rows in leaking]
        sizes, texts = ([len(np.unique(text[rows])) for rows in of] for of in (leaking, parts))
        ratio = np.divide(sizes, texts).max()
        what = (
            f"{count(sizes[1], 'text')} of {names[other]} equal or nearly equal to one in "
            f"{names[one]} ({ratio:.1%}): never train on one and test on the other "
            f"({study.pairs(zip(*firsts, strict=True))})"
        )
        yield ("spoils" if ratio > LEAK else "warn"), "leaks", what


# --- How far coders agree, and whether conclusions can be drawn from that ---


def _agreed(coders: Sequence[str], agreement: Figures) -> Iterator[Finding]:
    """Find whether the coders agree too little; agreement is measured within files."""
    who = ", ".join(shown(name, 20) for name in coders)
    alpha, units = agreement["alpha"]["value"], agreement["units"]
    if alpha is None:
        what = "only one label was used" if units else "no row was coded twice"
        yield "warn", "agreement", f"alpha of {who} is undefined: {what}; code more rows"
        return
    if units < FEWEST_CODED:
        text = f"only {count(units, 'row')} coded twice: code at least {FEWEST_CODED}"
        yield "warn", "agreement", text
    text = f"Krippendorff's alpha of {who} is {alpha:.3f}; below"
    if alpha < TENTATIVE:
        text = f"{text} {TENTATIVE} no conclusion holds: make the codebook clearer and recode"
        yield "spoils", "agreement", text
    elif alpha < RELIABLE:
        text = f"{text} {RELIABLE} conclusions are tentative: make the codebook clearer"
        yield "warn", "agreement", text


def measure_agreement(codes: Ints, labels: int, document: Ints) -> Figures:
    """Return percent and alpha of units coded twice or more, with intervals of whole documents.

    ``codes``, of shape (n_units, n_coders), are 0 to ``labels - 1`` or `MISSING`. There is no
    interval with fewer than 5 documents coded twice, where a coefficient hangs on one of them, or
    where none changes it.
    """
    paired = (codes != MISSING).sum(axis=1) >= 2
    counts = (codes[paired, :, None] == np.arange(labels)).sum(axis=1)
    size = counts.sum(axis=1, keepdims=True)
    alike = counts * (counts - 1) / (size - 1)
    units = np.hstack([counts, alike, alike.sum(axis=1, keepdims=True) / size, size > 0])
    sums = sums_by(np.unique(document[paired], return_inverse=True)[1], units)
    figures: Figures = {"units": paired.sum(), "documents": len(sums)}
    # The mean part of a unit's pairs of codes that agree (Fleiss 1971, "Measuring nominal scale
    # agreement among many raters").
    scores = {"percent": lambda sums: share(sums[..., -2], sums[..., -1], np.nan)}
    for name, score in {**scores, "alpha": _krippendorff_alpha}.items():
        value, variance, _ = spread(score, sums)
        known = len(sums) >= FEWEST and 0 < variance < np.inf
        interval = t_interval(score, sums) if known else None
        figures[name] = {"value": value if np.isfinite(value) else None, "interval": interval}
    return plain(figures)


def _krippendorff_alpha(sums: Floats) -> Floats:
    """Return Krippendorff's alpha for nominal data; NaN where only one label was used.

    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C.
    """
    counts, alike = np.split(sums[..., :-2], 2, axis=-1)
    n = counts.sum(axis=-1)
    differing = n - alike.sum(axis=-1)
    return 1 - share((n - 1) * differing, n**2 - (counts**2).sum(axis=-1), np.nan)
