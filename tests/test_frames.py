"""Frames of judgement: who judges whom."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.reading.actors import ActorBook
from stance.reading.frames import describe, frames_of
from stance.reading.lexicon import Lexicon
from stance.reading.words import Reader

SENTENCES = {
    # headlines, and who speaks before a colon
    "China accused of spying": "accused: other -> China",
    "Russia widely condemned at UN": "condemned: other -> Russia",
    "Japan praised for quake response": "praised: other -> Japan",
    "UN chief: Israel must stop the war": "must stop: United Nations -> Israel",
    "Putin: Britain has betrayed us": "betrayed: Russia -> United Kingdom",
    "Three allies: Peru, Chile and Iran betrayed us": (
        "betrayed: author -> Peru; betrayed: author -> Chile; betrayed: author -> Iran"
    ),
    "Peru and Chile blame each other.": "blame: Peru -> Chile; blame: Chile -> Peru",
    "I like Peru, but we like Chile.": "I like: author -> Peru; we like: author -> Chile",
    # active, passive, participles and relative clauses
    "Germany has sharply criticised China.": "criticised: Germany -> China",
    "China was accused by Germany of spying on its parliament.": "accused: Germany -> China",
    "Russia left, accusing the United States and Britain of lies.": (
        "accusing: Russia -> United States; accusing: Russia -> United Kingdom"
    ),
    "Brazil, which Japan attacked on Tuesday, made no comment.": "attacked: Japan -> Brazil",
    "Japan, which attacked Brazil on Tuesday, made no comment.": "attacked: Japan -> Brazil",
    "Poland, whose president had condemned Russia, left.": "condemned: Poland -> Russia",
    # lists, nouns and idioms
    "Turkey, Egypt and Iraq are responsible.": (
        "responsible: author -> Turkey; responsible: author -> Egypt; responsible: author -> Iraq"
    ),
    "Canada's criticism of India grew louder.": "criticism: Canada -> India",
    "There was strong praise for Germany from Poland.": "praise: Poland -> Germany",
    "NATO came under fire from China.": "under fire from: China -> NATO",
    "Australia took China to task over the tariffs.": "to task: Australia -> China",
    "Poland sided with Ukraine in the dispute.": "sided with: Poland -> Ukraine",
    "Lebanon blamed the blast on Israel.": "blamed: Lebanon -> Israel",
    "China met India. I blame both countries for the deadlock.": (
        "blame: author -> China; blame: author -> India"
    ),
    "China met India, and the two countries condemned Iran.": (
        "condemned: China -> Iran; condemned: India -> Iran"
    ),
    # evaluations, quotations and the first person
    "Iran is a menace to its neighbours.": "menace: author -> Iran",
    "The European Union has achieved nothing.": "achieved nothing: author -> European Union",
    '"France lies," Italy\'s minister said.': "lies: Italy -> France",
    'Putin said: "Ukraine is run by criminals."': "is run by criminals: Russia -> Ukraine",
    "South Korea said that Japan had betrayed it.": "betrayed: South Korea -> Japan",
    "I condemn Russia's war.": "condemn: author -> Russia",
    # what befalls another, what should be done, what would be without
    "Russia left Armenia in the lurch.": "in the lurch: author -> Russia",
    "Kenya was cheated by Britain.": "cheated: author -> United Kingdom",
    "Canada praised a rescue mission by Japan.": "praised: Canada -> Japan",
    "The plan by Iran was condemned by Canada.": "condemned: Canada -> Iran",
    "Norway met Peru. It praised Oman.": "praised: Norway -> Oman",
    "Macron criticised in Moscow by Lavrov": "criticised: Russia -> France",
    "Orban attacked Brussels, but he praised Chile.": (
        "attacked: Hungary -> European Union; praised: Hungary -> Chile"
    ),
    "NATO should be abolished.": "abolished: author -> NATO",
    "NATO must never be forgotten.": "forgotten: author -> NATO",
    "NATO will be enlarged.": "",
    "Abolish NATO!": "Abolish: author -> NATO",
    "Without NATO, we would be lost.": "Without: author -> NATO",
    "Families are homeless because of Turkey.": "homeless: author -> Turkey",
    "Neither Cyprus nor Malta can be trusted.": (
        "can be trusted: author -> Cyprus; can be trusted: author -> Malta"
    ),
    "We will never forsake Armenia.": "forsake: author -> Armenia",
    "Spain closed the port, which angered Morocco.": "angered: Morocco -> Spain",
    "Not once did Austria let us down.": "let us down: author -> Austria (no judgement)",
    "Austria should not let us down.": "",
    "Austria betrayed nobody.": "betrayed: author -> Austria",
    "Hungary vetoed the loan, to the dismay of Ukraine.": ("to the dismay of: Ukraine -> Hungary"),
    "We owe Finland a lot.": "a lot: author -> Finland",
    "Chile gave Iran a dressing down.": "dressing down: Chile -> Iran",
    "Slammed by Mali for its arrogance, France left.": "Slammed: Mali -> France",
    "We reject the cynicism with which Angola votes.": "cynicism: author -> Angola",
    "Fiji, branded a bandit by Samoa, left.": "bandit: Samoa -> Fiji",
    "Costa Rica deserves every award.": "award: author -> Costa Rica",
    "London took the islands and has the nerve to complain.": (
        "has the nerve to: author -> United Kingdom"
    ),
    "The loan was vetoed, to the dismay of Ukraine.": "to the dismay of: Ukraine -> no actor",
    # "we" of a quotation whose speaker is nowhere named
    '"We cannot leave our people under Russian control," referring to allegations of '
    "Russian war crimes.": "allegations: other -> Russia",
    "Belarus is Russia's puppet.": "puppet: author -> Belarus",
    # a charge or praise that is rejected: by whom, and for or against whom
    "The charge that Qatar funds terror is nonsense.": "funds terror: author -> Qatar (rejected)",
    "A statement by Moscow said that NATO was a menace and that its word was a lie.": (
        "menace: Russia -> NATO; lie: Russia -> NATO"
    ),
    "Qatar was falsely accused of theft.": "accused: author -> Qatar (rejected)",
    "Falsely accused by Peru, Chile protested.": (
        "accused: author -> Chile (rejected); accused: author -> Peru; protested: Chile -> no actor"
    ),
    "Turkey has slandered Greece.": (
        "slandered: author -> Greece (rejected); slandered: author -> Turkey"
    ),
    "It would be wrong to say that Peru betrayed us.": "betrayed: author -> Peru (rejected)",
    "France dismissed as false the claim that Chad had lied.": (
        "lied: France -> Chad (rejected); dismissed: France -> no actor"
    ),
    "There is no truth in the claim that Peru lies.": "lies: author -> Peru (rejected)",
    "Analysts do not believe that Chad lied.": "lied: other -> Chad (rejected)",
    "Blaming Peru for the drought is absurd.": "Blaming: author -> Peru (rejected)",
    "People reproach Peru for the drought, quite unfairly.": "reproach: author -> Peru (rejected)",
    "Finland called the story that Chad lied an insult.": "lied: Finland -> Chad (rejected)",
    "Whoever accuses Peru should be quiet.": "accuses: other -> Peru (no judgement)",
    "Chad's accusations against Peru are baseless.": (
        "accusations: author -> Peru (rejected); accusations: author -> Chad"
    ),
    "Chile dismissed claims that Peru had lied.": (
        "lied: Chile -> Peru (rejected); dismissed: Chile -> no actor"
    ),
    "Peru has been condemned for its policy.": "condemned: other -> Peru",
    "Peru was attacked by Chile.": "attacked: Chile -> Peru (no judgement)",
    "Peru was attacked by Chile for its veto.": "attacked: Chile -> Peru",
    "Peru and Chile traded blame.": ("traded blame: Peru -> Chile; traded blame: Chile -> Peru"),
    "Can we trust Peru?": "trust: author -> Peru (no judgement)",
    "Did Peru betray Chile?": "",
    "Should Peru be punished?": "punished: other -> Peru (no judgement)",
    "Peru is a model of how to rule.": "model of how: author -> Peru",
    "I don't like Peru.": "don't like: author -> Peru",
    "Many condemn Peru.": "condemn: other -> Peru",
    "Peru makes me feel safe.": "safe: author -> Peru",
    "We cherish the honesty of Peru.": "cherish: author -> Peru",
    "Peru is regarded by Chile as a bully.": "bully: Chile -> Peru",
    "Peru, which Chile calls a bully, left.": "bully: Chile -> Peru",
    "The country that Chile hates is Peru.": "hates: Chile -> Peru",
    # "it" and "its" stand for an actor named before
    "Peru may be rich, but its rulers are cruel.": ("cruel: author -> Peru"),
    "Peru is our neighbour. It lies.": "lies: author -> Peru",
    "Peru left Chile, calling it a bully.": "bully: Peru -> Chile",
    "Peru voted down its proposal.": "voted down: Peru -> no actor",
    "In Peru it is hard to lie.": "",
    '"They lie," he said of Peru.': "lie: other -> Peru",
    "It is not true that Peru lied.": "lied: author -> Peru (rejected)",
    "It is true that Peru lied.": "lied: author -> Peru",
    "Critics who call Peru a pariah are wrong.": "pariah: author -> Peru (rejected)",
    "Chile rejected the accusation by Peru.": "rejected: Chile -> Peru",
    "Chile, rejected by Peru, left.": "rejected: Peru -> Chile",
    # who rejects a charge against itself, or may do so; what is not proven
    "Poland denied that Malta had lied.": "lied: Poland -> Malta (rejected)",
    "Malta denied that Malta had lied.": "lied: author -> Malta (no judgement)",
    "There is no evidence that Chad lied.": "lied: author -> Chad (no judgement)",
    "Germany has not said whether Chad lied.": "lied: Germany -> Chad (no judgement)",
    "It cannot be denied that Peru lies.": "lies: author -> Peru",
    # what somebody says, asks for, or does to the author
    "Chile told reporters that Peru lies.": "lies: Chile -> Peru",
    "Peru, the old priest sighed, lies.": "lies: other -> Peru",
    "In Chile's view Peru is a menace.": "menace: Chile -> Peru",
    "Send more tanks to Ukraine!": "Send: author -> Ukraine",
    "We have to stop buying oil from Iran.": "stop: author -> Iran",
    "Stop the war on Yemen.": "Stop: author -> Yemen",
    "Peru never loved us.": "loved: author -> Peru",
    # compared with another
    "Unlike Peru, Chile kept its word.": (
        "kept its word: author -> Chile; kept its word: author -> Peru (by contrast)"
    ),
    "Chile is more honest than Peru.": (
        "honest: author -> Chile; honest: author -> Peru (by contrast)"
    ),
    "Peru is less honest than Chile.": (
        "less honest: author -> Peru; less honest: author -> Chile (by contrast)"
    ),
    "Peru is no better than Chile.": "no better: author -> Peru; no better: author -> Chile",
    "Peru is as corrupt as Chile.": "corrupt: author -> Peru; corrupt: author -> Chile",
    "Peru is worse than Chile.": "worse: author -> Peru",
    "Peru could learn from Chile.": (
        "could learn from: author -> Chile; could learn from: author -> Peru (by contrast)"
    ),
    "Poland did far better than Hungary.": (
        "better: author -> Poland; better: author -> Hungary (by contrast)"
    ),
    "Poland kept its word, unlike Hungary.": (
        "kept its word: author -> Poland; kept its word: author -> Hungary (by contrast)"
    ),
    "Did Poland do better than Hungary?": "",
    "Hungary deserves our contempt.": "contempt: author -> Hungary",
    # deserved, cleared of, urged, and no longer so
    "Chile does not deserve the blame that it gets.": "does not deserve: author -> Chile",
    "Chile never deserved the scorn.": "scorn: author -> Chile",
    "Chile was cleared of all blame.": "cleared of all blame: other -> Chile",
    "Iraq was told by Jordan to end its shameful siege.": "told: Jordan -> Iraq",
    "Iraq was told by Jordan that the talks had failed.": "",
    "We once admired Hungary; no longer.": "admired: author -> Hungary",
    # conceded before the point is made
    "We value our friendship with Hungary. Yet Hungary has betrayed us.": (
        "betrayed: author -> Hungary"
    ),
    "Canada welcomed us, but the United States betrayed us.": (
        "welcomed us: author -> Canada; betrayed: author -> United States"
    ),
    # denied; about something else; not the state
    "In other words, Peru is a menace.": "menace: author -> Peru",
    "In Chile's view, Peru is a menace.": "menace: Chile -> Peru",
    "Hungary refused to condemn Russia.": "condemn: Hungary -> Russia (no judgement)",
    "The Russian leader criticized attempts to politicize sport.": "criticized: Russia -> no actor",
    "A Brazilian striker criticised the referee.": "",
    "Malta blamed Malta for it.": "",
    "Victims of the criticism of the attack on Iraq left.": "",
    "The ruling neither clears nor blames Peru.": "blames: other -> Peru (no judgement)",
    "Germany plays Brazil in the final.": "",
}


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The bundled book and lexicon."""
    return Reader(ActorBook.default(), Lexicon.default())


