"""The features once more: tiny, slow and readable, one paragraph and one actor at a time.

Plain loops over characters, words and mentions; nothing of the array code that it checks.
It shares with the package only the normalised text, the stemmer, the tables of the lexicon and
of the actor book, and the numbers that a recipe does not set.
"""

import math
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import Stemmer

from stance.features.blocks import (
    BUCKETS,
    FARTHEST,
    LEAST_GRAM,
    LEFT,
    LEXICAL,
    MOST_GRAM,
    RIGHT,
    STRETCH,
)
from stance.features.pairs import DECAY, REACH, ROLES, SHORT
from stance.model.heads import Head
from stance.reading.actors import Actor
from stance.reading.text import normalise
from stance.reading.tokens import _ABBREVIATIONS, LONGEST_WORD
from stance.reading.words import NEGATION_REACH

NOBODY = None
"""Judges the paragraph without an actor."""

SPAN = "?"
"""Name of the actor whose places were given by spans, or who is not in the book."""

Features = dict[str, list[float]]


# --- Words -----------------------------------------------------------------------------------


@dataclass
class Word:
    """One word of the text, or one mention after it has shrunk to one word."""

    spelling: str
    start: int
    end: int
    clitic: str = ""
    after: str = ""  # what stands between this word (and its clitics) and the next one
    gap: str = "other"
    sentence: int = 0
    opens: bool = False
    quoted: bool = False
    question: bool = False
    # What follows is known once the mentions are.
    mentioned: bool = False
    stem: str = ""
    functions: frozenset[str] = frozenset()
    category: str | None = None
    polarity: int = 0
    negated: bool = False
    name: bool = False
    actor: str | None = None
    kind: str = ""

    @property
    def lower(self) -> str:
        return self.spelling.lower()

    @property
    def capital(self) -> bool:
        return self.spelling[0].isupper() or self.spelling[0].istitle()

    @property
    def abbreviation(self) -> bool:
        single = len(self.spelling) == 1 and self.spelling.isupper()
        return single or self.lower in _ABBREVIATIONS


def is_letter(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char) in ("Mn", "Mc")


def runs(text: str) -> list[tuple[int, int]]:
    """Return where each run of letters, digits and marks starts and ends."""
    found, start = [], None
    for i, char in enumerate(text):
        if is_letter(char) and start is None:
            start = i
        if not is_letter(char) and start is not None:
            found.append((start, i))
            start = None
    return found if start is None else [*found, (start, len(text))]


def clitic_of(run: str, before: str) -> str:
    """Return what a run behind an apostrophe is; ``before`` is the run it hangs on."""
    if run.lower() == "t":
        return "negation" if before[-1] in "nN" else ""
    if run.lower() == "s":
        return "possessive"
    return "other" if run.lower() in ("d", "ll", "re", "ve", "m") else ""


def words_of(text: str) -> list[Word]:
    """Split a normalised text into words with gaps, sentences and quotes."""
    words: list[Word] = []
    previous, behind = "", 0  # the run before, and where it ended
    for start, end in runs(text):
        run = text[start:end]
        clitic = ""
        if words and text[behind:start] == "'":
            clitic = clitic_of(run, previous)
        if not clitic:
            if words:
                words[-1].after = text[behind:start]
            words.append(Word(run[:LONGEST_WORD], start, end))
        elif text[words[-1].end : start] == "'":  # the first clitic counts, as in "I'd've"
            words[-1].clitic = clitic
        previous, behind = run, end
    if words:
        words[-1].after = text[behind:]
    for word in words:
        tail = text[word.end : word.end + 2]
        bare = tail[:1] == "'" and not (tail[1:] and is_letter(tail[1:]))
        if bare and text[word.end - 1] in "sS" and not word.clitic:
            word.clitic = "possessive"  # "allies' doubts"
        word.quoted = text[: word.start].count('"') % 2 == 1
        word.question = "?" in word.after
    sentence = -1
    for i, word in enumerate(words):
        word.opens = i == 0 or ends_sentence(words[i - 1], word, text[word.start])
        sentence += word.opens
        word.sentence = sentence
        word.gap = gap_of(word.after) if i + 1 < len(words) else "other"
    return words


