"""The deep reader: a small encoder reads the paragraph, and answers beside the linear model.

It reads word pieces around an actor's first mention once, and answers from the mean state of the
actor's pieces and that of all pieces.  Both answers are mixed with weights learned on collections
that neither has seen.  Each paragraph is read alone, on one thread: in a batch, the scale of its
8-bit numbers would depend on its neighbours.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from re import finditer
from string import punctuation
from typing import Any, NamedTuple
from unicodedata import category, name, normalize

import numpy as np

from stance.arrays import Bools, Floats, Floats32, Ints, Ints32
from stance.errors import ModelError, load_extra
from stance.model.heads import softmax
from stance.reading.words import Words
from stance.records import Recomputing, Stance

PIECES = 192  # word pieces read around a mention, as in training (``training/distil.py``)
BEFORE = PIECES // 3  # those of them that stand before a mention in a longer paragraph
ANSWERS = 1.5  # length of the answers among the features of a pair; the state's direction has 1
HEADS = ("stance", "holder", "sentiment")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # or importing onnxruntime would report to Microsoft
_LEAST = 1e-9  # probability, whose logarithm is finite
LONGEST = 100  # characters of a word that is cut; a longer one is unknown as a whole
SPECIAL = ("[UNK]", "[CLS]", "[SEP]")
"""Pieces that stand for an unknown word, and before and behind a text."""


# --- Word pieces: WordPiece as in BERT (Devlin et al. 2019), blind to case and accents ---


class Pieces(NamedTuple):
    """Word pieces of a text, and where they stand."""

    ids: Ints
    start: Ints
    end: Ints

    def named(self, start: Ints | Ints32, end: Ints | Ints32) -> Bools:
        """Return which pieces are part of a mention, given where mentions start and end."""
        inside = (self.start < end[:, None]) & (self.end > start[:, None])
        return np.asarray(inside.any(axis=0))


def encode(text: str, numbers: Mapping[str, int]) -> Pieces:
    """Return the pieces of a text, between a first and a last one that stand nowhere.

    Of a word's pieces, all but the first have numbers under names that begin with ``##``.
    """
    parts = [*map(plain, text)]
    place = [*chain.from_iterable([n] * len(part) for n, part in enumerate(parts))]
    _, first, last = map(numbers.__getitem__, SPECIAL)
    rows = [(first, 0, 0)]
    for word in finditer("[^ ]+", "".join(parts)):
        low, cut = word.start(), _cut(word[0], numbers)
        rows += ((number, place[low + s], place[low + e - 1] + 1) for number, s, e in cut)
    return Pieces(*np.array([*rows, (last, 0, 0)], np.int64).T)


def _cut(word: str, numbers: Mapping[str, int]) -> list[tuple[int, int, int]]:
    """Return number, start and end of the longest pieces of a word, from the left."""
    pieces, low = list[tuple[int, int, int]](), 0
    while low < len(word) <= LONGEST:
        lead = "##" if low else ""
        known = (high for high in range(len(word), low, -1) if lead + word[low:high] in numbers)
        if (high := next(known, low)) == low:
            break
        pieces.append((numbers[lead + word[low:high]], low, high))
        low = high
    return pieces if low == len(word) else [(numbers[SPECIAL[0]], 0, len(word))]


@cache
def plain(char: str) -> str:
    r"""Return a character as pieces have it, with blanks around one that is a word of its own.

    >>> [plain(char) for char in "É“\t\u200b"]
    ['e', ' “ ', ' ', '']
    """
    if char.isspace() and (category(char) != "Cc" or char in "\t\n\r"):
        return " "
    if category(char)[0] == "C" or char == "\ufffd":
        return ""
    parts = [part.lower() for part in normalize("NFD", char) if category(part) != "Mn"]
    word = "".join(parts)
    alone = category(word[:1] or "a")[0] == "P" or word[:1] in (*punctuation,)
    called = name(char, "")
    return f" {word} " if alone or (called[:3] == "CJK" and "IDEOGRAPH-" in called) else word


# --- The reader ---


class Mixture(NamedTuple):
    """How much the logarithms of both models' probabilities count, and what is added to them."""

    linear: float
    deep: float
    offset: tuple[float, ...]

    def mix(self, linear: Floats, deep: Floats) -> Floats:
        """Return the probabilities of rows by both models, or by the linear one if not read."""
        mixed, read = linear.copy(), ~np.isnan(deep).any(axis=1)
        one, other = (np.log(np.maximum(chances[read], _LEAST)) for chances in (linear, deep))
        mixed[read] = softmax(self.linear * one + self.deep * other + np.array(self.offset))
        return mixed


class Layer(NamedTuple):
    """A linear layer of 32-bit numbers."""

    weight: Floats32  # of shape (n_out, n_in)
    bias: Floats32

    def apply(self, state: Floats32) -> Floats32:
        """Return the layer of one state; not by BLAS, whose threads may change the last digit."""
        return np.einsum("ij,j->i", self.weight, state) + self.bias


