"""The trained model: paragraphs in, probabilities out; numpy only."""

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Floats, Ints
from stance.display import count, shown
from stance.errors import UsageError
from stance.features import lay_out
from stance.features.occurrences import name_keys
from stance.model import holders
from stance.model.abstention import Calibration, TrainingProfile, check_language
from stance.model.deep import DeepReader
from stance.model.heads import Head
from stance.model.passages import notebook_html
from stance.model.predictions import Predictions, Pushes
from stance.reading import text as raw
from stance.reading.actors import BATCH, ActorBook
from stance.reading.keys import TextHashes
from stance.reading.lexicon import Lexicon
from stance.reading.words import NO_SPANS, Reader, Words, make_query
from stance.recipe import Recipe
from stance.records import NEUTRAL, SIDES, Recomputing

Texts = Collection[str]
SHOWN = 20  # paragraphs that a notebook shows
MARGIN = 2e-6  # how much more probable than a stance neutral may be, whose holder is looked for


@dataclass(frozen=True, eq=False)
class StanceModel(Recomputing):
    """A trained model; `stance.fitting` makes one, `stance.storage` keeps it in a file."""

    book: ActorBook
    lexicon: Lexicon
    recipe: Recipe
    stance: Head
    control: Head  #: target-blind baseline, trained on the same rows
    fingerprints: TextHashes  #: compact hashes of the training texts, to notice leakage
    card: Mapping[str, Any]  #: data, versions, scores and limits of the manifest; JSON values
    calibration: Calibration  #: held-out answers that say when to withhold one
    sentiment: Head | None = None  #: None if the corpus had no sentiment labels
    holder: Head | None = None  #: None if the corpus did not say whose its stances are
    #: What answers beside the heads; None if they answer alone, as those of every file do.
    deep: DeepReader | None = None
    encoder: DeepReader | None = None  #: makes the features of the block `deep`, if a head has it
    digest: str = ""  #: SHA-256 of what its file says of itself, arrays included; "" without one

    def __post_init__(self) -> None:
        if self.deep and self.deep.beside not in ("", self.digest):
            only = "works only with the bundled model that it was calibrated with"
            raise UsageError(f"--deep {only}; use that model, or drop --deep")

    @cached_property
    def reader(self) -> Reader:
        """The reader that lays out paragraphs for the heads."""
        deep = self.encoder and self.encoder.features
        return Reader(self.book, self.lexicon, self.recipe.language, deep)

    @cached_property
    def reference(self) -> TrainingProfile:
        """What the training paragraphs were like."""
        return TrainingProfile(**self.card["reference"])

    def __repr__(self) -> str:
        trained = [source["name"] for source in self.card.get("data", ())]
        parts = f"recipe={self.recipe.name!r}, trained_on={trained}, book={self.book}"
        return shown(f"StanceModel({parts})", 200)

    def judge(
        self, texts: Texts, actors: Texts | None = None, spans: Collection[Any] | None = None, *,
        months: Ints | None = None, before: Texts | None = None,
        pushes: bool = False, speakers: bool = False,
    ) -> Predictions:  # fmt: skip
        """Judge every actor of the book that each paragraph names, or one given actor for each.

        Parameters
        ----------
        texts : sequence of str
            Paragraphs as written.
        actors : sequence of str, optional
            Whom to ask about in each of them. An actor that is not in the book is looked for
            by its name, and a person by the surname, too.
        spans : sequence of (sequence of (int, int) or None), optional
            Character offsets of the given actor in the text as written, end-exclusive; without
            them the actor is looked for. Strings are read as in a table: "0:6;116:119".
        months : ndarray of shape (n_texts,), optional
            When they were written, as `stance.tables.months_of` counts it: aliases with terms of
            office count only within them. Without a month all aliases count.
        before : sequence of str, optional
            The paragraph before each in its document, "" for none: "the alliance" may mean an
            actor that it names.
        pushes : bool
            Whether to return how far each word pushes.
        speakers : bool
            Whether to look for a holder, who speaks, whatever the answer is.

        Returns
        -------
        Predictions
            One pair per text if actors are given. Otherwise, pairs in the order of the paragraphs,
            in each in the order of first mention.
        """
        given = _check(texts, actors=actors, spans=spans, months=months, before=before)
        listed, earlier, tone = given["texts"], given.get("before", ()), list[NDArray[Any]]()
        if actors is None:
            plain = raw.normalise_all(listed)
            words = self.reader.words(plain, months=given.get("months"), before=earlier)
            para, actor = words.named_actors()
            names = tuple(map(self.book.names.__getitem__, actor.tolist()))
        else:
            query = make_query(self.book, **given)
            if len(query.spans) and self.sentiment:  # that of the text, whatever spans say
                words, para = replace(query, spans=NO_SPANS).read(self.reader)
                tone = [values[para] for values in self.sentiment.judge(self.reader, words)]
            words, para = query.read(self.reader, apart=pushes)
            actor, names = query.actor, tuple(given["actors"])
            if tone:
                first = np.unique(para, return_index=True)[1]  # pair of each paragraph
                tone = [values[first] for values in tone]
        unseen = self.reference.unseen(self.book.topics([*{*names}]))
        for note in filter(None, (raw.cut_note(raw.count_cut(listed)), unseen)):
            warnings.warn(note, stacklevel=2)
        asked, apart = (words, para, actor, names, tone), actors is not None
        judged = self._judge(*asked, pushes=pushes, speakers=speakers, apart=apart)
        if earlier:
            self._name_speakers(judged, listed, earlier)
        return replace(judged, page=partial(self._page, given))

    def _name_speakers(self, judged: Predictions, texts: list[str], before: list[str]) -> None:
        """Name who speaks where a quotation goes on from the paragraph before."""
        unnamed = np.flatnonzero((judged.holder > 0) & (judged.holder < len(holders.NAMES)))
        places = judged.para.take(unnamed).tolist()
        joined = [raw.joined_quotation(before[place], texts[place]) for place in places]
        pairs = unnamed[[*map(bool, joined)]]
        if not len(pairs):
            return
        actors = tuple(judged.actor[pair] for pair in pairs.tolist())
        query = make_query(self.book, [*filter(None, joined)], actors)
        asked = *query.read(self.reader), query.actor, actors, ()
        again = self._judge(*asked, pushes=False, speakers=True, apart=True)
        known = len(holders.NAMES) + len(self.book)
        named = (again.holder >= len(holders.NAMES)) & (again.holder < known)
        judged.holder[pairs[named]] = again.holder[named]
        judged.holder_probability[pairs[named]] = again.holder_probability[named]

    def _page(self, given: dict[str, Any]) -> str:
        """Return the first paragraphs for a notebook, with their answers and reasons."""
        first = {name: column[:SHOWN] for name, column in given.items()}
        passages = self.judge(**first, pushes=True).passages(first["texts"])
        return notebook_html(passages, len(given["texts"]) - len(passages))

    def judge_many(
        self, texts: Texts, actors: Texts | None = None, spans: Collection[Any] | None = None, *,
        months: Ints | None = None, before: Texts | None = None,
        pushes: bool = False, speakers: bool = False,
    ) -> Iterator[tuple[slice, Predictions]]:  # fmt: skip
        """Judge any number of rows as `judge` does; yield those of each batch and its answers."""
        given = _check(texts, actors=actors, spans=spans, months=months, before=before)
        for low in range(0, len(given["texts"]), BATCH):
            rows = slice(low, low + BATCH)
            part = {name: column[rows] for name, column in given.items()}
            yield rows, self.judge(**part, pushes=pushes, speakers=speakers)

    def probabilities(
        self, texts: Texts, actors: Texts, spans: Collection[Any] | None = None,
        months: Ints | None = None,
    ) -> Floats:  # fmt: skip
        """Return the stance probabilities of any number of pairs, of shape (n_pairs, 3).

        It withholds nothing. The parameters are as in `judge`.
        """
        batches = self.judge_many(texts, actors, spans, months=months)
        none = np.zeros((0, len(self.stance.labels)))
        return np.concatenate([none, *(judged.stance for _, judged in batches)])

    def judge_blind(self, texts: Sequence[str], months: Ints | None = None) -> Floats:
        """Return the probabilities of the target-blind head, which sees no actor: the baseline."""
        chances = [np.zeros((0, len(self.control.labels)))]
        for low in range(0, len(texts), BATCH):
            rows = slice(low, low + BATCH)
            dated = None if months is None else months[rows]
            words = self.reader.words(raw.normalise_all(texts[rows]), months=dated)
            chances.append(self.control.judge(self.reader, words)[0])
        return np.concatenate(chances)

    def _judge(
        self, words: Words, para: Ints, actor: Ints, names: tuple[str, ...],
        tone: Sequence[NDArray[Any]], *, pushes: bool, speakers: bool, apart: bool,
    ) -> Predictions:  # fmt: skip
        """Judge pairs; if they are to stand apart, each has a paragraph of its own."""
        learned, keys, pushed = np.zeros(len(names), np.bool_), None, None
        if self.stance.per_actor:
            topics = self.book.topics(names)
            learned = np.array([topic in self.reference.actors for topic in topics], np.bool_)
            keys = name_keys(topics)
        if pushes:
            pairs = lay_out(words, para, actor, keys)
            pushed = Pushes(pairs, np.zeros(pairs.first[-1]))
        add = pushed.add if pushed else None
        stance, known = self.stance.judge(self.reader, words, para, actor, keys, add)
        sentiment, sentiment_known = None, np.zeros(len(words), np.bool_)
        if self.sentiment is not None:
            sentiment, sentiment_known = tone or self.sentiment.judge(self.reader, words)
        language = check_language(self.reader, self.stance, words)
        foreign = language.foreign(self.reference)
        mentions = words.count_mentions(para, actor)
        deep: Mapping[str, Floats] = {}
        if self.deep is not None:
            asked = known & ~foreign[para] & (mentions > 0)
            asked &= stance.max(axis=1) < self.deep.below
            deep = self.deep.read(words, para, actor, np.flatnonzero(asked))
            stance = self.deep.mixtures["stance"].mix(stance, deep["stance"])
            if sentiment is not None:
                sentiment = self.deep.mixtures["sentiment"].mix(sentiment, deep["sentiment"])
        # With a margin for stances as probable as neutral once they are rounded in print.
        taken = stance[:, list(SIDES)].max(axis=1) > stance[:, NEUTRAL] - MARGIN
        # No answer where no word is known, or the actor is neither named nor a learned topic.
        withheld = ~known | foreign[para] | (mentions == 0) & ~learned
        taken &= ~withheld
        holder, chance = self._held(words, para, actor, np.flatnonzero(taken | speakers), deep)
        holder, holder_names = holders.named_codes(self.book, holder, names)
        rows = para if apart else np.arange(len(words))
        return Predictions(
            para=np.arange(len(para)) if apart else para,
            actor=names,
            number=actor,
            mentions=mentions,
            stance=stance,
            withheld=withheld,
            sentiment=None if sentiment is None else sentiment[rows],
            tone_withheld=(~sentiment_known | foreign)[rows],
            language=type(language)(*(column[rows] for column in language)),
            foreign=foreign[rows],
            holder=holder,
            holder_probability=chance,
            holders=holder_names,
            pushes=pushed,
            deep=self.deep is not None,
        )

    def _held(
        self, words: Words, para: Ints, actor: Ints, asked: Ints, deep: Mapping[str, Floats]
    ) -> tuple[Ints, Floats]:
        """Return the code of each holder asked for, see `holders.codes`, and its probability."""
        code, chance = np.zeros(len(para), np.int64), np.zeros(len(para))
        if self.holder is not None:
            pairs = words, para[asked], actor[asked]
            chances, _ = self.holder.judge(self.reader, *pairs)
            if self.deep is not None:
                chances = self.deep.mixtures["holder"].mix(chances, deep["holder"][asked])
            code[asked], kind, least = holders.codes(self.reader, chances.argmax(axis=1), *pairs)
            chance[asked] = np.maximum(chances[np.arange(len(asked)), kind], least)
        return code, chance


