"""The deep reader: a small encoder reads the paragraph, and answers beside the linear model.

It reads word pieces around an actor's first mention once, and answers from the mean state of the
actor's pieces and that of all pieces.  Both answers are mixed with weights learned on collections
that neither has seen.  Each paragraph is read alone, on one thread: in a batch, the scale of its
8-bit numbers would depend on its neighbours.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Floats32, Ints
from stance.display import brief
from stance.errors import ModelError, load_extra
from stance.model.heads import softmax
from stance.reading.words import Words
from stance.records import Stance

PIECES = 128
"""Word pieces read around a mention, as in training (``training/distil.py``)."""

BEFORE = PIECES // 3
"""Those of them that stand before a mention in a longer paragraph."""

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
    pieces : str
        JSON of the tokeniser.
    layers : mapping of str to Layer
        ``trunk`` and those of `HEADS`.
    mixtures : mapping of str to Mixture
        By head.
    below : float
        Only pairs whose most probable linear answer is less probable than this are read.
    sha256 : str
        Of all that the answers depend on.
    """

    network: bytes
    pieces: str
    layers: Mapping[str, Layer]
    mixtures: Mapping[str, Mixture]
    below: float
    sha256: str

    def __repr__(self) -> str:
        return brief("DeepReader", megabytes=round(len(self.network) / 1e6, 1), below=self.below)

    def __getstate__(self) -> dict[str, Any]:
        # A session cannot be pickled; a copy opens its own.
        made = ("session", "tokeniser")
        return {name: value for name, value in self.__dict__.items() if name not in made}

    @cached_property
    def session(self) -> Any:
        """The network, ready to run on one thread."""
        runtime = load_extra("onnxruntime", "--deep", EXTRA)
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
            advice = "pip install --upgrade onnxruntime, or drop --deep"
            version = f"onnxruntime {runtime.__version__}"
            raise ModelError(f"the deep reader cannot be opened by {version}; {advice}") from error

    @cached_property
    def tokeniser(self) -> Any:
        """The tokeniser of the word pieces."""
        library = load_extra("tokenizers", "--deep", EXTRA)
        try:
            return library.Tokenizer.from_str(self.pieces)
        except Exception as error:  # its errors have no base of their own
            advice = "pip install --upgrade tokenizers, or drop --deep"
            version = f"tokenizers {library.__version__}"
            raise ModelError(f"the deep reader cannot be opened by {version}; {advice}") from error

    def open(self) -> "DeepReader":
        """Open network and tokeniser now, so that nothing is lacking later; return the reader."""
        _ = self.session, self.tokeniser
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
        places = _places(words, para[asked])
        text, piece, states = None, Pieces([], []), dict[int, Floats32]()
        for number in asked.tolist():
            paragraph, who = int(para[number]), int(actor[number])
            if words.texts[paragraph] != text:
                text = words.texts[paragraph]
                found = self.tokeniser.encode(text)
                piece, states = Pieces(found.ids, found.offsets), {}
            low = piece.window(places[paragraph, who][0][0])
            if low not in states:
                ids = piece.ids[low : low + PIECES]
                (states[low],) = self.session.run(None, {"ids": ids[None]})
            named = piece.named(places[paragraph, who])[low : low + PIECES]
            answers.stance[number], answers.holder[number], sentiment = self._answer(
                states[low], named
            )
            if np.isnan(answers.sentiment[paragraph, 0]):
                answers.sentiment[paragraph] = sentiment  # by the part around the first actor
        return answers

    def _answer(self, state: Floats32, named: Bools) -> Iterator[Floats]:
        """Yield the probabilities of each head for one actor."""
        whole = state.mean(axis=0)
        mention = state[named].mean(axis=0) if named.any() else np.zeros_like(whole)
        hidden = _gelu(
            self.layers["trunk"].apply(np.concatenate([mention, whole, mention * whole]))
        )
        for head in HEADS:
            scores = self.layers[head].apply(whole if head == "sentiment" else hidden)
            yield softmax(scores[None].astype(np.float64))[0]


class Pieces:
    """Word pieces of a text, and where they stand."""

    def __init__(self, ids: Sequence[int], offsets: Sequence[tuple[int, int]]) -> None:
        self.ids: Ints = np.array(ids, np.int64)
        self.start, self.end = np.array(offsets, np.int64).reshape(-1, 2).T

    def window(self, first: int) -> int:
        """Return the piece with which the part around a mention begins."""
        before = int((self.end <= first).sum()) - BEFORE
        return max(0, min(before, len(self.ids) - PIECES))

    def named(self, places: Sequence[tuple[int, int]]) -> Bools:
        """Return which pieces are part of a mention."""
        named = np.zeros(len(self.ids), np.bool_)
        for start, end in places:
            named |= (self.start < end) & (self.end > start)
        return named


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