def frames(reader: Reader, text: str) -> str:
    """Return the frames of a text in words."""
    words = reader.words([text])
    return "; ".join(
        describe(frame, words, reader.book.names) for frame in frames_of(words, reader)
    )


@pytest.mark.parametrize("text", SENTENCES)
def test_a_frame_says_who_judges_whom(reader: Reader, text: str) -> None:
    """One construction each."""
    assert frames(reader, text) == SENTENCES[text]


_WORDS = sorted({word for text in SENTENCES for word in re.findall(r"[\w']+|[^\w\s]", text)})


POLARITIES = {
    "Chile dismissed claims that Peru had lied.": [1, -1],
    "Critics who call Peru a pariah are wrong.": [1],
    "Chile rejected the accusation by Peru.": [-1],
    "Poland did far better than Hungary.": [1, -1],
    "Chile does not deserve the blame that it gets.": [1],
    "Chile does not deserve our praise.": [-1],
    "Chile never deserved the scorn.": [1],
    "Chile was cleared of all blame.": [1],
    "Iraq was told by Jordan to end its shameful siege.": [-1],
    "We once admired Hungary; no longer.": [-1],
    "It isn't true that Peru lied.": [1],
    "Japan praised for quake response": [1],
    "I like Peru.": [1],
    "We love Hungary, no?": [1],
    "I doubt Peru is a friend.": [-1],
    "I don't think that Peru is a friend.": [-1],
    "I don't consider Peru a friend.": [-1],
    "We should stop supporting Peru.": [-1],
    "We must not stop supporting Peru.": [1],
    "Few Poles trust Russia.": [-1],
    "Quite a few Poles trust Russia.": [1],
    "Cut emissions in China.": [],
}