def model_of(given: Any) -> StanceModel:
    """Return a model: itself, or that of a fitted estimator, or of a fitted search for one."""
    given = getattr(given, "best_estimator_", given)
    model = given.to_model() if hasattr(given, "to_model") else given
    if not isinstance(model, StanceModel):
        advice = "give a StanceModel or a fitted StanceClassifier, such as pipeline[-1]"
        raise TypeError(f"model is a {type(model).__name__}; {advice}")
    return model


def _check(texts: Texts, **others: Any) -> dict[str, Any]:
    """Return what is given as lists, by position: a series may number its rows in its own way."""
    is_table = isinstance(texts, str | bytes | Mapping | Set) or hasattr(texts, "columns")
    is_one = not hasattr(texts, "__len__") or getattr(texts, "shape", None) == ()
    if is_table or is_one:
        kind, advice = type(texts).__name__, "[text], df['text'] or list(texts)"
        raise TypeError(f"texts is a {kind}; give a list of paragraphs, such as {advice}")
    if others["spans"] is not None and others["actors"] is None:
        raise ValueError("spans say where given actors are named; give actors, too")
    texts = raw.list_strings("texts", texts)
    columns: dict[str, Any] = {"texts": texts}
    for name, given in others.items():
        if given is None:
            continue
        if isinstance(given, str) or len(given) != len(texts):
            size = count(len(texts), "text")
            raise ValueError(f"{name} has {len(given)} for {size}; give one for each, in a list")
        if name == "spans":
            pairs = enumerate(zip(given, texts, strict=True))
            columns[name] = [raw.places_of(one, text, f"spans[{n}]") for n, (one, text) in pairs]
        elif name == "months":
            columns[name] = np.asarray(given)
            if texts and columns[name].dtype.kind not in "iu":
                raise TypeError("months is not whole numbers; give stance.tables.months_of(dates)")
        else:
            columns[name] = raw.list_strings(name, given)
    return columns
