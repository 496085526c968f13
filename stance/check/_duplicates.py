"""Repeated and nearly equal texts, labels that contradict each other, leaks between files."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from stance.check._database import by_bands, shared
from stance.check._study import LABELS, Few, Finding, Severity, Study
from stance.display import count, shown
from stance.reading.keys import SHINGLE

# Least share of word triples that near-duplicates have in common (Jaccard); `fingerprint` only
# proposes pairs: 56 % of those at the bound, 95 % of those that share 0.8.
NEAR = 0.6
COMPARED = 10  # earlier texts of a bucket with which a text is compared

# Share of a file's texts that may be in another file, and of a corpus's texts that may have a
# near-duplicate in another document, before a study is spoilt.
LEAK, TEMPLATE = 0.01, 0.05

Pair = tuple[int, int]

_ALIKE = (
    "CREATE TABLE twins (one, other, PRIMARY KEY (one, other)) WITHOUT ROWID",
    "CREATE TABLE firsts (text, file, row, document, PRIMARY KEY (text, file)) WITHOUT ROWID",
    "INSERT INTO firsts SELECT text, file, min(row), document FROM rows GROUP BY text, file",
)
_PAIRS = """
CREATE TABLE pairs AS
SELECT a.file AS file, b.file AS file_2, one, other, a.document = b.document AS together,
  min(a.row, b.row) AS row, max(a.row, b.row) AS row_2