def ends_sentence(word: Word, following: Word, first: str) -> bool:
    between = word.after
    if between.count("\n") > 1:
        return True
    stop = any(mark in between for mark in ".!?…")
    blank = any(char.isspace() for char in between)
    opens = following.capital or first in "0123456789" or '"' in between
    strong = "!" in between or "?" in between
    return stop and blank and opens and (strong or not word.abbreviation)


def gap_of(between: str) -> str:
    if between.isspace() or between == "-":
        return "space"
    if between == "'":
        return "apostrophe"
    if between == ".":
        return "dot"
    if between[0] == "." and between[1:].isspace():
        return "dot space"
    if between.count("&") == 1 and between.replace("&", " ").isspace():
        return "and"
    return "other"


# --- Phrases ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pattern:
    """Words of a phrase and the gaps between them."""

    words: tuple[str, ...]
    gaps: tuple[str, ...]
    exact: bool
    value: Any

    def fits(self, words: Sequence[Word], at: int) -> bool:
        if at + len(self.words) > len(words):
            return False
        for i, mine in enumerate(self.words):
            word = words[at + i]
            if word.mentioned or mine != (word.spelling if self.exact else word.lower):
                return False
            if i < len(self.gaps) and self.gaps[i] != word.gap:
                return False
        return True


class Phrases:
    """Leftmost-longest matches; of equally long ones that in exact case, else the first."""

    def __init__(self, entries: Iterable[tuple[str, bool, Any]]) -> None:
        self.patterns: dict[str, list[Pattern]] = defaultdict(list)
        for text, exact, value in entries:
            spellings = [text, text.upper()] if exact and not text.isupper() else [text]
            for spelling in spellings:
                words = words_of(spelling)
                if words:
                    forms = tuple(w.spelling if exact else w.lower for w in words)
                    gaps = tuple(w.gap for w in words[:-1])
                    self.patterns[forms[0].lower()].append(Pattern(forms, gaps, exact, value))

    def find(self, words: Sequence[Word]) -> list[tuple[int, int, Any]]:
        """Return first and last word and value of each match."""
        found = []
        at = 0
        while at < len(words):
            fitting = [p for p in self.patterns.get(words[at].lower, ()) if p.fits(words, at)]
            if fitting:
                best = max(fitting, key=lambda p: (len(p.words), p.exact))
                found.append((at, at + len(best.words) - 1, best.value))
                at += len(best.words)
            else:
                at += 1
        return found


# --- Paragraphs ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mention:
    """First and last word of a mention, whom it names, and by what kind of alias."""

    first: int
    last: int
    actor: str
    kind: str


@dataclass
class Occurrence:
    """One occurrence of a feature; ``word`` is the word it is attributed to, -1 for none."""

    term: str
    weight: float = 1.0
    word: int = -1


@dataclass
class Pair:
    """The words of a paragraph as seen from one actor.

    ``distance[i]`` is None where the actor is not named; ``nearest[i]`` is a word number.
    """

    words: list[Word]
    actor: str | None
    targets: list[int] = field(default_factory=list)
    nearest: list[int | None] = field(default_factory=list)
    names_before: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        for i, word in enumerate(self.words):
            if word.actor is not None and word.actor == self.actor:
                self.targets.append(i)
        self.nearest = self._nearest()
        self.names_before = [0]
        for word in self.words:
            self.names_before.append(self.names_before[-1] + word.name)

    def _nearest(self) -> list[int | None]:
        size = len(self.words)
        targets = set(self.targets)
        left: list[int | None] = [None] * size
        right: list[int | None] = [None] * size
        seen: int | None = None
        for i in range(size):
            seen = i if i in targets else seen
            left[i] = seen
        seen = None
        for i in reversed(range(size)):
            seen = i if i in targets else seen
            right[i] = seen
        nearest: list[int | None] = []
        for i, (low, high) in enumerate(zip(left, right, strict=True)):
            if low is None or high is None:
                nearest.append(high if low is None else low)
            else:
                nearest.append(low if i - low <= high - i else high)
        return nearest

    def role(self, i: int) -> str:
        actor = self.words[i].actor
        if actor is None:
            return "plain"
        return "target" if actor == self.actor else "other"

    def distance(self, i: int) -> int | None:
        nearest = self.nearest[i]
        return None if nearest is None else abs(i - nearest)

    def crossed(self, i: int) -> bool:
        nearest = self.nearest[i]
        if nearest is None or nearest == i:
            return False
        low, high = sorted((i, nearest))
        return self.names_before[high] - self.names_before[low + 1] > 0

    def same(self, i: int) -> bool:
        nearest = self.nearest[i]
        return nearest is not None and self.words[nearest].sentence == self.words[i].sentence

    def side(self, i: int) -> str:
        nearest = self.nearest[i]
        if nearest is None:
            return ""
        return "before" if nearest > i else "after"

    def weight(self, i: int) -> float:
        return 1.0 / (1.0 + (self.distance(i) or 0) / DECAY)

    def around(self, at: int, step: int) -> Word | None:
        """Return the word ``step`` away, None outside the sentence."""
        i = at + step
        if not 0 <= i < len(self.words) or self.words[i].sentence != self.words[at].sentence:
            return None
        return self.words[i]

    def stem(self, i: int) -> str:
        role = self.role(i)
        return self.words[i].stem if role == "plain" else role.upper()


