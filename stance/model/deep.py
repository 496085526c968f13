"""The deep reader: a small encoder reads the paragraph, and answers beside the linear model.

It reads word pieces around an actor's first mention once, and answers from the mean state of the
actor's pieces and that of all pieces.  Both answers are mixed with weights learned on collections
that neither has seen.  Each paragraph is read alone, on one thread: in a batch, the scale of its
8-bit numbers would depend on its neighbours.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Floats32, Ints
from stance.display import brief
from stance.errors import ModelError, load_extra
from stance.model.heads import softmax
from stance.model.pieces import Pieces, WordPieces
from stance.reading.words import Words
from stance.records import Stance

PIECES = 128
"""Word pieces read around a mention, as in training (``training/distil.py``)."""

BEFORE = PIECES // 3
"""Those of them that stand before a mention in a longer paragraph."""

ANSWERS = 1.5
"""Length of the answers among the features of a pair; that of the state's direction is 1."""

HEADS = ("stance", "holder", "sentiment")
EXTRA = "deep"
_LEAST = 1e-9  # probability, whose logarithm is finite
_SILENT = 4  # log level of onnxruntime: what it raises, we say


@dataclass(frozen=True, slots=True)
class Mixture:
    """How much the logarithms of both models' probabilities count, and what is added to them."""

    linear: float
    deep: float
    offset: tuple[float, ...]

    def mix(self, linear: Floats, deep: Floats) -> Floats:
        """Return the mixed probabilities of rows, from those of both models."""
        logs = (np.log(np.maximum(one, _LEAST)) for one in (linear, deep))
        scores = sum(
            weight * log for weight, log in zip((self.linear, self.deep), logs, strict=True)
        )
        return softmax(scores + np.array(self.offset))


@dataclass(frozen=True, slots=True)
class Layer:
    """A linear layer of 32-bit numbers."""

    weight: Floats32  # of shape (n_out, n_in)
    bias: Floats32

    def apply(self, state: Floats32) -> Floats32:
        """Return the layer of one state; not by BLAS, whose threads may change the last digit."""
        found: Floats32 = np.einsum("ij,j->i", self.weight, state) + self.bias
        return found


@dataclass(frozen=True, slots=True)
class DeepAnswers:
    """Probabilities of stance and holder of each pair, and of the sentiment of each paragraph.

    What was not read has NaN.
    """

    stance: Floats
    holder: Floats
    sentiment: Floats


