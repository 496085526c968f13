"""Frames of judgement: who judges whom, read from the sentences that name an actor and hold a cue.

Each word becomes a letter, each noun phrase one letter more, and a construction is a pattern over
these letters, so that all sentences of a batch are searched at once::

    words    Germany 's minister has accused Russia and Belarus of lies .
    letters  A       q  s        h   E       A      &   A       f  J    .
    phrases  A                   h   E       A      &   A       f  J    .

Phrases are ``A`` for an actor, ``a`` for what an actor does ("Russian attempts"), ``k`` for how it
judges ("Canada's criticism"), ``c`` and ``J`` for words of judgement and of evaluation without an
actor, ``s`` and ``l`` for officials and for acts of whoever follows, ``O`` for "my" and "our",
``F`` and ``H`` for pronouns and ``N`` for others. The other letters are those of ``frames.toml``.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from stance.arrays import Ints, among
from stance.reading.clauses import Phrases, phrases_of
from stance.reading.constructions import Construction, Evaluations, constructions_of, occurrences
from stance.reading.cues import Cues, cues_of
from stance.reading.rejections import DOUBTS
from stance.reading.voices import AUTHOR, OTHER, Ends, compiled
from stance.reading.words import Reader, Words

NO_ACTOR = -1  # instead of a patient's number

MOST_WORDS = 60  # of a short paragraph: in longer ones no frame decides
LONGEST = 400  # words of a longer one that is read
_LINKS = {*"against for toward towards at over about with concerning regarding".split()}  # noqa: SIM905

_PAIRED = re.compile("[oShrVEGK][cNJ]&$")
_IMPERSONAL = re.compile("H[mhn]*(?:b?x?([JNOcC])t|d)$")
_DONT, _OUGHT = re.compile("(?<![^.,])m?n$"), re.compile("(?:(m)n|nN?(m))h?$")
_HARDLY = re.compile("(?<![^.,])(J(?=m)|N(?=mN))mN?$")
_LAPSED = re.compile(r"[VEGo]p?[Aa],\+?nN?\.")
_SIDES = re.compile(
    "(?:some|half) .*(?:(?<!some )others|the other half|as many) (?!did)[a-z]|"
    "^(?:one|half) .*(?:the other|another|the next|and half) (?:half |one )?[a-z]"
)
_THOSE = re.compile("R[hm]*([VEGB])$")
_GONE = re.compile("[bh]*[odEe](?![Aask])")
_CHARGED = compiled("(?:[VEGB]A|[EB](?:y<who>)?)[fp]$")
_TAIL, _LATER = compiled("([fptwyi])(<who>)"), {"less", "once"}
_ASKS, _ASKED = compiled("(?<![^.])mn?$"), compiled("(?<![^.])m<who>b?n?(?:VA&)?$")

KINDS = ("judges", "noun", "idiom", "deed", "trait", "act")
"""What a cue is: a verb or a noun of judgement, a figure of speech, or what an actor does or is."""

TURNS = ("", "rejected", "by contrast")
"""A charge or praise is called untrue, or the patient is who another is compared with."""
PLAIN, REJECTED, BESIDE = range(len(TURNS))


class Frame(NamedTuple):
    """A judgement that a sentence tells of."""

    cue: int  # the judging word, an index into `Words`
    polarity: int  # 1, -1, or 0 if nobody judges after all: it is denied, asked, or a mere deed
    agent: int  # number in the book, `AUTHOR` or `OTHER`
    patient: int  # number in the book, or `NO_ACTOR`
    turn: int  # why the polarity is not that of the cue: index into `TURNS`
    kind: int  # what the cue is: index into `KINDS`
    victim: int  # number in the book of whom a deed was done to, or `NO_ACTOR`
    first: int  # where what judges begins: "terrible mistake", of which the last word is the cue
    last: int  # the last word of a judging phrase, else the cue


Reading = tuple[int, Ends, Ends]  # polarity, agents and patients


def _actors_of(ends: Ends) -> Ends:
    """Return those who are in the book."""
    return {actor: word for actor, word in ends.items() if actor >= 0}


class _Sentences(Evaluations):
    """Sentences as phrases, and who stands where to them."""

    def __init__(self, words: Words, phrases: Phrases, cues: Cues) -> None:
        super().__init__(words, phrases, cues)
        self.frames_read = list[Frame]()
        self.judged = set[int]()

    def frames(self, constructions: Sequence[Construction]) -> list[Frame]:
        """Read all constructions, but not sport and what is conceded before the point is made."""
        for form, hit in occurrences(self.tags, constructions):
            self._read(form, hit)
        back, sentence = self.taken_back, self.words.sentence
        played = {*sentence.take(self.phrases.signals["sports"]).tolist()}
        read = [f for f in self.frames_read if not (played and sentence[f.cue] in played)]
        return [f for f in read if not back(f.last, f.polarity, f.patient)]

    def _read(self, form: Construction, hit: re.Match[str]) -> None:
        """Keep the frames of a construction, if its words bear it out."""
        groups, cue = hit.re.groupindex, hit.start("cue")
        worthless = form.name == "act" and not self.phrases.value[cue]  # as most acts are
        if worthless or cue in self.spent or not self._borne_out(form, hit):
            return
        patients, victims, same = (
            self.actors(*hit.span(end)) if end in groups else {}
            for end in ("patient", "victim", "same")
        )
        if form.void:  # nobody judges, and the cue is spent
            if patients.keys() == same.keys() and cue not in self.rejecters:
                self.spent.add(cue)
            return
        if not form.evaluates and self._is_owned(form, hit, cue):
            patients = {}  # "voted down its proposal"
        read = self._evaluation if form.evaluates else self._judgement
        sign, agents, patients = read(form, hit, cue, patients)
        if not patients and len(agents) > 1 and not form.evaluates:  # "accused each other"
            near = range(cue + 1, min(cue + 3, self.tags.index(".", cue)))
            mutual = any(self.lower(place) in ("other", "another") for place in near)
            patients = agents if mutual or self.is_in(cue, "mutual") else {}
        if patients and "patient" in groups and self._suffers(hit.start("patient")):
            victims, patients = patients, {}
        if not agents or not (patients or victims or _actors_of(agents)):
            return
        verb = hit.start("verb") if "verb" in groups else cue
        reading = sign, agents, patients
        agents, weighed, turn, others = self._weighed(form, hit, (cue, verb), reading)
        self.spent |= {cue, verb} if form.name.startswith("deed to") else {cue}
        if form.name == "without":  # what would be is not what is
            rest = range(cue, self.tags.index(".", cue))
            self.spent.update(place for place in rest if self.tags[place] in "Jcdj")
        kind, word, last = KINDS.index(form.kind), self.phrases.word[cue], self.phrases.last[cue]
        first = self.phrases.first[cue] if self.tags[cue] == "J" else word
        parts = [(weighed, turn, patients or {NO_ACTOR: -1}, next(iter(victims), NO_ACTOR))]
        parts += ((p, PLAIN if p == sign else BESIDE, ends, NO_ACTOR) for p, ends in others)
        for agent, (value, turn, judged, victim) in product(agents, parts):
            for patient, named in judged.items():
                if not agent == patient >= 0:  # nobody judges itself
                    self.judged.add(named)
                    polarity = (value > 0) - (value < 0)
                    frame = Frame(word, polarity, agent, patient, turn, kind, victim, first, last)
                    self.frames_read.append(frame)

    def _is_owned(self, form: Construction, hit: re.Match[str], cue: int) -> bool:
        """Tell whether what is judged stands for an actor that owns it."""
        behind = "patient" in hit.re.groupindex and hit.start("patient") >= cue
        judged = hit.span("patient")[:1] if form.name == "held" or behind else range(cue, hit.end())
        itself = self.lower(judged[0]) in ("it", "them") or form.name in ("called", "passive")
        return not itself and not self.referring.isdisjoint(judged)

    def _evaluation(
        self, form: Construction, hit: re.Match[str], cue: int, patients: Ends
    ) -> Reading:
        """Return how an actor is called good or bad, without agents if it is not."""
        name, sign = form.name, self.polarity(form, hit, cue)
        if not sign and not (name == "deed" and self.undone(hit, cue)):
            return 0, {}, {}
        again = name == "epithet" and self.tags[cue - 1] in "VEGB"  # "condemned brutal Peru"
        if again or name in ("act", "crime by"):  # the other frame counts alone
            again = self.names[hit.start("patient")] in self.judged
        if again or (name == "act" and self.phrases.tags[cue] in "JN"):  # "their quarrels"
            return 0, {}, {}
        start = hit.start("patient") if patients else 0
        if name != "act" and (judging := _THOSE.search(self.tags, max(0, start - 4), start)):
            sign *= self.phrases.sign[judging.start(1)]  # "people who hate Peru are fools"
        if name == "and deed":  # "kept the islands and has the nerve"
            patients = _actors_of(self.subjects(cue))
        return sign, self.voice(cue), patients

    def _weighed(
        self, form: Construction, hit: re.Match[str], words: tuple[int, int], reading: Reading
    ) -> tuple[Ends, int, int, list[tuple[int, Ends]]]:
        """Return who judges after all, how, in what turn, and whom else, given cue and verb."""
        (cue, verb), (sign, agents, patients), name = words, reading, form.name
        rejecters = self._rejecters(form, cue, verb, agents)
        others = list[tuple[int, Ends]]()
        if rejecters is not None:
            if sign < 0 and not form.evaluates:  # who slanders is blamed
                others = [(-1, _actors_of(agents))]
            # Who rejects a charge against itself is not judged.
            others_reject = rejecters and rejecters.keys().isdisjoint(patients)
            sign, agents = (-sign, rejecters) if others_reject else (0, agents)
        elif form.evaluates:
            beside = -sign if name.startswith("were") else sign  # "were as kind as Chile"
            compares = patients and not name.endswith(" than")
            others = [*self.compared(cue, beside)] if compares else []
        elif sign > 0 and self.last(cue) == "from" and self.is_in(cue, "learning"):
            # "Peru could learn from Chile" blames who should learn
            others, agents = [(-1, agents)], self.voice(cue)
        else:
            sign = self._unless_denied(form, cue, verb, sign)
            if name == "passive" and self.is_in(cue, "striking"):
                # "attacked for its lies", not "attacked by Peru"
                sign *= self.lower(min(hit.end(), len(self.tags) - 1)) in ("for", "as", "over")
        if len(agents) == 1 and max(agents) < 0 and self._divided(cue):
            sign, others = 0, []
        return agents, sign, REJECTED if rejecters and sign else PLAIN, others

    def _borne_out(self, form: Construction, hit: re.Match[str]) -> bool:
        """Tell whether a construction has the words that it needs and is no "Did Peru lie?"."""
        for group, needed in form.needs.items():  # faster than all()
            if not self.is_in(hit.start(group), needed):
                return False
        for group, barred in form.unless.items():  # "is richer than", "warned us"
            if any(self.is_in(hit.start(group), name) for name in barred):
                return False
        if form.name == "judged":  # not "warned Peru of an attack", "attacking Peru was"
            cue, after = hit.start("cue"), self.tags[hit.end()]
            speaks = after == "." and self.tags[hit.start() - 1] == ","  # ", warned Peru."
            warns = (after == "f" or speaks) and self.lower(cue).startswith("warn")
            if after in "bhmeodgrEVG" and self.last(cue) in DOUBTS:
                return False  # "nobody believes Peru lied"
            return not warns and (after != "b" or not self.is_in(cue, "parting"))
        before = hit.start() - 1
        may_ask = form.evaluates and self.tags[before] in "mn"
        return not (may_ask and _ASKS.search(self.tags, max(0, before - 2), before + 1))

    def _suffers(self, place: int) -> bool:
        """Tell whether an act is done to an actor: "the bombing of Kyiv", not "by"."""
        act = place if self.tags[place] == "l" else place - 2
        return self.tags[act : act + 2] == "lf" and self.is_in(act, "suffered")

    def _divided(self, cue: int) -> bool:
        """Tell whether a sentence tells of both sides: "some love Peru, others hate it"."""
        sentence, word = self.words.sentence, self.phrases.word[cue]
        text = self.words.texts[self.words.para[word]].lower()
        if not any(map(text.__contains__, self.lists["halves"])):
            return False  # as nearly always, and soon
        low, high = (int(sentence.searchsorted(sentence[word], side)) for side in ("left", "right"))
        words = [*map(self.spelling, range(low, high))]
        sides = not self.lists["backers"].isdisjoint(words)
        sides &= not self.lists["opponents"].isdisjoint(words)
        return sides or bool(_SIDES.search(" ".join(words)))

    def _unless_denied(self, form: Construction, cue: int, verb: int, sign: int) -> int:
        """Return the polarity of a judgement, 0 if it is denied, asked, allowed or a charge."""
        tags = self.tags
        if _ASKED.search(tags, max(0, verb - 20), verb):  # "Can we trust Peru?"
            return 0
        charge = _CHARGED.search(tags, max(0, cue - 8), cue) if tags[cue] in "Gc" else None
        if charge and self.phrases.sign[charge.start()] < 0:
            return 0  # "accused Peru of attacking Chile"
        if tags[cue] == "G" and tags[verb - 1] in "VEGB" and self.phrases.sign[verb - 1] < 0:
            return -sign  # "opposes boycotting Peru"
        may = tags[verb - 2 : verb] == "Nm" and self.is_in(verb - 1, "modal")
        if may and self.lower(verb - 2) in ("you", "one") and not self.is_in(verb - 1, "obliging"):
            return 0  # "you can criticise Peru"
        if tags[verb - 3 : verb] == "oFm" and self.lower(verb - 3) == "wish":
            return -1 if sign > 0 else 0  # "I wish I could praise Peru"
        if self.lower(verb - 1) == "who" and tags[max(0, verb - 2) : verb] in (".R", "R"):
            return 0  # "Who trusts Peru?"
        if sign > 0 and (gone := _LAPSED.match(tags, cue)) and self.is_in(gone.end() - 1, "lapsed"):
            return -1  # "admired Peru once, but no longer"
        none = tags[cue + 1] == "n" and not self.is_in(cue + 1, "little")  # "praise little Peru"
        if tags[verb - 1] not in ".,n" and self.spelling(self.phrases.first[verb] - 1) in _LATER:
            return -sign  # "less fond of Peru", "once hailed Peru"
        if form.polarity or not (self.denied(verb) or none):
            return sign
        if tags[cue + 1] in "Aa" and "enough" in (self.lower(cue + 1), self.lower(cue + 2)):
            return sign  # "cannot praise Peru enough"
        before = tags[max(verb - 3, 0) : verb]
        if before.endswith("t") and "h" in before:  # "you don't have to love Peru"
            return 0
        turned = tags[cue] in "ck" or form.name in ("called", "lets win")
        turned |= self.is_in(cue, "attitude") or self.lower(verb - 1) in ("anyone", "anybody")
        anymore = tags[cue + 1 : cue + 3] in ("AN", "aN") and self.lower(cue + 2) == "anymore"
        turned |= anymore or self.last(verb - 1) == "longer"  # "can no longer support Peru"
        return -1 if turned and sign > 0 else 0

    def _rejecters(self, form: Construction, cue: int, verb: int, agents: Ends) -> Ends | None:
        """Return who calls a judgement untrue, nobody where that is unsure; None if no one does."""
        if not form.evaluates and form.name != "loyal":
            if self.unfair(verb - 1):  # "wrong to blame Peru"
                return self.voice(verb)
            spared = not form.polarity and self._spared(verb)
            if spared or (form.name != "called" and self.falsely(cue)) or self._folly(verb):
                return self.voice(cue)
        rejecters = self.rejecters.get(cue)
        telling = not form.evaluates and form.name not in ("noun", "affects", "which affects")
        if rejecters and telling and _actors_of(agents):
            return {}  # "it is a lie that Spain condemned Peru"
        return rejecters

    def _spared(self, verb: int) -> bool:
        """Tell whether nobody ought to judge so: "stop blaming Peru", "don't", "nobody should"."""
        tags = self.tags
        calls = self.lower(verb) == "call"
        if tags[verb] not in "VEGB" and not calls:  # "not all criticism of Peru"
            return False
        if tags[verb - 1] != "." and self.last(verb - 1) in ("stop", "quit"):
            return tags[verb - 2] not in "mn"
        if _DONT.search(tags, max(0, verb - 3), verb):
            return not self.is_in(verb - 1, "nobody")
        if not (ought := _OUGHT.search(tags, max(0, verb - 3), verb)):
            return False
        # "you can't blame Peru", "nobody can call Peru corrupt"
        blames = calls or self.lower(verb) in ("accuse", "blame", "fault", "reproach")
        return self.is_in(ought.start(ought.lastindex or 1), "modal" if blames else "obliging")

    def _folly(self, verb: int) -> bool:
        """Tell whether nobody should judge so: "only a fool would trust Peru", "how can anyone"."""
        subject = _HARDLY.search(self.tags, max(0, verb - 3), verb)
        if not subject or not self.is_in(subject.end(1), "modal"):
            return False
        return self.phrases.value[subject.start(1)] < 0 or self.is_in(subject.start(1), "how")

    def _owner(self, place: int) -> int | None:
        """Return whom "its" stands for before a phrase: "Peru left over its support for Chile"."""
        if self.before(place) not in self.lists["referring"]:
            return None
        near = self.tags[place - 2] == "A" and self.tags[place - 3] != "y"
        return place - 2 if near else self._named_last(place)

    def _judgement(
        self, form: Construction, hit: re.Match[str], cue: int, patients: Ends
    ) -> Reading:
        """Return how somebody judges, without agents if nobody does."""
        name, judging = form.name, form.judge
        if name == "noun":
            sign = self.phrases.sign[cue]
            gone = _GONE.match(self.tags, hit.end()) if self.is_in(cue, "attitude") else None
            if gone and self.last(gone.end() - 1) in self.lists["lapsing"]:
                sign = min(sign, -sign)  # "trust in Peru is gone"
            return (sign, *self._of_noun(cue, hit)) if sign else (0, {}, {})
        letter = self.tags[cue]
        sign = (self.phrases.value if letter == "J" else self.phrases.sign)[cue]
        sign = (sign or self.phrases.value[cue]) * (-1 if self.lower_first(cue) == "less" else 1)
        agents = self.voice(cue) if form.polarity and not judging else {OTHER: -1}
        if "agent" in hit.re.groupindex and hit["agent"]:
            agents = self.who(*hit.span("agent"))
        elif judging and (view := _IMPERSONAL.search(self.tags, max(0, cue - 6), cue)):
            agents = self.voice(cue)  # "it would be folly to trust Peru"
            if view[1] and self.phrases.value[view.start(1)] < 0:
                sign = -sign
        elif judging:
            place = hit.start(judging)
            opposes = self.tags[place] == "G" and self.tags[place - 1] in "VE"
            agents = self.subjects(place - opposes)
            must = self.tags[place - 1] == "m" and self.is_in(place - 1, "obliging")
            if must or self.unfair(place - 1):
                agents = self.voice(place)  # "Chile must condemn", "wrong to abandon Peru"
        if name in ("against", "but not", "and for"):  # "backed France against Britain"
            verb = self.phrases.sign[hit.start("verb")]
            sign = {"but not": -verb, "and for": verb}.get(name, -1 * (verb > 0))
        elif name in ("wants", "wants to"):  # "wants Spain punished", "wants us to punish Spain"
            fates = self.cues.fates if name == "wants" else self.cues.appeals
            sign = fates.get(self.lower(cue), 0)
        elif name in ("hopes", "hopes to", "may", "lets win"):  # "hopes that Peru wins"
            sign = self.is_in(cue, "thriving") - self.is_in(cue, "perishing")
        elif form.polarity:
            sign = form.polarity
        elif name == "measures":
            threatens = self.lower(hit.start("verb")).startswith("threat")
            sign = -1 if threatens else -self.phrases.sign[hit.start("verb")]
        elif name == "judged worth":  # "praised the courage of Ukraine", not its grief
            sign = sign if sign * self.phrases.value[hit.start("worth")] > 0 else 0
        elif name == "held":
            sign = sign if self.fits(hit, cue) else 0
        elif letter in "EB" and judging:
            sign = 0 if re.search("b[nx]*$", self.tags[max(cue - 4, 0) : cue]) else sign
        elif name == "goes to":  # not "complaints went to"
            sign, agents = max(sign, 0), self.actors(cue, cue + 1) or self.voice(cue)
        elif name in ("which affects", "drawing"):  # "blocked the aid, which angered Poland"
            patients = _actors_of(self.subjects(hit.start("verb")))
        return sign, agents if sign else {}, patients

    def _of_noun(self, cue: int, hit: re.Match[str]) -> tuple[Ends, Ends]:
        """Return who judges whom in "criticism of Iran by Iraq"."""
        agents, patients = self.actors(cue, cue + 1), Ends()
        outer = re.search("([VEGd]|[ck]f)$", self.tags[max(cue - 2, 0) : cue])
        if outer and self.phrases.sign[cue - len(outer[1])] < 0:  # "condemned the attack on Iran"
            return {}, {}
        for link in _TAIL.finditer(self.tags, *hit.span("tail")):
            near = link.start() - 1  # "of the attack on", "the expulsion of"
            if near > cue and (self.tags[near] in "cJ" or self.is_in(near, "suffered")):
                break
            linking = self.lower(link.start())
            trusting = linking == "in" and self.is_in(cue, "attitude")
            if link[1] == "p" and linking not in _LINKS and not trusting:
                continue
            whose = link.start() == cue + 1 and self.is_in(cue, "subjective")
            if link[1] in "yw" or (link[1] == "f" and whose):  # "the thanks of Peru"
                agents = agents or self.who(*link.span(2))
            else:
                patients = patients or self.actors(*link.span(2))
        if not agents:
            if self.phrases.ours[cue]:
                agents = self.who(cue, cue + 1) if self.phrases.quoted[cue] else {AUTHOR: -1}
            elif self.tags[cue - 1] in "py" and (owner := self._owner(cue)) is not None:
                agents = self.actors(owner, owner + 1)
            elif self.tags[cue - 1] in "oShrVEGKBbtfpn":
                agents = self.subjects(cue)
            elif _PAIRED.search(self.tags, max(0, cue - 3), cue):  # "its grief and support"
                agents = self.subjects(cue - 2)
            elif self.tags[cue - 1 : cue] in ("", ".") and self.tags[hit.end()] in ".,":
                agents = self.voice(cue)  # "Solidarity with Peru!"
            elif not self.is_in(cue, "assaulting"):  # whom "the attack on" hit is not judged
                agents = {OTHER: -1}
        return agents, patients


def frames_of(
    words: Words, reader: Reader, longer: bool = False, asked: Ints | None = None
) -> list[Frame]:
    """Return the frames of a batch's short or longer paragraphs; `Words.once` keeps them.

    If some paragraphs are ``asked`` for, only these are read.
    """
    cues, sizes = cues_of(reader.language), np.diff(words.first)
    chosen = (sizes > MOST_WORDS) & (sizes <= LONGEST) if longer else sizes <= MOST_WORDS
    if asked is not None:
        chosen &= among(np.arange(len(words)), asked)
    if not (cues and (phrases := phrases_of(words, reader, cues, chosen))):
        return []
    return _Sentences(words, phrases, cues).frames(constructions_of(reader.language))


def frames_read(words: Words) -> list[Frame]:
    """Return the frames of a batch that blocks have read."""
    return [one for (make, *_), made in words.made.items() if make is frames_of for one in made]


def frames_in(words: Words, reader: Reader, asked: Ints) -> list[Frame]:
    """Return the frames of some short paragraphs, or of all that a block has read."""
    if (frames_of, reader, False) in words.made:
        return words.once(frames_of, reader, False)
    return frames_of(words, reader, asked=asked)


def describe(frame: Frame, words: Words, names: Sequence[str] | Mapping[int, str]) -> str:
    """Return a frame as it is shown: "accused: Germany -> China"; ``names`` are the book's."""
    text = words.texts[words.para[frame.cue]]
    cue = text[words.start[frame.first] : words.end[frame.last]]
    agent = {AUTHOR: "author", OTHER: "other"}.get(frame.agent) or names[frame.agent]
    patient = "no actor" if frame.patient < 0 else names[frame.patient]
    if frame.patient < 0 <= frame.victim:
        patient = f"whoever did it to {names[frame.victim]}"
    turn = TURNS[frame.turn] if frame.polarity else "no judgement"
    return f"{cue}: {agent} -> {patient}" + (f" ({turn})" if turn else "")