def term(template: str, *labels: str) -> str:
    """Name a feature: empty labels are left out."""
    return " ".join([template, *(label for label in labels if label)])


def bucket(name: str, value: int | None, edges: Sequence[int]) -> str:
    for edge in edges:
        if value is not None and value <= edge:
            return f"{name}<={edge}"
    return f"{name}>{edges[-1]}"


class Oracle:
    """Reads one paragraph at a time.

    Parameters
    ----------
    actors : sequence of Actor
    lexicon : mapping
        `Lexicon.source`.
    """

    def __init__(
        self, actors: Sequence[Actor], lexicon: Mapping[str, Any], language: str = "english"
    ) -> None:
        self.actors = actors
        # By id: the block stands beside, so that no other block can get its id.
        self._numbers: dict[int, tuple[object, dict[str, int]]] = {}
        self.stem = Stemmer.Stemmer(language, 0).stemWord
        aliases = [
            (normalise(alias), alias in actor.case, (actor.name, kind))
            for actor in actors
            for kind, names in actor.aliases.items()
            for alias in names
        ]
        exclusions = [(normalise(text), False, None) for a in actors for text in a.exclusions]
        self.names = Phrases(aliases + exclusions)
        categories = {name: table for name, table in lexicon.items() if name != "function"}
        self.functions = lexicon.get("function", {})
        self.signs = {name: table["polarity"] for name, table in categories.items()}
        self.stems: dict[str, str] = {}
        for name, table in categories.items():
            for word in table["words"]:
                self.stems.setdefault(self.stem(word.lower()), name)
        self.phrases = Phrases(
            (text, False, name)
            for name, table in categories.items()
            for text in table.get("phrases", ())
        )

    # --- Reading ---

    def in_book(self, actor: str) -> str | None:
        """Return the name of the actor that has this name or alias."""
        if actor in [a.name for a in self.actors]:
            return actor
        for asked in (actor, actor.lower()):
            for a in self.actors:
                for alias in (alias for names in a.aliases.values() for alias in names):
                    if asked == (alias if alias in a.case else alias.lower()):
                        return a.name
        return None

    def pair(
        self, text: str, actor: str | None, spans: Sequence[tuple[int, int]] | None = None
    ) -> Pair:
        """Read a paragraph as it is seen from an actor."""
        plain = normalise(text)
        places: list[tuple[int, int]] = []
        judged = NOBODY if actor is NOBODY else self.in_book(actor)
        if spans:
            judged = SPAN
            for start, end in sorted(spans):
                places.append((len(normalise(text[:start])), len(normalise(text[:end]))))
        elif actor is not NOBODY and judged is None:
            judged = SPAN
            places = literal_places(plain, normalise(actor))
        return Pair(self.words(plain, places), judged)

    def words(self, text: str, places: Sequence[tuple[int, int]] = ()) -> list[Word]:
        """Return the words of a normalised text after every mention has become one word."""
        words = words_of(text)
        mentions = self.mentions(words, places)
        for mention in mentions:
            for word in words[mention.first : mention.last + 1]:
                word.mentioned = True
        for word in words:
            word.stem = self.mended(self.stem(word.lower))
            word.functions = frozenset(n for n, ws in self.functions.items() if word.lower in ws)
            word.category = None if word.clitic == "negation" else self.stems.get(word.stem)
            word.name = word.capital and not word.opens
        small = {w.sentence for w in words if not w.mentioned and w.spelling != w.spelling.upper()}
        for word in words:
            word.name = word.name and word.sentence in small
        for first, last, category in self.phrases.find(words):
            for word in words[first : last + 1]:
                word.category = None
            words[first].category = category
        ends = {m.first: (words[m.last].clitic, words[m.last].question) for m in mentions}
        swallowed = set()
        for mention in mentions:
            word = words[mention.first]
            word.actor, word.kind, word.name = mention.actor, mention.kind, True
            word.functions = frozenset()
            word.clitic, word.question = ends[mention.first]
            swallowed.update(range(mention.first + 1, mention.last + 1))
        words = [word for i, word in enumerate(words) if i not in swallowed]
        for i, word in enumerate(words):
            if word.name:
                word.category = None
            for at in range(max(i - NEGATION_REACH, 0), i):
                turner, then = words[at], words[at + 1]
                negator = "negators" in turner.functions and not turner.name
                only = "focus" in then.functions and then.sentence == turner.sentence
                turns = (negator or turner.clitic == "negation") and not only
                if turner.sentence == word.sentence and turns and turner.gap != "dot space":
                    word.negated = True
            polarity = self.signs.get(word.category or "", "none")
            word.polarity = {"positive": 1, "negative": -1}.get(polarity, 0)
            if word.negated:
                word.polarity = -word.polarity
        return words

    def mended(self, stem: str) -> str:
        """Swap two neighbours of an unknown stem where that makes one of the lexicon."""
        if len(stem) < 6 or stem in self.stems:
            return stem
        letters = [list(stem) for _ in range(2, len(stem))]
        for at, word in enumerate(letters, 1):
            word[at], word[at + 1] = word[at + 1], word[at]
        return next((w for w in map("".join, letters) if w in self.stems), stem)

    def mentions(self, words: list[Word], places: Sequence[tuple[int, int]]) -> list[Mention]:
        """Return the mentions; what the book finds in or across a given place does not count."""
        found = []
        taken: set[int] = set()
        for start, end in places:
            inside = [i for i, word in enumerate(words) if word.end > start and word.start < end]
            if inside:
                found.append(Mention(inside[0], inside[-1], SPAN, ""))
                taken.update(inside)
        for first, last, value in self.names.find(words):
            priced = words[last].after.startswith("$") and not words[last].clitic  # "US$ 5"
            if value and not priced and not taken.intersection(range(first, last + 1)):
                found.append(Mention(first, last, *value))
        return sorted(found, key=lambda mention: mention.first)

    # --- Blocks ---

    def occurrences(self, block: str, pair: Pair) -> list[Occurrence]:
        """Return every occurrence of a block's features."""
        return list(getattr(self, "_" + block)(pair))

    def features(self, block: str, pair: Pair, *, own: bool = False) -> Features:
        """Return the sorted weights of each feature; ``own`` adds the actor's own copies."""
        found: Features = defaultdict(list)
        for occurrence in self._with_copies(block, pair, own):
            found[occurrence.term].append(occurrence.weight)
        return {name: sorted(weights) for name, weights in found.items()}

    def _with_copies(self, block: str, pair: Pair, own: bool) -> Iterator[Occurrence]:
        actor = "" if pair.actor in (NOBODY, SPAN) else pair.actor
        for occurrence in self.occurrences(block, pair):
            yield occurrence
            if own:
                yield replace(occurrence, term=f"{occurrence.term} @ {actor}")

    def _stem(self, pair: Pair) -> Iterator[Occurrence]:
        for i, word in enumerate(pair.words):
            mark = "NOT" if word.negated and pair.role(i) == "plain" else ""
            yield Occurrence(term("stem", mark, pair.stem(i)), pair.weight(i), i)

    def _plain(self, pair: Pair) -> Iterator[Occurrence]:
        for i, word in enumerate(pair.words):
            mark = "NOT" if word.negated and pair.role(i) == "plain" else ""
            yield Occurrence(term("plain", mark, pair.stem(i)), word=i)

    def _short_class(self, pair: Pair) -> Iterator[Occurrence]:
        return self._in_short(self._class, pair)

    def _short_relation(self, pair: Pair) -> Iterator[Occurrence]:
        return self._in_short(self._relation, pair)

    def _short_mention(self, pair: Pair) -> Iterator[Occurrence]:
        return self._in_short(self._mention, pair)

    def _in_short(
        self, block: Callable[[Pair], Iterator[Occurrence]], pair: Pair
    ) -> Iterator[Occurrence]:
        if len(pair.words) <= SHORT:
            for occurrence in block(pair):
                yield replace(occurrence, term=f"short {occurrence.term}")

    def _word(self, pair: Pair) -> Iterator[Occurrence]:
        for i, word in enumerate(pair.words):
            yield Occurrence(term("word", word.lower), word=i)
            if i + 1 < len(pair.words):
                yield Occurrence(term("word", word.lower, pair.words[i + 1].lower), word=i)

    def _char(self, pair: Pair) -> Iterator[Occurrence]:
        for i, word in enumerate(pair.words):
            if pair.role(i) != "plain":
                continue
            padded = f" {word.lower} "
            for start in range(len(padded)):
                for size in range(LEAST_GRAM, MOST_GRAM + 1):
                    if start + size <= len(padded):
                        gram = padded[start : start + size]
                        yield Occurrence(term("char", gram), pair.weight(i), i)

    def _ending(self, pair: Pair) -> Iterator[Occurrence]:
        for i, word in enumerate(pair.words):
            if pair.role(i) == "target":
                small = "small" if word.spelling[0].islower() else "capital"
                yield Occurrence(term("ending", word.lower[-2:]), word=i)
                yield Occurrence(term("ending", small), word=i)

    def _name(self, pair: Pair) -> Iterator[Occurrence]:
        yield Occurrence(term("name", pair.actor or SPAN))

    def _cross(self, pair: Pair) -> Iterator[Occurrence]:
        for at in pair.targets:
            left = 0  # words of the sentence before the mention
            while pair.around(at, -left - 1):
                left += 1
            right = 0
            while pair.around(at, right + 1):
                right += 1

            def stem(step: int, at: int = at, left: int = left, right: int = right) -> str:
                return pair.stem(at + step) if -left <= step <= right else "END"

            wide = [(reach, 0) for reach in range(1, LEFT + 1)]
            wide += [(0, reach) for reach in range(1, RIGHT + 1)]
            for before, after in [*wide, (1, 1), (2, 1), (1, 2)]:
                # One step beyond the sentence is its END; nothing lies beyond that.
                if before <= left + 1 and after <= right + 1:
                    parts = [stem(step) for step in range(-before, after + 1)]
                    yield Occurrence(term("cross", *parts), word=at)
            for reach in range(2, LEFT + 1):
                if reach <= left:
                    yield Occurrence(term("cross", stem(-reach), "...", "TARGET"), word=at)
            for reach in range(2, RIGHT + 1):
                if reach <= right:
                    yield Occurrence(term("cross", "TARGET", "...", stem(reach)), word=at)

    def _class(self, pair: Pair) -> Iterator[Occurrence]:
        for i, word in enumerate(pair.words):
            if word.category is None:
                continue
            turned = "NOT" if word.negated else ""
            distance = pair.distance(i)
            near = "nowhere" if distance is None else "far"
            for edge, label in reversed(list(zip(BUCKETS, ("near", "close", "off"), strict=True))):
                if distance is not None and distance <= edge:
                    near = label
            same = "same" if pair.same(i) else ""
            crossed = "crossed" if pair.crossed(i) else ""
            quoted = "quoted" if word.quoted else ""
            sign = sign_of(word)
            side = pair.side(i)
            for name in (
                term("class", word.category, turned),
                term("class placed", word.category, turned, side, near),
                term("class linked", word.category, turned, same, crossed),
                term("class quoted", word.category, turned, same, quoted),
                term("sign", sign, side, near, same, crossed),
                term("sign", sign),
            ):
                yield Occurrence(name, word=i)

    def _rival(self, pair: Pair) -> Iterator[Occurrence]:
        named = [i for i, word in enumerate(pair.words) if word.actor is not None]
        for i, word in enumerate(pair.words):
            if word.category is None:
                continue
            here = [j for j in named if pair.words[j].sentence == word.sentence]
            left, right = [j for j in here if j < i], [j for j in here if j > i]
            last = f"after-{self._it(pair, left[-1])}" if left else ""
            first = f"before-{self._it(pair, right[0])}" if right else ""
            distance = pair.distance(i)
            step = FARTHEST if distance is None else min(distance // STRETCH, FARTHEST)
            shortest = min((abs(j - i) for j in named), default=0)
            near = distance is not None and distance == shortest
            nearest = "nearest" if near else "other-nearer"
            turned, same = "NOT" if word.negated else "", "same" if pair.same(i) else ""
            name = term("rival", word.category, turned, last, first, f"step{step}")
            yield Occurrence(name, word=i)
            yield Occurrence(term("rival nearest", word.category, turned, nearest, same), word=i)

    def _it(self, pair: Pair, i: int) -> str:
        return "it" if pair.role(i) == "target" else "other"

    def _relation(self, pair: Pair) -> Iterator[Occurrence]:
        for at in pair.targets:
            role = self.role(pair, at)
            for side, direction in (("object", -1), ("subject", 1)):
                for step in range(1, REACH + 1):
                    word = pair.around(at, direction * step)
                    if word is None or word.name:
                        break
                    if word.category is None:
                        continue
                    turned = "NOT" if word.negated else ""
                    adjacent = "next" if step <= 2 else ""
                    for name in (
                        term("relation", side, word.category, turned),
                        term("relation near", side, word.category, turned, adjacent),
                        term("relation role", side, word.category, turned, role),
                        term("relation sign", side, sign_of(word), role),
                    ):
                        yield Occurrence(name, word=at + direction * step)
        yield from self._sequences(pair)

    def _sequences(self, pair: Pair) -> Iterator[Occurrence]:
        telling = []  # (symbol, word number, sentence)
        for i, word in enumerate(pair.words):
            symbol = ""
            if word.functions & {"negators", "prepositions"}:
                symbol = word.lower
            if "reporting" in word.functions:
                symbol = "REPORT"
            if word.category is not None:
                symbol = ("!" if word.negated else "+") + word.category
            if word.name:
                symbol = "NAME"
            if pair.role(i) != "plain":
                symbol = pair.role(i).upper()
            if symbol:
                telling.append((symbol, i, word.sentence))
        for at, (symbol, i, sentence) in enumerate(telling):
            if symbol != "TARGET":
                continue
            for before, after in (
                *((1, 0), (2, 0), (3, 0), (0, 1), (0, 2), (0, 3)),
                *((1, 1), (2, 1), (1, 2)),
            ):
                if at - before < 0 or at + after >= len(telling):
                    continue
                window = telling[at - before : at + after + 1]
                if {s for _, _, s in window} == {sentence}:
                    yield Occurrence(term("sequence", *(s for s, _, _ in window)), word=i)

    def role(self, pair: Pair, at: int) -> str:
        """Return the role of a mention: the first of `ROLES` whose sign is there."""
        before, after = pair.around(at, -1), pair.around(at, 1)
        determined = lower(before) in ("the", "a", "an", "this", "that", "all")
        previous = pair.around(at, -2) if determined else before
        demonym = pair.words[at].kind == "demonym"
        joined = False
        for beside, beyond in ((before, pair.around(at, -2)), (after, pair.around(at, 2))):
            joined |= lower(beside) in ("and", "or") and beyond is not None and beyond.name
        places = ("in", "at", "near", "across", "inside", "into", "outside", "throughout")
        signs = {
            "speaker": (is_a("reporting", after) and not demonym) or is_a("reporting", before),
            "agent": lower(previous) == "by",
            "possessive": pair.words[at].clitic == "possessive",
            "compound": demonym
            and after is not None
            and not after.capital
            and not is_a("prepositions", after),
            "place": lower(previous) in (*places, "from", "to"),
            "list": joined,
            "prepositional": is_a("prepositions", previous),
            "subject": before is None or is_a("hypothetical", after),
            "object": previous is not None and not previous.capital,
            "other": True,
        }
        return next(role for role in ROLES if signs[role])

    def _mention(self, pair: Pair) -> Iterator[Occurrence]:
        words = pair.words
        here = {words[i].sentence for i in pair.targets}
        near = [word for word in words if word.sentence in here]
        positive = sum(word.polarity > 0 for word in near)
        negative = sum(word.polarity < 0 for word in near)
        counts = {
            "mentions": len(pair.targets),
            "others": sum(pair.role(i) == "other" for i in range(len(words))),
            "positive-here": positive,
            "negative-here": negative,
            "positive": sum(word.polarity > 0 for word in words),
            "negative": sum(word.polarity < 0 for word in words),
            "plain-here": sum(w.category is not None and w.polarity == 0 for w in near),
            "first-person": sum(is_a("first_person", word) for word in words),
            "hypothetical-here": sum(is_a("hypothetical", word) for word in near),
            "concession-here": sum(is_a("concession", word) for word in near),
            "negator-here": sum(is_a("negators", word) for word in near),
        }
        labels = [bucket(name, value, (0, 1, 2, 3, 5)) for name, value in counts.items()]
        sentences = max(sum(word.opens for word in words), 1)
        labels.append(f"share {math.ceil(4 * sum(word.opens for word in near) / sentences)}/4")
        opens = "opens late"
        if pair.targets and words[pair.targets[0]].sentence == words[0].sentence:
            opens = "opens first sentence"
        if pair.targets and pair.targets[0] < 5:
            opens = "opens first words"
        labels.append(opens)
        quoted = sum(words[i].quoted for i in pair.targets)
        share = "none" if quoted == 0 else "some" if quoted < len(pair.targets) else "all"
        labels.append(f"quoted {share}")
        for name, sign in (("nearest-positive", 1), ("nearest-negative", -1)):
            distances = [
                pair.distance(i)
                for i, word in enumerate(words)
                if word.polarity == sign and pair.role(i) == "plain" and pair.targets
            ]
            labels.append(bucket(name, min(distances, default=None), (1, 2, 4, 8, 16)))
        balance = (positive > negative) - (positive < negative)
        labels.append({-1: "more negative", 0: "even", 1: "more positive"}[balance])
        labels.append("question" if any(word.question for word in near) else "no question")
        labels.append(bucket("length", len(words), (15, 30, 60, 120)))
        yield from (Occurrence(term("mention", label)) for label in labels)
        for at in pair.targets:
            yield Occurrence(term("mention role", self.role(pair, at)), word=at)

    # --- Scores ---

    def scores(self, head: Head, pair: Pair) -> tuple[list[float], bool]:
        """Return the score of each label, and whether any plain word is known to the head."""
        total = [float(value) for value in head.intercept]
        known = False
        for block in head.blocks:
            if id(block) not in self._numbers:  # once per block, so that only reading is slow
                terms = {term: i for i, term in enumerate(block.terms)}
                self._numbers[id(block)] = block, terms
            numbers = self._numbers[id(block)][1]
            part = [0.0] * len(total)
            squares = 0.0
            for occurrence in self._with_copies(block.name, pair, head.own):
                if occurrence.term not in numbers:
                    continue
                number = numbers[occurrence.term]
                value = occurrence.weight * float(block.idf[number])
                squares += value**2
                for label, coef in enumerate(block.coef[number]):
                    part[label] += value * float(coef)
                if block.name in LEXICAL and pair.role(occurrence.word) == "plain":
                    known = True
            if squares:
                for label, value in enumerate(part):
                    total[label] += block.weight * value / math.sqrt(squares)
        return total, known

    def probabilities(self, head: Head, pair: Pair) -> list[float]:
        """Return the softmax of the scores at the head's temperature."""
        scores = [score / head.temperature for score in self.scores(head, pair)[0]]
        powers = [math.exp(score - max(scores)) for score in scores]
        return [power / sum(powers) for power in powers]


def lower(word: Word | None) -> str:
    return "" if word is None else word.lower


def is_a(function: str, word: Word | None) -> bool:
    return word is not None and function in word.functions


def sign_of(word: Word) -> str:
    return {-1: "negative", 0: "none", 1: "positive"}[word.polarity]


def literal_places(text: str, name: str) -> list[tuple[int, int]]:
    """Return where a name stands in a text as whole words."""
    places = []
    at = text.find(name) if name.strip() else -1
    while at >= 0:
        end = at + len(name)
        if not text[max(at - 1, 0) : at].isalnum() and not text[end : end + 1].isalnum():
            places.append((at, end))
        at = text.find(name, end)
    return places
