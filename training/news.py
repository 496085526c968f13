"""Takes the texts out of a labelled corpus, or joins labels to texts that you have obtained.

Usage: python training/news.py strip CORPUS.csv -o LABELS.csv.gz
       python training/news.py join TABLE... -o CORPUS.csv [--labels datasets/news/labels.csv.gz]

`datasets/news` has labels (labels.csv.gz) and soft labels (soft.csv.gz). They come without texts,
which belong to their publishers. A paragraph is known by the SHA-256 of its normalised text (NFC,
plain quotes, spaces and hyphens, no white space at either end), and spans count the characters of
that text. ``join`` reads tables (CSV, plain or .gz) with a column ``text``, one paragraph a row,
keeps what has a label, and says how many of the labelled paragraphs of each collection it found.
"""

import argparse
import csv
import gzip
import hashlib
import io
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from stance.corpus.rows import SOFT
from stance.reading.text import normalise, normalised_spans, parse_spans

LABELS = Path(__file__).resolve().parents[1] / "datasets" / "news" / "labels.csv.gz"
KEPT = ("actor", "stance", "holder", "false_match", "sentiment", "drawn", "outlet", "date")
KEPT_SOFT = ("actor", "date", *SOFT)
_PLACE = ("collection", "document", "paragraph", "spans")

Row = Mapping[str, str]


def paragraph_hash(text: str) -> str:
    """Return what a paragraph is known by.

    >>> paragraph_hash(" “Talks” ")[:8] == paragraph_hash('"Talks"')[:8]
    True
    """
    return hashlib.sha256(normalise(text).strip().encode()).hexdigest()


def strip(rows: Iterator[Row]) -> Iterator[dict[str, str]]:
    """Yield labels without texts; a second reader's label becomes a row of coder 2."""
    for row in rows:
        text = row["text"]
        before = len(normalise(text)) - len(normalise(text).lstrip())
        spans = normalised_spans(text, parse_spans(row["spans"], text, row["document"]) or ())
        label = {
            "collection": row["source"],
            "document": row["document"],
            "paragraph": paragraph_hash(text),
            "spans": ";".join(f"{start - before}:{end - before}" for start, end in spans),
            **{name: row[name] for name in (KEPT if "stance" in row else KEPT_SOFT)},
        }
        if "stance" in row:
            label["coder"] = "1"
        yield label
        if second := row.get("stance_second"):
            yield label | {"stance": second, "holder": "", "coder": "2"}


def join(labels: Iterator[Row], texts: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield a corpus row for each label of the first coder whose text is there."""
    for label in labels:
        text = texts.get(label["paragraph"])
        if text is not None and label.get("coder", "1") == "1":
            kept = {name: cell for name, cell in label.items() if name not in (*_PLACE, "coder")}
            place = {"document": label["document"], "source": label["collection"]}
            yield {"text": text, **place, "spans": label["spans"], **kept}


def read(path: Path) -> Iterator[Row]:
    """Yield the rows of a table."""
    csv.field_size_limit(1 << 27)
    with (
        gzip.open(path, "rt", encoding="utf-8", newline="")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8", newline="") as file
    ):
        yield from csv.DictReader(file)


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as a table; the same rows make the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("strip", "join"))
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("-o", "--output", required=True, type=Path)
    parser.add_argument("--labels", type=Path, default=LABELS)
    options = parser.parse_args(arguments)
    rows = (row for path in options.tables for row in read(path))
    if options.what == "strip":
        write(options.output, sorted(strip(rows), key=lambda r: (r["collection"], r["document"])))
        return
    texts = {paragraph_hash(row["text"]): normalise(row["text"]).strip() for row in rows}
    wanted: dict[str, set[str]] = defaultdict(set)
    for label in read(options.labels):
        wanted[label["collection"]].add(label["paragraph"])
    counts = Counter({name: len(known & texts.keys()) for name, known in wanted.items()})
    for name, known in wanted.items():
        print(f"{name}: {counts[name]:,} of {len(known):,} paragraphs found", file=sys.stderr)
    if not counts.total():
        sys.exit("no labelled paragraph found; is each paragraph a row of its own?")
    write(options.output, list(join(read(options.labels), texts)))


if __name__ == "__main__":
    main()