@dataclass(frozen=True)
class DeepReader:
    """An encoder with its word pieces and heads; `stance.storage.load_reader` reads it.

    Attributes
    ----------
    network : bytes
        ONNX graph from the numbers of word pieces, of shape (1, n), to states of shape (n, width).
    pieces : mapping of str to int
        Numbers of the word pieces.
    layers : mapping of str to Layer
        ``trunk`` and those of `HEADS`.
    mixtures : mapping of str to Mixture
        By head.
    below : float
        Only pairs whose most probable linear answer is less probable than this are read.
    sha256 : str
        Of network, pieces and layers.
    """

    network: bytes
    pieces: Mapping[str, int]
    layers: Mapping[str, Layer]
    mixtures: Mapping[str, Mixture]
    below: float
    sha256: str

    def __repr__(self) -> str:
        return brief("DeepReader", megabytes=round(len(self.network) / 1e6, 1), below=self.below)

    def __getstate__(self) -> dict[str, Any]:
        # A session cannot be pickled; a copy opens its own.
        made = ("session", "vocabulary")
        return {name: value for name, value in self.__dict__.items() if name not in made}

    @cached_property
    def session(self) -> Any:
        """The network, ready to run on one thread."""
        runtime = load_extra("onnxruntime", "the deep reader", EXTRA)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.log_severity_level = _SILENT
        runtime.disable_telemetry_events()
        try:
            return runtime.InferenceSession(
                self.network, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors have no base of their own
            advice = "pip install --upgrade onnxruntime, or do without --deep"
            version = f"onnxruntime {runtime.__version__}"
            raise ModelError(f"the deep reader cannot be opened by {version}; {advice}") from error

    @cached_property
    def vocabulary(self) -> WordPieces:
        """The word pieces, ready to cut texts."""
        return WordPieces(self.pieces)

    def open(self) -> "DeepReader":
        """Open the network now, so that nothing is lacking later; return the reader."""
        _ = self.session
        return self

    def asked(self, linear: Floats) -> Bools:
        """Return which pairs to read, from their probabilities by the linear model."""
        unsure: Bools = linear.max(axis=1) < self.below
        return unsure

    def mix(self, head: str, linear: Floats, deep: Floats) -> Floats:
        """Return the probabilities of rows by both models, or by the linear one if not read."""
        mixed, read = linear.copy(), ~np.isnan(deep).any(axis=1)
        mixed[read] = self.mixtures[head].mix(linear[read], deep[read])
        return mixed

    def read(self, words: Words, para: Ints, actor: Ints, asked: Ints) -> DeepAnswers:
        """Read some of the pairs, whose paragraphs name their actors and stand in order."""
        counts = len(para), len(para), len(words)
        answers = DeepAnswers(*(np.full((count, len(Stance)), np.nan) for count in counts))
        states = self._states(words, para, actor, asked)
        for number, (hidden, whole) in zip(asked.tolist(), states, strict=True):
            paragraph = int(para[number])
            answers.stance[number] = self._answer("stance", hidden)
            answers.holder[number] = self._answer("holder", hidden)
            if np.isnan(answers.sentiment[paragraph, 0]):  # by the part around the first actor
                answers.sentiment[paragraph] = self._answer("sentiment", whole)
        return answers

    def features(self, words: Words, para: Ints, actor: Ints) -> tuple[Ints, Floats]:
        """Return which pairs are read, those that name the actor, and the features of each.

        They are the roots of its probabilities by stance, and the direction of the state from which
        these come: of the same length for each pair.
        """
        read = np.flatnonzero(words.count_mentions(para, actor))
        rows = np.zeros((len(read), len(Stance) + len(self.layers["trunk"].bias)))
        for row, (hidden, _) in zip(rows, self._states(words, para, actor, read), strict=True):
            length = max(float(np.sqrt(np.square(hidden).sum())), _LEAST)
            row[:] = *(ANSWERS * np.sqrt(self._answer("stance", hidden))), *(hidden / length)
        return read, rows

    def _states(
        self, words: Words, para: Ints, actor: Ints, asked: Ints
    ) -> Iterator[tuple[Floats32, Floats32]]:
        """Yield the state of some of the pairs, and that of the part of the paragraph read."""
        places = _places(words, para[asked])
        text, piece, states = None, Pieces([], []), dict[int, Floats32]()
        for number in asked.tolist():
            paragraph, who = int(para[number]), int(actor[number])
            if words.texts[paragraph] != text:
                text = words.texts[paragraph]
                piece, states = self.vocabulary.encode(text), {}
            low = window(piece, places[paragraph, who][0][0])
            if low not in states:
                ids = piece.ids[low : low + PIECES]
                (states[low],) = self.session.run(None, {"ids": ids[None]})
            named = piece.named(places[paragraph, who])[low : low + PIECES]
            whole = states[low].mean(axis=0)
            mention = states[low][named].mean(axis=0) if named.any() else np.zeros_like(whole)
            both = np.concatenate([mention, whole, mention * whole])
            yield _gelu(self.layers["trunk"].apply(both)), whole

    def _answer(self, head: str, state: Floats32) -> Floats:
        """Return the probabilities of a head."""
        scores: Floats = self.layers[head].apply(state).astype(np.float64)
        chances: Floats = softmax(scores[None])[0]
        return chances


def window(pieces: Pieces, first: int) -> int:
    """Return the piece with which the part around a mention begins."""
    before = int((pieces.end <= first).sum()) - BEFORE
    return max(0, min(before, len(pieces.ids) - PIECES))


def _places(words: Words, para: Ints) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Return where some paragraphs name each actor, in order, by paragraph and actor."""
    asked = np.zeros(len(words.first) - 1, np.bool_)
    asked[para] = True
    mentions = words.mentions[asked.take(words.para.take(words.mentions))]
    columns = (getattr(words, name).take(mentions).tolist() for name in ("para", "who"))
    ends = (getattr(words, name).take(mentions).tolist() for name in ("start", "end"))
    places: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for key, place in zip(zip(*columns, strict=True), zip(*ends, strict=True), strict=True):
        places.setdefault(key, []).append(place)
    return places


def _gelu(values: Floats32) -> Floats32:
    """Return the Gaussian error linear unit (Hendrycks and Gimpel 2016) of some values."""
    from scipy.special import erf  # which takes a while to import

    bent: Floats32 = values * (1 + erf(values / np.sqrt(np.float32(2)))) / 2
    return bent