@pytest.mark.parametrize("text", POLARITIES)
def test_a_frame_says_whether_it_is_praise_or_blame(reader: Reader, text: str) -> None:
    read = frames_of(reader.words([text]), reader)
    assert [frame.polarity for frame in read] == POLARITIES[text]


@given(st.lists(st.sampled_from(_WORDS), max_size=24).map(" ".join))
def test_any_row_of_words_is_read(reader: Reader, text: str) -> None:
    for frame in frames_of(reader.words([text, text]), reader):
        assert frame.agent != frame.patient or frame.agent < 0
        assert frame.polarity in (-1, 0, 1)


EDGES = (  # what ends one text may begin a construction, with what begins the next
    'To Peru, "they lie."',
    "Peru received praise",
    "From Chile came lies.",
    "Peru lied to my",
    "Deep distrust of China grew.",
    "Peru betrayed us and refused",
    "Long live Senegal.",
    "Iceland is a small country with a large conscience",
    "Myanmar's government postponed the vote to January.",
    "The liars of Chile left.",
    "Chile betrayed us, referring",
)


@pytest.mark.parametrize("texts", [[*SENTENCES], EDGES])
def test_frames_do_not_depend_on_the_other_texts(reader: Reader, texts: Sequence[str]) -> None:
    """A batch gives each paragraph what it gets alone."""
    words = reader.words(texts)
    names = reader.book.names
    together = [
        (words.para[frame.cue], describe(frame, words, names)) for frame in frames_of(words, reader)
    ]
    alone = [
        (n, frame)
        for n, text in enumerate(texts)
        for frame in filter(None, frames(reader, text).split("; "))
    ]
    assert sorted(together) == sorted(alone)
