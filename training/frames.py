"""Measure what the frames of judgement alone answer, without any learning.

Usage: python training/frames.py SENTENCES.csv ... [--by COLUMN] [--misses] [--holders]

Each CSV has columns text, actor, stance and, if known, holder (several right ones separated by |).
An actor that frames praise more often than they blame it counts as favor, and the other way round;
one that no frame judges is neutral. Prints, per file and per value of the column, the pairs right,
neutral actors left neutral, stances taken for their opposite, and the holders of right ones; or
only how often frames name the right holder of a stance that is known (`stance.model.holders`).
"""

import argparse
import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stance.model import holders
from stance.reading.actors import BATCH, ActorBook
from stance.reading.frames import frames_of
from stance.reading.lexicon import Lexicon
from stance.reading.text import normalise_all
from stance.reading.voices import AUTHOR
from stance.reading.words import Reader

STANCES = {-1: "against", 0: "neutral", 1: "favor"}


def judged(reader: Reader, texts: Sequence[str]) -> list[dict[str, list[tuple[int, str]]]]:
    """Return, for each text, polarity and holder of the judgements of each actor."""
    words, names = reader.words(normalise_all(texts)), reader.book.names
    judgements: list[dict[str, list[tuple[int, str]]]] = [{} for _ in texts]
    for frame in frames_of(words, reader):
        if frame.patient >= 0 and frame.polarity:
            holder = "author" if frame.agent == AUTHOR else "other"
            holder = names[frame.agent] if frame.agent >= 0 else holder
            listed = judgements[words.para[frame.cue]].setdefault(names[frame.patient], [])
            listed.append((frame.polarity, holder))
    return judgements


def print_holders(reader: Reader, files: Sequence[Path]) -> None:
    """Print how often the holder that frames name is right, by kind, over all files."""
    right, named = Counter[str](), Counter[str]()
    names = [*holders.NAMES, *reader.book.names]
    for file in files:
        with file.open(encoding="utf-8", newline="") as lines:
            held = [row for row in csv.DictReader(lines) if row["stance"] != "neutral"]
        rows = [row for row in held if row.get("holder") and reader.book.number(row["actor"]) >= 0]
        for low in range(0, len(rows), BATCH):
            part = rows[low : low + BATCH]
            words = reader.words(normalise_all([row["text"] for row in part]))
            actor = np.array([reader.book.number(row["actor"]) for row in part])
            codes = holders.judges(frames_of(words, reader), words, np.arange(len(part)), actor)
            for row, code in zip(part, codes.tolist(), strict=True):
                if code != holders.NONE:
                    kind = names[code] if code < len(holders.NAMES) else "actor"
                    named[kind] += 1
                    right[kind] += names[code] == reader.book.proper_name(row["holder"])
    for kind in sorted(named):
        print(f"{kind}: {right[kind]} of {named[kind]}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--by", default="construction")
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--holders", action="store_true")
    options = parser.parse_args()
    reader = Reader(ActorBook.default(), Lexicon.default())
    if options.holders:
        print_holders(reader, options.files)
        return
    print("| sentences | right | neutral kept | reversed | holder right |\n|---|---|---|---|---|")
    for file in options.files:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        counts = Counter[tuple[str, str]]()
        for row, judgements in zip(
            rows, judged(reader, [row["text"] for row in rows]), strict=True
        ):
            listed, gold = judgements.get(row["actor"], []), row["stance"]
            total = sum(sign for sign, _ in listed)
            answer = STANCES[(total > 0) - (total < 0)]
            right_holders = {*(row.get("holder") or "").split("|")} - {""}
            for name in (file.name, f"{file.name}: {row.get(options.by) or 'other'}"):
                counts[name, "n"] += 1
                counts[name, "right"] += answer == gold
                counts[name, "neutral"] += gold == "neutral"
                counts[name, "kept"] += answer == gold == "neutral"
                counts[name, "reversed"] += {answer, gold} == {"favor", "against"}
                if answer == gold != "neutral" and right_holders:
                    counts[name, "held"] += 1
                    counts[name, "holder"] += any(holder in right_holders for _, holder in listed)
            if options.misses and answer != gold:
                print(f"  {row['text']} {row['actor']}: {gold}, not {answer} {listed}")
        for name in dict.fromkeys(name for name, _ in counts):
            n, right, neutral, kept, turned, held, holder = (
                counts[name, key]
                for key in ("n", "right", "neutral", "kept", "reversed", "held", "holder")
            )
            print(
                f"| {name} | {right} of {n} | {kept} of {neutral} | {turned} | {holder} of {held} |"
            )


if __name__ == "__main__":
    main()