@dataclass(frozen=True, repr=False)
class DeepReader(Recomputing):
    """An encoder with its word pieces and heads; `stance.storage.load_reader` reads it."""

    network: bytes  # ONNX graph from numbers of word pieces (1, n) to states (n, width)
    pieces: Mapping[str, int]  # numbers of the word pieces
    layers: Mapping[str, Layer]  # ``trunk`` and those of `HEADS`
    mixtures: Mapping[str, Mixture]  # by head
    below: float  # only pairs whose most probable linear answer is less probable are read
    sha256: str  # of network, pieces and layers
    beside: str = ""  # digest of the model for which the mixtures are calibrated; "" for any

    @property
    def version(self) -> str:
        """The version of onnxruntime, on which probabilities depend."""
        return str(load_extra("onnxruntime", "the deep reader", "deep").__version__)

    @cached_property
    def session(self) -> Any:
        """The network, ready to run on one thread."""
        runtime = load_extra("onnxruntime", "the deep reader", "deep")
        try:
            options = runtime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.use_deterministic_compute = True
            options.log_severity_level = 4  # nothing but what it raises
            runtime.disable_telemetry_events()
            return runtime.InferenceSession(self.network, options, ["CPUExecutionProvider"])
        except Exception as error:  # its errors have no base of their own
            advice = "pip install -U onnxruntime, or do without --deep"
            version = f"onnxruntime {getattr(runtime, '__version__', '')}".strip()
            raise ModelError(f"the deep reader cannot be opened by {version}; {advice}") from error

    def read(self, words: Words, para: Ints, actor: Ints, asked: Ints) -> dict[str, Floats]:
        """Read some of the pairs, whose paragraphs name their actors and stand in order.

        Returns the probabilities of each of `HEADS`, by pair or for the sentiment by paragraph; NaN
        where nothing was read.
        """
        counts = {"stance": len(para), "holder": len(para), "sentiment": len(words)}
        answers = {head: np.full((n, len(Stance)), np.nan) for head, n in counts.items()}
        states = self._states(words, para, actor, asked)
        for pair, (hidden, whole) in zip(asked.tolist(), states, strict=True):
            answers["stance"][pair] = self._answer("stance", hidden)
            answers["holder"][pair] = self._answer("holder", hidden)
            answers["sentiment"][para[pair]] = self._answer("sentiment", whole)
        return answers

    def features(self, words: Words, para: Ints, actor: Ints) -> tuple[Ints, Floats]:
        """Return which pairs are read, those that name the actor, and the features of each.

        They are the roots of its probabilities by stance, and the direction of the state from which
        these come: of the same length for each pair.
        """
        read = np.flatnonzero(words.count_mentions(para, actor))
        rows = np.zeros((len(read), len(Stance) + len(self.layers["trunk"].bias)))
        states = self._states(words, para, actor, read, tone=False)
        for row, (hidden, _) in zip(rows, states, strict=True):
            length = max(float(np.sqrt(np.square(hidden).sum())), _LEAST)
            row[:] = *(ANSWERS * np.sqrt(self._answer("stance", hidden))), *(hidden / length)
        return read, rows

    def _states(
        self, words: Words, para: Ints, actor: Ints, asked: Ints, *, tone: bool = True
    ) -> Iterator[tuple[Floats32, Floats32]]:
        """Yield the state of some of the pairs, and that of the part by which the tone is judged.

        It lies around the first mention of anyone, without ``tone`` around that of the pair.
        """
        from scipy.special import erf  # which takes a while to import

        mentions, text, states = words.mentions, "", dict[int, Floats32]()
        for paragraph, who in zip(para[asked].tolist(), actor[asked].tolist(), strict=True):
            if words.texts[paragraph] != text:
                text, states = words.texts[paragraph], {}
                pieces = encode(text, self.pieces)
            here = mentions[words.para.take(mentions) == paragraph]
            mine = here[words.who.take(here) == who]
            around = here if tone else mine
            first, low = (window(pieces, int(words.start[one[0]])) for one in (around, mine))
            for place in (first, low):  # often the same
                if place not in states:
                    ids = pieces.ids[place : place + PIECES]
                    (states[place],) = self.session.run(None, {"ids": ids[None]})
            read = Pieces(*(column[low : low + PIECES] for column in pieces))
            named = read.named(words.start[mine], words.end[mine])
            whole = states[low].mean(axis=0)
            mention = states[low][named].mean(axis=0) if named.any() else np.zeros_like(whole)
            bent = self.layers["trunk"].apply(np.concatenate([mention, whole, mention * whole]))
            # The Gaussian error linear unit (Hendrycks and Gimpel 2016).
            hidden = bent * (1 + erf(bent / np.sqrt(np.float32(2)))) / 2
            yield hidden, states[first].mean(axis=0)

    def _answer(self, head: str, state: Floats32) -> Floats:
        """Return the probabilities of a head."""
        return softmax(self.layers[head].apply(state).astype(np.float64)[None]).ravel()


def window(pieces: Pieces, first: int) -> int:
    """Return the piece with which the part around a mention begins."""
    before = int((pieces.end <= first).sum()) - BEFORE
    return max(0, min(before, len(pieces.ids) - PIECES))