FROM (
  SELECT one, other FROM twins UNION ALL SELECT other, one FROM twins
  UNION ALL SELECT text, text FROM firsts GROUP BY text HAVING count(*) > 1
) CROSS JOIN firsts AS a ON a.text = one CROSS JOIN firsts AS b ON b.text = other
WHERE a.file < b.file OR (a.file = b.file AND one < other)
"""
"""Equal or nearly equal texts of two files, and nearly equal ones of one file, by their first rows
there."""
_SHARED = (
    "CREATE INDEX pairs_of_files ON pairs (file, file_2)",
    "CREATE TABLE names (name, file, PRIMARY KEY (name, file)) WITHOUT ROWID",
    "INSERT INTO names SELECT DISTINCT name, file FROM records WHERE name <> ''",
    "CREATE TABLE common (file, file_2, name, PRIMARY KEY (file, file_2, name)) WITHOUT ROWID",
    "INSERT INTO common SELECT a.file, b.file, name FROM names AS a JOIN names AS b USING (name) "
    "WHERE a.file < b.file",
)


def find_pairs(study: Study) -> None:
    """Find the texts that are nearly equal, and those that stand in several files."""
    for query in _ALIKE:
        study.base.execute(query)
    for bands in by_bands(study.base):
        for texts in shared(bands):
            twins = _twins(study, texts)
            study.base.executemany("INSERT OR IGNORE INTO twins VALUES (?, ?)", twins)
    study.base.execute(_PAIRS)


def _twins(study: Study, texts: Iterable[int]) -> Iterator[Pair]:
    """Yield the pairs of texts that are nearly equal among some that may be."""
    earlier: deque[tuple[int, set[str]]] = deque(maxlen=COMPARED)
    for text in texts:
        own = _shingles(study.words(text))
        for other, found in earlier:
            if _jaccard(found, own) >= NEAR:
                yield min(text, other), max(text, other)
        earlier.append((text, own))


def _shingles(words: list[str]) -> set[str]:
    whole = {" ".join(words)}
    return {" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)} or whole


def _jaccard(one: set[str], other: set[str]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def duplicates(study: Study) -> Iterator[Finding]:
    """Find repeated rows, nearly equal texts in different documents, and contradictions."""
    rows, repeats, conflicts = 0, Few(), Few()
    for first, second, other, size in _groups(study, "text, actor, spans", "stance"):
        if other is None:
            rows += size - 1
            repeats.add((first, second))
        else:
            conflicts.add((first, other))
    if rows:
        text = f"{count(rows, 'row')} with the text, actor and stance of an earlier row: delete it"
        yield Finding.at("warn", "duplicates", text, study.pairs(repeats), rows=rows)
    yield from _repeated_texts(study)
    yield from _near_duplicates(study)
    if texts := conflicts.number:
        examples = [_contradiction(study, *pair) for pair in conflicts.least[:2]]
        text = f"{count(texts, 'text')} with two stances toward one actor: decide on one"
        figures = {"texts": texts, "examples": examples}
        yield Finding("spoils", "conflicts", f"{text} ({'; '.join(examples)})", figures)
    yield from _tone_conflicts(study)


def _groups(
    study: Study, keys: str, value: str, which: str = "TRUE"
) -> Iterator[tuple[int, int, int | None, int]]:
    """Yield the first rows of each group with equal keys, and the first whose value differs.

    Of groups of two rows or more: the first, the second, the first that differs from the first,
    and how many there are.
    """
    rows = study.select(f"SELECT {keys}, row, {value} FROM rows WHERE {which} ORDER BY {keys}, row")
    for _, group in groupby(rows, key=lambda row: row[:-2]):
        first, second, other, own = -1, None, None, None
        for size, (*_, row, found) in enumerate(group, 1):
            if size == 1:
                first, own = row, found
            elif size == 2:
                second = row
            if other is None and found != own:
                other = row
        if second is not None:
            yield first, second, other, size


def _repeated_texts(study: Study) -> Iterator[Finding]:
    """Report texts that have several document names."""
    groups = _groups(study, "text, file", "name")
    found = Few((first, other) for first, _, other, _ in groups if other is not None)
    if texts := found.number:
        text = f"{count(texts, 'text')} with several document names, which count as one document"
        yield Finding.at("note", "duplicates", text, study.pairs(found), texts=texts)


def _near_duplicates(study: Study) -> Iterator[Finding]:
    query = "SELECT row, row_2 FROM pairs WHERE file = file_2 AND together = ?"
    apart, together = (Few(study.select(query, whether)) for whether in (False, True))
    if apart.number:
        texts = study.number(
            "SELECT count(*) FROM (SELECT one FROM pairs WHERE file = file_2 AND NOT together "
            "UNION SELECT other FROM pairs WHERE file = file_2 AND NOT together)"
        )
        share = texts / study.texts
        text = (
            f"{count(texts, 'text')} ({share:.1%}) nearly equal to one of another document, which "
            "flatters cross-validation: give both the same document"
        )
        severity: Severity = "spoils" if share > TEMPLATE else "warn"
        examples = study.pairs(apart)
        yield Finding.at(severity, "near-duplicates", text, examples, texts=texts, share=share)
    if pairs := together.number:
        text = (
            f"{count(pairs, 'pair')} of nearly equal texts in one document; no split separates them"
        )
        yield Finding.at("note", "near-duplicates", text, study.pairs(together), pairs=pairs)


def _contradiction(study: Study, *rows: int) -> str:
    query = "SELECT actor, stance FROM records WHERE row = ?"
    (actor, one), (_, other) = (next(study.select(query, row)) for row in rows)
    one, other = (
        f"{LABELS[stance]} {study.place(row)}"
        for stance, row in zip((one, other), rows, strict=True)
    )
    return f"{shown(study.actors[actor], 20)} {one}, {other}"


def _tone_conflicts(study: Study) -> Iterator[Finding]:
    groups = _groups(study, "text", "sentiment", "sentiment >= 0")
    found = Few((other, first) for first, _, other, _ in groups if other is not None)
    if texts := found.number:
        text = (
            f"{count(texts, 'text')} with two sentiments; a paragraph has one sentiment, and "
            "the first counts: decide on one"
        )
        yield Finding.at("warn", "conflicts", text, study.pairs(found), sentiments=texts)


def leaks(study: Study) -> Iterator[Finding]:
    """Find texts, and names of documents, that two files share."""
    for query in _SHARED:
        study.base.execute(query)
    sizes = dict(study.select("SELECT file, count(*) FROM firsts GROUP BY file"))
    shared = (
        "SELECT file, file_2 FROM pairs WHERE file < file_2 UNION SELECT file, file_2 FROM common"
    )
    for files in study.select(f"{shared} ORDER BY file, file_2"):
        yield from _leak(study, files, sizes)
        yield from _shared_documents(study, files)


def _leak(study: Study, files: Pair, sizes: Mapping[int, int]) -> Iterator[Finding]:
    leaking = "FROM pairs WHERE file = ? AND file_2 = ?"
    found = Few(study.select(f"SELECT row, row_2 {leaking}", *files))
    if not found.number:
        return
    counts = [
        study.number(f"SELECT count(DISTINCT {side}) {leaking}", *files)
        for side in ("one", "other")
    ]
    share = max(number / sizes[file] for number, file in zip(counts, files, strict=True))
    names = [shown(study.files[file], 40) for file in files]
    text = (
        f"{count(counts[1], 'text')} of {names[1]} equal or nearly equal to one in {names[0]} "
        f"({share:.1%}): never train on one and test on the other"
    )
    severity: Severity = "spoils" if share > LEAK else "warn"
    examples = study.pairs(found)
    yield Finding.at(severity, "leaks", text, examples, files=names, texts=counts, share=share)


def _shared_documents(study: Study, pair: Pair) -> Iterator[Finding]:
    found = Few(study.select("SELECT name FROM common WHERE file = ? AND file_2 = ?", *pair))
    if found.number:
        common = [name for (name,) in found.least]
        files = " and ".join(shown(study.files[file], 40) for file in pair)
        text = (
            f"{count(found.number, 'document name')} in both {files}, such as "
            f"'{shown(common[0], 30)}': if they are the same documents, keep each in one file"
        )
        figures = {"documents": found.number, "examples": common}
        yield Finding("warn", "leaks", text, figures)
